//! A council's push certificate: its request, its import, its renewal, and the day when its topic changes.

use beadle_enrollment::push_certificate::{self, PushRequest};
use serde::Serialize;

use super::{Context, alerts, audit, jobs};
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::model::{CouncilId, Moment, Permission, PushCertificateId, PushCertificateState};
use crate::sealing::Purpose;
use crate::store::push_certificates::{Issued, PushCertificate};
use crate::store::{self, Transaction};

/// A key and request just made, the key sealed for its row.
#[derive(Debug)]
pub struct Prepared {
    /// The row to keep.
    pub row: PushCertificate,
    /// The request, for a vendor to sign.
    pub request: PushRequest,
}

/// Makes a key and a request for a council. Slow (an RSA key), so not inside a transaction.
pub fn prepare(keys: &Keys, council: &CouncilId, council_name: &str, now: Moment) -> Result<Prepared> {
    let request = push_certificate::request(council_name).map_err(Error::internal)?;
    let id = PushCertificateId::new();
    let sealed_key = keys.sealer.seal(Purpose::PushKey, council.as_str(), id.as_str(), &request.private_key_der)?;
    let row = PushCertificate {
        council_id: council.clone(),
        id,
        state: PushCertificateState::Requested,
        apple_account: None,
        topic: None,
        certificate_pem: None,
        sealed_key,
        not_before: None,
        not_after: None,
        created_at: now,
        activated_at: None,
        warned_days: None,
    };
    Ok(Prepared { row, request })
}

/// Keeps a request. Earlier ones stay, since Apple's answer to any of them may still come.
pub fn request(tx: &mut Transaction<'_>, context: &Context, row: &PushCertificate) -> Result<()> {
    context.actor.require(Permission::Settings, &row.council_id)?;
    audit::lock(tx, &row.council_id)?;
    store::push_certificates::insert(tx, row)?;
    audit::record(tx, context, &row.council_id, "push certificate requested", row.id.as_str(), serde_json::json!({}))
}

