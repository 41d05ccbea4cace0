//! The equipment register.

use diesel::prelude::*;

use super::schema::assets;
use crate::model::{AssetId, CouncilId, Moment, Ownership, Platform};

/// A row of `assets`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = assets)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Asset {
    pub council_id: CouncilId,
    pub id: AssetId,
    pub tag: String,
    pub kind: String,
    pub make: String,
    pub model: String,
    pub platform: Option<Platform>,
    pub ownership: Ownership,
    pub serial: Option<String>,
    pub imei: Option<String>,
    pub sim: Option<String>,
    pub phone_number: Option<String>,
    pub phone_digits: Option<String>,
    pub note: String,
    pub created_at: Moment,
    pub disposed_at: Option<Moment>,
}
