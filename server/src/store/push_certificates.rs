//! Each council's push certificates.

use diesel::prelude::*;

use super::Transaction;
use super::schema::{enrolments, push_certificates};
use crate::error::Result;
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

/// Adds a request.
pub fn insert(tx: &mut Transaction<'_>, certificate: &PushCertificate) -> Result<()> {
    diesel::insert_into(push_certificates::table).values(certificate).execute(tx.connection)?;
    Ok(())
}

/// The council's certificates and requests that are of use, newest first.
pub fn live(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<PushCertificate>> {
    Ok(PushCertificate::query()
        .filter(push_certificates::council_id.eq(council))
        .filter(push_certificates::state.ne(PushCertificateState::Retired))
        .order(push_certificates::id.desc())
        .load(tx.connection)?)
}

/// The council's certificate that serves a topic.
pub fn serving(tx: &mut Transaction<'_>, council: &CouncilId, topic: &str) -> Result<Option<PushCertificate>> {
    let serves = push_certificates::state
        .eq(PushCertificateState::Current)
        .or(push_certificates::state.eq(PushCertificateState::Retiring));
    Ok(PushCertificate::query()
        .filter(push_certificates::council_id.eq(council).and(push_certificates::topic.eq(topic)))
        .filter(serves)
        .first(tx.connection)
        .optional()?)
}

/// Whether another council's certificate serves this topic.
pub fn serves_another(tx: &mut Transaction<'_>, council: &CouncilId, topic: &str) -> Result<bool> {
    let serves = push_certificates::state
        .eq(PushCertificateState::Current)
        .or(push_certificates::state.eq(PushCertificateState::Retiring));
    Ok(push_certificates::table
        .filter(push_certificates::topic.eq(topic).and(push_certificates::council_id.ne(council)))
        .filter(serves)
        .select(push_certificates::id)
        .first::<String>(tx.connection)
        .optional()?
        .is_some())
}

/// Sets where a certificate stands.
pub fn set_state(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    id: &PushCertificateId,
    state: PushCertificateState,
) -> Result<()> {
    diesel::update(push_certificates::table.find((council, id)))
        .set(push_certificates::state.eq(state))
        .execute(tx.connection)?;
    Ok(())
}

/// What Apple's portal gave for a request.
#[derive(Debug)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Issued<'a> {
    pub state: PushCertificateState,
    pub apple_account: &'a str,
    pub topic: &'a str,
    pub certificate_pem: &'a str,
    pub not_before: Moment,
    pub not_after: Moment,
    pub activated_at: Moment,
}

/// Puts an issued certificate into use; no other of the council may be current, or serve its topic, then.
pub fn activate(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    id: &PushCertificateId,
    issued: &Issued<'_>,
) -> Result<()> {
    diesel::update(push_certificates::table.find((council, id)))
        .set((
            push_certificates::state.eq(issued.state),
            push_certificates::apple_account.eq(issued.apple_account),
            push_certificates::topic.eq(issued.topic),
            push_certificates::certificate_pem.eq(issued.certificate_pem),
            push_certificates::not_before.eq(issued.not_before),
            push_certificates::not_after.eq(issued.not_after),
            push_certificates::activated_at.eq(issued.activated_at),
            push_certificates::warned_days.eq(None::<i64>),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes of which number of days before the end people were told.
pub fn set_warned(tx: &mut Transaction<'_>, council: &CouncilId, id: &PushCertificateId, days: i64) -> Result<()> {
    diesel::update(push_certificates::table.find((council, id)))
        .set(push_certificates::warned_days.eq(days))
        .execute(tx.connection)?;
    Ok(())
}

/// Every council's certificates that end before `before`; for the daily watch, not for a request.
pub fn ending(tx: &mut Transaction<'_>, before: Moment) -> Result<Vec<PushCertificate>> {
    let serves = push_certificates::state
        .eq(PushCertificateState::Current)
        .or(push_certificates::state.eq(PushCertificateState::Retiring));
    Ok(PushCertificate::query().filter(serves).filter(push_certificates::not_after.lt(before)).load(tx.connection)?)
}

/// Every certificate that serves only until its last phone has enrolled again.
pub fn retiring(tx: &mut Transaction<'_>) -> Result<Vec<PushCertificate>> {
    Ok(PushCertificate::query()
        .filter(push_certificates::state.eq(PushCertificateState::Retiring))
        .load(tx.connection)?)
}

/// How many live enrolments of a council have each topic.
pub fn enrolments_by_topic(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<(Option<String>, i64)>> {
    Ok(enrolments::table
        .filter(enrolments::council_id.eq(council).and(enrolments::ended_at.is_null()))
        .group_by(enrolments::topic)
        .select((enrolments::topic, diesel::dsl::count_star()))
        .load(tx.connection)?)
}