/// The certificates and requests whose keys may fit what is imported.
pub fn candidates(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Vec<PushCertificate>> {
    context.actor.require(Permission::Settings, council)?;
    store::push_certificates::live(tx, council)
}

/// What is imported, read and matched to its key; made outside a transaction.
#[derive(Clone, Debug)]
pub struct Import {
    row: PushCertificateId,
    pem: String,
    topic: String,
    not_before: Moment,
    not_after: Moment,
    apple_account: String,
    new_topic: bool,
}

/// Reads what Apple's portal gave, and finds the request that it answers.
///
/// # Errors
/// [`Error::Invalid`] where it is no MDM push certificate, answers no request of this council, or the account is missing.
pub fn read_import(
    keys: &Keys,
    candidates: &[PushCertificate],
    pem: &str,
    apple_account: &str,
    new_topic: bool,
) -> Result<Import> {
    let apple_account = apple_account.trim();
    if apple_account.is_empty() {
        return Err(Error::invalid(
            "apple_account",
            "is missing: give the Apple Account (an address) that made the certificate; only it can renew it next year",
        ));
    }
    let certificate = push_certificate::inspect(pem.as_bytes())
        .map_err(|problem| Error::invalid("certificate", problem.to_string()))?;
    for candidate in candidates {
        let sealed = &candidate.sealed_key;
        let key = keys.sealer.open(Purpose::PushKey, candidate.council_id.as_str(), candidate.id.as_str(), sealed)?;
        if push_certificate::matches_key(&certificate, &key) {
            let pem = openssl::x509::X509::from_der(&certificate.certificate_der)?.to_pem()?;
            return Ok(Import {
                row: candidate.id.clone(),
                pem: String::from_utf8_lossy(&pem).into_owned(),
                topic: certificate.topic,
                not_before: certificate.not_before.into(),
                not_after: certificate.not_after.into(),
                apple_account: apple_account.to_owned(),
                new_topic,
            });
        }
    }
    Err(Error::invalid(
        "certificate",
        "answers no request of this council: its key is not here. Make a request (apple push-csr), give that to Apple's \
         portal, and import what comes back",
    ))
}

/// Takes a certificate into use. A renewal keeps its topic; another topic is taken on purpose only, beside the former one,
/// which serves until its last phone has enrolled again.
pub fn import(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    import: &Import,
) -> Result<PushCertificate> {
    context.actor.require(Permission::Settings, council)?;
    audit::lock(tx, council)?;
    let live = store::push_certificates::live(tx, council)?;
    let row = live
        .iter()
        .find(|row| row.id == import.row)
        .ok_or_else(|| Error::conflict("the request it answers was used already; make a new one"))?;
    if import.not_after <= context.now {
        return Err(Error::invalid(
            "certificate",
            format!("ended on {}; renew it at Apple's portal", import.not_after),
        ));
    }
    if store::push_certificates::serves_another(tx, council, &import.topic)? {
        return Err(Error::conflict(
            "this topic serves another council; each council needs a push certificate of its own",
        ));
    }
    let same = live.iter().find(|other| {
        other.topic.as_deref() == Some(import.topic.as_str()) && other.state != PushCertificateState::Requested
    });
    let current = live.iter().find(|other| other.state == PushCertificateState::Current);
    let state = match (same, current) {
        // A renewal takes the place of what it renews, be that current or retiring.
        (Some(same), _) => {
            if same.id != row.id {
                store::push_certificates::set_state(tx, council, &same.id, PushCertificateState::Retired)?;
                alerts::end(tx, context, council, alerts::PUSH_CERTIFICATE_ENDS, same.id.as_str())?;
            }
            same.state
        }
        (None, Some(current)) if !import.new_topic => {
            return Err(Error::conflict(format!(
                "this is a new certificate (topic {}), not a renewal of the present one (topic {}): every phone would have to \
                 enrol again. At Apple's portal, sign in with the Apple Account {} and choose Renew. Only if that account is \
                 lost, import it as a new topic on purpose",
                import.topic,
                current.topic.as_deref().unwrap_or("unknown"),
                current.apple_account.as_deref().unwrap_or("that made it"),
            )));
        }
        (None, Some(current)) => {
            let topic = current.topic.clone();
            let phones = store::push_certificates::enrolments_by_topic(tx, council)?;
            let needed = phones.iter().any(|(of, count)| *of == topic && *count > 0);
            let to = if needed { PushCertificateState::Retiring } else { PushCertificateState::Retired };
            store::push_certificates::set_state(tx, council, &current.id, to)?;
            PushCertificateState::Current
        }
        (None, None) => PushCertificateState::Current,
    };
    let issued = Issued {
        state,
        apple_account: &import.apple_account,
        topic: &import.topic,
        certificate_pem: &import.pem,
        not_before: import.not_before,
        not_after: import.not_after,
        activated_at: context.now,
    };
    store::push_certificates::activate(tx, council, &row.id, &issued)?;
    alerts::end(tx, context, council, alerts::PUSH_CERTIFICATE_ENDS, row.id.as_str())?;
    alerts::end(tx, context, council, alerts::NO_CERTIFICATE, council.as_str())?;
    jobs::wake_topic(tx, context, council, &import.topic)?;
    let details = serde_json::json!({
        "topic": import.topic, "apple_account": import.apple_account, "not_after": import.not_after, "state": state,
        "new_topic": import.new_topic,
    });
    audit::record(tx, context, council, "push certificate imported", row.id.as_str(), details)?;
    store::push_certificates::serving(tx, council, &import.topic)?.ok_or(Error::NotFound("push certificate"))
}

/// Retires the certificates whose last phone has enrolled again.
pub(crate) fn retire_unused(tx: &mut Transaction<'_>, context: &Context) -> Result<()> {
    for certificate in store::push_certificates::retiring(tx)? {
        let council = &certificate.council_id;
        let phones = store::push_certificates::enrolments_by_topic(tx, council)?;
        if phones.iter().any(|(topic, count)| *topic == certificate.topic && *count > 0) {
            continue;
        }
        audit::lock(tx, council)?;
        store::push_certificates::set_state(tx, council, &certificate.id, PushCertificateState::Retired)?;
        alerts::end(tx, context, council, alerts::PUSH_CERTIFICATE_ENDS, certificate.id.as_str())?;
        let details = serde_json::json!({ "topic": certificate.topic });
        audit::record(tx, context, council, "push certificate retired", certificate.id.as_str(), details)?;
    }
    Ok(())
}

/// Where one of a council's push certificates stands.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Status {
    /// Its id.
    pub id: PushCertificateId,
    /// Requested, current or retiring.
    pub state: PushCertificateState,
    /// The Apple Account that made it and alone can renew it.
    pub apple_account: Option<String>,
    /// The topic its phones listen to.
    pub topic: Option<String>,
    /// When it ends.
    pub not_after: Option<Moment>,
    /// In how many days.
    pub days_left: Option<i64>,
    /// When it was asked for.
    pub requested_at: Moment,
    /// How many phones enrolled with its topic.
    pub phones: i64,
}

/// Where a council's push certificates stand, newest first.
pub fn status(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Vec<Status>> {
    context.actor.require(Permission::Read, council)?;
    let phones = store::push_certificates::enrolments_by_topic(tx, council)?;
    Ok(store::push_certificates::live(tx, council)?
        .into_iter()
        .map(|row| Status {
            phones: match &row.topic {
                Some(_) => phones.iter().filter(|(topic, _)| *topic == row.topic).map(|(_, count)| count).sum(),
                None => 0,
            },
            days_left: row.not_after.map(|end| (end - context.now).num_days()),
            id: row.id,
            state: row.state,
            apple_account: row.apple_account,
            topic: row.topic,
            not_after: row.not_after,
            requested_at: row.created_at,
        })
        .collect())
}

#[cfg(test)]
#[path = "push_certificates_tests.rs"]
mod tests;
