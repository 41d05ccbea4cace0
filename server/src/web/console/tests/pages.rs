//! The pages of a loss from the search to the end, by two people; what home shows; and pages that are not there.

use super::desk::{Desk, NASTY};
use crate::model::Mode;
use crate::store;
use crate::testing::on_both;

#[actix_web::test]
async fn a_lost_phone_from_the_search_to_the_second_person() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let home = desk.clerk.get("/console").await.leads_to();
        assert_eq!(home, "/console/councils/germoe");
        desk.clerk.get(&home).await.is(200).has("Report a lost phone").has("See what is left");
        desk.auditor.get(&home).await.is(200).has("Nothing needs your attention").lacks("See what is left");
        for find in ["gpc", "GPC-001", "001", "mary", "ann", "o%27br", "brien", "123", "900123", "%2B44+7700+900123"] {
            let page = desk.clerk.get(&format!("{home}/lost?find={find}")).await.is(200);
            page.has("GPC-001").has("One was found").has("Mary-Ann O&#39;Brien");
        }
        for find in ["x", "23", "ary", "PC-001"] {
            desk.clerk.get(&format!("{home}/lost?find={find}")).await.is(200).has("Nothing was found");
        }
        desk.clerk.get(&format!("{home}/lost?find=")).await.is(422).has("Enter a name, a tag or a number");
        let report = format!("/console/assets/{}/lost", desk.phone.asset);
        desk.clerk.get(&report).await.is(200).has("Lock it now and report it lost").has("Mary-Ann");
        let wrong = [("happened_at", "yesterday"), ("place", "Penzance")];
        desk.clerk.send(&report, &wrong).await.is(422).has("There is a problem").has("value=\"Penzance\"");
        let case = desk.clerk.send(&report, &[("happened_at", "2026-01-02T10:00")]).await.leads_to();
        desk.clerk
            .get(&case)
            .await
            .is(200)
            .has("has not fetched it yet")
            .has("2 January 2026 at 10:00am")
            .has("Read this to the mobile network")
            .has("Ask for the phone to be erased")
            .has("Not decided yet");
        desk.clerk.get(&home).await.is(200).has("GPC-001 is lost").has("Go on with this loss");

        desk.clerk.get(&format!("{case}/wipe")).await.is(200).has("cannot be undone").has("Last heard from");
        let wipe = format!("{case}/wipe");
        desk.clerk
            .send(&wipe, &[("asset_tag", "GPC-002"), ("reason", "stolen")])
            .await
            .is(422)
            .has("not the asset tag");
        desk.clerk.send(&wipe, &[("asset_tag", "GPC-001"), ("reason", " ")]).await.is(422).has("Say why");
        let order = desk.ask(&case).await;
        desk.clerk.get(&order).await.is(200).has("another person must approve it").lacks("/approve\"");
        desk.chair.get("/console/councils/germoe").await.is(200).has("Approve or refuse");
        desk.chair.get("/console/councils/germoe/approvals").await.is(200).has("Look at it and decide");
        desk.chair.get(&order).await.is(200).has("Approve: erase GPC-001").has("residents&#39; letters");
        desk.chair.send(&format!("{order}/approve"), &[]).await.is(303);
        desk.clerk.get(&order).await.is(200).has("Approved").has("Cancel the order");
        desk.chair.send(&format!("{order}/refuse"), &[("reason", "late")]).await.is(422).has("no longer in a state");
        desk.clerk.send(&format!("{order}/cancel"), &[]).await.is(303);
        desk.clerk.get(&order).await.is(200).has("Cancelled before the phone fetched it");

        let notes = format!("{case}/notes");
        desk.clerk.send(&notes, &[("police_reference", "CR/42"), ("place", "Truro")]).await.is(303);
        let breach = format!("{case}/breach");
        desk.clerk.send(&breach, &[("decision", "notify")]).await.is(422).has("Say why");
        desk.clerk.send(&breach, &[("decision", "x")]).await.is(422).has("Choose one");
        let decided = [("data_held", "Letters"), ("decision", "do_not_notify"), ("reason", "Locked within a minute.")];
        desk.clerk.send(&breach, &decided).await.is(303);
        desk.clerk.get(&case).await.is(200).has("CR/42").has("need not be told").has("Locked within a minute.");
        desk.clerk.get(&format!("{case}/found")).await.is(200).has("safe hands");
        desk.clerk.send(&format!("{case}/found"), &[]).await.is(303);
        desk.clerk.get(&case).await.is(200).has("found; not yet back in use");
        desk.clerk.send(&format!("{case}/found"), &[]).await.is(409).has("already");
        desk.clerk.send(&format!("{case}/close"), &[("outcome", "")]).await.is(422).has("Say how it ended");
        desk.clerk.send(&format!("{case}/close"), &[("outcome", "In the other coat.")]).await.is(303);
        desk.clerk.get(&case).await.is(200).has("In the other coat.").lacks("Close this case");
    })
    .await;
}

