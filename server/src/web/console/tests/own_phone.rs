//! The clerk's own phone is the lost one: in by a recovery code, and out with the phone in one step.

use chrono::Duration;

use super::desk::{Desk, PASSWORD};
use super::passkeys::{add, desk, sign_in};
use crate::model::{CouncilId, Mode};
use crate::operations::second_factor;
use crate::store;
use crate::testing::on_both;

const HERE: &str = "/console/account/own-phone";

/// Gives the clerk a recovery code.
async fn recovery(desk: &Desk) -> String {
    let code = second_factor::recovery_code().expect("a code");
    let kept = code.clone();
    desk.bench
        .database
        .write("a recovery code", move |tx| {
            let clerk = store::operators::find_by_login(tx, "clerk")?.expect("a clerk");
            store::recovery_codes::replace(tx, &clerk.id, &[second_factor::recovery_hash(&clerk.id, &kept)])
        })
        .await
        .expect("kept");
    code.to_string()
}

async fn name_of_clerk(desk: &Desk) -> String {
    let found =
        desk.bench.database.read("clerk", move |tx| store::operators::find_by_login(tx, "clerk")).await.expect("reads");
    found.expect("a clerk").name
}

#[actix_web::test]
async fn a_recovery_code_and_one_button_shut_the_lost_phone_out() {
    on_both(|bench| async move {
        let mut desk = desk(bench).await;
        let council: CouncilId = desk.council.clone();
        let name = name_of_clerk(&desk).await;
        let mine = Desk::phone(&desk.bench, &council, "GPC-777", &name, Mode::Supervised).await;
        let recovery = recovery(&desk).await;
        let mut key = add(&mut desk.clerk, "phone").await;
        let mut thief = desk.nobody();
        sign_in(&mut thief, &mut key).await.is(303);

        let mut office = desk.nobody();
        office.get("/console/sign-in?with=recovery").await.is(200);
        // As the form has it after the first page led there.
        let fields =
            [("login", "clerk"), ("password", PASSWORD), ("recovery_code", recovery.as_str()), ("then", "/console")];
        assert_eq!(office.send("/console/sign-in", &fields).await.leads_to(), HERE);
        office.get(HERE).await.is(200).has("GPC-777").lacks("GPC-001").has("Lock it and sign it out");
        let fields = [("asset", mine.asset.as_str()), ("app", "yes")];
        office.post(HERE, &fields, "same-origin").await.is(403);
        let done = office.send(HERE, &fields).await.leads_to();
        assert!(done.starts_with("/console/account/own-phone/done?case="), "{done}");
        office.get(&done).await.is(200).has("Add a passkey on this device").has("The phone was reported lost");
        assert_eq!(desk.recorded("loss.reported").await, 1);
        assert_eq!(desk.recorded("device locked").await, 1);
        assert_eq!(desk.recorded("order.requested").await, 0);

        // The thief's and the old sign-in are over; neither passkey nor app nor password signs in any more.
        assert!(thief.get("/console/account").await.leads_to().starts_with("/console/sign-in"));
        assert!(desk.clerk.get("/console/account").await.leads_to().starts_with("/console/sign-in"));
        sign_in(&mut desk.nobody(), &mut key).await.is(422).has("was not accepted");
        desk.bench.clock.advance(Duration::seconds(60));
        let code = desk.clerk.code();
        let mut other = desk.nobody();
        other.get("/console/sign-in").await.is(200);
        other
            .send("/console/sign-in", &[("login", "clerk"), ("password", PASSWORD), ("totp", code.as_str())])
            .await
            .is(422);
        other.send("/console/sign-in", &[("login", "clerk"), ("password", PASSWORD)]).await.is(422);
        assert_eq!(other.session, None);
        // Here he goes on, and makes a new second factor.
        let mut new = add(&mut office, "office computer").await;
        sign_in(&mut desk.nobody(), &mut new).await.is(303);
    })
    .await;
}

#[actix_web::test]
async fn it_takes_no_other_councils_phone_and_asks_who_it_is() {
    on_both(|bench| async move {
        let mut desk = desk(bench).await;
        desk.stranger.send(HERE, &[("asset", desk.phone.asset.as_str()), ("app", "no")]).await.is(404);
        assert_eq!(desk.recorded("loss.reported").await, 0);
        // Nothing of it was done: the stranger's app still counts.
        desk.bench.clock.advance(Duration::minutes(6));
        assert!(desk.stranger.get(HERE).await.leads_to().starts_with("/console/confirm?then="));
        assert!(desk.stranger.send(HERE, &[("app", "yes")]).await.leads_to().starts_with("/console/confirm?then="));
        let code = desk.stranger.code();
        let fields = [("password", PASSWORD), ("totp", code.as_str()), ("then", HERE)];
        assert_eq!(desk.stranger.send("/console/confirm", &fields).await.leads_to(), HERE);
        desk.stranger.send(HERE, &[("asset", &"x".repeat(10_000)), ("app", "yes")]).await.is(404);
        // An auditor has no phone locked by it.
        let code = desk.auditor.code();
        desk.auditor.send("/console/confirm", &[("password", PASSWORD), ("totp", code.as_str())]).await.is(303);
        desk.auditor.get(HERE).await.is(200).has("Sign that phone out");
        desk.auditor.send(HERE, &[("asset", desk.phone.asset.as_str()), ("app", "yes")]).await.is(422);
        assert_eq!(desk.recorded("loss.reported").await, 0);
    })
    .await;
}
