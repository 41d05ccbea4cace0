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

/// A stand-in row for a key that a test made, so that references to it hold.
#[cfg(test)]
pub(crate) fn insert_test_key(tx: &mut super::Transaction<'_>, id: &str, now: Moment) -> crate::error::Result<()> {
    let purpose = id.to_owned();
    let row = InstallationKey { id: id.to_owned(), purpose, sealed_key: vec![0], created_at: now, retired_at: None };
    diesel::insert_into(installation_keys::table).values(&row).execute(tx.connection)?;
    Ok(())
}
