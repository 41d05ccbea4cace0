//! The pages about people: the list, one person, and the checklist of somebody who leaves, to its end.

use super::desk::{Browser, Desk, NASTY, with_token};
use crate::model::{Actor, Mode, OrderState, PersonId};
use crate::store;
use crate::testing::on_both;

const HOME: &str = "/console/councils/germoe";

/// Who holds the desk's phone.
async fn holder(desk: &Desk) -> PersonId {
    let asset = desk.phone.asset.clone();
    desk.bench
        .database
        .read("holder", move |tx| {
            let asset = store::assets::find(tx, &asset)?.expect("an item");
            let held = store::custody::current_of_assets(tx, &asset.council_id, vec![asset.id])?;
            Ok(held.into_iter().next().expect("a holder").person_id)
        })
        .await
        .expect("a holder")
}

async fn add(browser: &mut Browser, name: &str) -> String {
    browser.send(&format!("{HOME}/people/new"), &[("name", name)]).await.leads_to()
}

#[actix_web::test]
async fn people_are_added_found_changed_and_shown_with_what_they_held() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let new = format!("{HOME}/people/new");
        desk.clerk.get(&new).await.is(200).has("This gives them no account");
        let wrong = [("name", " "), ("email", "x@y.uk")];
        let refused = desk.clerk.send(&new, &wrong).await.is(422).has("Name must not be empty");
        refused.has("There is a problem").has("value=\"x@y.uk\"");
        let wrong = [("name", "Ann"), ("email", "nobody"), ("phone", "")];
        desk.clerk.send(&new, &wrong).await.is(422).has("Mail address must be a mail address");
        let person = desk
            .clerk
            .send(&new, &[("name", "Cllr Ann Angove"), ("email", "ann@example.uk"), ("phone", "01736 123456")])
            .await
            .leads_to();
        let shown = desk.clerk.get(&person).await.is(200).has("Cllr Ann Angove").has("ann@example.uk");
        shown.has("01736 123456").has("Nothing.").has("their own phone if the council invites it").lacks("Held before");

        let list = desk.clerk.get(&format!("{HOME}/people")).await.is(200);
        list.has("Cllr Ann Angove").has("Mary-Ann O&#39;Brien").has(&person).lacks("More people");
        let found = desk.clerk.get(&format!("{HOME}/people?find=ango")).await.is(200);
        found.has("One was found").has(&person).lacks("Mary-Ann");
        desk.clerk.get(&format!("{HOME}/people?find=nobody")).await.is(200).has("Nobody was found");

        let rule = format!("{person}/devices");
        desk.clerk.send(&rule, &[("rule", "x")]).await.is(422).has("Choose one");
        desk.clerk.send(&rule, &[("rule", "council")]).await.is(303);
        desk.clerk.get(&person).await.is(200).has("Council devices only");
        let changed = [("name", "Cllr Ann Bolitho"), ("email", ""), ("phone", "")];
        desk.clerk.send(&format!("{person}/change"), &changed).await.is(303);
        // What they are called changes, the rule stays, and an empty field clears.
        let shown = desk.clerk.get(&person).await.is(200).has("Cllr Ann Bolitho").has("Council devices only");
        shown.lacks("ann@example.uk").has("Not known");
        desk.clerk.send(&rule, &[("rule", "any")]).await.is(303);
        desk.clerk.get(&person).await.is(200).has("their own phone if the council invites it");

        let mary = format!("/console/people/{}", holder(&desk).await);
        let shown = desk.auditor.get(&mary).await.is(200).has("GPC-001").has("Since ");
        shown.lacks("They are leaving").lacks("Change name");
    })
    .await;
}

#[actix_web::test]
async fn the_list_of_people_goes_on() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        for number in 0..30 {
            add(&mut desk.clerk, &format!("Person number {number:02}")).await;
        }
        let first = desk.clerk.get(&format!("{HOME}/people")).await.is(200).has("More people").has("number 00");
        let next = first.text.split("href=\"").find(|part| part.contains("people?after=")).expect("a next page");
        let next = next.split('"').next().expect("an address").to_owned();
        desk.clerk.get(&next).await.is(200).has("number 29").lacks("number 00").lacks("More people");
        desk.clerk.get(&format!("{HOME}/people?find=person")).await.is(200).has("25 and more were found");
    })
    .await;
}

