//! The pages of the register: what is on it, who held what and when, and what becomes of an item, managed or not.

use super::desk::{Browser, Desk, NASTY, with_token};
use crate::model::Mode;
use crate::testing::on_both;

const HOME: &str = "/console/councils/germoe";

async fn dongle(browser: &mut Browser, tag: &str) -> String {
    let fields = [("tag", tag), ("kind", "dongle"), ("make", "Huawei"), ("ownership", "council")];
    browser.send(&format!("{HOME}/equipment/new"), &fields).await.leads_to()
}

async fn person(browser: &mut Browser, name: &str) -> String {
    let place = browser.send(&format!("{HOME}/people/new"), &[("name", name)]).await.leads_to();
    place.rsplit('/').next().expect("an id").to_owned()
}

#[actix_web::test]
async fn an_unmanaged_item_lives_its_whole_life_on_the_register() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let new = format!("{HOME}/equipment/new");
        desk.clerk.get(&new).await.is(200).has("What is it?").has("Whose is it?");
        let fields = [("tag", ""), ("kind", "dongle"), ("make", "Huawei"), ("ownership", "council")];
        let wrong = desk.clerk.send(&new, &fields).await.is(422).has("Tag must not be empty");
        wrong.has("value=\"Huawei\"").has("value=\"dongle\" checked");
        let fields = [("tag", "D1"), ("kind", "castle"), ("make", "Huawei"), ("ownership", "council")];
        desk.clerk.send(&new, &fields).await.is(422).has("Choose what it is");
        let fields = [("tag", "D1"), ("kind", "dongle"), ("make", "Huawei"), ("ownership", "queen")];
        desk.clerk.send(&new, &fields).await.is(422).has("Choose whose it is");
        let fields = [("tag", "gpc-001"), ("kind", "dongle"), ("make", "Huawei"), ("ownership", "council")];
        desk.clerk.send(&new, &fields).await.is(422).has("is on another item");
        let item = dongle(&mut desk.clerk, "DONGLE-1").await;
        let shown =
            desk.clerk.get(&item).await.is(200).has("Nobody holds it. It is not under management").has("Nobody.");
        shown.has("Dongle").lacks("Take it back").lacks("Make a card").lacks("/console/devices/");

        let change = format!("{item}/change");
        let fields = [
            ("tag", "DONGLE-2"),
            ("kind", "other"),
            ("make", "Huawei"),
            ("model", "E3372"),
            ("ownership", "council"),
            ("serial", "SER1"),
            ("imei", "12"),
            ("note", "Lives in the drawer."),
        ];
        desk.clerk.send(&change, &fields).await.is(422).has("IMEI must have 15 digits");
        let fields: Vec<(&str, &str)> = fields.into_iter().filter(|(name, _)| *name != "imei").collect();
        desk.clerk.send(&change, &fields).await.is(303);
        let shown = desk.clerk.get(&item).await.is(200).has("DONGLE-2").has("Huawei E3372").has("SER1");
        shown.has("Lives in the drawer.");

        let (ann, ben) = (person(&mut desk.clerk, "Ann Angove").await, person(&mut desk.clerk, "Ben Bolitho").await);
        let over = format!("{item}/hand-over");
        desk.clerk.get(&over).await.is(200).has("Held now by nobody");
        desk.clerk.get(&format!("{over}?find=")).await.is(422).has("Enter the start of a name");
        desk.clerk.get(&format!("{over}?find=zzz")).await.is(200).has("Nobody was found");
        desk.clerk.get(&format!("{over}?find=angove")).await.is(200).has("One was found").has(&format!("{over}/{ann}"));
        desk.clerk.get(&format!("{over}/{ann}")).await.is(200).has("Ann Angove").lacks("keep it, too");
        desk.clerk.send(&format!("{over}/{ann}"), &[]).await.is(303);
        desk.clerk.get(&format!("{over}/{ben}")).await.is(200).has("keep it, too").has("Ann Angove");
        desk.clerk.send(&format!("{over}/{ben}"), &[("shared", "yes")]).await.is(303);
        let list = desk.clerk.get(&format!("{HOME}/equipment?find=dongle")).await.is(200);
        list.has("Ann Angove").has("Ben Bolitho").has("One was found");
        desk.clerk
            .send(&format!("{item}/take-back"), &[("at", "yesterday")])
            .await
            .is(422)
            .has("Enter a date and time");
        desk.clerk.send(&format!("{item}/take-back"), &[]).await.is(303);
        let shown = desk.clerk.get(&item).await.is(200).has("Nobody.").has("Who held it before");
        shown.has("Ann Angove").has("Ben Bolitho");

        desk.clerk.get(&format!("{item}/dispose")).await.is(200).has("cannot be taken back");
        desk.clerk.send(&format!("{item}/dispose"), &[]).await.is(303);
        let shown = desk.clerk.get(&item).await.is(200).has("Disposed of on").has("Ann Angove");
        shown.lacks("Hand it to somebody").lacks("Dispose of it");
        desk.clerk.send(&format!("{over}/{ann}"), &[]).await.is(422).has("was disposed of");
        desk.clerk.get(&format!("{HOME}/equipment")).await.is(200).lacks("DONGLE-2").has("GPC-001");
        let gone = desk.clerk.get(&format!("{HOME}/equipment?state=disposed")).await.is(200);
        gone.has("DONGLE-2").lacks("GPC-001");
        desk.clerk.get(&format!("{HOME}/equipment?state=all")).await.is(200).has("DONGLE-2").has("GPC-001");
    })
    .await;
}

