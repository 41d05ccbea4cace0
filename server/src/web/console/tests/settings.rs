//! The pages about settings: limits and freezes, legal holds, quarantine, the council's details, tokens, retention.

use chrono::Duration;

use super::desk::{Answer, Browser, Desk, NASTY, with_token};
use crate::model::Actor;
use crate::operations::quarantine;
use crate::store::Transaction;
use crate::testing::on_both;

const HOME: &str = "/console/councils/germoe";

/// The first address on a page that begins so.
fn link(page: &Answer, before: &str) -> String {
    let part = page.text.split("href=\"").skip(1).find(|part| part.starts_with(before));
    part.and_then(|part| part.split('"').next())
        .unwrap_or_else(|| panic!("{before} is not in {}", page.text))
        .to_owned()
}

/// What every form here refuses: nobody, other councils, who only reads, no token, other sites, and far too much.
async fn refuses(desk: &mut Desk, action: &str, fields: &[(&str, &str)], good: &mut Browser) {
    desk.stranger.get(action).await.is(404).lacks("GPC-001");
    desk.stranger.send(action, fields).await.is(404).lacks("GPC-001");
    desk.nobody().get(action).await.is(303);
    desk.auditor.get(action).await.is(403).has("role does not allow this");
    desk.auditor.send(action, fields).await.is(403).has("role does not allow this");
    good.post(action, fields, "same-origin").await.is(403).has("can no longer be used");
    let token = good.token(action);
    good.post(action, &with_token(fields, &token), "cross-site").await.is(403);
    for (name, _) in fields {
        let much = "x".repeat(10_000);
        let stuffed: Vec<(&str, &str)> =
            fields.iter().map(|(other, value)| (*other, if other == name { much.as_str() } else { *value })).collect();
        good.send(action, &stuffed).await.is(422);
    }
}

#[actix_web::test]
async fn a_freeze_leads_to_its_limits_and_two_people_thaw_it() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let limits = format!("{HOME}/limits");
        let change = format!("{limits}/change");
        desk.auditor.get(&limits).await.is(200).has("2 in an hour, 5 in a day").lacks("Change the limits");
        desk.clerk.get(&limits).await.is(200).has("Change the limits").lacks("Erasing is frozen");
        desk.clerk.send(&change, &[("per_hour", "two"), ("per_day", "5")]).await.is(422).has("must be a whole number");
        desk.clerk.send(&change, &[("per_hour", "11"), ("per_day", "5")]).await.is(422).has("between 0 and 10");
        assert_eq!(desk.clerk.send(&change, &[("per_hour", "0"), ("per_day", "0")]).await.leads_to(), limits);
        desk.clerk.get(&limits).await.is(200).has("0 in an hour, 0 in a day");

        desk.clerk.get(&format!("{limits}/thaw")).await.is(200).has("It is not frozen here");
        let case = desk.lose().await;
        let order = desk.ask(&case).await;
        assert_eq!(desk.chair.send(&format!("{order}/approve"), &[]).await.leads_to(), order);
        let shown = desk.clerk.get(&order).await.is(200).has("See why erasing is frozen");
        assert_eq!(link(&shown, &limits), limits);
        let shown = desk.chair.get(HOME).await.is(200).has("Erasing is frozen: no phone is erased");
        assert_eq!(link(&shown, &limits), limits);
        desk.clerk.get(&limits).await.is(200).has("Erasing is frozen since").has("Ask to thaw");
        desk.auditor.get(&limits).await.is(200).has("Erasing is frozen since").lacks("Ask to thaw");

        let thaw = format!("{limits}/thaw");
        let mut clerk = desk.clerk.clone();
        refuses(&mut desk, &thaw, &[], &mut clerk).await;
        desk.clerk.get(&thaw).await.is(200).has("Ask to thaw erasing?");
        // A second click asks no second time.
        let token = desk.clerk.token(&thaw);
        for _ in 0..2 {
            let sent = desk.clerk.post(&thaw, &with_token(&[], &token), "same-origin").await;
            assert_eq!(sent.leads_to(), limits);
        }
        assert_eq!(desk.recorded("orders.thaw_requested").await, 1);
        desk.clerk.get(&limits).await.is(200).has("now a second person must agree").lacks("Agree to thaw");
        desk.clerk.send(&thaw, &[]).await.is(422).has("you asked for it yourself");
        desk.chair.get(&limits).await.is(200).has("Agree to thaw, as the second person");
        desk.chair.get(&thaw).await.is(200).has("Thaw erasing?").has("CLERK");
        assert_eq!(desk.chair.send(&thaw, &[]).await.leads_to(), limits);
        desk.chair.get(&limits).await.is(200).lacks("Erasing is frozen since");
        desk.clerk.get(HOME).await.is(200).lacks("Erasing is frozen");
        assert_eq!((desk.recorded("orders.frozen").await, desk.recorded("orders.thawed").await), (1, 1));
        desk.clerk.send(&thaw, &[]).await.is(422).has("not frozen here");
    })
    .await;
}

