//! Which request for a certificate is granted: by a challenge, once, or by the identity that it renews.

use chrono::Duration;
use serde_json::json;

use super::{CHALLENGE_STANDS, renewal};
use crate::error::{Error, Result};
use crate::keys::sha256_hex;
use crate::model::{AuthorityId, ChallengeId, CouncilId, InvitationState, Moment};
use crate::operations::{Context, alerts, audit};
use crate::store::certificates::Certificate;
use crate::store::scep_challenges::Challenge;
use crate::store::{self, Transaction};

/// A request for a certificate whose signatures are right.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    /// The council that the request was sent to.
    pub council: CouncilId,
    /// SHA-256 of the challenge, if there was one.
    pub challenge_hash: Option<String>,
    /// SHA-256 of the public key.
    pub public_key_fingerprint: String,
    /// SHA-256 of what the request signs.
    pub request_fingerprint: String,
    /// SHA-256 of the identity that signed a renewal.
    pub renewal_of: Option<String>,
}

/// A certificate that was signed but is nobody's until it is recorded.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The authority that signed it.
    pub authority: AuthorityId,
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate.
    pub fingerprint: String,
    /// The certificate.
    pub der: Vec<u8>,
    /// Its validity.
    pub not_before: Moment,
    /// Its validity.
    pub not_after: Moment,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It may have a certificate.
    Issue,
    /// It has one already: the same again.
    Existing(Vec<u8>),
    /// It gets none; the reason is for the log, and for the alert if it is worth one.
    Refused {
        /// Why.
        reason: &'static str,
        /// Whether a person should know.
        alert: bool,
    },
}

/// How much longer than an unused challenge a used one is kept.
const USED_KEPT: Duration = Duration::days(29);
const TOO_MANY: &str = "the device was given several identities already and uses none of them";

enum Claim {
    Challenge(Box<Challenge>),
    /// A renewal that its own identity authorises, without a challenge.
    Identity(Box<Challenge>),
}

enum Judged {
    Issue(Claim),
    Done(Decision),
}

fn refused(reason: &'static str) -> Judged {
    Judged::Done(Decision::Refused { reason, alert: false })
}

/// Says what becomes of a request, without changing anything.
pub fn decide(tx: &mut Transaction<'_>, now: Moment, request: &CertificateRequest) -> Result<Decision> {
    Ok(match judge(tx, now, request)? {
        Judged::Issue(_) => Decision::Issue,
        Judged::Done(decision) => decision,
    })
}

fn judge(tx: &mut Transaction<'_>, now: Moment, request: &CertificateRequest) -> Result<Judged> {
    let renewing = match &request.renewal_of {
        None => None,
        Some(fingerprint) => match store::certificates::find_by_fingerprint(tx, fingerprint)? {
            Some(identity) if identity.council_id == request.council => Some(identity),
            _ => return Ok(refused("the renewal is signed with an identity that is not known here")),
        },
    };
    let hash = match (&request.challenge_hash, &renewing) {
        (Some(hash), _) => hash.clone(),
        // A renewal without a challenge is known by what it asks for, so that a repeat is recognised.
        (None, Some(identity)) => {
            sha256_hex(format!("renewal {} {}", identity.fingerprint, request.request_fingerprint).as_bytes())
        }
        (None, None) => return Ok(refused("there is no challenge")),
    };
    let known = store::scep_challenges::find_by_hash(tx, &hash)?;
    let Some(challenge) = known else {
        return match renewing {
            Some(identity) if request.challenge_hash.is_none() => judge_renewal(tx, now, &identity, hash),
            _ => Ok(refused("the challenge is not known")),
        };
    };
    if challenge.council_id != request.council {
        return Ok(Judged::Done(Decision::Refused { reason: "the challenge is another council's", alert: true }));
    }
    if challenge.used_at.is_some() {
        if challenge.public_key_fingerprint.as_deref() != Some(request.public_key_fingerprint.as_str()) {
            let reason = "the challenge was used before, with another key";
            return Ok(Judged::Done(Decision::Refused { reason, alert: true }));
        }
        let certificate = store::certificates::find_by_challenge(tx, &challenge.council_id, &challenge.id)?;
        return Ok(match certificate {
            Some(certificate) if certificate.revoked_at.is_none() => {
                Judged::Done(Decision::Existing(certificate.certificate))
            }
            Some(_) => refused("the certificate was revoked"),
            None => return Err(Error::internal("a used challenge has no certificate")),
        });
    }
    if now > challenge.expires_at {
        return Ok(refused("the challenge has expired"));
    }
    if let Some(invitation) = &challenge.invitation_id {
        let invitation = store::invitations::find_of_council(tx, &challenge.council_id, invitation)?;
        if invitation.is_none_or(|invitation| invitation.state != InvitationState::Accepted) {
            return Ok(refused("the invitation no longer stands"));
        }
    }
    if let Some(enrolment) = &challenge.enrolment_id {
        let enrolment = store::enrolments::find(tx, &challenge.council_id, enrolment)?;
        let Some(enrolment) = enrolment.filter(|enrolment| enrolment.ended_at.is_none()) else {
            return Ok(refused("the enrolment has ended"));
        };
        if renewal::has_too_many(tx, now, &enrolment)? {
            return Ok(refused(TOO_MANY));
        }
    }
    if let Some(identity) = renewing
        && (identity.enrolment_id != challenge.enrolment_id || identity.revoked_at.is_some())
    {
        let reason = "the challenge was not made for the identity that signed the renewal";
        return Ok(Judged::Done(Decision::Refused { reason, alert: true }));
    }
    Ok(Judged::Issue(Claim::Challenge(Box::new(challenge))))
}