#[actix_web::test]
async fn names_of_any_kind_are_shown_and_do_nothing() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let (council, device) = (desk.council.clone(), desk.phone.device.clone());
        desk.phone = Desk::phone(&desk.bench, &council, NASTY, NASTY, Mode::Device).await;
        assert_ne!(desk.phone.device, device);
        let named = council.clone();
        desk.bench
            .database
            .write("names", move |tx| {
                let mut row = store::councils::find(tx, &named)?.expect("a council");
                row.name = NASTY.to_owned();
                store::councils::update(tx, &row)
            })
            .await
            .expect("named");
        let case = desk.lose().await;
        let order = desk.ask(&case).await;
        for page in [
            "/console/councils/germoe".to_owned(),
            "/console/councils/germoe/lost?find=evil".to_owned(),
            "/console/councils/germoe/approvals".to_owned(),
            format!("/console/assets/{}/lost", desk.phone.asset),
            case.clone(),
            format!("{case}/notes"),
            format!("{case}/breach"),
            format!("{case}/found"),
            format!("{case}/close"),
            order,
        ] {
            let answer = desk.clerk.get(&page).await.is(200).lacks("<script>alert").lacks("onload='x'");
            answer.has("&#60;script&#62;");
        }
        let watched = desk.nobody().get(&format!("{case}/live")).await.is(200).has("event: over");
        assert_eq!(watched.headers.get("content-type").and_then(|kind| kind.to_str().ok()), Some("text/event-stream"));
        desk.provider.get("/console").await.is(200).lacks("<script>alert").has("coreley");
        desk.provider.get("/console/councils/germoe").await.is(200).has("acting for this council as its provider");
    })
    .await;
}

#[actix_web::test]
async fn what_is_not_there_has_a_page_and_a_broken_server_says_so() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        for nowhere in [
            "/console/nowhere",
            "/console/losses/none",
            "/console/orders/x",
            "/console/councils/none",
            "/console/a/b/c/d",
        ] {
            desk.clerk.get(nowhere).await.is(404).has("Page not found");
        }
        desk.nobody().get("/console/nowhere").await.is(303);
        let files = (desk.serve)(actix_web::test::TestRequest::with_uri("/console/files/none.css")).await;
        assert_eq!(files.status, 404);
        let page = desk.clerk.get("/console/account").await.is(200);
        let style =
            page.text.split("href=\"/console/files/").nth(1).and_then(|rest| rest.split('"').next()).expect("one");
        let style = (desk.serve)(actix_web::test::TestRequest::with_uri(&format!("/console/files/{style}"))).await;
        assert_eq!(style.status, 200);
        let cache = style.headers.get("cache-control").and_then(|value| value.to_str().ok());
        assert_eq!(cache, Some("public, max-age=31536000, immutable"));
        assert!(page.text.len() + style.text.len() < 100_000, "a page weighs less than 100 kB");
        desk.app.database.set_broken(true);
        desk.clerk.get("/console/councils/germoe").await.is(503).has("cannot do this just now").lacks("switched off");
        desk.app.database.set_broken(false);
        assert_eq!((desk.serve)(actix_web::test::TestRequest::with_uri("/")).await.leads_to(), "/console");
    })
    .await;
}
