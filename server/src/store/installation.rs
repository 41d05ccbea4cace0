//! The keys of the installation, sealed.

use diesel::prelude::*;

use super::schema::installation_keys;
use crate::model::{Moment};

/// A row of `installation_keys`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = installation_keys)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct InstallationKey {
    pub id: String,
    pub purpose: String,
    pub sealed_key: Vec<u8>,
    pub created_at: Moment,
    pub retired_at: Option<Moment>,
}
