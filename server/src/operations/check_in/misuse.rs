//! Identities shown by those they do not belong to.

use super::Outcome;
use crate::error::Result;
use crate::operations::{Context, alerts};
use crate::store::certificates::Certificate;
use crate::store::{self, Transaction};

const ALERT: &str = "identity_misused";

/// How an identity was shown where it does not belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// At another council's address.
    AnotherCouncil,
    /// After it was revoked.
    Revoked,
    /// By another device.
    AnotherDevice,
    /// After its device had left management.
    Left,
}

impl Misuse {
    /// The same in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::AnotherCouncil => "a device identity of this council was shown to another council",
            Self::Revoked => "a revoked device identity was shown again",
            Self::AnotherDevice => "one device's identity was shown by another device",
            Self::Left => "the identity of a device that has left management was shown again",
        }
    }
}

/// Refuses, and tells the council whose identity it is.
pub(super) fn misuse(
    tx: &mut Transaction<'_>,
    context: &Context,
    certificate: &Certificate,
    problem: &'static str,
) -> Result<Outcome> {
    let message = format!("Refused: {problem} (certificate {}).", certificate.serial);
    alerts::raise(tx, context, &certificate.council_id, ALERT, &certificate.serial, &message)?;
    Ok(Outcome::Refused(problem))
}

/// Refuses, and tells the council whose identity it is, once for each certificate until somebody has seen to it.
pub fn refuse_misuse(
    tx: &mut Transaction<'_>,
    context: &Context,
    certificate: &Certificate,
    how: Misuse,
) -> Result<Outcome> {
    misuse(tx, context, certificate, how.words())
}

/// Whether the council has been told and nobody has seen to it yet: then a repetition needs no write.
pub fn is_told(tx: &mut Transaction<'_>, certificate: &Certificate) -> Result<bool> {
    Ok(store::alerts::find_open(tx, &certificate.council_id, ALERT, &certificate.serial)?.is_some())
}
