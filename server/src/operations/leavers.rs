//! Leavers: someone gives a phone back; the case under which it may be erased for the next holder.

mod checklist;

pub use checklist::{Checklist, Item, Next, checklist};

use serde_json::json;

use super::cases::{self, CaseDetail, CaseView, DetailAnswer};
use super::{Context, audit};
use crate::error::{Error, Result};
use crate::model::{AssetId, CaseId, CaseKind, CaseState, CouncilId, Permission, PersonId};
use crate::store::cases::Case;
use crate::store::{self, Transaction};

/// Opens a leaver case for an item; a case that is open already is given back. Whoever may not read cases gets a receipt.
///
/// # Errors
/// `NotFound` for an item that the caller does not see.
pub fn open(tx: &mut Transaction<'_>, context: &Context, asset: &AssetId, note: &str) -> Result<DetailAnswer> {
    let asset = store::cases::asset(tx, asset)?
        .filter(|asset| context.actor.sees(&asset.council_id))
        .ok_or(Error::NotFound("asset"))?;
    let council = asset.council_id.clone();
    context.actor.require(Permission::Register, &council)?;
    if note.chars().count() > 4000 {
        return Err(Error::invalid("note", "must be at most 4,000 characters"));
    }
    audit::lock(tx, &council)?;
    if let Some(case) = store::cases::unclosed_of_asset(tx, &council, &asset.id, CaseKind::Leaver)? {
        return cases::answer_in_detail(tx, context, &case);
    }
    let device = store::devices::of_asset(tx, &council, &asset.id)?;
    let case = Case {
        council_id: council.clone(),
        id: CaseId::new(),
        kind: CaseKind::Leaver,
        asset_id: asset.id,
        device_id: device.map(|device| device.id),
        state: CaseState::Open,
        reported_by: context.actor.label(),
        reporter: String::new(),
        reported_at: context.now,
        happened_at: None,
        place: String::new(),
        circumstances: note.trim().to_owned(),
        aware_at: context.now,
        contact_message: String::new(),
        contact_number: String::new(),
        police_reference: String::new(),
        found_at: None,
        found_by: None,
        back_in_use_at: None,
        closed_at: None,
        closed_by: None,
        outcome: None,
    };
    store::cases::insert(tx, &case)?;
    let details = json!({ "asset": case.asset_id, "device": case.device_id, "note": case.circumstances });
    audit::record(tx, context, &council, "leaver.opened", case.id.as_str(), details)?;
    cases::answer_in_detail(tx, context, &case)
}

/// Like [`open`], refusing an item of another council than the one that was named.
///
/// # Errors
/// As [`open`]; `NotFound` for an item of another council.
pub fn open_in(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    asset: &AssetId,
    note: &str,
) -> Result<DetailAnswer> {
    cases::require_asset_of(tx, council, asset)?;
    open(tx, context, asset, note)
}

/// Closes a leaver case.
///
/// # Errors
/// `Conflict` while an order is not at its end; `Invalid` without an outcome.
pub fn close(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, outcome: &str) -> Result<CaseDetail> {
    cases::close(tx, context, id, CaseKind::Leaver, outcome)
}

/// One leaver case with its timeline.
///
/// # Errors
/// `NotFound` when there is none that the caller sees.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &CaseId) -> Result<CaseDetail> {
    cases::show(tx, context, id, CaseKind::Leaver)
}

/// The council's leaver cases after `after`, by id.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<CaseView>> {
    cases::list(tx, context, council, CaseKind::Leaver, after, limit)
}

/// Who holds an item, or held it last: whoever gives it back.
///
/// # Errors
/// `NotFound` for an item that the caller does not see.
pub fn who(tx: &mut Transaction<'_>, context: &Context, asset: &AssetId) -> Result<Option<(PersonId, String)>> {
    let shown = super::assets::show(tx, context, asset)?;
    let now = shown.custody.iter().rev().find(|held| held.until.is_none());
    let last = now.or_else(|| shown.custody.iter().max_by_key(|held| held.until));
    Ok(last.map(|held| (held.person.clone(), held.name.clone())))
}
