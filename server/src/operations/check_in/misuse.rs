//! Identities shown by those they do not belong to.

use super::Outcome;
use crate::error::Result;
use crate::operations::{Context, alerts};
use crate::store::Transaction;
use crate::store::certificates::Certificate;

/// Refuses, and tells the council whose identity it is.
pub(super) fn misuse(
    tx: &mut Transaction<'_>,
    context: &Context,
    certificate: &Certificate,
    problem: &'static str,
) -> Result<Outcome> {
    let message = format!("Refused: {problem} (certificate {}).", certificate.serial);
    alerts::raise(tx, context, &certificate.council_id, "identity_misused", &certificate.serial, &message)?;
    Ok(Outcome::Refused(problem))
}
