//! Passkeys: made, used, refused where anything about the answer is wrong, and removed.

use chrono::Duration;
use serde_json::Value;

use super::desk::{Browser, Desk, PASSWORD};
use super::soft_key::SoftKey;
use crate::model::{Actor, OperatorId};
use crate::operations::{operators, passkeys};
use crate::store;
use crate::testing::on_both;

const NEW: &str = "/console/account/second-factor/passkey";
const SIGN_IN: &str = "/console/sign-in/passkey";
const CONFIRM: &str = "/console/confirm/passkey";
const LIST: &str = "/console/account/passkeys";
/// Where the browsers of these tests are.
const HERE: &str = "phones.example";

pub(super) async fn desk(bench: crate::testing::Bench) -> Desk {
    // A council whose public address is where the browsers are.
    bench.council("phones").await;
    Desk::new(bench).await
}

async fn question(browser: &mut Browser, action: &str) -> Value {
    let asked = browser.send(&format!("{action}/begin"), &[]).await.is(200);
    serde_json::from_str(&asked.text).expect("a question")
}

pub(super) async fn add(browser: &mut Browser, name: &str) -> SoftKey {
    let mut key = SoftKey::new(HERE);
    let options = question(browser, NEW).await;
    let answer = key.create(&options);
    let place = browser.send(NEW, &[("name", name), ("answer", answer.as_str())]).await.leads_to();
    assert_eq!(place, LIST);
    key
}

pub(super) async fn sign_in(browser: &mut Browser, key: &mut SoftKey) -> super::desk::Answer {
    browser.get("/console/sign-in").await.is(200).has("Use your passkey");
    let options = question(browser, SIGN_IN).await;
    let answer = key.get(&options);
    browser.send(SIGN_IN, &[("answer", answer.as_str()), ("then", "/console/account")]).await
}

async fn standing(desk: &Desk, login: &'static str) -> crate::model::Moment {
    let found = desk.bench.database.read("standing", move |tx| store::operators::find_by_login(tx, login)).await;
    found.expect("reads").expect("an operator").standing_since
}

pub(super) async fn alerts(desk: &Desk, kind: &'static str) -> usize {
    let council = desk.council.clone();
    let found = desk.bench.database.read("alerts", move |tx| store::alerts::page(tx, &council, true, None, 100)).await;
    found.expect("reads").iter().filter(|alert| alert.kind == kind).count()
}

#[actix_web::test]
async fn a_passkey_signs_in_and_confirms_by_itself() {
    on_both(|bench| async move {
        let mut desk = desk(bench).await;
        let before = standing(&desk, "chair").await;
        desk.chair.get(NEW).await.is(200).has("Make a passkey");
        let mut key = add(&mut desk.chair, "work <b>laptop</b>").await;
        assert!(standing(&desk, "chair").await > before, "a change of the second factor restarts the clock");
        desk.chair.get(LIST).await.is(200).has("work &#60;b&#62;laptop").has("Not used yet");
        desk.chair.get("/console").await.is(303);

        let mut elsewhere = desk.nobody();
        assert_eq!(sign_in(&mut elsewhere, &mut key).await.leads_to(), "/console/account");
        elsewhere.get("/console/account").await.is(200);
        assert_eq!(desk.recorded("operator.signed_in").await, 1);

        // Six minutes later it shows again that it is him.
        desk.bench.clock.advance(Duration::minutes(6));
        elsewhere.get("/console/account/recovery-codes").await.is(303);
        elsewhere.get("/console/confirm").await.is(200).has("Use your passkey");
        let options = question(&mut elsewhere, CONFIRM).await;
        let answer = key.get(&options);
        let fields = [("answer", answer.as_str()), ("then", "/console/account/recovery-codes")];
        assert_eq!(elsewhere.send(CONFIRM, &fields).await.leads_to(), "/console/account/recovery-codes");
        elsewhere.get("/console/account/recovery-codes").await.is(200);
        // The password and the code still do.
        let mut third = desk.nobody();
        third.get("/console/sign-in").await.is(200);
        let code = desk.chair.code();
        let fields = [("login", "chair"), ("password", PASSWORD), ("totp", code.as_str())];
        third.send("/console/sign-in", &fields).await.is(303);
    })
    .await;
}

