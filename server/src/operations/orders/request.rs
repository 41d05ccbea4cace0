//! Asking for an order: what must be true before a second person is bothered.

use serde_json::json;

use super::view::{OrderView, sentence, view};
use super::{advance, cool_off, end_alerts};
use crate::error::{Error, Result};
use crate::model::{
    APPROVAL_WINDOW, CaseId, CaseKind, CaseState, Confirmation, DeviceId, EnrolmentState, HeldReason, Moment,
    OrderEvent, OrderId, OrderState, Permission, forbidden_by_ownership,
};
use crate::operations::{Context, audit, mail, reports};
use crate::store::cases::Case;
use crate::store::enrolments::Enrolment;
use crate::store::orders::{Order, Subject};
use crate::store::{self, Transaction};

/// What a person gives to ask for an order.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The open case, which names the device.
    pub case: CaseId,
    /// The asset tag, typed in by hand: it must be the device's.
    pub asset_tag: String,
    /// Why.
    pub reason: String,
}

/// Asks for an order to erase the device of an open case; a second person approves it, or it lapses after 72 hours. In
/// one-operator working it is told to those named for that, and goes on by itself 30 minutes later unless somebody pauses it.
///
/// # Errors
/// `Forbidden` without the role or a recent sign-in; `Invalid` for a wrong tag or an empty reason; `Conflict`, in words,
/// when the device may not be erased at all, or not now.
pub fn request(tx: &mut Transaction<'_>, context: &Context, new: &NewOrder) -> Result<OrderView> {
    let case = store::cases::find(tx, &new.case)?
        .filter(|case| context.actor.sees(&case.council_id))
        .ok_or(Error::NotFound("case"))?;
    let council = case.council_id.clone();
    context.actor.require(Permission::RequestOrder, &council)?;
    let requester = context.actor.require_fresh(context.now)?.clone();
    audit::lock(tx, &council)?;
    let case = store::cases::find(tx, &new.case)?.ok_or(Error::NotFound("case"))?;
    if case.state != CaseState::Open {
        return Err(Error::conflict("the case is no longer open: report the loss again if the phone is missing again"));
    }
    let reason = new.reason.trim();
    if reason.is_empty() || reason.chars().count() > 1000 {
        return Err(Error::invalid("reason", "say why the device must be erased, in at most 1,000 characters"));
    }
    let device = case.device_id.clone().ok_or_else(unmanaged)?;
    let subject = store::orders::subject(tx, &council, &device)?.ok_or_else(unmanaged)?;
    if new.asset_tag.trim() != subject.tag {
        return Err(Error::invalid(
            "asset_tag",
            "this is not the asset tag of the device in the case; type it from the label or the register",
        ));
    }
    let enrolment = orderable(tx, &case, &device, &subject)?;
    let scope = enrolment.mode.order_scope();
    let order = Order {
        council_id: council.clone(),
        id: OrderId::new(),
        case_id: case.id.clone(),
        device_id: device.clone(),
        enrolment_id: enrolment.id.clone(),
        mode: enrolment.mode,
        ownership: enrolment.ownership,
        scope,
        state: OrderState::Requested,
        held_reason: None,
        reason: reason.to_owned(),
        preserve_data_plan: case.kind == CaseKind::Loss,
        requested_by: requester.operator.clone(),
        requested_at: context.now,
        lapses_at: context.now + APPROVAL_WINDOW,
        approved_by: None,
        approved_at: None,
        seal: None,
        seal_key_id: None,
        command_id: None,
        first_fetched_at: None,
        fetched_at: None,
        offers: 0,
        not_before: None,
        reminders: 0,
        ended_at: None,
        ended_by: None,
        problem: None,
        changed_at: context.now,
        resumed_at: None,
        trail_seq: None,
        trail_state: None,
        trail_seal: None,
        record_forgotten_at: None,
        cancel_asked_at: None,
        one_operator_id: None,
        cooling_off_from: None,
    };
    replace_held(tx, context, &order)?;
    store::orders::insert(tx, &order)?;
    audit::record(
        tx,
        context,
        &council,
        &OrderEvent::Requested.audit_kind(),
        order.id.as_str(),
        request_details(&order),
    )?;
    if cool_off::begin(tx, context, &order, &requester)? {
        return view(tx, &order);
    }
    cool_off::waits(tx, context, &order)?;
    view(tx, &order)
}

/// Why an item without a device has no order.
const UNMANAGED: &str = "this item is not managed by Beadle, so it cannot be erased from here";

fn unmanaged() -> Error {
    Error::conflict(UNMANAGED)
}

/// The enrolment by which the device of a case could be erased now, or why it could not.
fn orderable(tx: &mut Transaction<'_>, case: &Case, device: &DeviceId, subject: &Subject) -> Result<Enrolment> {
    let enrolment = store::enrolments::live_of_device(tx, &case.council_id, device)?.ok_or_else(unmanaged)?;
    let scope = enrolment.mode.order_scope();
    if let Some(why) = forbidden_by_ownership(enrolment.ownership, enrolment.mode, scope)
        .or_else(|| forbidden_by_ownership(subject.ownership, enrolment.mode, scope))
    {
        return Err(Error::conflict(why));
    }
    may_be_ordered(tx, &enrolment)?;
    if let Some(other) = store::orders::living_of_enrolment(tx, &case.council_id, &enrolment.id)?.first() {
        return Err(Error::conflict(format!(
            "there is an order for this device already ({}), {}",
            other.id,
            other.words()
        )));
    }
    Ok(enrolment)
}

