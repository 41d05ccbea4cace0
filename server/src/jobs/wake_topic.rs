//! A push certificate was imported: the phones of its topic need not wait out the hours of one that was missing or refused.

use super::Bench;
use super::outcome::{Failure, Next, payload};
use crate::error::Error;
use crate::operations::jobs::{WakeTopic, wake_key};
use crate::store;
use crate::store::jobs::Job;

const PHONES: i64 = 500;

pub(super) async fn run(bench: &Bench, job: &Job) -> Result<Next, Failure> {
    let progress: WakeTopic = payload(job)?;
    let now = bench.context().now;
    let here = progress.clone();
    let last = bench
        .app
        .database
        .write("wake the phones of a topic", move |tx| {
            let phones = store::wake::enrolments_of_topic(tx, &here.council, &here.topic, here.after.as_ref(), PHONES)?;
            let keys: Vec<String> = phones.iter().map(wake_key).collect();
            if store::jobs::hasten(tx, &keys, now)? > 0 {
                tx.nudge_jobs();
            }
            Ok(phones.into_iter().next_back())
        })
        .await?;
    match last {
        None => Ok(Next::Done),
        after => {
            let payload = serde_json::to_string(&WakeTopic { after, ..progress }).map_err(Error::from)?;
            Ok(Next::Again { at: now, payload })
        }
    }
}
