//! From an invitation to an identity: the page a holder reads, his acceptance, the one-use challenge, the certificate.

#[cfg(test)]
mod tests;

use chrono::Duration;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Context, alerts, audit};
use crate::error::{Error, Result};
use crate::keys::{random_bytes, sha256_hex};
use crate::model::{Actor, AuthorityId, ChallengeId, CouncilId, InvitationState, Mode, Moment, Ownership};
use crate::store::authorities::AuthorityRow;
use crate::store::certificates::Certificate;
use crate::store::councils::Council;
use crate::store::invitations::Invitation;
use crate::store::scep_challenges::Challenge;
use crate::store::{self, Transaction};

/// How long a challenge can be used.
pub const CHALLENGE_STANDS: Duration = Duration::minutes(15);
/// How long an identity certificate is valid.
pub const IDENTITY_STANDS: Duration = Duration::days(365);
/// The version of the notice that the holder accepts; raise it when the page's text changes.
pub const NOTICE_VERSION: &str = "1";
/// How many certificates an identity may get within a day by renewing itself, without a challenge of the server's.
const MOST_RENEWALS: i64 = 5;
/// How many challenges of one invitation may wait to be used.
const MOST_CHALLENGES: i64 = 20;

/// What the holder of an invitation's link is shown.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The council.
    pub council: Council,
    /// The invitation.
    pub invitation: Invitation,
    /// The tag of the asset.
    pub asset_tag: String,
    /// Whether it can go on.
    pub standing: Standing,
}

/// Whether an invitation can be accepted, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The notice waits to be accepted.
    Open,
    /// Accepted: the profile can be fetched.
    Accepted,
    /// A device has enrolled with it.
    Used,
    /// It was taken back.
    Withdrawn,
    /// Its time ran out.
    Expired,
    /// A personal iPhone or iPad: an ordinary profile would give the council too much.
    PersonalApple,
    /// An Android phone.
    Android,
    /// The council has no valid push certificate yet, or no authority.
    NotSetUp,
}

fn standing(tx: &mut Transaction<'_>, invitation: &Invitation, now: Moment) -> Result<Standing> {
    Ok(match invitation.state {
        InvitationState::Used => Standing::Used,
        InvitationState::Withdrawn => Standing::Withdrawn,
        InvitationState::Open | InvitationState::Accepted if now > invitation.expires_at => Standing::Expired,
        InvitationState::Open | InvitationState::Accepted => {
            let apple = matches!(invitation.mode, Mode::Supervised | Mode::Device | Mode::User);
            if !apple {
                Standing::Android
            } else if invitation.mode == Mode::User || invitation.ownership == Ownership::Personal {
                Standing::PersonalApple
            } else if !can_enrol(tx, &invitation.council_id, now)? {
                Standing::NotSetUp
            } else if invitation.state == InvitationState::Open {
                Standing::Open
            } else {
                Standing::Accepted
            }
        }
    })
}

fn can_enrol(tx: &mut Transaction<'_>, council: &CouncilId, now: Moment) -> Result<bool> {
    let pushes = store::authorities::enrolment_topic(tx, council)?.is_some_and(|(_, not_after)| now <= not_after);
    Ok(pushes && store::authorities::current(tx, council)?.is_some())
}