#[actix_web::test]
async fn a_managed_item_leads_to_its_device_and_stays_while_it_is_managed() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let item = format!("/console/assets/{}", desk.phone.asset);
        let device = format!("/console/devices/{}", desk.phone.device);
        let shown = desk.clerk.get(&item).await.is(200).has("In use, under management").has(&device);
        shown.has("Mary-Ann").has(&format!("{item}/card")).has(&format!("{item}/lost"));
        let ann = person(&mut desk.clerk, "Ann Angove").await;
        desk.clerk.get(&format!("{item}/hand-over/{ann}")).await.is(200).has("It is handed over as it is");
        desk.clerk.send(&format!("{item}/dispose"), &[]).await.is(422).has("still under management");
        let auditor = desk.auditor.get(&item).await.is(200).has("GPC-001").lacks("Report it lost");
        auditor.lacks("Hand it to somebody").lacks("Dispose of it");
        let case = desk.lose().await;
        let shown = desk.clerk.get(&item).await.is(200).has("Reported lost.").has(&case);
        shown.lacks("Report it lost");
    })
    .await;
}

#[actix_web::test]
async fn the_register_goes_on_page_by_page() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        for number in 0..30 {
            dongle(&mut desk.clerk, &format!("D-{number:02}")).await;
        }
        let first = desk.clerk.get(&format!("{HOME}/equipment")).await.is(200).has("More equipment").has("D-00");
        let next = first.text.split("href=\"").find(|part| part.contains("after=")).expect("a next page");
        let next = next.split('"').next().expect("an address").replace("&#38;", "&").replace("&amp;", "&");
        desk.clerk.get(&next).await.is(200).has("D-29").lacks("D-00").lacks("More equipment");
    })
    .await;
}