/// Ends the order for the desk's phone as the phone would: confirmed, and no longer under management.
async fn confirm(desk: &Desk, order: &str) {
    let id = order.rsplit('/').next().expect("an id").into();
    let (device, context) = (desk.phone.device.clone(), desk.bench.context(Actor::System));
    desk.bench
        .database
        .write("the phone confirms", move |tx| {
            let mut order = store::orders::find(tx, &id)?.expect("an order");
            let from = order.state;
            order.state = OrderState::Confirmed;
            order.ended_at = Some(context.now);
            store::orders::update_from(tx, from, &order)?.expect("updated");
            let device = store::devices::find(tx, &device)?.expect("a device");
            let enrolment = store::enrolments::live_of_device(tx, &device.council_id, &device.id)?.expect("live");
            store::enrolments::end(tx, &device.council_id, &enrolment.id, context.now, "erased")
        })
        .await
        .expect("confirmed");
}

#[actix_web::test]
async fn a_leaver_gives_everything_back_step_by_step() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let person = format!("/console/people/{}", holder(&desk).await);
        let list = format!("{person}/leaving");
        let asset = desk.phone.asset.to_string();
        let shown = desk.clerk.get(&list).await.is(200).has("It is under management").has("Begin its return");
        shown.lacks("/left\"");
        // Nobody has left who still holds something.
        let early = desk.clerk.send(&format!("{person}/left"), &[]).await.is(422);
        early.has("still holds GPC-001");
        let begin = format!("{person}/begin/{asset}");
        desk.clerk.get(&begin).await.is(200).has("turn off Find My");
        let token = desk.clerk.token(&begin);
        for _ in 0..2 {
            let fields = [("note", "Comes on Friday.")];
            let sent = desk.clerk.post(&begin, &with_token(&fields, &token), "same-origin").await;
            assert_eq!(sent.leads_to(), list);
        }
        assert_eq!(desk.recorded("leaver.opened").await, 1, "sent twice, begun once");
        let shown = desk.clerk.get(&list).await.is(200).has("It has not been erased").has("Ask for it to be erased");
        let case = shown.text.split("href=\"").find(|part| part.starts_with("/console/leavers/")).expect("a case");
        let case = case.split('"').next().expect("an address").trim_end_matches("/wipe").to_owned();
        desk.clerk.get(&case).await.is(200).has("Comes on Friday.").has("Nothing has been erased").has(&list);
        let wipe = format!("{case}/wipe");
        desk.clerk.get(&wipe).await.is(200).has("cannot be undone").has("gives it back.");
        desk.clerk.send(&wipe, &[("asset_tag", "GPC-009"), ("reason", "r")]).await.is(422).has("not the asset tag");
        let order = desk.clerk.send(&wipe, &[("asset_tag", "GPC-001"), ("reason", "back")]).await.leads_to();
        desk.clerk.get(&order).await.is(200).has("Back to its return").has(&case);
        let shown = desk.clerk.get(&list).await.is(200).has("Order to erase it:").has(&order);
        shown.lacks("Begin its return").lacks("give-back");
        desk.clerk.send(&format!("{case}/close"), &[("outcome", "o")]).await.is(422).has("not at its end");
        desk.chair.send(&format!("{order}/approve"), &[]).await.is(303);
        confirm(&desk, &order).await;
        let give = format!("{person}/give-back/{asset}");
        desk.clerk.get(&list).await.is(200).has("Take it back").has(&give);
        desk.clerk.get(&give).await.is(200).has("It is back");
        assert_eq!(desk.clerk.send(&give, &[]).await.leads_to(), list);
        desk.clerk.send(&give, &[]).await.is(422).has("does not hold GPC-001 any more");
        desk.clerk.get(&list).await.is(200).has("Only its return is still open").has("Close its return");
        desk.clerk.send(&format!("{case}/close"), &[("outcome", " ")]).await.is(422).has("Say how it ended");
        let closed = desk.clerk.send(&format!("{case}/close"), &[("outcome", "Erased, in the safe.")]).await;
        assert_eq!(closed.leads_to(), list);
        desk.clerk.get(&case).await.is(200).has("Erased, in the safe.").lacks("Close its return");
        desk.clerk.get(&list).await.is(200).has("Everything is back").has("/left\"");
        desk.clerk.get(&format!("{person}/left")).await.is(200).has("stays on the register");
        assert_eq!(desk.clerk.send(&format!("{person}/left"), &[]).await.leads_to(), person);
        let shown = desk.clerk.get(&person).await.is(200).has("Left on").has("Held before");
        shown.lacks("They are leaving").has("GPC-001");
        desk.clerk.get(&format!("{HOME}/people")).await.is(200).lacks("Mary-Ann");
        desk.clerk.get(&format!("{HOME}/people?left=1")).await.is(200).has("Mary-Ann").has("Left on");
        desk.clerk.send(&format!("{person}/change"), &[("name", "Mary")]).await.is(422).has("has left");
    })
    .await;
}

