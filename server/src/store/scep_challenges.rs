//! One-use SCEP challenges.

use diesel::prelude::*;

use super::schema::scep_challenges;
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
