//! Each council's push certificates.

use diesel::prelude::*;

use super::schema::push_certificates;
use crate::model::{CouncilId, Moment, PushCertificateId, PushCertificateState};

/// A row of `push_certificates`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = push_certificates)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct PushCertificate {
    pub council_id: CouncilId,
    pub id: PushCertificateId,
    pub state: PushCertificateState,
    pub apple_account: Option<String>,
    pub topic: Option<String>,
    pub certificate_pem: Option<String>,
    pub sealed_key: Vec<u8>,
    pub not_before: Option<Moment>,
    pub not_after: Option<Moment>,
    pub created_at: Moment,
    pub activated_at: Option<Moment>,
    pub warned_days: Option<i64>,
}
