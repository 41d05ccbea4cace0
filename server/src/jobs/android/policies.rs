//! Brings a council's changed policy to Google: one call for each mode and posture, however many phones there are.

use serde::Deserialize;

use super::Done;
use crate::google;
use crate::jobs::Bench;
use crate::jobs::outcome::{Next, payload};
use crate::model::CouncilId;
use crate::operations::android::pace::Urgency;
use crate::store::jobs::Job;

#[derive(Deserialize)]
struct Asked {
    council: CouncilId,
}

pub(in crate::jobs) async fn put(bench: &Bench, job: &Job) -> Done {
    let asked: Asked = payload(job)?;
    google::put(&bench.app, &asked.council, None, Urgency::Usual).await?;
    Ok(Next::Done)
}
