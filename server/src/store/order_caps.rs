//! How many orders may be approved.

use diesel::prelude::*;

use super::schema::order_caps;
use crate::model::{Moment};

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
