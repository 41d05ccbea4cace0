//! Signing in for the first time and ever after, confirming, and out again.

use chrono::Duration;

use super::desk::{Browser, Desk, PASSWORD, with_token};
use crate::model::{Actor, Role};
use crate::operations::operators::{self, NewOperator};
use crate::operations::{passwords, second_factor};
use crate::testing::on_both;

async fn new_clerk(desk: &Desk) -> String {
    let initial = passwords::initial().await.expect("a password");
    let (context, council, hash) = (desk.bench.context(Actor::System), desk.council.clone(), initial.hash.clone());
    desk.bench
        .database
        .write("clerk", move |tx| {
            let new = NewOperator {
                council: Some(council.clone()),
                login: "carol".to_owned(),
                name: "Carol Clerk".to_owned(),
                role: Role::Clerk,
                password_hash: hash.clone(),
            };
            operators::add(tx, &context, &new).map(drop)
        })
        .await
        .expect("a clerk");
    initial.words.to_string()
}

async fn sign_in(browser: &mut Browser, fields: &[(&str, &str)]) -> super::desk::Answer {
    browser.get("/console/sign-in").await.is(200);
    browser.send("/console/sign-in", fields).await
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map(|(found, _)| found).expect(before)
}

#[actix_web::test]
async fn the_first_sign_in_leads_through_password_and_second_factor() {
    on_both(|bench| async move {
        let desk = Desk::new(bench).await;
        let initial = new_clerk(&desk).await;
        let mut carol = desk.nobody();
        let asked = carol.get("/console/councils/germoe/lost?find=gpc").await.leads_to();
        assert_eq!(asked, "/console/sign-in?then=%2Fconsole%2Fcouncils%2Fgermoe%2Flost%3Ffind%3Dgpc");
        carol.get(&asked).await.is(200).has("name=\"then\" value=\"/console/councils/germoe/lost?find=gpc\"");

        // The form is bound to this browser, and to this site.
        let fields = [("login", "Carol"), ("password", initial.as_str())];
        let mut other = desk.nobody();
        other.get("/console/sign-in").await.is(200);
        let foreign = other.token("/console/sign-in");
        carol.post("/console/sign-in", &with_token(&fields, &foreign), "same-origin").await.is(403);
        carol.post("/console/sign-in", &fields, "same-origin").await.is(403);
        let own = carol.token("/console/sign-in");
        carol.post("/console/sign-in", &with_token(&fields, &own), "cross-site").await.is(403);
        assert_eq!(carol.session, None);

        let wrong = [("login", "Carol"), ("password", "wrong words here")];
        sign_in(&mut carol, &wrong).await.is(422).has("is wrong").has("value=\"Carol\"").lacks("wrong words here");
        let then = [fields.as_slice(), &[("then", "https://evil.example/")]].concat();
        assert_eq!(sign_in(&mut carol, &then).await.leads_to(), "/console");
        assert_eq!(carol.get("/console").await.leads_to(), "/console/account/password");
        assert_eq!(carol.get("/console/account/second-factor").await.leads_to(), "/console/account/password");

        let page = "/console/account/password";
        carol.get(page).await.is(200).has("for the first time only");
        let change = |new: &'static str, again: &'static str| {
            [("current", initial.clone()), ("new", new.to_owned()), ("again", again.to_owned())]
        };
        for (new, again, problem) in [
            ("short", "short", "must have at least 12 characters"),
            ("tin mine tide", "tin mine tid", "are not the same"),
            ("carol is my name", "carol is my name", "must not contain your login"),
        ] {
            let fields = change(new, again);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            carol.send(page, &fields).await.is(422).has(problem);
        }
        let fields = [("current", "not that one"), ("new", "tin mine tide"), ("again", "tin mine tide")];
        carol.send(page, &fields).await.is(422).has("not your password until now");
        let fields = [("current", initial.as_str()), ("new", "tin mine tide"), ("again", "tin mine tide")];
        assert_eq!(carol.send(page, &fields).await.leads_to(), "/console");
        assert_eq!(carol.get("/console").await.leads_to(), "/console/account/second-factor");

        let page = "/console/account/second-factor";
        carol.get(page).await.is(200);
        let token = carol.token(page);
        let begun = carol.post(page, &with_token(&[], &token), "same-origin").await.is(200).has("<svg role=\"img\"");
        let secret = between(&begun.text, "class=\"secret\">", "<").replace(' ', "");
        let again = carol.post(page, &with_token(&[], &token), "same-origin").await.is(200);
        assert_eq!(
            between(&again.text, "class=\"secret\">", "<").replace(' ', ""),
            secret,
            "a second click shows the same"
        );
        let page = "/console/account/second-factor/code";
        carol.send(page, &[("code", "000000")]).await.is(422).has("not the code that the app shows now");
        let code = second_factor::code_of(&secret, desk.bench.clock.now());
        let codes = carol.send(page, &[("code", code.as_str())]).await.is(200).has("shown only now");
        assert_eq!(codes.text.matches("<li>").count(), 10, "{}", codes.text);
        let recovery = codes.text.rsplit("<li>").find(|text| text.contains('-')).expect("a code");
        let recovery = recovery.split('<').next().expect("a code").to_owned();
        let home = carol.get("/console").await.leads_to();
        carol.get(&home).await.is(200).has("Carol Clerk");

        // Out, and in again with the next code; a used one, and none, do not do.
        assert_eq!(carol.send("/console/sign-out", &[]).await.leads_to(), "/console/sign-in?out=1");
        assert_eq!(carol.session, None);
        carol.get("/console/sign-in?out=1").await.is(200).has("You have signed out");
        let credentials = [("login", "carol"), ("password", "tin mine tide")];
        sign_in(&mut carol, &credentials).await.is(422).has("Enter the code of your authenticator app");
        let used = [credentials.as_slice(), &[("totp", code.as_str())]].concat();
        sign_in(&mut carol, &used).await.is(422).has("is wrong");
        desk.bench.clock.advance(Duration::seconds(60));
        let code = second_factor::code_of(&secret, desk.bench.clock.now());
        let next = [credentials.as_slice(), &[("totp", code.as_str())]].concat();
        sign_in(&mut carol, &next).await.is(303);

        // The phone with the app is the lost one.
        let mut elsewhere = desk.nobody();
        elsewhere.get("/console/sign-in?with=recovery").await.is(200).has("Recovery code");
        let with = [credentials.as_slice(), &[("recovery_code", recovery.as_str())]].concat();
        sign_in(&mut elsewhere, &with).await.is(303);
        sign_in(&mut desk.nobody(), &with).await.is(422).has("is wrong");

        // Twenty minutes unused: over, and a form that comes afterwards does nothing.
        desk.bench.clock.advance(Duration::minutes(21));
        assert!(carol.get(&home).await.leads_to().starts_with("/console/sign-in?then="));
    })
    .await;
}

