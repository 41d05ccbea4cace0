//! The codes by which Android phones enrol: asked for at Google only once the holder has accepted, each bound to its invitation.

use chrono::Duration;
use serde_json::json;

use super::super::{Context, audit, jobs};
use crate::error::{Error, Result};
use crate::model::{
    AndroidTokenId, AndroidTokenState, CouncilId, InvitationId, InvitationState, Mode, Moment, Permission, Platform,
};
use crate::store::android_tokens::AndroidToken;
use crate::store::invitations::Invitation;
use crate::store::{self, Transaction};

/// How long a code that a phone scans in factory state lives; made when somebody looks at it.
pub const CODE_STANDS: Duration = Duration::hours(1);
/// How long a personal phone's link lives at the most.
pub const LINK_STANDS: Duration = Duration::days(7);
/// How long a code is remembered after its end: Google may tell late of a phone that enrolled with it.
pub const KEPT: Duration = Duration::days(30);
/// How many codes of one invitation may wait to be used.
const MOST_WAITING: usize = 20;

/// A token that Google is about to be asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its row.
    pub token: AndroidToken,
    /// The council's enterprise.
    pub enterprise: String,
    /// How long it is to live.
    pub stands: Duration,
    /// The Wi-Fi network that a phone in factory state joins first, if the council gave one to its phones.
    pub wifi: Option<String>,
}

/// Writes down a token for the invitation of a link that somebody has open.
///
/// # Errors
/// `Conflict`, in words, for an invitation that was not accepted, has run out, was used or is not for an Android phone, and
/// where the council is not connected to Google; `TooMany` where many codes wait; `NotFound` for
/// a code of no invitation.
pub fn ask_by_code(tx: &mut Transaction<'_>, context: &Context, code_hash: &str, binding_hash: &str) -> Result<Asked> {
    let invitation = store::invitations::find_by_code_hash(tx, code_hash)?.ok_or(Error::NotFound("invitation"))?;
    ask(tx, context, &invitation, binding_hash)
}

/// Writes down a token for an invitation that an operator looks at.
///
/// # Errors
/// As [`ask_by_code`]; `NotFound` also for an invitation that the caller does not see.
pub fn ask_as_operator(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &InvitationId,
    binding_hash: &str,
) -> Result<Asked> {
    let invitation = store::invitations::find(tx, id)?
        .filter(|invitation| context.actor.sees(&invitation.council_id))
        .ok_or(Error::NotFound("invitation"))?;
    context.actor.require(Permission::Register, &invitation.council_id)?;
    ask(tx, context, &invitation, binding_hash)
}

/// Writes down a token before Google is asked for it.
fn ask(tx: &mut Transaction<'_>, context: &Context, invitation: &Invitation, binding_hash: &str) -> Result<Asked> {
    let council = &invitation.council_id;
    audit::lock(tx, council)?;
    let invitation =
        store::invitations::find_of_council(tx, council, &invitation.id)?.ok_or(Error::NotFound("invitation"))?;
    if invitation.mode.platform() != Platform::Android {
        return Err(Error::conflict("this invitation is for an iPhone or iPad"));
    }
    match invitation.state {
        InvitationState::Accepted if context.now <= invitation.expires_at => {}
        InvitationState::Open => {
            return Err(Error::conflict("the holder has not read and accepted the notice yet: open the link first"));
        }
        InvitationState::Used => return Err(Error::conflict("a phone has enrolled with this invitation already")),
        InvitationState::Accepted | InvitationState::Withdrawn => {
            return Err(Error::conflict("the invitation no longer stands; make a new one"));
        }
    }
    let enterprise = store::google_enterprises::current(tx, council)?
        .ok_or_else(|| Error::conflict("the council is not connected to Google yet"))?;
    let waiting = store::android_tokens::of_invitation(tx, council, &invitation.id)?
        .into_iter()
        .filter(|token| token.expires_at > context.now)
        .filter(|token| matches!(token.state, AndroidTokenState::Asked | AndroidTokenState::Made))
        .count();
    if waiting >= MOST_WAITING {
        return Err(Error::TooMany { retry_after_seconds: 3600 });
    }
    let stands = stands(&invitation, context.now);
    let token = AndroidToken {
        council_id: council.clone(),
        id: AndroidTokenId::new(),
        invitation_id: invitation.id.clone(),
        mode: invitation.mode,
        binding_hash: binding_hash.to_owned(),
        google_name: None,
        state: AndroidTokenState::Asked,
        created_at: context.now,
        expires_at: context.now + stands,
        used_at: None,
    };
    store::android_tokens::insert(tx, &token)?;
    let details = json!({ "invitation": invitation.id, "mode": token.mode, "expires_at": token.expires_at });
    audit::record(tx, context, council, "android.code_asked", token.id.as_str(), details)?;
    let wifi = match token.mode {
        Mode::PersonalWorkProfile => None,
        _ => super::super::policies::first_wifi(tx, council)?,
    };
    Ok(Asked { token, enterprise: enterprise.name, stands, wifi })
}

/// A personal phone's link lives as long as its invitation, at most a week; a code lives an hour.
fn stands(invitation: &Invitation, now: Moment) -> Duration {
    match invitation.mode {
        Mode::PersonalWorkProfile => (invitation.expires_at - now).min(LINK_STANDS).max(Duration::minutes(1)),
        _ => CODE_STANDS,
    }
}

/// Google made it. `false` where the invitation was withdrawn meanwhile: the token is then deleted at Google, and shown to nobody.
pub fn made(tx: &mut Transaction<'_>, context: &Context, token: &AndroidToken, google_name: &str) -> Result<bool> {
    audit::lock(tx, &token.council_id)?;
    if store::android_tokens::made(tx, &token.council_id, &token.id, google_name)? {
        return Ok(true);
    }
    if store::android_tokens::made_too_late(tx, token, google_name)? {
        delete_at_google(tx, context, &token.council_id, &token.invitation_id)?;
    }
    Ok(false)
}

/// An invitation was withdrawn: its tokens are of no use any more, here and, as soon as Google can be reached, there. The caller
/// has the council's lock.
pub(in crate::operations) fn withdraw(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    invitation: &InvitationId,
) -> Result<()> {
    let mut any = false;
    for token in store::android_tokens::of_invitation(tx, council, invitation)? {
        any |= store::android_tokens::end(tx, &token, AndroidTokenState::Withdrawn, context.now)?;
    }
    if any { delete_at_google(tx, context, council, invitation) } else { Ok(()) }
}

fn delete_at_google(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    invitation: &InvitationId,
) -> Result<()> {
    let payload = json!({ "council": council, "invitation": invitation });
    let key = format!("android_tokens:{invitation}");
    jobs::queue(tx, context, super::DELETE_TOKENS, payload, context.now, Some(&key))
}

/// The names at Google of an invitation's withdrawn tokens with which a phone could enrol yet.
pub fn to_delete(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    invitation: &InvitationId,
) -> Result<Vec<String>> {
    Ok(store::android_tokens::of_invitation(tx, council, invitation)?
        .into_iter()
        .filter(|token| token.state == AndroidTokenState::Withdrawn && token.expires_at > context.now)
        .filter_map(|token| token.google_name)
        .collect())
}