#[actix_web::test]
async fn a_lost_phone_goes_first_and_what_cannot_be_erased_says_why() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let person = format!("/console/people/{}", holder(&desk).await);
        let list = format!("{person}/leaving");
        let begin = format!("{person}/begin/{}", desk.phone.asset);
        desk.clerk.send(&begin, &[("note", "")]).await.is(303);
        let device = desk.phone.device.clone();
        desk.bench
            .database
            .write("another serial", move |tx| {
                let device = store::devices::find(tx, &device)?.expect("a device");
                let enrolment = store::enrolments::live_of_device(tx, &device.council_id, &device.id)?.expect("live");
                store::enrolments::set_confirmation(tx, &enrolment, crate::model::Confirmation::Waiting)
            })
            .await
            .expect("waits");
        let shown = desk.clerk.get(&list).await.is(200).has("It cannot be erased: the phone&#39;s serial number");
        shown.has(&format!("/console/devices/{}", desk.phone.device));
        let loss = desk.lose().await;
        desk.clerk.get(&list).await.is(200).has("It is reported lost").has(&loss);
    })
    .await;
}

/// The forms about people, and what a clerk would send.
fn forms(person: &str, asset: &str, case: &str) -> Vec<(String, Vec<(&'static str, &'static str)>)> {
    vec![
        (format!("{HOME}/people/new"), vec![("name", "N"), ("email", "n@n.uk"), ("phone", "01736 123456")]),
        (format!("{person}/change"), vec![("name", "N"), ("email", "n@n.uk"), ("phone", "01736 123456")]),
        (format!("{person}/devices"), vec![("rule", "council")]),
        (format!("{person}/begin/{asset}"), vec![("note", "n")]),
        (format!("{case}/wipe"), vec![("asset_tag", "GPC-001"), ("reason", "back")]),
        (format!("{case}/close"), vec![("outcome", "o")]),
        (format!("{person}/give-back/{asset}"), vec![]),
        (format!("{person}/left"), vec![]),
    ]
}

