//! How an order is shown: what it destroys in one sentence, where it stands in words that are true.

use serde::Serialize;
use utoipa::ToSchema;

use super::cool_off::{self, CoolingOffView};
use super::visible;
use crate::error::Result;
use crate::model::{
    CaseId, CommandId, CouncilId, DeviceId, EnrolmentId, HeldReason, Mode, Moment, OperatorId, OrderId, OrderState,
    Permission, Scope,
};
use crate::operations::Context;
use crate::store::orders::{Order, Subject};
use crate::store::{self, Transaction};

/// An order, for people.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderView {
    /// The order.
    pub id: OrderId,
    /// Its council.
    pub council: CouncilId,
    /// The case that it serves.
    pub case: CaseId,
    /// The device.
    pub device: DeviceId,
    /// The enrolment of the device.
    pub enrolment: EnrolmentId,
    /// The tag of the item on the register.
    pub asset_tag: String,
    /// In one sentence: what will be destroyed, and that it cannot be undone.
    pub what: String,
    /// The model, as the device reports it.
    pub reported_model: Option<String>,
    /// The serial number, as the device reports it.
    pub reported_serial: Option<String>,
    /// The phone number, as the device reports it.
    pub reported_number: Option<String>,
    /// When the device was last heard from.
    pub last_seen_at: Option<Moment>,
    /// How the device is managed.
    pub mode: Mode,
    /// What is destroyed.
    pub scope: Scope,
    /// Whether the mobile plan stays on the device.
    pub preserve_data_plan: bool,
    /// Why it was asked for.
    pub reason: String,
    /// Where it stands.
    pub state: OrderState,
    /// Where it stands, in words.
    pub state_words: String,
    /// Why it waits for a person, if it does.
    pub held_reason: Option<HeldReason>,
    /// Who asked for it.
    pub requested_by: OperatorId,
    /// The name of who asked for it.
    pub requested_by_name: String,
    /// When.
    pub requested_at: Moment,
    /// When the request lapses unless a second person approves it.
    pub lapses_at: Moment,
    /// Who approved it.
    pub approved_by: Option<OperatorId>,
    /// The name of who approved it.
    pub approved_by_name: Option<String>,
    /// When.
    pub approved_at: Option<Moment>,
    /// The CommandUUID under which the device gets it, the same at every repeat.
    pub command: Option<CommandId>,
    /// When the device first fetched it.
    pub first_fetched_at: Option<Moment>,
    /// How often it was offered.
    pub offers: i64,
    /// When it came to its end.
    pub ended_at: Option<Moment>,
    /// What went wrong, in the device's words or ours.
    pub problem: Option<String>,
    /// In one-operator working, while it waits: how far its cooling-off is.
    pub cooling_off: Option<CoolingOffView>,
    /// Since when it cooled off, where that authorised it instead of a second person.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cooled_off_from: Option<Moment>,
    /// Whether it can still be cancelled.
    pub cancellable: bool,
}

/// What an order destroys, in one sentence.
pub(super) fn sentence(scope: Scope, preserve_data_plan: bool, subject: Option<&Subject>) -> String {
    let item = subject.map_or_else(
        || "the device".to_owned(),
        |subject| format!("{} ({} {})", subject.tag, subject.make, subject.model),
    );
    if scope == Scope::EraseWorkProfile {
        return format!(
            "The council's work profile on {item} will be removed, with everything in it; the holder's own apps and data stay. \
             Once the phone has the order this cannot be undone."
        );
    }
    let plan = if preserve_data_plan {
        "the mobile plan stays on it, so that it can be traced"
    } else {
        "its mobile plan (eSIM) is removed too"
    };
    format!(
        "Everything on {item} will be erased, the council's data and any private data alike; {plan}; once the phone has \
         fetched the order this cannot be undone."
    )
}

fn name_of(tx: &mut Transaction<'_>, operator: &OperatorId) -> Result<String> {
    Ok(store::operators::find(tx, operator)?.map_or_else(|| operator.to_string(), |row| row.name))
}

/// Shows a row; the caller has checked the right to read it.
pub(crate) fn view(tx: &mut Transaction<'_>, order: &Order) -> Result<OrderView> {
    let subject = store::orders::subject(tx, &order.council_id, &order.device_id)?;
    let enrolment = store::enrolments::find(tx, &order.council_id, &order.enrolment_id)?;
    let requested_by_name = name_of(tx, &order.requested_by)?;
    let approved_by_name = match &order.approved_by {
        Some(operator) => Some(name_of(tx, operator)?),
        None => None,
    };
    let what = sentence(order.scope, order.preserve_data_plan, subject.as_ref());
    let state_words = match order.held_reason {
        Some(reason) => format!("held: {}", reason.words()),
        None => order.words().to_owned(),
    };
    let subject = subject.as_ref();
    let cooling_off = cool_off::shown(tx, order)?;
    let state_words = match &cooling_off {
        Some(CoolingOffView { began_at: Some(_), .. }) => {
            "asked for; goes on by itself once its 30 minutes are over, unless somebody stops it".to_owned()
        }
        Some(_) => "asked for; waits until those who must be told have been told by mail".to_owned(),
        None => state_words,
    };
    Ok(OrderView {
        id: order.id.clone(),
        council: order.council_id.clone(),
        case: order.case_id.clone(),
        device: order.device_id.clone(),
        enrolment: order.enrolment_id.clone(),
        asset_tag: subject.map(|subject| subject.tag.clone()).unwrap_or_default(),
        what,
        reported_model: subject.and_then(|subject| subject.product.clone()),
        reported_serial: subject.and_then(|subject| subject.serial.clone()),
        reported_number: subject.and_then(|subject| subject.phone_number.clone()),
        last_seen_at: enrolment.map(|enrolment| enrolment.last_seen_at),
        mode: order.mode,
        scope: order.scope,
        preserve_data_plan: order.preserve_data_plan,
        reason: order.reason.clone(),
        state: order.state,
        state_words,
        held_reason: order.held_reason,
        requested_by: order.requested_by.clone(),
        requested_by_name,
        requested_at: order.requested_at,
        lapses_at: order.lapses_at,
        approved_by: order.approved_by.clone(),
        approved_by_name,
        approved_at: order.approved_at,
        command: order.command_id.clone(),
        first_fetched_at: order.first_fetched_at,
        offers: order.offers,
        ended_at: order.ended_at,
        problem: order.problem.clone(),
        cooling_off,
        cooled_off_from: order.cooling_off_from,
        cancellable: order.state.next(crate::model::OrderEvent::Cancelled).is_ok(),
    })
}

/// One order.
///
/// # Errors
/// `NotFound` when there is none, or it is of a council that the caller does not see.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &OrderId) -> Result<OrderView> {
    let order = visible(tx, context, id)?;
    context.actor.require(Permission::Read, &order.council_id)?;
    view(tx, &order)
}

/// The council's orders that are still to be decided or carried out, oldest first.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn unended(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, limit: i64) -> Result<Vec<OrderView>> {
    context.actor.require(Permission::Read, council)?;
    let rows = store::orders::unended(tx, council, limit)?;
    rows.iter().map(|order| view(tx, order)).collect()
}

/// The council's orders after `after`, by id; only those in `state`, if one is given.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    state: Option<OrderState>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<OrderView>> {
    context.actor.require(Permission::Read, council)?;
    let rows = store::orders::page(tx, council, state, after, limit)?;
    rows.iter().map(|order| view(tx, order)).collect()
}
