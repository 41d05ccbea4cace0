//! Each council's certificate authority.

use diesel::prelude::*;

use super::Transaction;
use super::schema::{authorities, push_certificates};
use crate::error::Result;
use crate::model::{AuthorityId, CouncilId, Moment, PushCertificateState};

/// A row of `authorities`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = authorities)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct AuthorityRow {
    pub council_id: CouncilId,
    pub id: AuthorityId,
    pub certificate: Vec<u8>,
    pub sealed_key: Vec<u8>,
    pub not_before: Moment,
    pub not_after: Moment,
    pub created_at: Moment,
}

/// Keeps a council's authority.
pub fn insert(tx: &mut Transaction<'_>, row: &AuthorityRow) -> Result<()> {
    diesel::insert_into(authorities::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// The council's newest authority: the one that issues and answers SCEP.
pub fn current(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Option<AuthorityRow>> {
    Ok(AuthorityRow::query()
        .filter(authorities::council_id.eq(council))
        .order(authorities::id.desc())
        .first(tx.connection)
        .optional()?)
}

/// The topic of the council's push certificate for new enrolments, with the end of its validity.
pub fn enrolment_topic(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Option<(String, Moment)>> {
    let row: Option<(Option<String>, Option<Moment>)> = push_certificates::table
        .filter(push_certificates::council_id.eq(council))
        .filter(push_certificates::state.eq(PushCertificateState::Current))
        .select((push_certificates::topic, push_certificates::not_after))
        .first(tx.connection)
        .optional()?;
    Ok(row.and_then(|(topic, not_after)| Some((topic?, not_after?))))
}

/// Adds a push certificate, for tests of what depends on there being one.
#[cfg(test)]
pub(crate) fn insert_test_push_certificate(
    tx: &mut Transaction<'_>,
    certificate: &super::push_certificates::PushCertificate,
) -> Result<()> {
    diesel::insert_into(push_certificates::table).values(certificate).execute(tx.connection)?;
    Ok(())
}
