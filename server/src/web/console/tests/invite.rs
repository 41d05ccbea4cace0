//! Inviting a phone: three questions of which nothing is kept until the last, refusals in words, and the invitation withdrawn.

use super::desk::{Desk, NASTY, with_token};
use crate::store;
use crate::testing::on_both;

const HOME: &str = "/console/councils/germoe";
const INVITE: &str = "/console/councils/germoe/invite";

/// How many items and people the council has on its register.
async fn register(desk: &Desk) -> (usize, usize) {
    let council = desk.council.clone();
    desk.bench
        .database
        .read("the register", move |tx| {
            let items = store::assets::page(tx, &council, None, None, 100)?.len();
            Ok((items, store::people::page(tx, &council, true, None, 100)?.len()))
        })
        .await
        .expect("counted")
}

fn new_item<'a>(tag: &'a str, name: &'a str, mode: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("tag", tag), ("kind", "phone"), ("make", "Apple"), ("model", "iPhone 15"), ("name", name), ("mode", mode)]
}

/// What a form's page links to for withdrawing.
fn withdrawal(page: &str) -> String {
    let rest = page.split("href=\"/console/invitations/").nth(1).expect("a link");
    format!("/console/invitations/{}", rest.split('"').next().expect("its end"))
}

#[actix_web::test]
async fn three_questions_and_nothing_is_kept_before_the_last() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let before = register(&desk).await;
        desk.clerk.get(INVITE).await.is(200).has("Which phone or tablet is it?").has("Nothing is kept until");
        desk.clerk.get(&format!("{INVITE}?find=")).await.is(422).has("Enter a name, a tag or a serial number");
        let found = desk.clerk.get(&format!("{INVITE}?find=gpc")).await.is(200).has("One was found");
        found.has(&format!("/invite/holder?asset={}", desk.phone.asset));
        let holder = format!("{INVITE}/holder");
        desk.clerk.get(&format!("{holder}?kind=phone&make=Apple")).await.is(422).has("Enter the tag");
        desk.clerk.get(&format!("{holder}?tag=GPC-9&make=Apple")).await.is(422).has("a phone or a tablet");
        desk.clerk.get(&format!("{holder}?tag=GPC-001&kind=phone&make=Apple")).await.is(422).has("on another item");
        assert_eq!(desk.clerk.get(&holder).await.leads_to(), INVITE);
        let asked = "tag=GPC-9&kind=phone&make=Apple&model=iPhone+15";
        desk.clerk.get(&format!("{holder}?{asked}")).await.is(200).has("Who holds it?").has("GPC-9: Apple iPhone 15");
        desk.clerk.get(&format!("{holder}?{asked}&find=mary")).await.is(200).has("One was found").has("&#38;person=");
        let known = desk.clerk.get(&format!("{holder}?asset={}", desk.phone.asset)).await.is(200);
        known.has("Holds GPC-001 now").has("nobody else does");
        let phone = format!("{INVITE}/phone");
        desk.clerk.get(&format!("{phone}?{asked}&name=")).await.is(422).has("Enter the name, or choose somebody");
        let last = desk.clerk.get(&format!("{phone}?{asked}&name=Wenna+Pascoe")).await.is(200);
        last.has("Whose phone is it?").has("Wenna Pascoe").has("value=\"GPC-9\"").has("own Android phone");
        let last = desk.clerk.get(&format!("{phone}?asset={}&name=Wenna", desk.phone.asset)).await.is(200);
        last.lacks("own iPhone or iPad").has("value=\"device\"");
        assert_eq!(register(&desk).await, before, "nothing is kept yet");

        desk.clerk.send(INVITE, &new_item("GPC-9", "Wenna Pascoe", "")).await.is(422).has("Choose one");
        let refused = desk.clerk.send(INVITE, &new_item("GPC-9", "Wenna Pascoe", "user")).await.is(422);
        refused.has("would give the council too much");
        assert_eq!(register(&desk).await, before, "a refusal leaves nothing behind");

        let token = desk.clerk.token(INVITE);
        let fields = new_item("GPC-9", "Wenna Pascoe", "device");
        let fields = with_token(&fields, &token);
        let made = desk.clerk.post(INVITE, &fields, "same-origin").await.is(200);
        let made = made.has("Invitation for").has("/i/").has("<svg").has("Withdraw this invitation");
        let again = desk.clerk.post(INVITE, &fields, "same-origin").await.is(200);
        assert_eq!(withdrawal(&again.text), withdrawal(&made.text), "sent twice, made once");
        assert_eq!(register(&desk).await, (before.0 + 1, before.1 + 1));
        desk.clerk.get(&format!("{HOME}/invitations")).await.is(200).has("GPC-9").has("Wenna Pascoe");
        let withdraw = withdrawal(&made.text);
        desk.clerk.get(&withdraw).await.is(200).has("stops working at once");
        desk.auditor.get(&withdraw).await.is(403);
        desk.clerk.send(&withdraw, &[]).await.is(303);
        desk.clerk.get(&format!("{HOME}/invitations")).await.is(200).lacks("GPC-9").has("No invitation is open");
        assert!(desk.clerk.get(&withdraw).await.leads_to().ends_with("/invitations"));
    })
    .await;
}

