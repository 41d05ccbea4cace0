//! The mail server's pages, the test message and one's own address: who may, and what is said when it goes wrong.

use beadle_simulator::mail_server::{Fault, MailServer, Privacy, Stage};
use chrono::Duration;

use super::desk::{Desk, NASTY, with_token};
use crate::testing::on_both;

const MAIL: &str = "/console/settings/mail";
const CHANGE: &str = "/console/settings/mail/change";
const TEST: &str = "/console/settings/mail/test";
const REMOVE: &str = "/console/settings/mail/remove";
const OWN: &str = "/console/account/mail";

fn settings(port: &str) -> [(&'static str, &str); 6] {
    [
        ("host", "127.0.0.1"),
        ("security", "none"),
        ("port", port),
        ("username", "beadle"),
        ("password", "tin mine"),
        ("sender", "beadle@germoe.example"),
    ]
}

#[actix_web::test]
async fn a_provider_sets_the_server_and_sees_what_it_says() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let server = MailServer::start(Privacy::None, Some(("beadle", "tin mine"))).await.expect("starts");
        let port = server.address().port().to_string();
        desk.provider.get(MAIL).await.is(200).has("No mail server is set").lacks("test message");
        assert_eq!(desk.provider.get(TEST).await.leads_to(), MAIL);
        assert_eq!(desk.provider.get(REMOVE).await.leads_to(), MAIL);
        let much = "x".repeat(10_000);
        for (field, value, words) in [
            ("host", "smtp example", "The mail server must be a name"),
            ("host", "mail.example.org", "must be encrypted"),
            ("host", much.as_str(), "The mail server must be a name"),
            ("security", "maybe", "must be one of the three ways"),
            ("port", "0", "The port must be a number"),
            ("port", "smtp", "The port must be a number"),
            ("username", much.as_str(), "at most 200 characters"),
            ("password", "", "must be given"),
            ("password", much.as_str(), "at most 256 characters"),
            ("sender", NASTY, "must be a mail address"),
        ] {
            let mut fields = settings(&port);
            for entry in &mut fields {
                if entry.0 == field {
                    entry.1 = value;
                }
            }
            let page = desk.provider.send(CHANGE, &fields).await.is(422).has(words).has("There is a problem");
            page.lacks("<script>alert").lacks("tin mine");
        }
        assert_eq!(desk.provider.send(CHANGE, &settings(&port)).await.leads_to(), MAIL);
        let page = desk.provider.get(MAIL).await.is(200).has("Kept, and never shown").has("Not yet, as it is set now");
        page.lacks("tin mine");
        desk.provider.get(CHANGE).await.is(200).has("value=\"beadle\"").lacks("tin mine");

        desk.provider.get(TEST).await.is(200).has("your account has none yet");
        desk.provider.send(TEST, &[]).await.is(422).has("no mail address");
        for wrong in ["clerk", NASTY, much.as_str(), "a@b\r\nRCPT TO:<c@d>"] {
            desk.provider
                .send(OWN, &[("mail", wrong)])
                .await
                .is(422)
                .has("must be a mail address")
                .lacks("<script>alert");
        }
        desk.provider.send(OWN, &[("mail", "pat@provider.example")]).await.is(303);
        desk.provider.get("/console/account").await.is(200).has("pat@provider.example");
        desk.provider.get(TEST).await.is(200).has("pat@provider.example");
        desk.provider.send(TEST, &[]).await.is(200).has("accepted the message").has("250 2.0.0 queued as 1");
        assert_eq!(server.received()[0].to, ["pat@provider.example"]);
        let token = desk.provider.token(TEST);
        let form = with_token(&[], &token);
        desk.provider.post(TEST, &form, "same-origin").await.is(200).has("accepted the message");
        desk.provider.post(TEST, &form, "same-origin").await.is(200).has("was sent already");
        assert_eq!(server.received().len(), 2, "a second click sends nothing");
        desk.provider.get(MAIL).await.is(200).lacks("Not yet").lacks("What went wrong last");
        server.at(Stage::Recipient, Some(Fault::Answer(550, "5.1.1 <script>alert(1)</script>".to_owned())));
        let page = desk.provider.send(TEST, &[]).await.is(422);
        page.has("The mail server refused the recipient&#39;s address: ")
            .has("5.1.1 &#60;script")
            .lacks("<script>alert");
        desk.provider.get(MAIL).await.is(200).has("What went wrong last").has("5.1.1").lacks("<script>alert");

        desk.provider.get(REMOVE).await.is(200).has("Messages that wait are not sent");
        desk.provider.send(REMOVE, &[]).await.is(303);
        desk.provider.get(MAIL).await.is(200).has("No mail server is set");
        assert_eq!(server.breaches(), Vec::<String>::new());

        // Signed in, but not lately enough for what others are told by.
        desk.bench.clock.advance(Duration::minutes(6));
        for page in [CHANGE, OWN] {
            let first = desk.provider.get(page).await.leads_to();
            assert!(first.starts_with("/console/confirm?then="), "{first}");
        }
        assert!(desk.provider.send(CHANGE, &settings(&port)).await.leads_to().starts_with("/console/confirm"));
        assert!(desk.provider.send(OWN, &[("mail", "x@y.example")]).await.leads_to().starts_with("/console/confirm"));
        desk.provider.get(MAIL).await.is(200).has("No mail server is set");
    })
    .await;
}

#[actix_web::test]
async fn nobody_else_gets_at_the_mail_server() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let port = "2525";
        desk.provider.send(CHANGE, &settings(port)).await.is(303);
        for browser in [&mut desk.clerk, &mut desk.chair, &mut desk.auditor, &mut desk.stranger] {
            for page in [MAIL, CHANGE, TEST, REMOVE] {
                browser.get(page).await.is(403).lacks("127.0.0.1");
            }
            for action in [CHANGE, TEST, REMOVE] {
                browser.send(action, &settings(port)).await.is(403).lacks("127.0.0.1");
            }
        }
        for page in [MAIL, CHANGE, TEST, REMOVE, OWN] {
            desk.nobody().get(page).await.is(303);
        }
        for action in [CHANGE, TEST, REMOVE, OWN] {
            desk.provider.post(action, &settings(port), "same-origin").await.is(403).has("can no longer be used");
        }
        desk.provider.get(MAIL).await.is(200).has("127.0.0.1, port 2525");
        // His own address is everyone's own affair.
        desk.auditor.send(OWN, &[("mail", "auditor@x.example")]).await.is(303);
        desk.auditor.send(OWN, &[("mail", " ")]).await.is(303);
        assert_eq!(desk.recorded("operator.mail_changed").await, 2);
    })
    .await;
}
