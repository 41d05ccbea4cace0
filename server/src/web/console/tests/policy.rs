//! The policy: read clause by clause, changed one question at a time after a look at what changes, and gone back to.

use super::desk::{Desk, NASTY};
use crate::testing::on_both;

const POLICY: &str = "/console/councils/germoe/policy";

fn check(setting: &str, value: &str) -> String {
    format!("{POLICY}/check?setting={setting}&value={value}")
}

#[actix_web::test]
async fn a_policy_is_chosen_changed_and_gone_back_to() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        desk.clerk.get(POLICY).await.is(200).has("no policy yet").has("The council should decide this");
        let action = format!("{POLICY}/check");
        desk.clerk.get(&format!("{POLICY}/presets")).await.is(200).has("preset=germoe");
        let looked = desk.clerk.get(&format!("{action}?preset=germoe")).await.is(200);
        looked.has("Save the policy").has("Who is affected").has("<dd>1</dd>");
        assert_eq!(desk.recorded("policy changed").await, 0, "looking saves nothing");
        let preset = [("preset", "germoe"), ("expected", "0"), ("note", "Agreed on Monday")];
        assert_eq!(desk.clerk.send(&action, &preset).await.leads_to(), POLICY);
        desk.clerk
            .get(POLICY)
            .await
            .is(200)
            .has("Version 1")
            .has("2.1.4")
            .has("of 6 kinds of phone do not do quite that");

        let page = desk.clerk.get(&format!("{POLICY}/settings/passcode.minimum_length")).await.is(200);
        page.has("How many characters must a PIN have at least?").has("What each kind of phone does");
        let looked = desk.clerk.get(&check("passcode.minimum_length", "9")).await.is(200);
        looked.has("<dd><bdi>9</bdi></dd>").has("name=\"expected\" value=\"1\"");
        let nine = [("setting", "passcode.minimum_length"), ("value", "9"), ("expected", "1")];
        desk.clerk.send(&action, &nine).await.is(303);
        // Another looked at version 1 as well.
        let seven = [("setting", "passcode.minimum_length"), ("value", "7"), ("expected", "1")];
        desk.clerk.send(&action, &seven).await.is(422).has("Somebody else changed the policy").has("value=\"2\"");
        assert_eq!(desk.recorded("policy changed").await, 2);
        desk.clerk.get(&check("passcode.minimum_length", "9")).await.is(200).has("Nothing would change");

        let history = desk.clerk.get(&format!("{POLICY}/history")).await.is(200);
        history.has("Version 2, in force").has("Agreed on Monday").has("Go back to version 1");
        desk.clerk.get(&format!("{action}?version=1")).await.is(200).has("Save the policy");
        desk.clerk.send(&action, &[("version", "1"), ("expected", "2")]).await.is(303);
        desk.clerk.get(POLICY).await.is(200).has("Version 3");
        desk.clerk.get(&format!("{action}?version=99")).await.is(404);
    })
    .await;
}

#[actix_web::test]
async fn an_answer_that_cannot_stand_is_refused_beside_its_question() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let action = format!("{POLICY}/check");
        desk.clerk.send(&action, &[("preset", "germoe"), ("expected", "0")]).await.is(303);
        for (setting, value, words) in [
            ("passcode.minimum_length", "300", "expected a whole number"),
            ("passcode.minimum_length", "3", "choose 4 to 16 characters"),
            ("passcode.required", "perhaps", "expected true or false"),
            ("passcode.erase_after_failed_attempts", "5", "ten"),
            ("updates.minimum_ios", "soon", "soon"),
        ] {
            let page = desk.clerk.get(&check(setting, value)).await.is(422);
            page.has("There is a problem").has(words).has("id=\"value-problem\"");
            let fields = [("setting", setting), ("value", value), ("expected", "1")];
            desk.clerk.send(&action, &fields).await.is(422).has(words);
        }
        let agreed = format!("{}&acknowledged=true", check("passcode.erase_after_failed_attempts", "5"));
        desk.clerk.get(&agreed).await.is(200).has("<dd><bdi>5</bdi></dd>");
        for place in ["?setting=nothing.such&value=1", "?preset=camelot", "?version=x", "?preset=germoe&version=1", ""]
        {
            desk.clerk.get(&format!("{action}{place}")).await.is(404);
        }
        let nasty: String = url::form_urlencoded::byte_serialize(NASTY.as_bytes()).collect();
        desk.clerk.get(&check("updates.minimum_ios", &nasty)).await.is(422).lacks("<script>alert");
        assert_eq!(desk.recorded("policy changed").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn what_could_erase_every_phone_is_changed_only_by_who_has_just_confirmed() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let action = format!("{POLICY}/check");
        desk.clerk.send(&action, &[("preset", "germoe"), ("expected", "0")]).await.is(303);
        desk.bench.clock.advance(chrono::Duration::minutes(6));
        let erase = [
            ("setting", "passcode.erase_after_failed_attempts"),
            ("value", "2"),
            ("acknowledged", "true"),
            ("expected", "1"),
        ];
        assert!(desk.clerk.send(&action, &erase).await.leads_to().starts_with("/console/confirm?then="));
        assert_eq!(desk.recorded("policy changed").await, 1, "nothing was saved");
        let length = [("setting", "passcode.minimum_length"), ("value", "9"), ("expected", "1")];
        assert_eq!(desk.clerk.send(&action, &length).await.leads_to(), POLICY);
        assert_eq!(desk.recorded("policy changed").await, 2);
    })
    .await;
}

#[actix_web::test]
async fn others_read_it_or_do_not_and_change_nothing() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let action = format!("{POLICY}/check");
        desk.clerk.send(&action, &[("preset", "germoe"), ("expected", "0")]).await.is(303);
        let length = format!("{POLICY}/settings/passcode.minimum_length");
        for browser in [&mut desk.auditor, &mut desk.chair] {
            browser.get(POLICY).await.is(200).lacks("Start from a ready-made policy");
            browser.get(&length).await.is(200).lacks("Continue");
            browser.get(&check("passcode.minimum_length", "9")).await.is(422).has("role does not allow this");
            browser.get(&format!("{POLICY}/presets")).await.is(403);
            let fields = [("setting", "passcode.minimum_length"), ("value", "9"), ("expected", "1")];
            let refused = browser.send(&action, &fields).await;
            assert!([403, 422].contains(&refused.status), "{}", refused.text);
        }
        desk.stranger.get(POLICY).await.is(404);
        desk.stranger.get(&length).await.is(404);
        assert_eq!(desk.recorded("policy changed").await, 1);
    })
    .await;
}
