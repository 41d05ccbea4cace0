//! Every form: without its token, from another site, by another session, council or role, sent twice, and with far too much.

use chrono::Duration;

use super::desk::{Browser, Desk, NASTY, with_token};
use crate::testing::on_both;

/// The forms of the console beside signing in: where each goes, and what a clerk would send.
fn forms(desk: &Desk, case: &str, order: &str) -> Vec<(String, Vec<(&'static str, String)>)> {
    let text = |name, value: &str| (name, value.to_owned());
    vec![
        (format!("/console/assets/{}/lost", desk.phone.asset), vec![text("reporter", "M"), text("place", "P")]),
        (format!("{case}/lock"), vec![]),
        (
            format!("{case}/notes"),
            vec![text("police_reference", "CR/1"), text("place", "P"), text("circumstances", "C")],
        ),
        (
            format!("{case}/breach"),
            vec![text("data_held", "letters"), text("decision", "do_not_notify"), text("reason", "locked at once")],
        ),
        (format!("{case}/wipe"), vec![text("asset_tag", &desk.phone.tag), text("reason", "stolen")]),
        (format!("{order}/approve"), vec![]),
        (format!("{order}/refuse"), vec![text("reason", "wait")]),
        (format!("{order}/cancel"), vec![]),
        (format!("{order}/resume"), vec![]),
        (format!("{case}/found"), vec![]),
        (format!("{case}/close"), vec![text("outcome", "It was in the other coat.")]),
    ]
}

fn borrowed<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[actix_web::test]
async fn no_form_works_without_its_own_token_from_its_own_site() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let case = desk.lose().await;
        let order = desk.ask(&case).await;
        let before = desk.recorded("loss.found").await + desk.recorded("order.cancelled").await;
        for (action, fields) in forms(&desk, &case, &order) {
            let fields = borrowed(&fields);
            let own = desk.clerk.token(&action);
            desk.clerk.post(&action, &fields, "same-origin").await.is(403).has("can no longer be used");
            for wrong in [
                "x".to_owned(),
                desk.chair.token(&action),
                desk.clerk.token("/console/other"),
                own.replace('.', "-"),
                format!("{own}A"),
            ] {
                let sent = desk.clerk.post(&action, &with_token(&fields, &wrong), "same-origin").await;
                sent.is(403).has("can no longer be used");
            }
            for site in ["cross-site", "same-site", "none"] {
                let sent = desk.clerk.post(&action, &with_token(&fields, &own), site).await;
                sent.is(403).has("did not come from Beadle");
            }
            let mut nobody = desk.nobody();
            let sent = nobody.post(&action, &with_token(&fields, &own), "same-origin").await;
            assert_eq!(sent.leads_to(), "/console/sign-in", "{action}");
        }
        let after = desk.recorded("loss.found").await + desk.recorded("order.cancelled").await;
        assert_eq!((before, after), (0, 0), "nothing was done");
        // A token that was good until the session was twelve hours old.
        let action = format!("{case}/lock");
        let token = desk.clerk.token(&action);
        desk.bench.clock.advance(Duration::minutes(19));
        desk.clerk.get("/console/account").await.is(200);
        desk.clerk.post(&action, &with_token(&[], &token), "same-origin").await.is(303);
    })
    .await;
}