#[actix_web::test]
async fn the_forms_about_people_are_for_the_clerk_of_the_council_alone() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let person = format!("/console/people/{}", holder(&desk).await);
        let asset = desk.phone.asset.to_string();
        desk.clerk.send(&format!("{person}/begin/{asset}"), &[]).await.is(303);
        let shown = desk.clerk.get(&format!("{person}/leaving")).await;
        let case = shown.text.split("href=\"").find(|part| part.starts_with("/console/leavers/")).expect("a case");
        let case = case.split('"').next().expect("an address").trim_end_matches("/wipe").to_owned();
        for (action, fields) in forms(&person, &asset, &case) {
            desk.stranger.send(&action, &fields).await.is(404).lacks("Mary-Ann").lacks("GPC-001");
            let refused = desk.auditor.send(&action, &fields).await;
            assert!([403, 422].contains(&refused.status), "{action}: {} {}", refused.status, refused.text);
            refused.has("role does not allow this");
            desk.clerk.post(&action, &fields, "same-origin").await.is(403).has("can no longer be used");
            let own = desk.clerk.token(&action);
            let sent = desk.clerk.post(&action, &with_token(&fields, &own), "cross-site").await;
            sent.is(403).has("did not come from Beadle");
            if !action.contains("/close") {
                let refused = desk.chair.send(&action, &fields).await;
                assert!([403, 422].contains(&refused.status), "{action}: {} {}", refused.status, refused.text);
            }
        }
        for page in [
            format!("{HOME}/people"),
            format!("{HOME}/people/new"),
            person.clone(),
            format!("{person}/change"),
            format!("{person}/devices"),
            format!("{person}/leaving"),
            format!("{person}/left"),
            format!("{person}/begin/{asset}"),
            format!("{person}/give-back/{asset}"),
            case.clone(),
            format!("{case}/wipe"),
            format!("{case}/close"),
        ] {
            desk.stranger.get(&page).await.is(404).lacks("GPC-001");
            desk.nobody().get(&page).await.is(303);
        }
        // Another council's person with our item, and our person with another council's item.
        let theirs = desk.stranger.send("/console/councils/coreley/people/new", &[("name", "Theirs")]).await.leads_to();
        for form in ["begin", "give-back"] {
            desk.stranger.send(&format!("{theirs}/{form}/{asset}"), &[]).await.is(404).lacks("GPC-001");
            let mixed = desk.provider.send(&format!("{theirs}/{form}/{asset}"), &[]).await;
            assert!([404, 422].contains(&mixed.status), "{}: {}", mixed.status, mixed.text);
        }
        let unchanged = [("person changed", 0), ("leaver.opened", 1), ("case.closed", 0), ("person ended", 0)];
        for (kind, times) in unchanged {
            assert_eq!(desk.recorded(kind).await, times, "{kind}");
        }
    })
    .await;
}

#[actix_web::test]
async fn nasty_and_endless_answers_about_people_are_harmless() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let council = desk.council.clone();
        desk.phone = Desk::phone(&desk.bench, &council, NASTY, NASTY, Mode::Device).await;
        let person = format!("/console/people/{}", holder(&desk).await);
        let asset = desk.phone.asset.to_string();
        desk.clerk.send(&format!("{person}/begin/{asset}"), &[("note", NASTY)]).await.is(303);
        let shown = desk.clerk.get(&format!("{person}/leaving")).await;
        let case = shown.text.split("href=\"").find(|part| part.starts_with("/console/leavers/")).expect("a case");
        let case = case.split('"').next().expect("an address").trim_end_matches("/wipe").to_owned();
        for page in [
            format!("{HOME}/people"),
            format!("{HOME}/people?find=evil"),
            person.clone(),
            format!("{person}/change"),
            format!("{person}/devices"),
            format!("{person}/leaving"),
            format!("{person}/left"),
            format!("{person}/begin/{asset}"),
            format!("{person}/give-back/{asset}"),
            case.clone(),
            format!("{case}/wipe"),
            format!("{case}/close"),
        ] {
            let answer = desk.clerk.get(&page).await.is(200).lacks("<script>alert").lacks("onload='x'");
            answer.has("&#60;script&#62;");
        }
        for with in ["x".repeat(10_000).as_str(), NASTY, "\0\u{1}\u{7f}"] {
            for (action, fields) in forms(&person, &asset, &case) {
                if ["/left", "/close", "/wipe"].iter().any(|end| action.ends_with(end)) || action.contains("give-back")
                {
                    continue;
                }
                for (name, _) in &fields {
                    let stuffed: Vec<(&str, &str)> = fields
                        .iter()
                        .map(|(other, value)| (*other, if other == name { with } else { value }))
                        .collect();
                    let answer = desk.clerk.send(&action, &stuffed).await;
                    assert!([303, 422].contains(&answer.status), "{action} {name}: {}", answer.text);
                    answer.lacks("<script>alert");
                }
            }
            let find: String = url::form_urlencoded::byte_serialize(with.as_bytes()).collect();
            let found = desk.clerk.get(&format!("{HOME}/people?find={find}")).await;
            assert!([200, 422].contains(&found.status), "{}", found.text);
            found.lacks("<script>alert");
        }
    })
    .await;
}
