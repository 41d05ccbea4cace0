//! Identity certificates that were issued.

use diesel::prelude::*;

use super::Transaction;
use super::connection::directly;
use super::enrolments::Enrolment;
use super::schema::{certificates, devices, enrolments};
use super::written::EnrolmentHasMore;
use crate::error::Result;
use crate::model::{AuthorityId, ChallengeId, CouncilId, EnrolmentId, InvitationId, Moment};

/// A row of `certificates`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = certificates)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Certificate {
    pub council_id: CouncilId,
    pub serial: String,
    pub authority_id: AuthorityId,
    pub fingerprint: String,
    pub public_key_fingerprint: String,
    pub challenge_id: ChallengeId,
    pub invitation_id: Option<InvitationId>,
    pub enrolment_id: Option<EnrolmentId>,
    pub certificate: Vec<u8>,
    pub not_before: Moment,
    pub not_after: Moment,
    pub issued_at: Moment,
    pub revoked_at: Option<Moment>,
    pub revoked_reason: Option<String>,
}

/// Keeps a certificate just issued.
pub fn insert(tx: &mut Transaction<'_>, certificate: &Certificate) -> Result<()> {
    diesel::insert_into(certificates::table).values(certificate).execute(tx.connection)?;
    Ok(())
}

/// The certificate with this SHA-256, of whichever council.
pub fn find_by_fingerprint(tx: &mut Transaction<'_>, fingerprint: &str) -> Result<Option<Certificate>> {
    Ok(Certificate::query().filter(certificates::fingerprint.eq(fingerprint)).first(tx.connection).optional()?)
}

/// An identity that was shown, with the enrolment that it is bound to: of the certificate only what decides whether it may speak.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = certificates)]
#[allow(missing_docs, reason = "each is what its name says")]
pub struct Identity {
    pub council_id: CouncilId,
    pub revoked_at: Option<Moment>,
    #[diesel(embed)]
    pub enrolment: Enrolment,
    #[diesel(select_expression = devices::udid)]
    pub udid: String,
}

/// What the certificate with this SHA-256, of whichever council, is bound to, and whether there is more to see to there than commands:
/// what every visit of a device begins with, in one query. `None` where it is bound to nothing, or is not known.
///
/// The joins are inner ones: with a whole row that may be missing, this query took the compiler as long as the rest of the server.
pub fn identity(tx: &mut Transaction<'_>, fingerprint: &str) -> Result<Option<(Identity, bool)>> {
    let enrolment = enrolments::council_id
        .eq(certificates::council_id)
        .and(enrolments::id.nullable().eq(certificates::enrolment_id));
    let device = devices::council_id.eq(enrolments::council_id).and(devices::id.eq(enrolments::device_id));
    let found = directly!(tx, |connection| certificates::table
        .inner_join(enrolments::table.on(enrolment))
        .inner_join(devices::table.on(device))
        .filter(certificates::fingerprint.eq(fingerprint))
        .select((Identity::as_select(), EnrolmentHasMore))
        .first::<(Identity, bool)>(connection));
    Ok(found.optional()?)
}

/// The certificate that a challenge was spent on.
pub fn find_by_challenge(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    challenge: &ChallengeId,
) -> Result<Option<Certificate>> {
    Ok(Certificate::query()
        .filter(certificates::council_id.eq(council))
        .filter(certificates::challenge_id.eq(challenge))
        .first(tx.connection)
        .optional()?)
}

/// How many certificates of an enrolment were issued after `since`, were not revoked, and are not the one with the fingerprint
/// `pinned`.
pub fn count_unpinned(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    pinned: &str,
    since: Moment,
) -> Result<i64> {
    Ok(certificates::table
        .filter(certificates::council_id.eq(council))
        .filter(certificates::enrolment_id.eq(enrolment))
        .filter(certificates::fingerprint.ne(pinned))
        .filter(certificates::revoked_at.is_null().and(certificates::issued_at.gt(since)))
        .count()
        .get_result(tx.connection)?)
}

/// Binds a certificate to the enrolment it made; `false` when it was bound before.
pub fn bind(tx: &mut Transaction<'_>, certificate: &Certificate, enrolment: &EnrolmentId) -> Result<bool> {
    let changed = diesel::update(certificates::table.find((&certificate.council_id, &certificate.serial)))
        .filter(certificates::enrolment_id.is_null())
        .set(certificates::enrolment_id.eq(Some(enrolment)))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Revokes every certificate of an enrolment except the one with the fingerprint `keep`; says how many.
pub fn revoke_of_enrolment(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    keep: Option<&str>,
    at: Moment,
    reason: &str,
) -> Result<usize> {
    Ok(diesel::update(certificates::table)
        .filter(certificates::council_id.eq(council))
        .filter(certificates::enrolment_id.eq(enrolment))
        .filter(certificates::fingerprint.ne(keep.unwrap_or_default()))
        .filter(certificates::revoked_at.is_null())
        .set((certificates::revoked_at.eq(Some(at)), certificates::revoked_reason.eq(Some(reason))))
        .execute(tx.connection)?)
}
