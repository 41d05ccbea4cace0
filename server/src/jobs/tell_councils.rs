//! Tells the councils after the first page what concerns them all, five hundred at a time.

use serde::{Deserialize, Serialize};

use super::Bench;
use super::outcome::{Failure, Next, payload};
use crate::error::Error;
use crate::model::CouncilId;
use crate::operations::caps;
use crate::store::jobs::Job;

const COUNCILS: i64 = 500;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    after: Option<CouncilId>,
}

pub(super) async fn run(bench: &Bench, job: &Job) -> Result<Next, Failure> {
    let Progress { after } = payload(job)?;
    let context = bench.context();
    let now = context.now;
    let last = bench
        .app
        .database
        .write("tell councils", move |tx| caps::tell_councils(tx, &context, after.as_ref(), COUNCILS))
        .await?;
    match last {
        None => Ok(Next::Done),
        after => {
            let payload = serde_json::to_string(&Progress { after }).map_err(Error::from)?;
            Ok(Next::Again { at: now, payload })
        }
    }
}
