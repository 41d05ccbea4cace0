//! People: who may hold a device.

use diesel::prelude::*;

use super::schema::people;
use crate::model::{CouncilId, Moment, PersonId};

/// A row of `people`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = people)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Person {
    pub council_id: CouncilId,
    pub id: PersonId,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub council_device_only: bool,
    pub created_at: Moment,
    pub ended_at: Option<Moment>,
}