#[actix_web::test]
async fn another_council_and_another_role_get_nowhere() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let case = desk.lose().await;
        let order = desk.ask(&case).await;
        let pages = [
            format!("/console/assets/{}/lost", desk.phone.asset),
            case.clone(),
            order.clone(),
            format!("{case}/wipe"),
            format!("{case}/notes"),
            format!("{case}/breach"),
            format!("{case}/found"),
            format!("{case}/close"),
            "/console/councils/germoe".to_owned(),
            "/console/councils/germoe/lost?find=GPC".to_owned(),
            "/console/councils/germoe/approvals".to_owned(),
        ];
        for page in &pages {
            desk.stranger.get(page).await.is(404).lacks("GPC-001");
            desk.nobody().get(page).await.is(303);
        }
        for (action, fields) in forms(&desk, &case, &order) {
            let fields = borrowed(&fields);
            desk.stranger.send(&action, &fields).await.is(404).lacks("GPC-001");
            let refused = desk.auditor.send(&action, &fields).await;
            assert!([403, 422].contains(&refused.status), "{action}: {} {}", refused.status, refused.text);
            refused.has("role does not allow this");
        }
        // An approver neither asks for orders nor lets them go on; a clerk does not approve his own.
        for action in [format!("{case}/wipe"), format!("{order}/resume")] {
            let refused = desk.chair.send(&action, &[("asset_tag", "GPC-001"), ("reason", "x")]).await;
            assert!([403, 422].contains(&refused.status), "{action}: {}", refused.text);
        }
        desk.clerk.send(&format!("{order}/approve"), &[]).await.is(422).has("another person must approve it");
        for kind in ["order.approved", "order.refused", "order.cancelled", "loss.found", "case.closed", "case.noted"] {
            assert_eq!(desk.recorded(kind).await, 0, "{kind}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_form_sent_twice_is_done_once() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let action = format!("/console/assets/{}/lost", desk.phone.asset);
        let token = desk.clerk.token(&action);
        let fields = with_token(&[("reporter", "Mary")], &token);
        let first = desk.clerk.post(&action, &fields, "same-origin").await.leads_to();
        let again = desk.clerk.post(&action, &fields, "same-origin").await.leads_to();
        assert_eq!(first, again);
        assert_eq!((desk.recorded("loss.reported").await, desk.recorded("loss.reported_again").await), (1, 0));
        assert_eq!(desk.recorded("device locked").await, 1);

        // Found, then the browser goes back and sends the old report once more: it stays found.
        desk.clerk.send(&format!("{first}/found"), &[]).await.is(303);
        desk.clerk.post(&action, &fields, "same-origin").await.is(303);
        assert_eq!(desk.recorded("loss.reported_again").await, 0);
        desk.clerk.get(&first).await.is(200).has("found; not yet back in use");

        // The same form with other answers is refused in words.
        let other = with_token(&[("reporter", "Somebody else")], &token);
        desk.clerk.post(&action, &other, "same-origin").await.is(422).has("have sent this form before");

        // A real second report loses it again; an order is asked for once.
        assert_eq!(desk.lose().await, first);
        let action = format!("{first}/wipe");
        let token = desk.clerk.token(&action);
        let fields = with_token(&[("asset_tag", "GPC-001"), ("reason", "stolen")], &token);
        let order = desk.clerk.post(&action, &fields, "same-origin").await.leads_to();
        desk.clerk.send(&format!("{order}/cancel"), &[]).await.is(303);
        assert_eq!(desk.clerk.post(&action, &fields, "same-origin").await.leads_to(), order);
        assert_eq!(desk.recorded("order.requested").await, 1, "the old request does not come back");
    })
    .await;
}

async fn stuff(browser: &mut Browser, action: &str, fields: &[(&'static str, String)], with: &str) {
    for (name, _) in fields {
        let stuffed: Vec<(&str, &str)> =
            fields.iter().map(|(other, value)| (*other, if other == name { with } else { value.as_str() })).collect();
        let answer = browser.send(action, &stuffed).await;
        assert!([303, 409, 422].contains(&answer.status), "{action} {name}: {}", answer.text);
        answer.lacks("<script>alert");
    }
}

#[actix_web::test]
async fn too_much_and_nasty_text_is_refused_or_shown_harmless() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let case = desk.lose().await;
        let order = desk.ask(&case).await;
        for with in ["x".repeat(10_000).as_str(), NASTY, "\0\u{1}\u{7f}", "'; DROP TABLE cases; --"] {
            for (action, fields) in forms(&desk, &case, &order) {
                let ends = ["/found", "/close", "/cancel", "/refuse", "/approve"];
                if !ends.iter().any(|end| action.ends_with(end)) {
                    stuff(&mut desk.clerk, &action, &fields, with).await;
                }
            }
            desk.clerk.get(&case).await.is(200).lacks("<script>alert");
            desk.clerk.get(&order).await.is(200).lacks("<script>alert");
            let find: String = url::form_urlencoded::byte_serialize(with.as_bytes()).collect();
            let found = desk.clerk.get(&format!("/console/councils/germoe/lost?find={find}")).await;
            assert!([200, 422].contains(&found.status), "{}", found.text);
            found.lacks("<script>alert");
        }
        let refusal = [("reason", NASTY)];
        desk.chair.send(&format!("{order}/refuse"), &refusal).await.is(303);
        desk.clerk.get(&order).await.is(200).lacks("<script>alert").has("&#60;script&#62;");
        desk.clerk.send(&format!("{case}/close"), &[("outcome", NASTY)]).await.is(303);
        desk.clerk.get(&case).await.is(200).lacks("<script>alert");
        let much = "x".repeat(70_000);
        desk.clerk.send(&format!("{case}/notes"), &[("place", much.as_str())]).await.is(413);
    })
    .await;
}
