//! A lost phone, from the telephone call to the closed case: one file per page, in the order in which they are met.

pub(super) mod breach;
pub(super) mod case;
pub(super) mod close;
pub(super) mod evidence;
pub(super) mod find;
pub(super) mod found;
pub(super) mod lock;
pub(super) mod notes;
pub(super) mod report;
pub(super) mod wipe;

use super::page::Place;
use crate::error::Result;
use crate::model::CaseId;
use crate::operations::cases::CaseDetail;
use crate::operations::{Context, losses};
use crate::store::Transaction;

/// The address of a case.
fn place_of(case: &CaseId) -> String {
    format!("/console/losses/{case}")
}

/// A case with its council.
fn with_council(tx: &mut Transaction<'_>, context: &Context, case: &CaseId) -> Result<(Place, CaseDetail)> {
    let detail = losses::show(tx, context, case)?;
    Ok((Place::of(tx, &detail.case.council)?, detail))
}
