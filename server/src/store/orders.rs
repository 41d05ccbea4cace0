//! Authorised instructions to destroy data.

use diesel::prelude::*;

use super::Transaction;
use super::connection::directly;
use super::schema::{assets, devices, orders};
use super::written::{OrderIsUnended, OrderLives, OrderMayLeave};
use crate::error::Result;
use crate::model::{
    CaseId, CommandId, CouncilId, DeviceId, EnrolmentId, HeldReason, Mode, Moment, OneOperatorId, OperatorId,
    OrderFacts, OrderId, OrderState, Ownership, Scope,
};

/// A row of `orders`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = orders)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Order {
    pub council_id: CouncilId,
    pub id: OrderId,
    pub case_id: CaseId,
    pub device_id: DeviceId,
    pub enrolment_id: EnrolmentId,
    pub mode: Mode,
    pub ownership: Ownership,
    pub scope: Scope,
    pub state: OrderState,
    pub held_reason: Option<HeldReason>,
    pub reason: String,
    pub preserve_data_plan: bool,
    pub requested_by: OperatorId,
    pub requested_at: Moment,
    pub lapses_at: Moment,
    pub approved_by: Option<OperatorId>,
    pub approved_at: Option<Moment>,
    pub seal: Option<Vec<u8>>,
    pub seal_key_id: Option<String>,
    pub command_id: Option<CommandId>,
    pub first_fetched_at: Option<Moment>,
    pub fetched_at: Option<Moment>,
    pub offers: i64,
    pub not_before: Option<Moment>,
    pub reminders: i64,
    pub ended_at: Option<Moment>,
    pub ended_by: Option<String>,
    pub problem: Option<String>,
    pub changed_at: Moment,
    pub resumed_at: Option<Moment>,
    pub trail_seq: Option<i64>,
    pub trail_state: Option<OrderState>,
    pub trail_seal: Option<Vec<u8>>,
    /// When the record of the wiped device was tidied away at Google.
    pub record_forgotten_at: Option<Moment>,
    /// When somebody asked to take it back while Google had it; it is given out no more.
    pub cancel_asked_at: Option<Moment>,
    /// Under which announcement the end of a cooling-off authorised it, instead of a second person.
    pub one_operator_id: Option<OneOperatorId>,
    /// From when on that cooling-off ran.
    pub cooling_off_from: Option<Moment>,
}

impl Order {
    /// What its state means for people, on the phone that it is for.
    #[must_use]
    pub fn words(&self) -> &'static str {
        self.state.words_for(self.mode.platform(), self.scope)
    }

    /// What the row claims, for sealing and for `Release::verify`.
    #[must_use]
    pub fn facts(&self) -> OrderFacts<'_> {
        OrderFacts {
            council: &self.council_id,
            order: &self.id,
            case: &self.case_id,
            device: &self.device_id,
            enrolment: &self.enrolment_id,
            mode: self.mode,
            ownership: self.ownership,
            scope: self.scope,
            state: self.state,
            preserve_data_plan: self.preserve_data_plan,
            requested_by: &self.requested_by,
            requested_at: self.requested_at,
            approved_by: self.approved_by.as_ref(),
            one_operator: self.one_operator_id.as_ref(),
            cooling_off_from: self.cooling_off_from,
            approved_at: self.approved_at,
            command: self.command_id.as_ref(),
            seal: self.seal.as_deref(),
            seal_key: self.seal_key_id.as_deref(),
            ended: self.ended_at.is_some(),
        }
    }
}

/// The states of an order that its device, if it asks, is given; the last after it was reopened.
const RELEASABLE: [OrderState; 5] = [
    OrderState::Approved,
    OrderState::Pushed,
    OrderState::Fetched,
    OrderState::Unreachable,
    OrderState::PresumedErased,
];

/// The states of an order that waits for a person or for its device.
const OPEN: [OrderState; 6] = [
    OrderState::Requested,
    OrderState::Approved,
    OrderState::Pushed,
    OrderState::Fetched,
    OrderState::Held,
    OrderState::Unreachable,
];

