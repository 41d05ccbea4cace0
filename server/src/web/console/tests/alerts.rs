//! All alerts, page by page, and who saw to them.

use super::desk::{Desk, NASTY};
use crate::model::Actor;
use crate::operations::alerts;
use crate::testing::on_both;

const HERE: &str = "/console/councils/germoe/alerts";

#[actix_web::test]
async fn alerts_are_paged_newest_first_and_say_who_saw_to_them() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        desk.auditor.get(HERE).await.is(200).has("There is none");
        let (context, council) = (desk.bench.context(Actor::System), desk.council.clone());
        desk.bench
            .database
            .write("alerts", move |tx| {
                for number in 1..=30 {
                    let subject = format!("item-{number}");
                    let message = format!("Number {number:02} of {NASTY}");
                    alerts::raise(tx, &context, &council, "sim_changed", &subject, &message)?;
                }
                Ok(())
            })
            .await
            .expect("raised");
        let home = desk.clerk.get("/console/councils/germoe").await.is(200).has("All alerts");
        let action = home.text.split("action=\"").find(|rest| rest.starts_with("/console/alerts/")).expect("a form");
        let action = action.split('"').next().expect("where it goes").to_owned();
        desk.clerk.send(&action, &[]).await.is(303);
        let newest = desk.auditor.get(HERE).await.is(200).has("Number 30").has("Number 06").lacks("Number 05");
        let newest = newest.has("Not seen to yet").has(" by ").lacks("<script>alert(1)");
        let older = newest.text.split(&format!("{HERE}?before=")).nth(1).expect("older ones");
        let older = format!("{HERE}?before={}", older.split('"').next().expect("where they are"));
        let rest = desk.auditor.get(&older).await.is(200).has("Number 05").has("Number 01").lacks("Number 06");
        rest.lacks("Older ones");
        desk.stranger.get(HERE).await.is(404);
        desk.clerk.get(&format!("{HERE}?before=%27x")).await.is(200);
    })
    .await;
}