fn judge_renewal(tx: &mut Transaction<'_>, now: Moment, identity: &Certificate, hash: String) -> Result<Judged> {
    let enrolment = match &identity.enrolment_id {
        Some(enrolment) => store::enrolments::find(tx, &identity.council_id, enrolment)?,
        None => None,
    };
    let pinned = enrolment.filter(|enrolment| {
        enrolment.ended_at.is_none() && enrolment.fingerprint == identity.fingerprint && identity.revoked_at.is_none()
    });
    Ok(match pinned {
        None => refused("the renewal is not signed with the identity of a device under management"),
        Some(enrolment) if !renewal::is_due(tx, now, &enrolment, identity)? => {
            refused("no renewal is due: the identity is good for long, and the device was not asked to renew it")
        }
        Some(enrolment) if renewal::has_too_many(tx, now, &enrolment)? => refused(TOO_MANY),
        Some(enrolment) => Judged::Issue(Claim::Identity(Box::new(Challenge {
            council_id: identity.council_id.clone(),
            id: ChallengeId::new(),
            challenge_hash: hash,
            invitation_id: None,
            enrolment_id: Some(enrolment.id),
            created_at: now,
            expires_at: now + CHALLENGE_STANDS,
            used_at: None,
            public_key_fingerprint: None,
        }))),
    })
}

/// Records a certificate just signed as the one and only answer to the request; if another was recorded meanwhile, that one is
/// the answer and the new one is thrown away. Nothing leaves the server before this is committed, so a crash loses nothing.
pub fn record(
    tx: &mut Transaction<'_>,
    context: &Context,
    request: &CertificateRequest,
    signed: &Signed,
) -> Result<Decision> {
    audit::lock(tx, &request.council)?;
    let challenge = match judge(tx, context.now, request)? {
        Judged::Done(decision) => return Ok(decision),
        Judged::Issue(Claim::Challenge(challenge)) => challenge,
        Judged::Issue(Claim::Identity(challenge)) => {
            store::scep_challenges::insert(tx, &challenge)?;
            challenge
        }
    };
    if !store::scep_challenges::consume(tx, &challenge, context.now, &request.public_key_fingerprint)? {
        return decide(tx, context.now, request);
    }
    store::certificates::insert(
        tx,
        &Certificate {
            council_id: challenge.council_id.clone(),
            serial: signed.serial.clone(),
            authority_id: signed.authority.clone(),
            fingerprint: signed.fingerprint.clone(),
            public_key_fingerprint: request.public_key_fingerprint.clone(),
            challenge_id: challenge.id.clone(),
            invitation_id: challenge.invitation_id.clone(),
            enrolment_id: challenge.enrolment_id.clone(),
            certificate: signed.der.clone(),
            not_before: signed.not_before,
            not_after: signed.not_after,
            issued_at: context.now,
            revoked_at: None,
            revoked_reason: None,
        },
    )?;
    let subject = challenge
        .invitation_id
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| challenge.enrolment_id.as_ref().map(ToString::to_string))
        .unwrap_or_default();
    let details = json!({ "serial": signed.serial, "fingerprint": signed.fingerprint, "not_after": signed.not_after });
    audit::record(tx, context, &challenge.council_id, "identity issued", &subject, details)?;
    Ok(Decision::Existing(signed.der.clone()))
}

/// Tells a person of a request that should not have been made.
pub fn warn_of_request(
    tx: &mut Transaction<'_>,
    context: &Context,
    request: &CertificateRequest,
    reason: &str,
) -> Result<()> {
    let Some(hash) = &request.challenge_hash else { return Ok(()) };
    // The alert belongs to the council whose challenge it was, not to the one the request was sent to.
    let Some(challenge) = store::scep_challenges::find_by_hash(tx, hash)? else { return Ok(()) };
    let message = format!(
        "Someone asked for a device identity in a way that is not allowed: {reason}. If nobody was enrolling a phone just \
         now, withdraw the invitation and make a new one."
    );
    alerts::raise(tx, context, &challenge.council_id, "identity_request_refused", challenge.id.as_str(), &message)
}

/// Removes up to `limit` challenges that ended unused before `before`, or were used 29 days earlier still and have no
/// certificate; says how many.
pub fn purge_challenges(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let unused = store::scep_challenges::purge_unused(tx, before, limit)?;
    let left = limit - i64::try_from(unused).unwrap_or(limit);
    if left == 0 {
        return Ok(unused);
    }
    Ok(unused + store::scep_challenges::purge_used(tx, before - USED_KEPT, left)?)
}