/// Adds an order.
pub fn insert(tx: &mut Transaction<'_>, order: &Order) -> Result<()> {
    diesel::insert_into(orders::table).values(order).execute(tx.connection)?;
    Ok(())
}

/// The order with this id.
pub fn find(tx: &mut Transaction<'_>, id: &OrderId) -> Result<Option<Order>> {
    Ok(Order::query().filter(orders::id.eq(id)).first(tx.connection).optional()?)
}

/// The order that is carried out by this command.
pub fn find_by_command(tx: &mut Transaction<'_>, command: &CommandId) -> Result<Option<Order>> {
    Ok(directly!(tx, |connection| Order::query().filter(orders::command_id.eq(command)).first(connection))
        .optional()?)
}

/// The orders of an enrolment that are open or presumed carried out, newest first.
pub fn living_of_enrolment(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
) -> Result<Vec<Order>> {
    Ok(Order::query()
        .filter(orders::council_id.eq(council).and(orders::enrolment_id.eq(enrolment)))
        .filter(OrderLives)
        .order(orders::id.desc())
        .load(tx.connection)?)
}

/// The order that this enrolment's device confirmed.
pub fn confirmed_of_enrolment(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
) -> Result<Option<Order>> {
    Ok(Order::query()
        .filter(orders::council_id.eq(council).and(orders::enrolment_id.eq(enrolment)))
        .filter(orders::state.eq(OrderState::Confirmed))
        .order(orders::id.desc())
        .first(tx.connection)
        .optional()?)
}

/// Whether an order of this enrolment could be given out at `now`; the poll's cheap question.
pub fn any_releasable(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    now: Moment,
) -> Result<bool> {
    let order = orders::table
        .filter(orders::council_id.eq(council).and(orders::enrolment_id.eq(enrolment)))
        .filter(OrderMayLeave)
        .filter(orders::not_before.is_null().or(orders::not_before.le(now)))
        .select(orders::id);
    Ok(directly!(tx, |connection| order.first::<OrderId>(connection)).optional()?.is_some())
}

/// From when on an order of this enrolment, that was put off, is to be given out.
pub fn put_off_until(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    now: Moment,
) -> Result<Option<Moment>> {
    Ok(orders::table
        .filter(orders::council_id.eq(council).and(orders::enrolment_id.eq(enrolment)))
        .filter(orders::state.eq_any(RELEASABLE))
        .filter(orders::not_before.gt(now))
        .select(orders::not_before)
        .order(orders::not_before)
        .first::<Option<Moment>>(tx.connection)
        .optional()?
        .flatten())
}

/// The orders of a case, oldest first.
pub fn of_case(tx: &mut Transaction<'_>, council: &CouncilId, case: &CaseId) -> Result<Vec<Order>> {
    Ok(Order::query()
        .filter(orders::council_id.eq(council).and(orders::case_id.eq(case)))
        .order(orders::id)
        .load(tx.connection)?)
}

/// The council's orders with one of these ids.
pub fn with_ids(tx: &mut Transaction<'_>, council: &CouncilId, ids: &[OrderId]) -> Result<Vec<Order>> {
    Ok(Order::query().filter(orders::council_id.eq(council).and(orders::id.eq_any(ids))).load(tx.connection)?)
}

/// The orders of a device, oldest first.
pub fn of_device(tx: &mut Transaction<'_>, council: &CouncilId, device: &DeviceId) -> Result<Vec<Order>> {
    Ok(Order::query()
        .filter(orders::council_id.eq(council).and(orders::device_id.eq(device)))
        .order(orders::id)
        .load(tx.connection)?)
}

