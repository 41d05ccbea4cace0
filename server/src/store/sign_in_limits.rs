//! Failed sign-ins per account and address.

use diesel::prelude::*;

use super::schema::sign_in_limits;
use crate::model::{Moment};

/// A row of `sign_in_limits`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = sign_in_limits)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct SignInLimit {
    pub subject: String,
    pub window_start: Moment,
    pub failures: i64,
    pub blocked_until: Option<Moment>,
}