#[actix_web::test]
async fn limits_are_raised_by_two_people_who_have_just_confirmed_who_they_are() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let limits = format!("{HOME}/limits");
        let (change, raise) = (format!("{limits}/change"), format!("{limits}/raise"));
        let mut clerk = desk.clerk.clone();
        refuses(&mut desk, &change, &[("per_hour", "3"), ("per_day", "6")], &mut clerk).await;
        desk.chair.get(&raise).await.is(200).has("Nobody asks to raise them");
        desk.chair.send(&raise, &[]).await.is(422).has("Nobody asked to raise these");
        assert_eq!(desk.clerk.send(&change, &[("per_hour", "3"), ("per_day", "6")]).await.leads_to(), limits);
        let shown =
            desk.clerk.get(&limits).await.is(200).has("3 in an hour, 6 in a day").has("2 in an hour, 5 in a day");
        shown.has("now a second person must agree");
        desk.clerk.get(&change).await.is(200).has("takes its place");
        desk.clerk.send(&raise, &[]).await.is(422).has("you asked for it yourself");
        let shown = desk.chair.get(HOME).await.is(200).has("Look at it and decide");
        assert_eq!(link(&shown, &limits), limits);
        let mut chair = desk.chair.clone();
        refuses(&mut desk, &raise, &[], &mut chair).await;

        desk.bench.clock.advance(Duration::minutes(6));
        for place in [&change, &raise, &format!("{limits}/thaw")] {
            let asked = desk.chair.get(place).await;
            if place.ends_with("/thaw") {
                asked.is(200).has("It is not frozen here");
            } else {
                assert!(asked.leads_to().starts_with("/console/confirm?then="), "{place}");
            }
            let sent = desk.chair.send(place, &[("per_hour", "1"), ("per_day", "1")]).await;
            assert!(sent.leads_to().starts_with("/console/confirm?then="), "{place}");
        }
        assert_eq!((desk.recorded("caps.raise_approved").await, desk.recorded("caps.lowered").await), (0, 0));
        desk.bench.clock.advance(-Duration::minutes(6));
        assert_eq!(desk.chair.send(&raise, &[]).await.leads_to(), limits);
        desk.chair.get(&limits).await.is(200).has("it counts from").has("2 in an hour, 5 in a day");
        assert_eq!(desk.recorded("caps.raise_approved").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn the_limits_of_all_councils_are_the_providers_concern() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        for place in ["/console/limits", "/console/limits/change", "/console/limits/raise", "/console/limits/thaw"] {
            desk.clerk.get(place).await.is(403).has("Only the provider may do this");
            desk.clerk.send(place, &[("per_hour", "1"), ("per_day", "1")]).await;
            desk.provider.get(place).await.is(200);
        }
        desk.provider.get("/console").await.is(200).has("Limits on erasing, all councils together");
        desk.provider.send("/console/limits/change", &[("per_hour", "0"), ("per_day", "0")]).await.is(303);
        let case = desk.lose().await;
        let order = desk.ask(&case).await;
        desk.chair.send(&format!("{order}/approve"), &[]).await.is(303);
        let shown = desk.clerk.get(&format!("{HOME}/limits")).await.is(200).has("frozen for every council");
        shown.lacks("Ask to thaw").lacks("The limits of all councils together");
        desk.clerk.get(&format!("{HOME}/limits/thaw")).await.is(200).has("It is not frozen here");
        let shown = desk.provider.get(&format!("{HOME}/limits")).await.is(200);
        assert_eq!(link(&shown, "/console/limits"), "/console/limits");
        desk.provider.get("/console/limits").await.is(200).has("Ask to thaw");
        desk.provider.send("/console/limits/thaw", &[]).await.is(303);
        desk.provider.get("/console/limits").await.is(200).has("now a second person must agree");
    })
    .await;
}

