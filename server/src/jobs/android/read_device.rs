//! Reads one device at Google because a notification hinted at it: what is read counts, not the hint.

use serde::{Deserialize, Serialize};

use super::{Done, failed, is_disconnected, seen};
use crate::google;
use crate::jobs::Bench;
use crate::jobs::outcome::{Next, payload};
use crate::operations::android::observe::{self, Observed};
use crate::operations::android::pace::Urgency;
use crate::operations::jobs as queue;
use crate::platform::android::Failure as GoogleFailure;
use crate::store;
use crate::store::jobs::Job;

#[derive(Deserialize, Serialize)]
struct Asked {
    device: String,
}

pub(in crate::jobs) async fn run(bench: &Bench, job: &Job) -> Done {
    let asked: Asked = payload(job)?;
    let client = match google::client(&bench.app, Urgency::Usual).await {
        Ok(client) => client,
        Err(problem) if is_disconnected(&problem) => return Ok(Next::Done),
        Err(problem) => return Err(problem.into()),
    };
    let context = bench.context();
    let asked_at = context.now;
    match client.get_device(&asked.device).await {
        Ok(report) => {
            let seen = seen(report);
            bench
                .app
                .database
                .write("a device was read", move |tx| match observe::observe(tx, &context, &seen, asked_at)? {
                    Observed::Known(it) => observe::look_at_what_waits(tx, &context, &it),
                    Observed::Unknown | Observed::Gone => Ok(()),
                })
                .await?;
            Ok(Next::Done)
        }
        Err(GoogleFailure::NotFound) => {
            // The send job looks at what is under way before it calls the phone gone.
            bench
                .app
                .database
                .write("a device is gone", move |tx| {
                    if let Some(row) = store::android_enrolments::find_by_device(tx, &asked.device)? {
                        queue::wake_with_hint(tx, &context, &row.council_id, &row.enrolment_id)?;
                    }
                    Ok(())
                })
                .await?;
            Ok(Next::Done)
        }
        Err(failure) => Err(failed(&bench.app, failure).await),
    }
}
