//! From an invitation to an identity: the page a holder reads, his acceptance, the one-use challenge, the certificate.

mod certificate;
mod renewal;
#[cfg(test)]
mod tests;

pub use certificate::{CertificateRequest, Decision, Signed, decide, purge_challenges, record, warn_of_request};
pub(crate) use renewal::challenge_for_renewal;

use chrono::Duration;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Context, audit};
use crate::error::{Error, Result};
use crate::keys::{random_bytes, sha256_hex};
use crate::model::{Actor, ChallengeId, CouncilId, InvitationState, Mode, Moment, Ownership, Platform};
use crate::store::authorities::AuthorityRow;
use crate::store::councils::Council;
use crate::store::invitations::Invitation;
use crate::store::scep_challenges::Challenge;
use crate::store::{self, Transaction};

/// How long a challenge can be used.
pub const CHALLENGE_STANDS: Duration = Duration::minutes(15);
/// How long an identity certificate is valid.
pub const IDENTITY_STANDS: Duration = Duration::days(365);
/// The version of the notice that the holder accepts; raise it when the page's text changes.
pub const NOTICE_VERSION: &str = "2";
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
    /// An Android phone, and the council is not connected to Google.
    NoGoogle,
    /// The council has no valid push certificate yet, or no authority.
    NotSetUp,
}

fn standing(tx: &mut Transaction<'_>, invitation: &Invitation, now: Moment) -> Result<Standing> {
    Ok(match invitation.state {
        InvitationState::Used => Standing::Used,
        InvitationState::Withdrawn => Standing::Withdrawn,
        InvitationState::Open | InvitationState::Accepted if now > invitation.expires_at => Standing::Expired,
        InvitationState::Open | InvitationState::Accepted => {
            let accepted =
                || if invitation.state == InvitationState::Open { Standing::Open } else { Standing::Accepted };
            if invitation.mode.platform() == Platform::Android {
                match store::google_enterprises::current(tx, &invitation.council_id)? {
                    Some(_) => accepted(),
                    None => Standing::NoGoogle,
                }
            } else if invitation.mode == Mode::User || invitation.ownership == Ownership::Personal {
                Standing::PersonalApple
            } else if !can_enrol(tx, &invitation.council_id, now)? {
                Standing::NotSetUp
            } else {
                accepted()
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
    if store::invitations::accept(tx, &found.invitation, context.now, notice_version)? {
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
