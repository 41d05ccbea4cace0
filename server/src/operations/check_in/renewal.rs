//! A renewed identity takes the place of the old one at its first use.

use serde_json::json;

use crate::error::Result;
use crate::operations::{Context, alerts, audit, commands};
use crate::store::certificates::Certificate;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// Moves the pin of an enrolment to its renewed identity; queue, state and tokens stay, the old identity is revoked.
pub fn adopt_renewal(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    certificate: &Certificate,
) -> Result<()> {
    let council = &enrolment.council_id;
    audit::lock(tx, council)?;
    store::enrolments::set_identity(tx, enrolment, &certificate.fingerprint, certificate.not_after)?;
    let keep = Some(certificate.fingerprint.as_str());
    store::certificates::revoke_of_enrolment(tx, council, &enrolment.id, keep, context.now, "renewed")?;
    commands::renewed(tx, context, enrolment, certificate)?;
    alerts::end(tx, context, council, "renewal_failed", enrolment.device_id.as_str())?;
    alerts::end_identity_alerts(tx, context, council, enrolment.id.as_str())?;
    let details = json!({ "serial": certificate.serial, "not_after": certificate.not_after });
    audit::record(tx, context, council, "identity renewed", enrolment.id.as_str(), details)
}
