//! Authenticate: who comes, and whether for the first time.

use super::first::first;
use super::misuse::{Misuse, misuse};
use super::topic;
use super::{Outcome, adopt_renewal, as_device};
use crate::error::{Error, Result};
use crate::model::{CouncilId, EnrolmentId};
use crate::operations::{Context, audit, orders};
use crate::store::certificates::Certificate;
use crate::store::devices::Description;
use crate::store::{self, Transaction};

/// What an Authenticate says.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// UDID, or EnrollmentID under User Enrollment.
    pub udid: Option<String>,
    /// Whether it is an EnrollmentID.
    pub user_enrolment: bool,
    /// The push topic.
    pub topic: Option<String>,
    /// What else it says about itself.
    pub description: Description,
}

/// Authenticate: binds invitation, certificate and device, or recognises a renewal.
pub fn authenticate(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    fingerprint: &str,
    arrival: &Arrival,
) -> Result<Outcome> {
    let Some(udid) = arrival.udid.as_deref().map(str::trim).filter(|udid| !udid.is_empty()) else {
        return Ok(Outcome::Incomplete("neither UDID nor EnrollmentID"));
    };
    let Some(certificate) = store::certificates::find_by_fingerprint(tx, fingerprint)? else {
        return Ok(Outcome::Refused("the certificate is not known here"));
    };
    audit::lock(tx, &certificate.council_id)?;
    // Read again under the lock: another Authenticate may have bound it meanwhile.
    let certificate = store::certificates::find_by_fingerprint(tx, fingerprint)?
        .ok_or_else(|| Error::internal("a certificate vanished"))?;
    if certificate.council_id != *council {
        return misuse(tx, context, &certificate, Misuse::AnotherCouncil.words());
    }
    if certificate.revoked_at.is_some() {
        return misuse(tx, context, &certificate, Misuse::Revoked.words());
    }
    if context.now > certificate.not_after {
        return Ok(Outcome::Refused("the certificate has expired"));
    }
    if let Some(unfit) = topic::check(tx, context, council, arrival.topic.as_deref(), &certificate.serial)? {
        return Ok(unfit);
    }
    match (&certificate.enrolment_id, &certificate.invitation_id) {
        (Some(enrolment), _) => again(tx, context, &certificate, enrolment, udid),
        (None, Some(invitation)) => {
            let invitation = store::invitations::find_of_council(tx, council, invitation)?
                .ok_or_else(|| Error::internal("a certificate's invitation is missing"))?;
            first(tx, context, &certificate, &invitation, udid, arrival)
        }
        (None, None) => Err(Error::internal("a certificate belongs to neither an invitation nor an enrolment")),
    }
}

/// Authenticate with a certificate that is an enrolment's already: a repeat, or its renewal.
fn again(
    tx: &mut Transaction<'_>,
    context: &Context,
    certificate: &Certificate,
    enrolment: &EnrolmentId,
    udid: &str,
) -> Result<Outcome> {
    let enrolment = store::enrolments::find(tx, &certificate.council_id, enrolment)?
        .ok_or_else(|| Error::internal("a certificate's enrolment is missing"))?;
    let device = store::devices::find(tx, &enrolment.device_id)?.ok_or(Error::NotFound("device"))?;
    if !device.udid.eq_ignore_ascii_case(udid) {
        return misuse(tx, context, certificate, Misuse::AnotherDevice.words());
    }
    if enrolment.ended_at.is_some() {
        return misuse(tx, context, certificate, Misuse::Left.words());
    }
    if enrolment.fingerprint != certificate.fingerprint {
        adopt_renewal(tx, &as_device(context, &enrolment), &enrolment, certificate)?;
    }
    store::enrolments::touch(tx, &enrolment.council_id, &enrolment.id, context.now)?;
    orders::on_idle(tx, &as_device(context, &enrolment), &enrolment)?;
    Ok(Outcome::Done)
}