#[actix_web::test]
async fn an_item_of_the_register_goes_to_whom_it_is_given() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let asset = desk.phone.asset.to_string();
        let fields = [("asset", asset.as_str()), ("name", "Wenna Pascoe"), ("mode", "device")];
        let made = desk.clerk.send(INVITE, &fields).await.is(200);
        made.has("is under management now").has("Wenna Pascoe");
        let card = format!("/console/assets/{asset}/card");
        desk.clerk.get(&card).await.is(200).has("GPC-001").has("Wenna Pascoe").lacks("Mary-Ann");
        // A phone of another platform, or of the council's, is no holder's own.
        for (mode, words) in [("personal_work_profile", "another kind of phone"), ("user", "the council&#39;s own")] {
            let fields = [("asset", asset.as_str()), ("name", "Somebody Else"), ("mode", mode)];
            desk.clerk.send(INVITE, &fields).await.is(422).has(words);
        }
        desk.clerk.get(&card).await.is(200).lacks("Somebody Else");
    })
    .await;
}

#[actix_web::test]
async fn nobody_else_invites_and_nasty_answers_do_nothing() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let before = register(&desk).await;
        let fields = new_item("GPC-9", "Wenna Pascoe", "device");
        desk.clerk.post(INVITE, &fields, "same-origin").await.is(403).has("can no longer be used");
        desk.stranger.send(INVITE, &fields).await.is(404);
        for browser in [&mut desk.auditor, &mut desk.chair] {
            browser.send(INVITE, &fields).await.is(403);
            browser.get(INVITE).await.is(403);
        }
        let (asset, pages) = (desk.phone.asset.to_string(), ["", "/holder?tag=x", "/phone?tag=x"]);
        for page in pages {
            desk.stranger.get(&format!("{INVITE}{page}")).await.is(404);
            desk.nobody().get(&format!("{INVITE}{page}")).await.is(303);
        }
        for page in [format!("{HOME}/invitations"), format!("/console/assets/{asset}/card")] {
            desk.stranger.get(&page).await.is(404).lacks("GPC-001");
            desk.nobody().get(&page).await.is(303);
        }
        // Another council's item, in its own council's pages.
        let foreign = [("asset", asset.as_str()), ("name", "Wenna"), ("mode", "device")];
        desk.stranger.send("/console/councils/coreley/invite", &foreign).await.is(404).lacks("GPC-001");
        desk.stranger.get(&format!("/console/councils/coreley/invite/holder?asset={asset}")).await.is(404);
        // A provider sees both councils, and mixes them up all the same.
        desk.provider.send("/console/councils/coreley/invite", &foreign).await.is(404).lacks("GPC-001");
        desk.provider.get(&format!("/console/councils/coreley/invite/holder?asset={asset}")).await.is(404);
        assert_eq!(register(&desk).await, before);

        let much = "x".repeat(10_000);
        for text in [much.as_str(), NASTY, "'; DROP TABLE assets; --"] {
            for name in ["tag", "kind", "make", "model", "name", "person", "asset", "mode"] {
                let mut fields = new_item("GPC-9", "Wenna", "user");
                fields.retain(|(field, _)| *field != name);
                fields.push((name, text));
                let answer = desk.clerk.send(INVITE, &fields).await;
                assert!([404, 422].contains(&answer.status), "{name}: {} {}", answer.status, answer.text);
                answer.lacks("<script>alert");
            }
            let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).take(2000).collect();
            let holder = format!("{INVITE}/holder?tag={text}&kind=phone&make={text}&find={text}");
            for page in [format!("{INVITE}?find={text}"), holder] {
                let answer = desk.clerk.get(&page).await;
                assert!([200, 422].contains(&answer.status), "{page}: {}", answer.text);
                answer.lacks("<script>alert").lacks("onload='x'");
            }
        }
        assert_eq!(register(&desk).await, before, "nothing of it was kept");
        desk.clerk
            .send(INVITE, &new_item("GPC-<b>", NASTY, "device"))
            .await
            .is(200)
            .lacks("<script>alert")
            .lacks("<b>");
        desk.clerk.get(&format!("{HOME}/invitations")).await.is(200).lacks("<script>alert").has("&#60;script&#62;");
    })
    .await;
}
