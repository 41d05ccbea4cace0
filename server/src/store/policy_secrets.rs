//! Secrets of the policy, sealed.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Text, Timestamp};

use super::Transaction;
use super::schema::policy_secrets;
use crate::error::Result;
use crate::model::{CouncilId, Moment};

/// A row of `policy_secrets`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = policy_secrets)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct PolicySecret {
    pub council_id: CouncilId,
    pub id: String,
    pub sealed_value: Vec<u8>,
    pub changed_at: Moment,
}

/// Stores a secret in place of the one with the same name.
pub fn put(tx: &mut Transaction<'_>, secret: &PolicySecret) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO policy_secrets (council_id, id, sealed_value, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (council_id, id) DO UPDATE SET sealed_value = excluded.sealed_value, \
         changed_at = excluded.changed_at",
    )
    .bind::<Text, _>(&secret.council_id)
    .bind::<Text, _>(&secret.id)
    .bind::<Binary, _>(&secret.sealed_value)
    .bind::<Timestamp, _>(secret.changed_at)
    .execute(tx.connection)?;
    Ok(())
}

/// Forgets a secret; says whether it was there.
pub fn remove(tx: &mut Transaction<'_>, council: &CouncilId, id: &str) -> Result<bool> {
    Ok(diesel::delete(policy_secrets::table.find((council, id))).execute(tx.connection)? > 0)
}

/// The secrets with these names, as far as they are stored.
pub fn named(tx: &mut Transaction<'_>, council: &CouncilId, ids: &[String]) -> Result<Vec<PolicySecret>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(PolicySecret::query()
        .filter(policy_secrets::council_id.eq(council).and(policy_secrets::id.eq_any(ids.to_vec())))
        .load(tx.connection)?)
}

/// The names of all secrets of a council, with the time of their last change.
pub fn names(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<(String, Moment)>> {
    Ok(policy_secrets::table
        .filter(policy_secrets::council_id.eq(council))
        .order(policy_secrets::id)
        .select((policy_secrets::id, policy_secrets::changed_at))
        .load(tx.connection)?)
}
