//! Councils: the tenants.

use diesel::prelude::*;

use super::schema::councils;
use crate::model::{CouncilId, Moment};

/// A row of `councils`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = councils)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Council {
    pub id: CouncilId,
    pub slug: String,
    pub name: String,
    pub public_url: String,
    pub time_zone: String,
    pub scep_legacy: bool,
    pub created_at: Moment,
    pub ended_at: Option<Moment>,
}
