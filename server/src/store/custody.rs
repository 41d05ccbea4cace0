//! Who held which asset, now and before.

use diesel::prelude::*;

use super::schema::custody;
use crate::model::{AssetId, CouncilId, Moment, PersonId};

/// A row of `custody`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = custody)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Custody {
    pub council_id: CouncilId,
    pub id: String,
    pub asset_id: AssetId,
    pub person_id: PersonId,
    pub since: Moment,
    pub until: Option<Moment>,
}
