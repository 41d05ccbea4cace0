//! Deletes at Google the codes and links of an invitation that was withdrawn: a phone would else still enrol there with them, for
//! nobody's use, and its holder would be left with a work profile that leads nowhere.

use serde::Deserialize;

use super::{Done, failed, is_disconnected};
use crate::google;
use crate::jobs::Bench;
use crate::jobs::outcome::{Next, payload};
use crate::model::{CouncilId, InvitationId};
use crate::operations::android::pace::Urgency;
use crate::operations::android::tokens;
use crate::store::jobs::Job;

#[derive(Deserialize)]
struct Asked {
    council: CouncilId,
    invitation: InvitationId,
}

pub(in crate::jobs) async fn delete(bench: &Bench, job: &Job) -> Done {
    let asked: Asked = payload(job)?;
    let client = match google::client(&bench.app, Urgency::Usual).await {
        Ok(client) => client,
        Err(problem) if is_disconnected(&problem) => return Ok(Next::Done),
        Err(problem) => return Err(problem.into()),
    };
    let context = bench.context();
    let names = bench
        .app
        .database
        .read("withdrawn codes", move |tx| tokens::to_delete(tx, &context, &asked.council, &asked.invitation))
        .await?;
    for name in names {
        // One that is gone already, used or run out, is as good.
        if let Err(failure) = client.delete_enrollment_token(&name).await {
            return Err(failed(&bench.app, failure).await);
        }
    }
    Ok(Next::Done)
}
