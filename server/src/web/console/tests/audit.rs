//! The trail as people read it: newest first, searched, verified, and taken away.

use diesel::connection::SimpleConnection as _;

use super::desk::{Desk, NASTY};
use crate::testing::on_both;

const AUDIT: &str = "/console/councils/germoe/audit";

#[actix_web::test]
async fn the_trail_is_read_searched_and_taken_away() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let case = desk.lose().await;
        for number in 0..55 {
            let fields = [("police_reference", format!("CR/{number}"))];
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            desk.clerk.send(&format!("{case}/notes"), &fields).await.is(303);
        }
        for browser in [&mut desk.clerk, &mut desk.auditor, &mut desk.chair, &mut desk.provider] {
            let page = browser.get(AUDIT).await.is(200);
            let first = page.text.find("Notes changed").expect("the newest");
            assert!(page.text.get(first..).is_some_and(|rest| rest.contains("Row ")), "{}", page.text);
            page.has("Earlier").has("by <bdi>CLERK</bdi>").lacks("operator:");
        }
        let page = desk.clerk.get(AUDIT).await.text;
        let next = page.split("href=\"").find(|link| link.starts_with(&format!("{AUDIT}?before="))).expect("a link");
        let next = next.split('"').next().unwrap_or_default().replace("&#38;", "&").replace("&amp;", "&");
        desk.clerk.get(&next).await.is(200).has("Loss reported");
        desk.clerk.get(&format!("{AUDIT}?tag=GPC-001")).await.is(200).lacks("Nothing was found").lacks("CR/3");
        desk.clerk.get(&format!("{AUDIT}?tag=GPC-9")).await.is(422).has("No item of the register has this tag");
        desk.clerk.get(&format!("{AUDIT}?until=1999-12-31")).await.is(200).has("Nothing was found");
        desk.clerk.get(&format!("{AUDIT}?until=2199-12-31")).await.is(200).has("Notes changed");
        desk.clerk.get(&format!("{AUDIT}?until=soon")).await.is(422).has("Enter a date");
        let nasty: String = url::form_urlencoded::byte_serialize(NASTY.as_bytes()).collect();
        desk.clerk
            .get(&format!("{AUDIT}?tag={nasty}&until={nasty}&before={nasty}"))
            .await
            .is(422)
            .lacks("<script>alert");

        let file = desk.auditor.get(&format!("{AUDIT}.jsonl")).await.is(200);
        let rows: Vec<serde_json::Value> =
            file.text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
        assert_eq!(rows.iter().filter(|row| row["kind"] == "case.noted").count(), 55);
        let numbers: Vec<i64> = rows.iter().filter_map(|row| row["seq"].as_i64()).collect();
        assert_eq!(numbers, (1..=rows.len() as i64).collect::<Vec<_>>());
        for path in [AUDIT.to_owned(), format!("{AUDIT}.jsonl")] {
            desk.stranger.get(&path).await.is(404).lacks("CR/");
            desk.nobody().get(&path).await.is(303);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_broken_trail_is_told() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        desk.lose().await;
        let action = format!("{AUDIT}/verify");
        desk.auditor.send(&action, &[]).await.is(200).has("The trail is whole");
        desk.bench
            .database
            .with_own_connection(|connection| {
                let broken = "UPDATE audit_rows SET kind = 'nothing happened' WHERE kind = 'loss.reported'";
                Ok(connection.batch_execute(broken)?)
            })
            .expect("changed by hand");
        desk.auditor.send(&action, &[]).await.is(200).has("The trail is not whole").has("Tell your provider at once");
    })
    .await;
}