#[actix_web::test]
async fn a_legal_hold_is_put_on_and_ended() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let holds = format!("{HOME}/holds");
        desk.auditor.get(&holds).await.is(200).has("No device is under a legal hold").lacks("Put a device under");
        desk.auditor.get(&format!("{holds}/new")).await.is(403);
        desk.clerk.get(&holds).await.is(200).has("Put a device under a legal hold");
        desk.clerk.get(&format!("{holds}/new")).await.is(200);
        desk.clerk.get(&format!("{holds}/new?find=")).await.is(422).has("Enter a name");
        desk.clerk.get(&format!("{holds}/new?find=nothing")).await.is(200).has("Nothing was found");
        let found = desk.clerk.get(&format!("{holds}/new?find=GPC")).await.is(200).has("One was found").has("Mary-Ann");
        let action = format!("/console/devices/{}/hold", desk.phone.device);
        assert_eq!(link(&found, "/console/devices/"), action);
        let shown = desk.clerk.get(&format!("/console/devices/{}", desk.phone.device)).await.is(200);
        shown.has("Put it under a legal hold");
        let mut clerk = desk.clerk.clone();
        refuses(&mut desk, &action, &[("reason", "")], &mut clerk).await;
        desk.clerk.send(&action, &[("reason", " ")]).await.is(422).has("Say why nothing");
        let case = desk.lose().await;
        let order = desk.ask(&case).await;
        desk.chair.send(&format!("{order}/approve"), &[]).await.is(303);
        assert_eq!(desk.clerk.send(&action, &[("reason", NASTY)]).await.leads_to(), holds);
        let shown =
            desk.clerk.get(&holds).await.is(200).has("GPC-001").lacks("<script>alert").has("End this legal hold");
        let end = link(&shown, "/console/holds/");
        desk.auditor.get(&holds).await.is(200).has("GPC-001").lacks("End this legal hold");
        desk.clerk.get(&format!("/console/devices/{}", desk.phone.device)).await.is(200).has("End the legal hold");
        desk.clerk.get(&action).await.is(200).has("under a legal hold already");

        // The order that was under way is held, and leads to the hold.
        let device = format!("/console/devices/{}", desk.phone.device);
        let shown = desk.clerk.get(&order).await.is(200).has("See the legal hold on the device");
        assert_eq!(link(&shown, "/console/devices/"), device);

        let mut clerk = desk.clerk.clone();
        refuses(&mut desk, &end, &[], &mut clerk).await;
        desk.bench.clock.advance(Duration::minutes(6));
        assert!(desk.clerk.get(&end).await.leads_to().starts_with("/console/confirm?then="));
        assert!(desk.clerk.send(&end, &[]).await.leads_to().starts_with("/console/confirm?then="));
        assert_eq!(desk.recorded("hold.ended").await, 0);
        desk.bench.clock.advance(-Duration::minutes(6));
        desk.clerk.get(&end).await.is(200).has("End the legal hold on GPC-001?");
        assert_eq!(desk.clerk.send(&end, &[]).await.leads_to(), holds);
        desk.clerk.get(&end).await.is(200).has("This hold has ended");
        desk.clerk.send(&end, &[]).await.is(422).has("ended already");
        desk.clerk.get(&holds).await.is(200).has("No device is under a legal hold");
        assert_eq!((desk.recorded("hold.added").await, desk.recorded("hold.ended").await), (1, 1));
    })
    .await;
}

#[actix_web::test]
async fn many_holds_are_shown_page_by_page_and_each_once() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let action = format!("/console/devices/{}/hold", desk.phone.device);
        let other = Desk::phone(&desk.bench, &desk.council, "GPC-002", "Wenna", crate::model::Mode::Supervised).await;
        for number in 0..27 {
            desk.clerk.send(&action, &[("reason", &format!("Reason {number:02}"))]).await.is(303);
        }
        desk.clerk.send(&format!("/console/devices/{}/hold", other.device), &[("reason", "Reason 27")]).await.is(303);
        let (mut place, mut pages, mut seen) = (format!("{HOME}/holds"), 0, Vec::new());
        loop {
            let page = desk.clerk.get(&place).await.is(200);
            seen.extend((0..28).filter(|number| page.text.contains(&format!("Reason {number:02}"))));
            pages += 1;
            if !page.text.contains("More legal holds") {
                break;
            }
            place = link(&page, &format!("{HOME}/holds?after="));
        }
        seen.sort_unstable();
        assert_eq!((pages, seen), (2, (0..28).collect::<Vec<_>>()));
        let foreign = place.replace("germoe", "coreley");
        desk.stranger.get(&foreign).await.is(404);
    })
    .await;
}

