//! Takes in Google's notifications by pulling them: nothing has to reach this server from outside. Each only queues a reading of
//! its device; repeats and old ones do no harm.

use std::collections::BTreeSet;

use chrono::Duration;
use serde_json::json;

use super::{Done, failed};
use crate::google;
use crate::jobs::outcome::Failure;
use crate::jobs::{Bench, again};
use crate::operations::android::pace::Urgency;
use crate::operations::{android, jobs as queue};
use crate::platform::android::message::Notification;
use crate::store;

/// How many notifications are taken at once.
const AT_ONCE: u32 = 100;
/// How long to wait where there were none, or no project is connected.
const PAUSE: Duration = Duration::seconds(2);
const UNCONNECTED: Duration = Duration::minutes(5);

pub(in crate::jobs) async fn pull(bench: &Bench) -> Done {
    let context = bench.context();
    let project = bench.app.database.read("google project", store::google_projects::find).await?;
    let Some(project) = project.filter(|project| project.notifications_ready) else {
        return Ok(again(context.now, UNCONNECTED));
    };
    let client = google::client(&bench.app, Urgency::Usual).await?;
    let subscription = google::subscription(&project.id);
    let received = tokio::select! {
        received = client.pull(&subscription, AT_ONCE) => received,
        () = bench.stopping() => return Ok(again(context.now, PAUSE)),
    };
    let received = match received {
        Ok(received) => received,
        Err(failure) => {
            // Pub/Sub has rights of its own: what it refuses keeps nothing from the phones.
            return Err(Failure { key_refused: None, ..failed(&bench.app, failure).await });
        }
    };
    let empty = received.is_empty();
    let devices = hinted(received.iter().map(|message| &message.notification));
    let at = context.clone();
    bench
        .app
        .database
        .write("notifications", move |tx| {
            for device in &devices {
                let payload = json!({ "device": device });
                let key = format!("android_device:{device}");
                queue::queue(tx, &at, android::READ_DEVICE, payload, at.now, Some(&key))?;
            }
            Ok(())
        })
        .await?;
    // Only now: what is acknowledged does not come again.
    let acks: Vec<String> = received.into_iter().map(|message| message.ack_id).collect();
    if !acks.is_empty()
        && let Err(failure) = client.acknowledge(&subscription, &acks).await
    {
        tracing::warn!(%failure, "notifications were not acknowledged and will come again");
    }
    Ok(again(context.now, if empty { PAUSE } else { Duration::zero() }))
}

/// The devices to read. A test message, or one of an unknown form, names none.
fn hinted<'a>(notifications: impl Iterator<Item = &'a Notification>) -> BTreeSet<String> {
    notifications.filter_map(|notification| notification.device.clone()).collect()
}