#[actix_web::test]
async fn the_forms_of_the_register_are_for_the_clerk_of_the_council_alone() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let council = desk.council.clone();
        desk.phone = Desk::phone(&desk.bench, &council, NASTY, NASTY, Mode::Device).await;
        let item = format!("/console/assets/{}", desk.phone.asset);
        let ann = person(&mut desk.clerk, NASTY).await;
        let whole = vec![("tag", "T"), ("kind", "phone"), ("make", "M"), ("model", "X"), ("ownership", "council")];
        let forms = vec![
            (format!("{HOME}/equipment/new"), whole.clone()),
            (format!("{item}/change"), whole),
            (format!("{item}/hand-over/{ann}"), vec![("shared", "no"), ("at", "")]),
            (format!("{item}/take-back"), vec![("at", "")]),
            (format!("{item}/fault"), vec![("what", "Cracked"), ("noticed_at", "")]),
            (format!("{item}/dispose"), vec![]),
        ];
        for (action, fields) in &forms {
            desk.stranger.get(action).await.is(404);
            desk.stranger.send(action, fields).await.is(404);
            desk.nobody().get(action).await.is(303);
            for browser in [&mut desk.auditor, &mut desk.chair] {
                browser.get(action).await.is(403).has("role does not allow this");
                browser.send(action, fields).await.is(403).has("role does not allow this");
            }
            desk.clerk.post(action, fields, "same-origin").await.is(403).has("can no longer be used");
            let own = desk.clerk.token(action);
            desk.clerk.post(action, &with_token(fields, &own), "cross-site").await.is(403);
            let page = desk.clerk.get(action).await.is(200).lacks("<script>alert").lacks("onload='x'");
            if !action.ends_with("/new") {
                page.has("&#60;script&#62;");
            }
            for with in ["x".repeat(10_000).as_str(), NASTY, "\0\u{1}\u{7f}"] {
                for (name, _) in fields {
                    let stuffed: Vec<(&str, &str)> = fields
                        .iter()
                        .map(|(other, value)| (*other, if other == name { with } else { value }))
                        .collect();
                    let answer = desk.clerk.send(action, &stuffed).await;
                    assert!([303, 422].contains(&answer.status), "{action} {name}: {}", answer.text);
                    answer.lacks("<script>alert");
                }
            }
        }
        for page in [format!("{HOME}/equipment"), format!("{HOME}/equipment?find=evil"), item.clone()] {
            desk.clerk.get(&page).await.is(200).lacks("<script>alert").lacks("onload='x'").has("&#60;script&#62;");
            desk.stranger.get(&page).await.is(404);
        }
        // Somebody of another council takes nothing of ours.
        let theirs = desk.stranger.send("/console/councils/coreley/people/new", &[("name", "Theirs")]).await.leads_to();
        let theirs = theirs.rsplit('/').next().expect("an id").to_owned();
        desk.clerk.get(&format!("{item}/hand-over/{theirs}")).await.is(404);
        desk.provider.get(&format!("{item}/hand-over/{theirs}")).await.is(404);
        let refused = desk.provider.send(&format!("{item}/hand-over/{theirs}"), &[]).await;
        assert!([404, 422].contains(&refused.status), "{}", refused.text);
        refused.lacks("Theirs");
        assert_eq!(desk.recorded("asset disposed of").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn faults_and_back_ups_are_noted_and_the_register_goes_out_as_a_table() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let item = dongle(&mut desk.clerk, "=cmd|'calc'!A1").await;
        let fault = format!("{item}/fault");
        desk.clerk.send(&fault, &[("what", " ")]).await.is(422).has("The fault must have 1 to 1000 characters");
        desk.clerk
            .send(&fault, &[("what", "x"), ("noticed_at", "2999-01-01T10:00")])
            .await
            .is(422)
            .has("in the future");
        desk.clerk
            .send(&fault, &[("what", "Cracked \"badly\", <b>twice</b>"), ("noticed_at", "2020-01-02T10:00")])
            .await
            .is(303);
        let shown = desk.clerk.get(&item).await.is(200).has("2 January 2020 at 10:00am").has("Say how it ended");
        let end = shown.text.split("href=\"").find(|part| part.starts_with("/console/faults/")).expect("a fault");
        let end = end.split('"').next().expect("an address").to_owned();
        desk.clerk.get(&end).await.is(200).lacks("<b>twice").has("How did it end?");
        desk.stranger.get(&end).await.is(404);
        desk.stranger.send(&end, &[("outcome", "x")]).await.is(404);
        desk.auditor.send(&end, &[("outcome", "x")]).await.is(403);
        desk.clerk.send(&end, &[("outcome", "")]).await.is(422).has("How it ended must have 1 to 1000");
        let table = desk.clerk.get(&format!("{HOME}/equipment.csv")).await.is(200);
        let kind = table.headers.get("content-type").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        assert_eq!(kind.as_deref(), Some("text/csv; charset=utf-8"));
        let table = table.has("\"'=cmd|'calc'!A1\"").has("\"GPC-001\"").has("\"Cracked \"\"badly\"\", <b>twice</b>\"");
        table.lacks("\"=cmd");
        desk.clerk.send(&end, &[("outcome", "Mended")]).await.is(303);
        desk.clerk.send(&end, &[("outcome", "Again")]).await.is(422).has("It is written down already");
        desk.clerk.get(&item).await.is(200).has("Mended").lacks("Say how it ended");
        desk.auditor.get(&format!("{HOME}/equipment.csv")).await.is(200).lacks("badly").has("GPC-001");
        desk.stranger.get(&format!("{HOME}/equipment.csv")).await.is(404).lacks("GPC-001");
        desk.nobody().get(&format!("{HOME}/equipment.csv")).await.is(303);
        let fields = [
            ("tag", "D-2"),
            ("kind", "dongle"),
            ("make", "Huawei"),
            ("ownership", "council"),
            ("backup_note", "Nothing is on it."),
        ];
        desk.clerk.send(&format!("{item}/change"), &fields).await.is(303);
        desk.clerk.get(&item).await.is(200).has("Nothing is on it.");

        // Whoever asks for a phone to be erased, or approves it, reads the note beside what the phone reports.
        let fields = [
            ("tag", "GPC-001"),
            ("kind", "phone"),
            ("make", "Apple"),
            ("ownership", "council"),
            ("backup_note", "Copied to the office on Fridays."),
        ];
        desk.clerk.send(&format!("/console/assets/{}/change", desk.phone.asset), &fields).await.is(303);
        let case = desk.lose().await;
        let note = "The register says: Copied to the office on Fridays.";
        desk.clerk.get(&format!("{case}/wipe")).await.is(200).has(note).has("Not known: the phone has not reported");
        let order = desk.ask(&case).await;
        desk.chair.get(&order).await.is(200).has(note);
    })
    .await;
}

