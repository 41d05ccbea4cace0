//! One-use SCEP challenges.

use diesel::prelude::*;

use super::Transaction;
use super::schema::scep_challenges;
use crate::error::Result;
use crate::model::{ChallengeId, CouncilId, EnrolmentId, InvitationId, Moment};

/// A row of `scep_challenges`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = scep_challenges)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Challenge {
    pub council_id: CouncilId,
    pub id: ChallengeId,
    pub challenge_hash: String,
    pub invitation_id: Option<InvitationId>,
    pub enrolment_id: Option<EnrolmentId>,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub used_at: Option<Moment>,
    pub public_key_fingerprint: Option<String>,
}

/// Keeps a challenge just minted.
pub fn insert(tx: &mut Transaction<'_>, challenge: &Challenge) -> Result<()> {
    diesel::insert_into(scep_challenges::table).values(challenge).execute(tx.connection)?;
    Ok(())
}

/// The challenge with this hash.
pub fn find_by_hash(tx: &mut Transaction<'_>, challenge_hash: &str) -> Result<Option<Challenge>> {
    Ok(Challenge::query().filter(scep_challenges::challenge_hash.eq(challenge_hash)).first(tx.connection).optional()?)
}

/// Uses a challenge up for one public key; `false` when it was used before.
pub fn consume(
    tx: &mut Transaction<'_>,
    challenge: &Challenge,
    at: Moment,
    public_key_fingerprint: &str,
) -> Result<bool> {
    let changed = diesel::update(scep_challenges::table.find((&challenge.council_id, &challenge.id)))
        .filter(scep_challenges::used_at.is_null())
        .set((
            scep_challenges::used_at.eq(Some(at)),
            scep_challenges::public_key_fingerprint.eq(Some(public_key_fingerprint)),
        ))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// How many challenges of an invitation could still be used.
pub fn count_live(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    invitation: &InvitationId,
    now: Moment,
) -> Result<i64> {
    Ok(scep_challenges::table
        .filter(scep_challenges::council_id.eq(council))
        .filter(scep_challenges::invitation_id.eq(invitation))
        .filter(scep_challenges::expires_at.gt(now))
        .filter(scep_challenges::used_at.is_null())
        .count()
        .get_result(tx.connection)?)
}

/// How many certificates an enrolment was given since `since`, for its renewal.
pub fn count_used_of_enrolment(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    since: Moment,
) -> Result<i64> {
    Ok(scep_challenges::table
        .filter(scep_challenges::council_id.eq(council))
        .filter(scep_challenges::enrolment_id.eq(enrolment))
        .filter(scep_challenges::used_at.gt(since))
        .count()
        .get_result(tx.connection)?)
}

/// Removes up to `limit` challenges that ended unused before `before`; says how many.
pub fn purge_unused(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let ended = scep_challenges::table
        .filter(scep_challenges::expires_at.lt(before))
        .filter(scep_challenges::used_at.is_null())
        .select(scep_challenges::id)
        .limit(limit)
        .load::<ChallengeId>(tx.connection)?;
    Ok(diesel::delete(scep_challenges::table.filter(scep_challenges::id.eq_any(ended))).execute(tx.connection)?)
}
