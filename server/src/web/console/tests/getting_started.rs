//! From an empty installation to a council that is looked after: each step, and who may take it.

use super::desk::{Desk, NASTY};
use crate::testing::on_both;

const HOME: &str = "/console/councils/germoe";
const ADD: &str = "/console/add-council";

fn council<'a>(name: &'a str, slug: &'a str, address: &'a str, preset: &'a str) -> [(&'static str, &'a str); 4] {
    [("name", name), ("slug", slug), ("public_url", address), ("preset", preset)]
}

#[actix_web::test]
async fn a_provider_adds_a_council_and_sees_what_is_left() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        desk.provider.get("/console").await.is(200).has("Add a council");
        desk.provider.get(ADD).await.is(200).has("https://phones.example");
        for (fields, words) in [
            (council("", "wendron", "https://wendron.example", "germoe"), "The name"),
            (council("Wendron", "Wen dron", "https://wendron.example", "germoe"), "The short name"),
            (council("Wendron", "wendron", "http://wendron.example", "germoe"), "The address"),
            (council("Wendron", "wendron", "https://wendron.example", "camelot"), "The policy"),
            (council("Wendron", "germoe", "https://wendron.example", "germoe"), "germoe"),
        ] {
            desk.provider.send(ADD, &fields).await.is(422).has("There is a problem").has(words);
        }
        let wendron = council("Wendron Parish Council", "wendron", "https://wendron.example", "germoe");
        let made = desk.provider.send(ADD, &wendron).await;
        assert_eq!(made.leads_to(), "/console/councils/wendron/set-up");
        let steps = desk.provider.get("/console/councils/wendron/set-up").await.is(200);
        steps.has("Connect to Apple").has("Add a second person").has("Set the mail server").has("Not done yet");
        desk.provider.get("/console/councils/wendron").await.is(200).has("See what is left");
        for browser in [&mut desk.clerk, &mut desk.chair, &mut desk.auditor, &mut desk.stranger] {
            browser.get(ADD).await.is(403);
            browser.send(ADD, &council("X", "x", "https://x.example", "germoe")).await.is(403);
            browser.get("/console/councils/wendron/set-up").await.is(404).lacks("Wendron");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_council_connects_to_apple_step_by_step() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let apple = format!("{HOME}/apple");
        desk.clerk.get(&apple).await.is(200).has("1. Make the request").has("no vendor certificate is set");
        let file = desk.clerk.send(&format!("{apple}/request"), &[]).await.is(200);
        assert!(file.text.starts_with("-----BEGIN CERTIFICATE REQUEST-----"), "{}", file.text);
        let name = file.headers.get("content-disposition").and_then(|name| name.to_str().ok()).unwrap_or_default();
        assert_eq!(name, "attachment; filename=\"push-request-germoe.txt\"");
        desk.clerk.get(&apple).await.is(200).has("A request was made");
        for (pem, account) in [("", "a@example.org"), (NASTY, "a@example.org"), (file.text.as_str(), "a@example.org")] {
            let fields = [("certificate", pem), ("apple_account", account)];
            let page = desk.clerk.send(&apple, &fields).await.is(422);
            page.has("There is a problem").has("id=\"certificate-problem\"").lacks("<script>alert");
        }
        for browser in [&mut desk.chair, &mut desk.auditor] {
            browser.get(&apple).await.is(403);
            browser.send(&format!("{apple}/request"), &[]).await.is(403);
        }
        desk.stranger.get(&apple).await.is(404);
        desk.stranger.send(&format!("{apple}/request"), &[]).await.is(404);
    })
    .await;
}

#[actix_web::test]
async fn google_is_connected_by_the_provider_first() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let google = format!("{HOME}/google");
        desk.clerk.get(&google).await.is(200).has("Your provider does that");
        desk.provider.get(&google).await.is(200).has("/console/settings/google");
        desk.provider.get("/console/settings/google").await.is(200).has("key file");
        let wrong = desk.provider.send("/console/settings/google", &[("key_file", NASTY)]).await.is(422);
        wrong.has("There is a problem").lacks("<script>alert");
        desk.clerk.get("/console/settings/google").await.is(403);
        desk.clerk.send("/console/settings/google", &[("key_file", "{}")]).await.is(403);
        desk.clerk.send(&google, &[]).await.is(422).has("There is a problem");
        desk.stranger.get(&google).await.is(404);
    })
    .await;
}