#[actix_web::test]
async fn an_item_changes_hands_in_the_past_but_not_before_it_last_did() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let item = dongle(&mut desk.clerk, "D-1").await;
        let (ann, ben) = (person(&mut desk.clerk, "Ann").await, person(&mut desk.clerk, "Ben").await);
        let (to_ann, to_ben) = (format!("{item}/hand-over/{ann}"), format!("{item}/hand-over/{ben}"));
        desk.clerk.send(&to_ann, &[("at", "2999-01-01T10:00")]).await.is(422).has("The time must not be in the future");
        desk.clerk.send(&to_ann, &[("at", "2020-01-02T10:00")]).await.is(303);
        desk.clerk.send(&to_ben, &[("at", "2020-01-01T10:00")]).await.is(422).has("before it last changed hands");
        desk.clerk.send(&to_ben, &[("at", "2020-03-02T10:00")]).await.is(303);
        let shown = desk.clerk.get(&item).await.is(200).has("Since 2 March 2020 at 10:00am");
        shown.has("2 January 2020 at 10:00am to 2 March 2020 at 10:00am");
        desk.clerk.send(&format!("{item}/take-back"), &[("at", "2020-02-01T10:00")]).await.is(422).has("changed hands");
        desk.clerk.send(&format!("{item}/take-back"), &[("at", "2020-04-01T10:00")]).await.is(303);
        desk.clerk.get(&item).await.is(200).has("2 March 2020 at 10:00am to 1 April 2020 at 10:00am").has("Nobody.");
    })
    .await;
}
