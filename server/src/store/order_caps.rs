//! How many orders may be approved.

use diesel::prelude::*;

use super::Transaction;
use super::schema::order_caps;
use crate::error::Result;
use crate::model::Moment;

/// A row of `order_caps`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = order_caps)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct OrderCap {
    pub scope: String,
    pub per_hour: i64,
    pub per_day: i64,
    pub changed_at: Moment,
}

/// The caps of this scope (a council's id, or "installation"), where they differ from the product's.
pub fn find(tx: &mut Transaction<'_>, scope: &str) -> Result<Option<OrderCap>> {
    Ok(OrderCap::query().filter(order_caps::scope.eq(scope)).first(tx.connection).optional()?)
}

/// Sets the caps of this scope.
pub fn set(tx: &mut Transaction<'_>, cap: &OrderCap) -> Result<()> {
    let changed = diesel::update(order_caps::table.filter(order_caps::scope.eq(&cap.scope)))
        .set((
            order_caps::per_hour.eq(cap.per_hour),
            order_caps::per_day.eq(cap.per_day),
            order_caps::changed_at.eq(cap.changed_at),
        ))
        .execute(tx.connection)?;
    if changed == 0 {
        diesel::insert_into(order_caps::table).values(cap).execute(tx.connection)?;
    }
    Ok(())
}
