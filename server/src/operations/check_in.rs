//! What a device says about its own management: that it has come, where it can be woken, that it goes.
//!
//! A refusal is an outcome, not an error: the alert that it raises must be committed.

mod authenticate;
mod first;
mod leave;
mod misuse;
mod renewal;
mod sighting;
#[cfg(test)]
mod tests;
mod tokens;
mod topic;

pub use authenticate::{Arrival, authenticate};
pub use leave::check_out;
pub use misuse::{Misuse, is_told, refuse_misuse};
pub use renewal::adopt_renewal;
pub use sighting::{Sighting, note, note_contact};
pub use tokens::{TokenChange, token_update};

use super::{Context, audit};
use crate::error::{Error, Result};
use crate::model::{Actor, CouncilId};
use crate::store::certificates::{Certificate, Identity};
use crate::store::enrolments::{Caller, Enrolment};
use crate::store::{self, Transaction};

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or done before.
    Done,
    /// Refused; the reason is for the log.
    Refused(&'static str),
    /// The message lacks what it must have.
    Incomplete(&'static str),
    /// The message says what cannot be; the reason is for the log.
    Unfit(&'static str),
}

/// Whom a certificate belongs to.
#[derive(Clone, Debug)]
pub enum Identified {
    /// To this enrolment, which is pinned to it.
    Pinned(Box<Caller>),
    /// To this enrolment, by a renewal that the device has not checked in with yet.
    Renewed(Box<Caller>, Box<Certificate>),
    /// To nobody that may speak here.
    Refused(&'static str),
    /// To somebody else, or to nobody any more; the council whose identity it is should hear of it.
    Misused(Box<Certificate>, Misuse),
}

/// Finds whom the certificate with this SHA-256 belongs to. `device` is the UDID (or EnrollmentID) that the message gives.
pub fn identify(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    fingerprint: &str,
    device: Option<&str>,
) -> Result<Identified> {
    let Some((identity, has_more)) = store::certificates::identity(tx, fingerprint)? else {
        return Ok(match store::certificates::find_by_fingerprint(tx, fingerprint)? {
            None => Identified::Refused("the certificate is not known here"),
            Some(certificate) if certificate.council_id != *council => {
                Identified::Misused(Box::new(certificate), Misuse::AnotherCouncil)
            }
            Some(_) => Identified::Refused("the certificate has not checked in yet"),
        });
    };
    let Identity { council_id, revoked_at, enrolment, udid } = identity;
    if council_id != *council {
        return Ok(Identified::Misused(shown(tx, fingerprint)?, Misuse::AnotherCouncil));
    }
    if revoked_at.is_some() {
        return Ok(Identified::Misused(shown(tx, fingerprint)?, Misuse::Revoked));
    }
    if enrolment.ended_at.is_some() {
        return Ok(Identified::Misused(shown(tx, fingerprint)?, Misuse::Left));
    }
    if device.is_some_and(|told| !udid.eq_ignore_ascii_case(told)) {
        return Ok(Identified::Misused(shown(tx, fingerprint)?, Misuse::AnotherDevice));
    }
    let caller = Box::new(Caller { enrolment, has_more });
    if caller.enrolment.fingerprint == fingerprint {
        return Ok(Identified::Pinned(caller));
    }
    Ok(Identified::Renewed(caller, shown(tx, fingerprint)?))
}

/// The whole certificate, which only the exceptions need.
fn shown(tx: &mut Transaction<'_>, fingerprint: &str) -> Result<Box<Certificate>> {
    let certificate = store::certificates::find_by_fingerprint(tx, fingerprint)?;
    certificate.map(Box::new).ok_or_else(|| Error::internal("a certificate that was just found is missing"))
}

/// The same, once the council's lock is held; for what changes rows. Strangers do not get to take it.
fn identify_locked(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    fingerprint: &str,
    device: Option<&str>,
) -> Result<Identified> {
    match identify(tx, council, fingerprint, device)? {
        Identified::Pinned(_) | Identified::Renewed(..) => {
            audit::lock(tx, council)?;
            identify(tx, council, fingerprint, device)
        }
        refused => Ok(refused),
    }
}

/// The context of what a device itself causes.
#[must_use]
pub fn as_device(context: &Context, enrolment: &Enrolment) -> Context {
    let actor = Actor::Device {
        council: enrolment.council_id.clone(),
        device: enrolment.device_id.clone(),
        enrolment: enrolment.id.clone(),
    };
    Context { actor, ..context.clone() }
}

/// The enrolment as it stands in this transaction.
pub fn current(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Enrolment> {
    store::enrolments::find(tx, &enrolment.council_id, &enrolment.id)?.ok_or(Error::NotFound("enrolment"))
}