#[actix_web::test]
async fn a_quarantine_is_gone_through_and_ended_by_a_provider() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let (place, end) = ("/console/quarantine", "/console/quarantine/end");
        desk.provider.get(place).await.is(200).has("The server is not in quarantine");
        desk.provider.get(end).await.is(200).has("The server is not in quarantine");
        let case = desk.lose().await;
        let order = desk.ask(&case).await;
        desk.chair.send(&format!("{order}/approve"), &[]).await.is(303);
        let context = desk.bench.context(Actor::System);
        let begin = move |tx: &mut Transaction<'_>| quarantine::begin(tx, &context, "a <b>back-up</b> was restored");
        desk.bench.database.write("as after a restore", begin).await.expect("begun");

        let shown = desk.clerk.get(HOME).await.is(200).has("The server is in quarantine");
        assert_eq!(link(&shown, "/console/quarantine"), place);
        let shown = desk.clerk.get(&order).await.is(200).has("See what the quarantine is");
        assert_eq!(link(&shown, "/console/quarantine"), place);
        let shown = desk.clerk.get(place).await.is(200).has("GPC-001").lacks("<b>back-up").lacks("3. End it");
        assert_eq!(link(&shown, "/console/orders/"), order);
        desk.stranger.get(place).await.is(200).has("None is left").lacks("GPC-001");
        desk.nobody().get(place).await.is(303);
        desk.nobody().get(end).await.is(303);
        for browser in [&mut desk.clerk, &mut desk.chair, &mut desk.auditor, &mut desk.stranger] {
            browser.get(end).await.is(403).has("Only a provider may end");
            browser.send(end, &[]).await.is(403).has("Only a provider may end");
        }
        desk.provider.get(place).await.is(200).has("GPC-001").has("3. End it");
        desk.provider.get(end).await.is(200).has("One order has not been gone through yet");
        desk.provider.send(end, &[]).await.is(422).has("1 orders are not reconciled yet");
        desk.clerk.send(&format!("{order}/cancel"), &[]).await.is(303);
        desk.provider.get(place).await.is(200).has("None is left");
        desk.bench.clock.advance(Duration::minutes(6));
        assert!(desk.provider.get(end).await.leads_to().starts_with("/console/confirm?then="));
        assert!(desk.provider.send(end, &[]).await.leads_to().starts_with("/console/confirm?then="));
        desk.clerk.get(HOME).await.is(200).has("The server is in quarantine");
        desk.bench.clock.advance(-Duration::minutes(6));
        desk.provider.post(end, &[], "same-origin").await.is(403).has("can no longer be used");
        assert_eq!(desk.provider.send(end, &[]).await.leads_to(), place);
        desk.provider.get(place).await.is(200).has("The server is not in quarantine");
        desk.clerk.get(HOME).await.is(200).lacks("in quarantine");
    })
    .await;
}

#[actix_web::test]
async fn a_councils_details_are_changed_but_never_its_address() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let details = format!("{HOME}/details");
        let fields = [("name", "Germoe"), ("time_zone", "Europe/London"), ("old_devices", "no")];
        let mut clerk = desk.clerk.clone();
        refuses(&mut desk, &details, &fields, &mut clerk).await;
        desk.chair.get(&details).await.is(403);
        desk.chair.send(&details, &fields).await.is(403);
        desk.clerk.get(&details).await.is(200).has("The address can never change");
        let wrong = [("name", "Germoe"), ("time_zone", "Cornwall"), ("old_devices", "no")];
        desk.clerk.send(&details, &wrong).await.is(422).has("Time zone must be").has("Cornwall");
        let wrong = [("name", "Germoe"), ("time_zone", "Europe/London")];
        desk.clerk.send(&details, &wrong).await.is(422).has("Choose one");
        assert_eq!(desk.recorded("council.changed").await, 0);
        let new = [
            ("name", NASTY),
            ("time_zone", "Europe/Paris"),
            ("old_devices", "yes"),
            ("public_url", "https://evil.example"),
            ("slug", "evil"),
        ];
        assert_eq!(desk.clerk.send(&details, &new).await.leads_to(), format!("{HOME}/settings"));
        assert_eq!(desk.recorded("council.changed").await, 1);
        let shown = desk.clerk.get(&details).await.is(200).has("Europe/Paris").lacks("evil.example");
        shown.lacks("<script>alert").has("value=\"yes\" checked");
        desk.clerk.get(HOME).await.is(200).lacks("<script>alert");
    })
    .await;
}