/// The council with this id and the authority that serves its SCEP.
pub fn authority(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<(Council, AuthorityRow)> {
    let council = store::councils::find(tx, council)?
        .filter(|council| council.ended_at.is_none())
        .ok_or(Error::NotFound("council"))?;
    let authority = store::authorities::current(tx, &council.id)?
        .ok_or_else(|| Error::Unavailable("the council has no certificate authority".to_owned()))?;
    Ok((council, authority))
}

/// What the link with this code leads to. Uses nothing up.
pub fn landing(tx: &mut Transaction<'_>, now: Moment, code_hash: &str) -> Result<Landing> {
    let invitation = store::invitations::find_by_code_hash(tx, code_hash)?.ok_or(Error::NotFound("invitation"))?;
    let council = store::councils::find(tx, &invitation.council_id)?
        .filter(|council| council.ended_at.is_none())
        .ok_or(Error::NotFound("invitation"))?;
    let asset_tag = store::devices::asset_tag_and_serial(tx, &invitation.council_id, &invitation.asset_id)?
        .map(|(tag, _)| tag)
        .unwrap_or_default();
    let standing = standing(tx, &invitation, now)?;
    Ok(Landing { council, invitation, asset_tag, standing })
}

/// Records that whoever holds the link accepted the notice, when and from where. Accepting twice is accepting once.
pub fn accept(
    tx: &mut Transaction<'_>,
    context: &Context,
    code_hash: &str,
    address: &str,
    notice_version: &str,
) -> Result<Landing> {
    let found = landing(tx, context.now, code_hash)?;
    if found.standing != Standing::Open {
        return Ok(found);
    }
    if notice_version != NOTICE_VERSION {
        return Err(Error::conflict("the notice has changed since you opened it; please read it again"));
    }
    let council = &found.invitation.council_id;
    audit::lock(tx, council)?;
    let actor = Actor::Invitee { council: council.clone(), invitation: found.invitation.id.clone() };
    let context = &Context { actor, ..context.clone() };
    if store::invitations::accept(tx, &found.invitation, context.now, address, notice_version)? {
        let details = json!({ "address": address, "notice_version": notice_version, "asset": found.asset_tag });
        audit::record(tx, context, council, "notice accepted", found.invitation.id.as_str(), details)?;
    }
    landing(tx, context.now, code_hash)
}

/// What an enrolment profile is made of.
#[derive(Debug)]
pub struct Delivery {
    /// The council and the invitation.
    pub landing: Landing,
    /// The council's authority.
    pub authority: AuthorityRow,
    /// The push topic.
    pub topic: String,
    /// The challenge, minted for this delivery.
    pub challenge: Zeroizing<String>,
}

/// Mints a challenge for an accepted invitation; the profile that carries it can be fetched again, each time with another.
pub fn deliver(tx: &mut Transaction<'_>, context: &Context, code_hash: &str) -> Result<Result<Delivery, Landing>> {
    let landing = landing(tx, context.now, code_hash)?;
    if landing.standing != Standing::Accepted {
        return Ok(Err(landing));
    }
    let invitation = &landing.invitation;
    let council = &invitation.council_id;
    let (Some(authority), Some((topic, _))) =
        (store::authorities::current(tx, council)?, store::authorities::enrolment_topic(tx, council)?)
    else {
        return Ok(Err(Landing { standing: Standing::NotSetUp, ..landing }));
    };
    if store::scep_challenges::count_live(tx, council, &invitation.id, context.now)? >= MOST_CHALLENGES {
        return Err(Error::TooMany { retry_after_seconds: CHALLENGE_STANDS.num_seconds().unsigned_abs() });
    }
    let challenge = Zeroizing::new(hex::encode(random_bytes::<16>()?));
    store::scep_challenges::insert(
        tx,
        &Challenge {
            council_id: council.clone(),
            id: ChallengeId::new(),
            challenge_hash: sha256_hex(challenge.as_bytes()),
            invitation_id: Some(invitation.id.clone()),
            enrolment_id: None,
            created_at: context.now,
            expires_at: context.now + CHALLENGE_STANDS,
            used_at: None,
            public_key_fingerprint: None,
        },
    )?;
    Ok(Ok(Delivery { landing, authority, topic, challenge }))
}

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
        if enrolment.is_none_or(|enrolment| enrolment.ended_at.is_some()) {
            return Ok(refused("the enrolment has ended"));
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
    let Some(enrolment) = pinned else {
        return Ok(refused("the renewal is not signed with the identity of a device under management"));
    };
    // Each new key would else be one more certificate, without end.
    let (council, since) = (&identity.council_id, now - Duration::days(1));
    if store::scep_challenges::count_used_of_enrolment(tx, council, &enrolment.id, since)? >= MOST_RENEWALS {
        return Ok(refused("the device has renewed its identity often enough today"));
    }
    Ok(Judged::Issue(Claim::Identity(Box::new(Challenge {
        council_id: identity.council_id.clone(),
        id: ChallengeId::new(),
        challenge_hash: hash,
        invitation_id: None,
        enrolment_id: Some(enrolment.id),
        created_at: now,
        expires_at: now + CHALLENGE_STANDS,
        used_at: None,
        public_key_fingerprint: None,
    }))))
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

/// Removes up to `limit` challenges that ended unused before `before`; says how many.
pub fn purge_challenges(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    store::scep_challenges::purge_unused(tx, before, limit)
}