/// The council's orders after `after`, by id.
pub fn page(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    state: Option<OrderState>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Order>> {
    let mut query =
        Order::query().filter(orders::council_id.eq(council.clone())).order(orders::id).limit(limit).into_boxed();
    if let Some(state) = state {
        query = query.filter(orders::state.eq(state));
    }
    if let Some(after) = after {
        query = query.filter(orders::id.gt(after.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}

/// The council's orders that are still to be decided or carried out, oldest first.
pub fn unended(tx: &mut Transaction<'_>, council: &CouncilId, limit: i64) -> Result<Vec<Order>> {
    Ok(Order::query()
        .filter(orders::council_id.eq(council))
        .filter(OrderIsUnended)
        .order(orders::id)
        .limit(limit)
        .load(tx.connection)?)
}

/// Orders of all councils in `state` that came into it at or before `before`, the longest first.
pub fn in_state_since(tx: &mut Transaction<'_>, state: OrderState, before: Moment, limit: i64) -> Result<Vec<Order>> {
    Ok(Order::query()
        .filter(orders::state.eq(state).and(orders::changed_at.le(before)))
        .order((orders::changed_at, orders::id))
        .limit(limit)
        .load(tx.connection)?)
}

/// Requests of all councils whose time is over, the longest first.
pub fn lapsed(tx: &mut Transaction<'_>, now: Moment, limit: i64) -> Result<Vec<Order>> {
    Ok(Order::query()
        .filter(orders::state.eq(OrderState::Requested).and(orders::lapses_at.le(now)))
        .order((orders::lapses_at, orders::id))
        .limit(limit)
        .load(tx.connection)?)
}

/// Requests made at or before `before` of which fewer than `reminders` reminders went out.
pub fn unreminded(tx: &mut Transaction<'_>, before: Moment, reminders: i64, limit: i64) -> Result<Vec<Order>> {
    Ok(Order::query()
        .filter(orders::state.eq(OrderState::Requested).and(orders::changed_at.le(before)))
        .filter(orders::reminders.lt(reminders))
        .order((orders::changed_at, orders::id))
        .limit(limit)
        .load(tx.connection)?)
}

/// Notes that a reminder went out.
pub fn set_reminders(tx: &mut Transaction<'_>, id: &OrderId, reminders: i64) -> Result<()> {
    diesel::update(orders::table.filter(orders::id.eq(id)))
        .set(orders::reminders.eq(reminders))
        .execute(tx.connection)?;
    Ok(())
}

/// How many orders, `except` this one, were approved or let go on after a freeze after `since`, in one council or in all.
pub fn approvals_since(
    tx: &mut Transaction<'_>,
    council: Option<&CouncilId>,
    except: Option<&OrderId>,
    since: Moment,
) -> Result<i64> {
    let counts = orders::approved_at.gt(since).or(orders::resumed_at.gt(since));
    let mut query = orders::table.filter(counts).count().into_boxed();
    if let Some(council) = council {
        query = query.filter(orders::council_id.eq(council.clone()));
    }
    if let Some(except) = except {
        query = query.filter(orders::id.ne(except.clone()));
    }
    Ok(query.get_result(tx.connection)?)
}

/// Writes what may change in an order, if it is still in the state `from`; gives back the row as the database now has
/// it, every column of it, also those that this does not write.
pub fn update_from(tx: &mut Transaction<'_>, from: OrderState, order: &Order) -> Result<Option<Order>> {
    Ok(diesel::update(
        orders::table
            .filter(orders::council_id.eq(&order.council_id).and(orders::id.eq(&order.id)))
            .filter(orders::state.eq(from)),
    )
    .set((
        orders::state.eq(order.state),
        orders::held_reason.eq(order.held_reason),
        orders::approved_by.eq(&order.approved_by),
        orders::one_operator_id.eq(&order.one_operator_id),
        orders::cooling_off_from.eq(order.cooling_off_from),
        orders::approved_at.eq(order.approved_at),
        orders::seal.eq(&order.seal),
        orders::seal_key_id.eq(&order.seal_key_id),
        orders::command_id.eq(&order.command_id),
        orders::first_fetched_at.eq(order.first_fetched_at),
        orders::fetched_at.eq(order.fetched_at),
        orders::offers.eq(order.offers),
        orders::not_before.eq(order.not_before),
        orders::ended_at.eq(order.ended_at),
        orders::ended_by.eq(&order.ended_by),
        orders::problem.eq(&order.problem),
        orders::changed_at.eq(order.changed_at),
        orders::resumed_at.eq(order.resumed_at),
    ))
    .returning(orders::all_columns)
    .get_result::<Order>(tx.connection)
    .optional()?)
}

/// Marks an order as given out, if it is still in the state `from`. Touches nothing that the seal covers, so that what
/// comes back is what the database held, not what somebody read before. Until `not_before` it is not given out again.
pub fn mark_fetched(
    tx: &mut Transaction<'_>,
    order: &Order,
    now: Moment,
    not_before: Option<Moment>,
) -> Result<Option<Order>> {
    Ok(diesel::update(
        orders::table
            .filter(orders::council_id.eq(&order.council_id).and(orders::id.eq(&order.id)))
            .filter(orders::state.eq(order.state)),
    )
    .set((
        orders::state.eq(OrderState::Fetched),
        orders::first_fetched_at.eq(order.first_fetched_at.unwrap_or(now)),
        orders::fetched_at.eq(now),
        orders::not_before.eq(not_before),
        orders::offers.eq(orders::offers + 1),
        orders::changed_at.eq(now),
    ))
    .returning(orders::all_columns)
    .get_result::<Order>(tx.connection)
    .optional()?)
}

/// Keeps how far the trail of an order was checked, and what it said.
pub fn set_trail_mark(tx: &mut Transaction<'_>, order: &Order, seq: i64, state: OrderState, seal: &[u8]) -> Result<()> {
    diesel::update(orders::table.filter(orders::council_id.eq(&order.council_id).and(orders::id.eq(&order.id))))
        .set((orders::trail_seq.eq(Some(seq)), orders::trail_state.eq(Some(state)), orders::trail_seal.eq(Some(seal))))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes that somebody asked to take it back while Google has it, if it is still in that state.
pub fn ask_back(tx: &mut Transaction<'_>, order: &Order, note: &str, at: Moment) -> Result<Option<Order>> {
    Ok(diesel::update(
        orders::table
            .filter(orders::council_id.eq(&order.council_id).and(orders::id.eq(&order.id)))
            .filter(orders::state.eq(order.state)),
    )
    .set((orders::problem.eq(Some(note)), orders::cancel_asked_at.eq(Some(at))))
    .returning(orders::all_columns)
    .get_result::<Order>(tx.connection)
    .optional()?)
}

/// Notes that the record of a wiped device was tidied away at Google.
pub fn set_forgotten(tx: &mut Transaction<'_>, order: &Order, at: Moment) -> Result<()> {
    diesel::update(orders::table.filter(orders::council_id.eq(&order.council_id).and(orders::id.eq(&order.id))))
        .set(orders::record_forgotten_at.eq(Some(at)))
        .execute(tx.connection)?;
    Ok(())
}

/// The orders of all councils that this account asked for or approved and that are open, or would be given out should their
/// device come back; in the order in which their councils are locked.
pub fn open_of_operator(tx: &mut Transaction<'_>, operator: &OperatorId) -> Result<Vec<Order>> {
    Ok(Order::query()
        .filter(orders::state.eq_any(OPEN).or(orders::state.eq(OrderState::PresumedErased)))
        .filter(orders::requested_by.eq(operator).or(orders::approved_by.eq(operator).assume_not_null()))
        .order((orders::council_id, orders::id))
        .load(tx.connection)?)
}

/// The device and the item on the register that an order is about, as far as people must see it before they decide.
#[derive(Clone, Debug, Queryable)]
#[allow(missing_docs, reason = "each is the column of the same name")]
pub struct Subject {
    pub tag: String,
    pub make: String,
    pub model: String,
    pub ownership: Ownership,
    pub product: Option<String>,
    pub serial: Option<String>,
    pub phone_number: Option<String>,
}

/// What a device of this council is.
pub fn subject(tx: &mut Transaction<'_>, council: &CouncilId, device: &DeviceId) -> Result<Option<Subject>> {
    Ok(devices::table
        .inner_join(assets::table.on(assets::council_id.eq(devices::council_id).and(assets::id.eq(devices::asset_id))))
        .filter(devices::council_id.eq(council).and(devices::id.eq(device)))
        .select((
            assets::tag,
            assets::make,
            assets::model,
            assets::ownership,
            devices::product,
            devices::serial,
            devices::phone_number,
        ))
        .first::<Subject>(tx.connection)
        .optional()?)
}
