//! Orders: the only thing that can become a destructive command.

mod approve;
mod authorise;
mod cool_off;
mod cool_off_due;
mod decide;
mod deliver;
mod follow;
mod google;
mod pause;
mod request;
#[cfg(test)]
pub(crate) mod tests;
mod view;
mod watch;
mod witness;

pub use approve::approve;
pub use cool_off::CoolingOffView;
pub use cool_off_due::cool_off_due;
pub use decide::{cancel, refuse, resume};
pub(crate) use deliver::{NEVER_SENT, refused_by_google};
pub use deliver::{Outcome, claim, claimable, offered_again_at, settle};
pub use follow::{on_idle, on_left_management, on_pushed, on_re_enrolment};
pub(crate) use google::{WIPE, claim_for_google, forgotten, given_to_google, google_ended, stop_if_frozen, to_forget};
pub(crate) use pause::{back_to_two, not_pausable, pause};
pub(super) use request::refusal;
pub use request::{NewOrder, Preview, preview, request};
pub use view::{OrderView, list, show, unended};
pub use watch::{lapse_due, presume_erased_due, remind_due, unreachable_due};

pub(super) use decide::cancel_for_case;
pub(super) use follow::{hold_for_quarantine, hold_open_of_device, stop_of_account};
pub(super) use view::view;

use serde_json::{Value, json};

use super::trail::{self, Trail};
use super::{Context, alerts, audit, quarantine};
use crate::error::{Error, Result};
use crate::model::{
    CaseState, Circumstances, EnrolmentFacts, EnrolmentState, HeldReason, OrderEvent, OrderId, OrderState, Ownership,
};
use crate::store::enrolments::Enrolment;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// The order, if it is of a council that the caller sees; it locks nothing.
fn visible(tx: &mut Transaction<'_>, context: &Context, id: &OrderId) -> Result<Order> {
    store::orders::find(tx, id)?.filter(|order| context.actor.sees(&order.council_id)).ok_or(Error::NotFound("order"))
}

/// Takes the council's lock and reads the order again behind it.
fn locked(tx: &mut Transaction<'_>, order: &Order) -> Result<Order> {
    audit::lock(tx, &order.council_id)?;
    store::orders::find(tx, &order.id)?
        .filter(|again| again.council_id == order.council_id)
        .ok_or(Error::NotFound("order"))
}

/// Lets `event` happen to an order: the one place where an order changes its state, with its audit row. `change` sets
/// what else changes. The caller holds the council's lock.
fn advance(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    event: OrderEvent,
    details: Value,
    change: impl FnOnce(&mut Order),
) -> Result<Order> {
    let mut next = order.clone();
    next.state = order.state.next(event)?;
    next.changed_at = context.now;
    if next.state != OrderState::Held {
        next.held_reason = None;
    }
    // Presumed erased is a rest that a returning device ends, so it is not an end.
    if next.state.is_rest() && next.state != OrderState::PresumedErased {
        next.ended_at = Some(context.now);
        next.ended_by = Some(context.actor.label());
    }
    change(&mut next);
    let row = store::orders::update_from(tx, order.state, &next)?
        .ok_or_else(|| Error::conflict("the order changed in the meantime; look at it again"))?;
    audit::record(tx, context, &row.council_id, &event.audit_kind(), row.id.as_str(), details)?;
    Ok(row)
}

/// Makes an order wait for a person, and tells the council.
fn hold(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    reason: HeldReason,
    problem: &str,
    change: impl FnOnce(&mut Order),
) -> Result<Order> {
    let details = json!({ "reason": reason, "problem": problem });
    let held = advance(tx, context, order, OrderEvent::Held, details, |next| {
        change(next);
        next.held_reason = Some(reason);
        next.problem = Some(problem.to_owned());
    })?;
    let tag = tag_of(tx, &held)?;
    let (kind, message) = match reason {
        HeldReason::Distrusted => {
            ("order_distrusted", format!("The order for {tag} was refused: {problem}. Nothing was sent to the phone."))
        }
        HeldReason::Forbidden => (
            "order_held",
            format!("The order for {tag} is held: {problem}. Put that right and resume the order, or cancel it."),
        ),
        _ => ("order_held", format!("The order for {tag} is held: {}.", reason.words())),
    };
    alerts::raise(tx, context, &held.council_id, kind, held.id.as_str(), &message)?;
    // What Google has of it must not reach the phone meanwhile.
    google::take_back(tx, context, &held)?;
    Ok(held)
}

/// Ends the alerts that ask for something which an ended order no longer needs.
fn end_alerts(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<()> {
    for kind in ["order_waits", "order_cools_off", "order_held", "order_unreachable"] {
        alerts::end(tx, context, &order.council_id, kind, order.id.as_str())?;
    }
    Ok(())
}

fn tag_of(tx: &mut Transaction<'_>, order: &Order) -> Result<String> {
    Ok(store::orders::subject(tx, &order.council_id, &order.device_id)?.map(|subject| subject.tag).unwrap_or_default())
}

/// What a row of `enrolments` says, for `Release::verify`.
fn enrolment_facts(enrolment: &Enrolment) -> EnrolmentFacts<'_> {
    EnrolmentFacts {
        council: &enrolment.council_id,
        enrolment: &enrolment.id,
        device: &enrolment.device_id,
        mode: enrolment.mode,
        ownership: enrolment.ownership,
        confirmation: enrolment.confirmation,
        mode_disagrees: enrolment.mode_disagrees,
        live: enrolment.state == EnrolmentState::Enrolled && enrolment.ended_at.is_none(),
    }
}

/// Everything beside the row that must hold when an order is approved or leaves; read behind the council's lock.
fn circumstances(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<Circumstances> {
    let case = store::cases::find(tx, &order.case_id)?
        .filter(|case| case.council_id == order.council_id && case.device_id.as_ref() == Some(&order.device_id));
    let (case_stands, trail) = match case {
        Some(case) if case.state == CaseState::Open => (true, trail::state_of(tx, context, order)?),
        // A case is closed while the device counts as erased; found, it would be wanted back. Whether it counted as that
        // takes the whole trail.
        Some(case) if case.state == CaseState::Closed && case.found_at.is_none() => {
            let trail = trail::of_order(tx, context, &order.council_id, &order.id)?;
            (trail.as_ref().is_some_and(Trail::was_presumed_erased), trail.and_then(|trail| trail.state()))
        }
        _ => (false, trail::state_of(tx, context, order)?),
    };
    // An item that is not on the register is nobody's to erase.
    let asset_ownership = store::orders::subject(tx, &order.council_id, &order.device_id)?
        .map_or(Ownership::Personal, |subject| subject.ownership);
    Ok(Circumstances {
        authorised: trail::authorised(tx, context, order)?,
        case_stands,
        asset_ownership,
        legal_hold: witness::legal_hold(tx, context, order)?,
        frozen: witness::frozen(tx, context, order)?,
        quarantine: quarantine::is_on(tx)?,
        trail,
    })
}
