//! The first run, from the set-up code on.

use std::sync::Arc;

use super::desk::{Browser, Desk, NASTY, serve};
use crate::app::App;
use crate::config::Config;
use crate::keys::sha256_hex;
use crate::store;
use crate::testing::{Bench, on_both};

const CODE: &str = "ABCDE-FGHJK-LMNPQ-RSTUV";

/// A browser at a server that was started for the first time.
async fn fresh(bench: &Bench) -> Browser {
    let now = bench.clock.now();
    let kept = sha256_hex(CODE.as_bytes());
    bench
        .database
        .write("set-up code", move |tx| store::installation::set_value(tx, "set-up-code", kept.as_bytes(), now))
        .await
        .expect("a code");
    let app = App {
        database: bench.database.clone(),
        keys: Arc::clone(&bench.keys),
        clock: bench.clock.clone(),
        config: Arc::new(Config::default()),
        google: crate::google::Kept::default(),
        sightings: Arc::default(),
    };
    Browser { serve: serve(&app).await, app, session: None, visit: None, secret: String::new() }
}

#[actix_web::test]
async fn the_set_up_code_makes_the_first_operator_once() {
    on_both(|bench| async move {
        let mut pat = fresh(&bench).await;
        assert_eq!(pat.get("/console/sign-in").await.leads_to(), "/console/set-up");
        let page = "/console/set-up";
        pat.get(page).await.is(200).has("Set-up code").has("Make my account");
        let right = [
            ("code", " abcde-fghjk-lmnpq-rstuv "),
            ("name", "Pat Provider"),
            ("login", "pat"),
            ("new_password", "tin mine tide"),
            ("again", "tin mine tide"),
        ];
        let long = "x".repeat(10_000);
        for (field, value, problem) in [
            ("code", "WRONG", "This is not the set-up code"),
            ("again", "tin mine tid", "are not the same"),
            ("login", long.as_str(), "The sign-in name "),
            ("name", long.as_str(), "Your name "),
        ] {
            bench.clock.advance(chrono::Duration::hours(2));
            let fields = right.map(|(name, right)| (name, if name == field { value } else { right }));
            pat.send(page, &fields).await.is(422).has(problem).lacks("tin mine tide");
            assert_eq!(pat.session, None);
        }
        bench.clock.advance(chrono::Duration::hours(2));
        let weak = right.map(|(name, right)| (name, if right == "tin mine tide" { "short" } else { right }));
        pat.send(page, &weak).await.is(422).has("must have at least 12 characters");
        bench.clock.advance(chrono::Duration::hours(2));
        let nasty = right.map(|(name, right)| (name, if name == "code" { NASTY } else { right }));
        pat.send(page, &nasty).await.is(422).lacks("<script>alert(1)");
        pat.post(page, &right, "same-origin").await.is(403);

        // The password is one's own, so the second factor is next.
        bench.clock.advance(chrono::Duration::hours(2));
        assert_eq!(pat.send(page, &right).await.leads_to(), "/console");
        assert_eq!(pat.get("/console").await.leads_to(), "/console/account/second-factor");

        // Nobody does it a second time.
        pat.session = None;
        assert_eq!(pat.get(page).await.leads_to(), "/console/sign-in");
        pat.send(page, &right).await.is(422).has("was set up before");
        assert_eq!(pat.session, None);
    })
    .await;
}

#[actix_web::test]
async fn a_server_with_operators_shows_no_set_up() {
    on_both(|bench| async move {
        let desk = Desk::new(bench).await;
        let mut nobody = desk.nobody();
        assert_eq!(nobody.get("/console/set-up").await.leads_to(), "/console/sign-in");
        nobody.get("/console/sign-in").await.is(200).has("Your sign-in name");
    })
    .await;
}
