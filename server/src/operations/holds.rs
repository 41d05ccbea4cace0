//! Legal holds: while one lies on a device, nothing on it is destroyed.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Context, audit, operators, orders};
use crate::error::{Error, Result};
use crate::model::{CouncilId, DeviceId, HeldReason, HoldId, Moment, Permission};
use crate::store::legal_holds::LegalHold;
use crate::store::{self, Transaction};

/// A legal hold, for people.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HoldView {
    /// The hold.
    pub id: HoldId,
    /// The council.
    pub council: CouncilId,
    /// The device.
    pub device: DeviceId,
    /// Why.
    pub reason: String,
    /// Who added it.
    pub added_by: String,
    /// When.
    pub added_at: Moment,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// When.
    pub ended_at: Option<Moment>,
}

impl From<LegalHold> for HoldView {
    fn from(row: LegalHold) -> Self {
        Self {
            id: row.id,
            council: row.council_id,
            device: row.device_id,
            reason: row.reason,
            added_by: row.added_by,
            added_at: row.added_at,
            ended_by: row.ended_by,
            ended_at: row.ended_at,
        }
    }
}

/// Puts a device under a legal hold; its approved orders are held at once.
///
/// # Errors
/// `NotFound` for a device that the caller does not see; `Invalid` without a reason.
pub fn add(tx: &mut Transaction<'_>, context: &Context, device: &DeviceId, reason: &str) -> Result<HoldView> {
    let device = store::devices::find(tx, device)?
        .filter(|device| context.actor.sees(&device.council_id))
        .ok_or(Error::NotFound("device"))?;
    let council = &device.council_id;
    context.actor.require(Permission::CancelOrder, council)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 1000 {
        return Err(Error::invalid(
            "reason",
            "say why nothing on the device may be destroyed, in at most 1,000 characters",
        ));
    }
    audit::lock(tx, council)?;
    let hold = LegalHold {
        council_id: council.clone(),
        id: HoldId::new(),
        device_id: device.id.clone(),
        reason: reason.to_owned(),
        added_by: context.actor.label(),
        added_at: context.now,
        ended_by: None,
        ended_at: None,
    };
    store::legal_holds::insert(tx, &hold)?;
    audit::record(
        tx,
        context,
        council,
        "hold.added",
        device.id.as_str(),
        json!({ "hold": hold.id, "reason": reason }),
    )?;
    orders::hold_open_of_device(tx, context, council, &device.id, HeldReason::LegalHold, "a legal hold was added")?;
    Ok(hold.into())
}

/// Like [`add`], refusing a device of another council than the one that was named.
///
/// # Errors
/// As [`add`]; `NotFound` for a device of another council.
pub fn add_in(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    device: &DeviceId,
    reason: &str,
) -> Result<HoldView> {
    if store::devices::find(tx, device)?.is_none_or(|device| device.council_id != *council) {
        return Err(Error::NotFound("device"));
    }
    add(tx, context, device, reason)
}

/// Ends a legal hold. Orders that it held wait to be resumed or cancelled.
///
/// # Errors
/// `NotFound` for a hold that the caller does not see; `Conflict` when it has ended already.
pub fn end(tx: &mut Transaction<'_>, context: &Context, id: &HoldId) -> Result<HoldView> {
    let hold = store::legal_holds::find(tx, id)?
        .filter(|hold| context.actor.sees(&hold.council_id))
        .ok_or(Error::NotFound("hold"))?;
    context.actor.require(Permission::CancelOrder, &hold.council_id)?;
    context.actor.require_fresh(context.now)?;
    audit::lock(tx, &hold.council_id)?;
    if !store::legal_holds::end(tx, &hold, &context.actor.label(), context.now)? {
        return Err(Error::conflict("the hold has ended already"));
    }
    audit::record(tx, context, &hold.council_id, "hold.ended", hold.device_id.as_str(), json!({ "hold": hold.id }))?;
    store::legal_holds::find(tx, id)?.map(HoldView::from).ok_or(Error::NotFound("hold"))
}

/// A hold with what it lies on, for people.
#[derive(Clone, Debug)]
pub struct Lying {
    /// The hold.
    pub hold: HoldView,
    /// The tag of the item.
    pub tag: String,
    /// Make and model of the item.
    pub item: String,
    /// Who put it on.
    pub added_by_name: String,
}

fn lying(tx: &mut Transaction<'_>, hold: LegalHold) -> Result<Lying> {
    let subject = store::orders::subject(tx, &hold.council_id, &hold.device_id)?;
    let names = operators::words_of_labels(tx, [hold.added_by.clone()])?;
    Ok(Lying {
        tag: subject.as_ref().map(|subject| subject.tag.clone()).unwrap_or_default(),
        item: subject
            .map(|subject| format!("{} {}", subject.make, subject.model).trim().to_owned())
            .unwrap_or_default(),
        added_by_name: names.get(&hold.added_by).cloned().unwrap_or_default(),
        hold: hold.into(),
    })
}

/// The hold with this id, with what it lies on.
///
/// # Errors
/// `NotFound` for a hold that the caller does not see.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &HoldId) -> Result<Lying> {
    let hold = store::legal_holds::find(tx, id)?
        .filter(|hold| context.actor.sees(&hold.council_id))
        .ok_or(Error::NotFound("hold"))?;
    context.actor.require(Permission::Read, &hold.council_id)?;
    lying(tx, hold)
}

/// The holds that lie on the council's devices now, after the hold `after`, device by device.
///
/// # Errors
/// `NotFound` when the caller does not see the council, or `after` is no hold of it.
pub fn lying_now(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    after: Option<&HoldId>,
    limit: i64,
) -> Result<Vec<Lying>> {
    context.actor.require(Permission::Read, council)?;
    let after = match after {
        None => None,
        Some(id) => {
            let hold = store::legal_holds::find(tx, id)?.filter(|hold| hold.council_id == *council);
            Some(hold.ok_or(Error::NotFound("hold"))?)
        }
    };
    let page = store::legal_holds::active_page(tx, council, after.as_ref(), limit)?;
    page.into_iter().map(|hold| lying(tx, hold)).collect()
}

/// The council's holds after `after`, by id, also those that ended.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<HoldView>> {
    context.actor.require(Permission::Read, council)?;
    Ok(store::legal_holds::page(tx, council, after, limit)?.into_iter().map(HoldView::from).collect())
}