/// What a person is shown before asking for an order.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The tag of the item on the register.
    pub tag: String,
    /// In one sentence: what would be destroyed, and that it cannot be undone.
    pub what: String,
    /// The make and model on the register.
    pub item: String,
    /// The model, as the device reports it.
    pub reported_model: Option<String>,
    /// The serial number, as the device reports it.
    pub reported_serial: Option<String>,
    /// The phone number, as the device reports it.
    pub reported_number: Option<String>,
    /// When the device was last heard from.
    pub last_seen_at: Moment,
    /// What is known of a back-up, in words.
    pub backup: String,
    /// What happens before anything is erased, in words.
    pub what_follows: &'static str,
}

/// What an order for the device of a case would destroy.
///
/// # Errors
/// `NotFound` for a case that the caller does not see; `Forbidden` without the role; `Conflict`, in words, when the device
/// may not be erased at all, or not now.
pub fn preview(tx: &mut Transaction<'_>, context: &Context, case: &CaseId) -> Result<Preview> {
    let case = store::cases::find(tx, case)?
        .filter(|case| context.actor.sees(&case.council_id))
        .ok_or(Error::NotFound("case"))?;
    context.actor.require(Permission::RequestOrder, &case.council_id)?;
    if case.state != CaseState::Open {
        return Err(Error::conflict("the case is no longer open: report the loss again if the phone is missing again"));
    }
    let device = case.device_id.clone().ok_or_else(unmanaged)?;
    let subject = store::orders::subject(tx, &case.council_id, &device)?.ok_or_else(unmanaged)?;
    let enrolment = orderable(tx, &case, &device, &subject)?;
    Ok(Preview {
        what: sentence(enrolment.mode.order_scope(), case.kind == CaseKind::Loss, Some(&subject)),
        item: format!("{} {}", subject.make, subject.model).trim().to_owned(),
        backup: reports::backup(tx, &enrolment)?,
        what_follows: if cool_off::would_begin(tx, context, &case.council_id)? {
            "Nothing is erased yet. In one-operator working those named for it are told by mail now, and have 30 minutes to stop \
             it. Until the phone has fetched the order it can be cancelled."
        } else {
            "Nothing is erased yet. A second person must approve it within 72 hours, and until the phone has fetched the order it \
             can be cancelled."
        },
        tag: subject.tag,
        reported_model: subject.product,
        reported_serial: subject.serial,
        reported_number: subject.phone_number,
        last_seen_at: enrolment.last_seen_at,
    })
}

/// Why the device of a case may not be erased at all, or not now; nothing where it may be asked for.
pub(in crate::operations) fn refusal(tx: &mut Transaction<'_>, case: &Case) -> Result<Option<String>> {
    let Some(device) = &case.device_id else { return Ok(Some(UNMANAGED.to_owned())) };
    let Some(subject) = store::orders::subject(tx, &case.council_id, device)? else {
        return Ok(Some(UNMANAGED.to_owned()));
    };
    match orderable(tx, case, device, &subject) {
        Ok(_) => Ok(None),
        Err(Error::Conflict(why)) => Ok(Some(why)),
        Err(other) => Err(other),
    }
}

/// What the audit trail keeps of a request; an approval compares the row with it.
pub(super) fn request_details(order: &Order) -> serde_json::Value {
    json!({
        "case": order.case_id, "device": order.device_id, "enrolment": order.enrolment_id, "mode": order.mode,
        "ownership": order.ownership, "scope": order.scope, "preserve_data_plan": order.preserve_data_plan,
        "requested_by": order.requested_by, "requested_at": order.requested_at.unix_micros(), "reason": order.reason,
    })
}

/// Refuses while something about the device would make an order wrong or premature.
pub(super) fn may_be_ordered(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<()> {
    if enrolment.state != EnrolmentState::Enrolled || enrolment.ended_at.is_some() {
        return Err(Error::conflict("the device has not finished enrolling, or has left management"));
    }
    if enrolment.confirmation == Confirmation::Waiting {
        return Err(Error::conflict(
            "the phone's serial number is not the one on the register: confirm first that this phone is this item",
        ));
    }
    if enrolment.mode_disagrees {
        return Err(Error::conflict(
            "the phone reports another kind of management than it was invited for: resolve that first",
        ));
    }
    if !store::legal_holds::active_of_device(tx, &enrolment.council_id, &enrolment.device_id)?.is_empty() {
        return Err(Error::conflict(
            "a legal hold lies on this device: nothing on it may be destroyed until the hold ends",
        ));
    }
    Ok(())
}

/// A new order for a device that enrolled again takes the place of the one that was held for that reason.
fn replace_held(tx: &mut Transaction<'_>, context: &Context, new: &Order) -> Result<()> {
    for old in store::orders::of_device(tx, &new.council_id, &new.device_id)? {
        if old.held_reason == Some(HeldReason::ReEnrolled) {
            let details = json!({ "replaced_by": new.id });
            let old = advance(tx, context, &old, OrderEvent::Cancelled, details, |_| {})?;
            mail::tell_of_order(tx, context, &old, "order_cancelled")?;
            end_alerts(tx, context, &old)?;
        }
    }
    Ok(())
}