#[actix_web::test]
async fn an_answer_that_is_not_quite_right_is_refused() {
    on_both(|bench| async move {
        let mut desk = desk(bench).await;
        let mut key = add(&mut desk.clerk, "phone").await;
        let mut visit = desk.nobody();
        visit.get("/console/sign-in").await.is(200);

        // Another origin, another name, nobody there to open it, nonsense, too much.
        let lies: [fn(&mut SoftKey); 4] = [
            |key| key.origin = "https://evil.example".to_owned(),
            |key| key.origin = "https://germoe.example".to_owned(),
            |key| key.name = "evil.example".to_owned(),
            |key| key.verifies = false,
        ];
        for lie in lies {
            let mut liar = key.clone();
            lie(&mut liar);
            // Each from a visit of its own, so that none is refused only because it has to wait.
            let options = question(&mut visit, SIGN_IN).await;
            let answer = liar.get(&options);
            visit.send(SIGN_IN, &[("answer", answer.as_str())]).await.is(422).has("was not accepted");
            assert_eq!(visit.session, None);
        }
        for answer in ["", "{}", "null", &"x".repeat(10_000), &"[".repeat(10_000)] {
            visit.send(SIGN_IN, &[("answer", answer)]).await.is(422).has("was not accepted");
        }

        // The right answer to a question put to another visit, one that is too old, and one sent twice.
        let mut other = desk.nobody();
        other.get("/console/sign-in").await.is(200);
        desk.bench.clock.advance(Duration::minutes(20));
        let options = question(&mut other, SIGN_IN).await;
        let answer = key.get(&options);
        question(&mut visit, SIGN_IN).await;
        visit.send(SIGN_IN, &[("answer", answer.as_str())]).await.is(422).has("was not accepted");
        let options = question(&mut visit, SIGN_IN).await;
        let answer = key.get(&options);
        desk.bench.clock.advance(Duration::seconds(301));
        visit.send(SIGN_IN, &[("answer", answer.as_str())]).await.is(422).has("was not accepted");
        let options = question(&mut visit, SIGN_IN).await;
        let answer = key.get(&options);
        visit.send(SIGN_IN, &[("answer", answer.as_str())]).await.is(303);
        let mut again = desk.nobody();
        again.visit = visit.visit.clone();
        again.send(SIGN_IN, &[("answer", answer.as_str())]).await.is(422).has("was not accepted");
        assert_eq!(again.session, None);

        // Without a token, or from another site, not even the question is put.
        let mut bare = desk.nobody();
        bare.get("/console/sign-in").await.is(200);
        bare.post("/console/sign-in/passkey/begin", &[], "same-origin").await.is(403);
        let token = bare.token("/console/sign-in/passkey/begin");
        bare.post("/console/sign-in/passkey/begin", &[("form_token", token.as_str())], "cross-site").await.is(403);
        bare.post(SIGN_IN, &[("answer", answer.as_str())], "same-origin").await.is(403);
    })
    .await;
}

#[actix_web::test]
async fn a_copied_passkey_raises_an_alert_and_guessing_an_incident() {
    on_both(|bench| async move {
        let mut desk = desk(bench).await;
        let key = add(&mut desk.clerk, "phone").await;
        let (mut original, mut copy) = (key.clone(), key);
        original.counter = 40;
        sign_in(&mut desk.nobody(), &mut original).await.is(303);
        let mut thief = desk.nobody();
        sign_in(&mut thief, &mut copy).await.is(422);
        assert_eq!(thief.session, None);
        assert_eq!(alerts(&desk, "passkey_copied").await, 1);
        assert_eq!(alerts(&desk, "sign_in_failures").await, 0);
        for _ in 0..4 {
            sign_in(&mut thief, &mut copy).await.is(422);
        }
        assert_eq!(alerts(&desk, "sign_in_failures").await, 1);
        sign_in(&mut thief, &mut copy).await.is(422).has("Too many tries");
        // Guessing passwords, in turn, keeps no passkey out.
        desk.bench.clock.advance(Duration::minutes(30));
        let mut guesser = desk.nobody();
        guesser.get("/console/sign-in").await.is(200);
        for _ in 0..6 {
            guesser.send("/console/sign-in", &[("login", "clerk"), ("password", "wrong words here")]).await.is(422);
        }
        sign_in(&mut desk.nobody(), &mut original).await.is(303);
    })
    .await;
}

#[actix_web::test]
async fn a_password_alone_does_not_open_an_account_that_has_only_a_passkey() {
    on_both(|bench| async move {
        let desk = desk(bench).await;
        desk.bench
            .database
            .write("no factor yet", move |tx| {
                let mut clerk = store::operators::find_by_login(tx, "clerk")?.expect("a clerk");
                clerk.sealed_totp = None;
                clerk.mfa_since = None;
                store::operators::update(tx, &clerk)
            })
            .await
            .expect("none");
        let mut clerk = desk.nobody();
        clerk.get("/console/sign-in").await.is(200);
        let fields = [("login", "clerk"), ("password", PASSWORD)];
        clerk.send("/console/sign-in", &fields).await.is(303);
        assert_eq!(clerk.get("/console").await.leads_to(), "/console/account/second-factor");
        clerk.get("/console/account/second-factor").await.is(200).has("Add a passkey");
        let mut key = SoftKey::new(HERE);
        let options = question(&mut clerk, NEW).await;
        let answer = key.create(&options);
        clerk.send(NEW, &[("name", &"x".repeat(10_000)), ("answer", answer.as_str())]).await.is(422);
        let options = question(&mut clerk, NEW).await;
        let answer = key.create(&options);
        let codes = clerk.send(NEW, &[("name", "laptop"), ("answer", answer.as_str())]).await.is(200);
        assert_eq!(codes.text.matches("<li>").count(), 10, "{}", codes.text);
        let recovery = codes.text.rsplit("<li>").find(|text| text.contains('-')).expect("a code");
        let recovery = recovery.split('<').next().expect("a code").to_owned();
        assert_eq!(clerk.get("/console").await.leads_to(), "/console/councils/germoe");

        // The password alone, then, and with any six digits: no.
        let mut thief = desk.nobody();
        thief.get("/console/sign-in").await.is(200);
        thief.send("/console/sign-in", &fields).await.is(422);
        let guess = [("login", "clerk"), ("password", PASSWORD), ("totp", "123456")];
        thief.send("/console/sign-in", &guess).await.is(422);
        assert_eq!(thief.session, None);
        sign_in(&mut desk.nobody(), &mut key).await.is(303);
        let with = [("login", "clerk"), ("password", PASSWORD), ("recovery_code", recovery.as_str())];
        thief.send("/console/sign-in", &with).await.is(303);
    })
    .await;
}

