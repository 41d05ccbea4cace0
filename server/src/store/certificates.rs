//! Identity certificates that were issued.

use diesel::prelude::*;

use super::schema::certificates;
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
