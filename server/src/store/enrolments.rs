//! Generations of devices under management.

use diesel::prelude::*;

use super::schema::enrolments;
use crate::model::{Confirmation, CouncilId, DeviceId, EnrolmentId, EnrolmentState, InvitationId, Mode, Moment, Ownership, Platform};

/// A row of `enrolments`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = enrolments)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Enrolment {
    pub council_id: CouncilId,
    pub id: EnrolmentId,
    pub device_id: DeviceId,
    pub generation: i64,
    pub platform: Platform,
    pub mode: Mode,
    pub ownership: Ownership,
    pub invitation_id: InvitationId,
    pub state: EnrolmentState,
    pub confirmation: Confirmation,
    pub mode_disagrees: bool,
    pub fingerprint: String,
    pub topic: Option<String>,
    pub push_token: Option<String>,
    /// When the device last sent its token; an older 410 of the push service does not retire it.
    pub push_token_at: Option<Moment>,
    pub sealed_push_magic: Option<Vec<u8>>,
    pub sealed_unlock_token: Option<Vec<u8>>,
    pub push_retired_at: Option<Moment>,
    pub last_push_at: Option<Moment>,
    pub push_attempts: i64,
    pub authenticated_at: Moment,
    pub enrolled_at: Option<Moment>,
    pub last_seen_at: Moment,
    pub identity_not_after: Option<Moment>,
    pub renewal_started_at: Option<Moment>,
    pub profile_version: Option<i64>,
    pub ended_at: Option<Moment>,
    pub end_reason: Option<String>,
}
