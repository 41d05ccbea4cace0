//! The evidence of a loss: a page to print, and a file that is tied to it.

use diesel::connection::SimpleConnection as _;

use super::desk::{Answer, Desk, NASTY};
use crate::keys::sha256_hex;
use crate::testing::on_both;

/// Where the page's file is.
fn file_of(page: &Answer) -> String {
    let link = page.text.split("href=\"").find(|link| link.contains("/evidence.json?")).expect("a link");
    link.split('"').next().unwrap_or_default().replace("&amp;", "&").replace("&#38;", "&")
}

#[actix_web::test]
async fn the_page_and_its_file_belong_together() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let case = desk.lose().await;
        desk.ask(&case).await;
        let fields = [("police_reference", "CR/117"), ("place", NASTY), ("circumstances", NASTY)];
        desk.clerk.send(&format!("{case}/notes"), &fields).await.is(303);
        desk.clerk.get(&case).await.is(200).has(&format!("{case}/evidence\">Evidence of this loss"));
        let rows = desk.recorded("loss.reported").await;
        for browser in [&mut desk.clerk, &mut desk.chair, &mut desk.auditor, &mut desk.provider] {
            let page = browser.get(&format!("{case}/evidence")).await.is(200);
            let page = page
                .has("CR/117")
                .has("Mary-Ann O&#39;Brien")
                .has("Loss reported")
                .has("Order to erase asked for")
                .has("What was checked is whole")
                .has("The row and its particulars are as they were written")
                .lacks("<script>alert(1)")
                .lacks("operator:");
            let file = browser.get(&file_of(&page)).await.is(200);
            let header = |name: &str| file.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            assert_eq!(header("content-type"), "application/json");
            assert!(header("content-disposition").starts_with("attachment; filename=\"loss-"), "{:?}", file.headers);
            let hash = sha256_hex(file.text.as_bytes());
            assert!(page.text.contains(&format!("<dd class=\"figure\">{hash}</dd>")), "{hash}: {}", page.text);
            let told: serde_json::Value = serde_json::from_str(&file.text).expect("JSON");
            assert_eq!(told["case"]["place"], NASTY.replace(char::is_control, ""));
            assert_eq!(told["trail"]["problems"], serde_json::json!([]));
            assert!(page.text.len() < 60_000, "{} bytes", page.text.len());
        }
        assert_eq!(desk.recorded("loss.reported").await, rows, "looking changes nothing");
        for path in ["evidence", "evidence.json"].map(|name| format!("{case}/{name}")) {
            desk.stranger.get(&path).await.is(404).lacks("CR/117");
            desk.nobody().get(&path).await.is(303);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_file_that_is_not_the_one_of_the_print_is_not_given() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let case = desk.lose().await;
        let page = desk.clerk.get(&format!("{case}/evidence")).await.is(200);
        let link = file_of(&page);
        // What else the council does does not matter.
        let item = format!("/console/assets/{}", desk.phone.asset);
        desk.clerk.send("/console/councils/germoe/people/new", &[("name", "Wenna")]).await;
        let same = desk.clerk.get(&link).await.is(200);
        assert!(page.text.contains(&sha256_hex(same.text.as_bytes())));
        desk.clerk.send(&format!("{item}/fault"), &[("what", "Cracked")]).await.is(303);
        desk.clerk.get(&link).await.is(200);
        desk.clerk.send(&format!("{case}/notes"), &[("police_reference", "CR/118")]).await.is(303);
        desk.clerk.get(&link).await.is(409).has("has changed since").has(&format!("{case}/evidence\""));
        let anew = desk.clerk.get(&format!("{case}/evidence")).await.is(200).has("Cracked");
        desk.clerk.get(&file_of(&anew)).await.is(200).has("CR/118");
        desk.clerk.get(&format!("{case}/evidence.json")).await.is(200).has("CR/118");
        let nasty: String = url::form_urlencoded::byte_serialize(NASTY.as_bytes()).collect();
        let much = "9".repeat(4000);
        for (row, status) in [(nasty.as_str(), 409), ("-1", 409), (much.as_str(), 409), ("", 409)] {
            let path = format!("{case}/evidence.json?row={row}&sha256={nasty}");
            desk.clerk.get(&path).await.is(status).lacks("<script>alert");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_forged_row_is_told() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let case = desk.lose().await;
        let by_hand = |sql: &'static str| {
            desk.bench.database.with_own_connection(|connection| Ok(connection.batch_execute(sql)?)).expect("by hand");
        };
        by_hand("UPDATE audit_rows SET kind = 'loss.found' WHERE kind = 'loss.reported'");
        let page = desk.auditor.get(&format!("{case}/evidence")).await.is(200);
        page.has("The trail is not whole")
            .has("was changed, or put there by hand")
            .has("Marked as found")
            .has("the trail does not prove who")
            .lacks("What was checked is whole");
    })
    .await;
}
