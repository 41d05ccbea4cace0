//! Faults of items on the register: noticed, and how they ended.

use serde_json::json;

use super::{Context, assets, audit};
use crate::error::{Error, Result};
use crate::model::{AssetId, FaultId, Moment, Permission};
use crate::store::faults::Fault;
use crate::store::{self, Transaction};

/// The most characters of a fault, and of how it ended.
const MOST: usize = 1000;

fn words(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MOST {
        return Err(Error::invalid(field, format!("must have 1 to {MOST} characters")));
    }
    Ok(text.to_owned())
}

/// Notes a fault of an item, noticed at a time in the past; now where there is none.
///
/// # Errors
/// `NotFound` for an item that the caller does not see; `Conflict` for one that was disposed of; `Invalid` without words, or for
/// a time to come.
pub fn note(
    tx: &mut Transaction<'_>,
    context: &Context,
    asset: &AssetId,
    what: &str,
    noticed_at: Option<Moment>,
) -> Result<Fault> {
    let asset = assets::changeable(tx, context, asset)?;
    let what = words("what", what)?;
    let noticed_at = noticed_at.unwrap_or(context.now);
    if noticed_at > context.now {
        return Err(Error::invalid("noticed_at", "must not be in the future"));
    }
    let fault = Fault {
        council_id: asset.council_id.clone(),
        id: FaultId::new(),
        asset_id: asset.id,
        what,
        noticed_at,
        noted_by: context.actor.label(),
        noted_at: context.now,
        ended_at: None,
        ended_by: None,
        outcome: None,
    };
    store::faults::insert(tx, &fault)?;
    let details = json!({ "fault": fault.id, "tag": asset.tag, "what": fault.what });
    audit::record(tx, context, &asset.council_id, "fault noted", fault.asset_id.as_str(), details)?;
    Ok(fault)
}

fn visible(tx: &mut Transaction<'_>, context: &Context, id: &FaultId) -> Result<Fault> {
    store::faults::find(tx, id)?.filter(|fault| context.actor.sees(&fault.council_id)).ok_or(Error::NotFound("fault"))
}

/// One fault.
///
/// # Errors
/// `NotFound` when there is none that the caller sees.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &FaultId) -> Result<Fault> {
    let fault = visible(tx, context, id)?;
    context.actor.require(Permission::Read, &fault.council_id)?;
    Ok(fault)
}

/// A fault has ended: it was mended, or one lives with it.
///
/// # Errors
/// `NotFound` when there is none that the caller sees; `Conflict` for one that has ended; `Invalid` without words.
pub fn end(tx: &mut Transaction<'_>, context: &Context, id: &FaultId, outcome: &str) -> Result<Fault> {
    let council = visible(tx, context, id)?.council_id;
    context.actor.require(Permission::Register, &council)?;
    audit::lock(tx, &council)?;
    let mut fault = visible(tx, context, id)?;
    if fault.ended_at.is_some() {
        return Err(Error::conflict("it is written down already how this fault ended"));
    }
    let outcome = words("outcome", outcome)?;
    fault.ended_at = Some(context.now);
    fault.ended_by = Some(context.actor.label());
    fault.outcome = Some(outcome);
    store::faults::end(tx, &fault)?;
    let details = json!({ "fault": fault.id, "outcome": fault.outcome });
    audit::record(tx, context, &council, "fault ended", fault.asset_id.as_str(), details)?;
    Ok(fault)
}

#[cfg(test)]
mod tests;