#[actix_web::test]
async fn what_destroys_asks_again_who_it_is() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let case = desk.lose().await;
        let order = desk.ask(&case).await;
        desk.clerk.send(&format!("{order}/cancel"), &[]).await.is(303);
        let order = desk.ask(&case).await;
        desk.bench.clock.advance(Duration::minutes(6));
        let confirm = format!("/console/confirm?then={}", order.replace('/', "%2F"));
        desk.chair.get(&order).await.is(200).has("Confirm that it is you").lacks("/approve\"");
        assert_eq!(desk.chair.send(&format!("{order}/approve"), &[]).await.leads_to(), confirm);
        desk.chair.get(&confirm).await.is(200).has("counts for five minutes");
        let wrong = [("password", "x"), ("totp", "123456"), ("then", order.as_str())];
        desk.chair.send("/console/confirm", &wrong).await.is(422).has("is wrong").has(&format!("value=\"{order}\""));
        let code = desk.chair.code();
        let right = [("password", PASSWORD), ("totp", code.as_str()), ("then", order.as_str())];
        assert_eq!(desk.chair.send("/console/confirm", &right).await.leads_to(), order);
        desk.chair.get(&order).await.is(200).has("Approve: erase GPC-001");
        desk.chair.send("/console/confirm", &right).await.is(422).has("is wrong");
        desk.clerk.send(&format!("{order}/cancel"), &[]).await.is(303);
        let wipe = format!("{case}/wipe");
        let first = format!("/console/confirm?then={}", wipe.replace('/', "%2F"));
        assert_eq!(desk.clerk.get(&wipe).await.leads_to(), first);
        let fields = [("asset_tag", "GPC-001"), ("reason", "stolen")];
        assert_eq!(desk.clerk.send(&wipe, &fields).await.leads_to(), first);
        assert_eq!(desk.recorded("order.requested").await, 2);
        for page in ["/console/account/second-factor", "/console/account/recovery-codes"] {
            assert!(desk.clerk.get(page).await.leads_to().starts_with("/console/confirm?then="), "{page}");
        }
    })
    .await;
}
