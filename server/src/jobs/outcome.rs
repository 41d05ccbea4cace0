//! How a job ends: done, to run again, or failed and to be tried again.

use std::any::Any;

use chrono::Duration;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::model::{CouncilId, Moment};
use crate::store::jobs::Job;

/// What is next for a job that went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Done,
    /// Runs again at this time with this payload (JSON).
    Again { at: Moment, payload: String },
}

/// Why a job is to be tried again.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// What went wrong.
    pub(super) problem: String,
    /// Not before this has passed.
    pub(super) after: Option<Duration>,
    /// Google refuses the project's key, in words for an alert.
    pub(super) key_refused: Option<String>,
}

impl Failure {
    /// The job panicked, with this.
    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let said = panic.downcast_ref::<&str>().copied();
        let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it does not say why");
        Self { problem: format!("a fault in the program: {said}"), after: None, key_refused: None }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { problem: error.to_string(), after: None, key_refused: None }
    }
}

/// What the job was told.
pub(super) fn payload<T: DeserializeOwned>(job: &Job) -> Result<T> {
    serde_json::from_str(&job.payload).map_err(|problem| {
        Error::Internal(format!("the job {} of kind {} was told nonsense: {problem}", job.id, job.kind))
    })
}

/// The council that a job is for, if it is for one.
pub(super) fn council_of(job: &Job) -> Option<CouncilId> {
    let payload: serde_json::Value = serde_json::from_str(&job.payload).ok()?;
    payload.get("council")?.as_str().map(CouncilId::from)
}
