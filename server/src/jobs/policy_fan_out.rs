//! Brings a changed policy to every phone of a council, a hundred phones (some 500 commands) at a time.

use serde::{Deserialize, Serialize};

use super::Bench;
use super::outcome::{Failure, Next, payload};
use crate::error::Error;
use crate::model::CouncilId;
use crate::operations::reports;
use crate::store;
use crate::store::jobs::Job;

const PHONES: i64 = 100;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    council: CouncilId,
    after: Option<String>,
}

pub(super) async fn run(bench: &Bench, job: &Job) -> Result<Next, Failure> {
    let progress: Progress = payload(job)?;
    let context = bench.context();
    let now = context.now;
    let here = progress.clone();
    let last = bench
        .app
        .database
        .write("policy to the phones", move |tx| {
            let phones = store::reports::live_enrolments(tx, &here.council, here.after.as_deref(), PHONES)?;
            for phone in &phones {
                reports::refresh(tx, &context, phone)?;
            }
            Ok(phones.last().map(|phone| phone.id.to_string()))
        })
        .await?;
    match last {
        None => Ok(Next::Done),
        after => {
            let payload = serde_json::to_string(&Progress { after, ..progress }).map_err(Error::from)?;
            Ok(Next::Again { at: now, payload })
        }
    }
}
