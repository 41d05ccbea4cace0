//! Orders that are carried out without a second person once their cooling-off is over.

use diesel::prelude::*;

use super::Transaction;
use super::schema::{cooling_offs, orders};
use crate::error::Result;
use crate::model::{CouncilId, Moment, OneOperatorId, OrderId, OrderState};

/// A row of `cooling_offs`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = cooling_offs)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct CoolingOff {
    pub council_id: CouncilId,
    pub order_id: OrderId,
    pub setting_id: OneOperatorId,
    pub round: i64,
    pub began_at: Option<Moment>,
}

/// Takes a cooling-off in the place of the order's earlier one.
pub fn put(tx: &mut Transaction<'_>, cooling: &CoolingOff) -> Result<()> {
    diesel::delete(cooling_offs::table.find((&cooling.council_id, &cooling.order_id))).execute(tx.connection)?;
    diesel::insert_into(cooling_offs::table).values(cooling).execute(tx.connection)?;
    Ok(())
}

/// The cooling-off of this order.
pub fn find(tx: &mut Transaction<'_>, council: &CouncilId, order: &OrderId) -> Result<Option<CoolingOff>> {
    Ok(CoolingOff::query()
        .filter(cooling_offs::council_id.eq(council).and(cooling_offs::order_id.eq(order)))
        .first(tx.connection)
        .optional()?)
}

/// Notes from when on it runs.
pub fn set_began(tx: &mut Transaction<'_>, cooling: &CoolingOff, at: Moment) -> Result<()> {
    diesel::update(cooling_offs::table.find((&cooling.council_id, &cooling.order_id)))
        .set(cooling_offs::began_at.eq(Some(at)))
        .execute(tx.connection)?;
    Ok(())
}

/// Takes the cooling-off of an order away; whether there was one.
pub fn remove(tx: &mut Transaction<'_>, council: &CouncilId, order: &OrderId) -> Result<bool> {
    Ok(diesel::delete(cooling_offs::table.find((council, order))).execute(tx.connection)? == 1)
}

/// The waiting order of any council whose cooling-off has run the longest, if it began at or before `before`.
pub fn due(tx: &mut Transaction<'_>, before: Moment, now: Moment) -> Result<Option<(CouncilId, OrderId)>> {
    Ok(cooling_offs::table
        .inner_join(
            orders::table
                .on(orders::council_id.eq(cooling_offs::council_id).and(orders::id.eq(cooling_offs::order_id))),
        )
        .filter(cooling_offs::began_at.le(before))
        .filter(orders::state.eq(OrderState::Requested).and(orders::lapses_at.gt(now)))
        .order(cooling_offs::began_at)
        .select((cooling_offs::council_id, cooling_offs::order_id))
        .first(tx.connection)
        .optional()?)
}