#[actix_web::test]
async fn one_sees_renames_and_removes_ones_own_and_no_others() {
    on_both(|bench| async move {
        let mut desk = desk(bench).await;
        let mut key = add(&mut desk.clerk, "phone").await;
        let list = desk.clerk.get(LIST).await.is(200);
        let place = list.text.split("href=\"").find(|text| text.starts_with(&format!("{LIST}/"))).expect("a link");
        let place = place.split('"').next().expect("a link").to_owned();
        desk.clerk.get(&place).await.is(200).has("Works at");
        let (name, remove) = (format!("{place}/name"), format!("{place}/remove"));
        for other in [&mut desk.chair, &mut desk.stranger, &mut desk.provider, &mut desk.auditor] {
            other.get(&place).await.is(404);
            other.get(&remove).await.is(404);
            other.send(&name, &[("name", "mine")]).await.is(404);
            other.send(&remove, &[]).await.is(404);
        }
        desk.clerk.send(&name, &[("name", &"x".repeat(10_000))]).await.is(422);
        assert_eq!(desk.clerk.send(&name, &[("name", "old phone")]).await.leads_to(), LIST);
        desk.clerk.get(LIST).await.is(200).has("old phone");
        desk.clerk.post(&remove, &[], "same-origin").await.is(403);

        desk.bench.clock.advance(Duration::minutes(6));
        assert!(desk.clerk.get(&remove).await.leads_to().starts_with("/console/confirm?then="));
        assert!(desk.clerk.send(&remove, &[]).await.leads_to().starts_with("/console/confirm?then="));
        let code = desk.clerk.code();
        desk.clerk.send("/console/confirm", &[("password", PASSWORD), ("totp", code.as_str())]).await.is(303);
        let mut open = desk.nobody();
        sign_in(&mut open, &mut key).await.is(303);
        let before = standing(&desk, "clerk").await;
        assert_eq!(desk.clerk.send(&remove, &[]).await.leads_to(), LIST);
        assert!(standing(&desk, "clerk").await > before);
        sign_in(&mut desk.nobody(), &mut key).await.is(422).has("was not accepted");
        open.get("/console/account").await.is(200).has("Your account");
        assert_eq!(desk.recorded("operator.passkey_removed").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_reset_second_factor_takes_the_passkeys_along() {
    on_both(|bench| async move {
        let mut desk = desk(bench).await;
        let mut key = add(&mut desk.clerk, "phone").await;
        let context = desk.bench.context(Actor::Local);
        desk.bench
            .database
            .write("reset", move |tx| {
                let clerk = store::operators::find_by_login(tx, "clerk")?.expect("a clerk");
                let id: OperatorId = clerk.id;
                operators::reset(tx, &context, &id, "x", true).map(drop)
            })
            .await
            .expect("reset");
        sign_in(&mut desk.nobody(), &mut key).await.is(422).has("was not accepted");
    })
    .await;
}

#[actix_web::test]
async fn where_no_address_is_configured_no_passkey_is_asked_for() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        desk.nobody().get("/console/sign-in").await.is(200).lacks("Use your passkey");
        desk.clerk.get(NEW).await.is(200).has("cannot be used at this address").lacks("Make a passkey");
        desk.clerk.send(&format!("{NEW}/begin"), &[]).await.is(409);
        let mut visit = desk.nobody();
        visit.get("/console/sign-in").await.is(200);
        visit.send("/console/sign-in/passkey/begin", &[]).await.is(409);
    })
    .await;
}

#[actix_web::test]
async fn questions_that_nobody_answered_are_forgotten() {
    on_both(|bench| async move {
        let desk = desk(bench).await;
        let purge = async || {
            let now = desk.bench.clock.now();
            let purged = desk
                .bench
                .database
                .write("purge", move |tx| store::passkey_ceremonies::purge(tx, now - passkeys::GOOD_FOR, 500));
            purged.await.expect("purges")
        };
        for _ in 0..2 {
            let mut visit = desk.nobody();
            visit.get("/console/sign-in").await.is(200);
            question(&mut visit, SIGN_IN).await;
            // Asked anew: in place of the first.
            question(&mut visit, SIGN_IN).await;
        }
        assert_eq!(purge().await, 0);
        desk.bench.clock.advance(Duration::seconds(301));
        assert_eq!(purge().await, 2);
    })
    .await;
}