#[actix_web::test]
async fn a_token_is_shown_once_and_not_to_a_form_that_is_sent_again() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let tokens = format!("{HOME}/tokens");
        let new = format!("{tokens}/new");
        desk.chair.get(&tokens).await.is(403);
        desk.stranger.get(&tokens).await.is(404);
        desk.chair.get(&new).await.is(403);
        let good = [("name", NASTY), ("scope_read", "yes"), ("scope_lock", "yes"), ("hours", "8")];
        desk.chair.send(&new, &good).await.is(403);
        let mut clerk = desk.clerk.clone();
        refuses(&mut desk, &new, &[("name", "List"), ("hours", "1")], &mut clerk).await;
        desk.clerk.get(&tokens).await.is(200).has("There is none");
        let wrong = [("name", "Lists"), ("hours", "24")];
        desk.clerk.send(&new, &wrong).await.is(422).has("Tick at least one").has("value=\"Lists\"");
        let wrong = [("name", ""), ("scope_read", "yes"), ("hours", "24")];
        let wrong = desk.clerk.send(&new, &wrong).await.is(422).has("What it is for must have 1 to 100");
        wrong.has("name=\"scope_read\" value=\"yes\" checked").lacks("name=\"scope_lock\" value=\"yes\" checked");
        let wrong = [("name", "List"), ("scope_read", "yes"), ("hours", "100")];
        desk.clerk.send(&new, &wrong).await.is(422).has("Choose one");
        assert_eq!(desk.recorded("token.issued").await, 0);

        let form = desk.clerk.token(&new);
        let plain = [("name", "Nightly list"), ("scope_read", "yes"), ("hours", "8")];
        let shown = desk.clerk.post(&new, &with_token(&plain, &form), "same-origin").await.is(200).has("only now");
        let token = shown.text.split("id=\"token\">").nth(1).and_then(|rest| rest.split('<').next()).expect("one");
        assert!(token.starts_with("eyJ") && token.split('.').count() == 3, "{token}");
        let again = desk.clerk.post(&new, &with_token(&plain, &form), "same-origin").await.is(200);
        again.has("is not shown again").lacks(token).lacks("eyJ");
        assert_eq!(desk.recorded("token.issued").await, 1);
        let list = desk.clerk.get(&tokens).await.is(200).has("Nightly list").has("Works until").lacks("eyJ");
        let list = list.has("Read everything").lacks("Lock a phone");
        let end = link(&list, "/console/tokens/");

        let mut clerk = desk.clerk.clone();
        refuses(&mut desk, &end, &[], &mut clerk).await;
        desk.chair.get(&end).await.is(403);
        desk.clerk.get(&end).await.is(200).has("Nightly list");
        assert_eq!(desk.clerk.send(&end, &[]).await.leads_to(), tokens);
        desk.clerk.get(&end).await.is(200).has("It was ended on");
        desk.clerk.get(&tokens).await.is(200).has("Ended on").lacks("End this token");
        assert_eq!(desk.recorded("token.revoked").await, 1);

        let fields = [("name", NASTY), ("scope_report", "yes"), ("hours", "1")];
        for number in 0..26 {
            desk.clerk.send(&new, if number == 0 { &fields } else { &plain }).await.is(200).lacks("<script>alert");
        }
        let shown = desk.clerk.get(&tokens).await.is(200).has("Older tokens").lacks("Ended on");
        let older = link(&shown, &format!("{tokens}?before="));
        desk.clerk.get(&older).await.is(200).has("Ended on").lacks("Older tokens").lacks("<script>alert");
    })
    .await;
}

#[actix_web::test]
async fn what_is_kept_for_how_long_is_read_by_whoever_reads_the_council() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let retention = format!("{HOME}/retention");
        for browser in [&mut desk.clerk, &mut desk.chair, &mut desk.auditor, &mut desk.provider] {
            browser.get(&retention).await.is(200).has("6 years").has("180 days").has("30 days after they ended");
        }
        desk.stranger.get(&retention).await.is(404);
        desk.nobody().get(&retention).await.is(303);
    })
    .await;
}
