//! A phone that Google enrolled is found to be the one that was invited.

use serde_json::json;

use super::super::enrolments::{self, Newcomer, Outcome};
use super::super::{Context, alerts, audit};
use super::{Seen, enterprise_of};
use crate::error::{Error, Result};
use crate::keys::sha256_hex;
use crate::model::{AndroidTokenState, CouncilId, EnrolmentState, InvitationState, Mode, Ownership, Posture};
use crate::store::android_enrolments::{AndroidEnrolment, fingerprint};
use crate::store::enrolments::Enrolment;
use crate::store::invitations::Invitation;
use crate::store::{self, Transaction};

/// The alert about a device at Google that nobody invited.
const UNINVITED: &str = "android_uninvited";

/// Binds a device that Beadle does not know to the invitation of its token. `None` where it is nobody's: an alert says so, and
/// nothing is sent to it.
pub(super) fn arrive(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    seen: &Seen,
) -> Result<Option<Enrolment>> {
    audit::lock(tx, council)?;
    let Some(mode) = seen.mode else { return Ok(None) };
    let token = match seen.binding.as_deref() {
        Some(binding) => store::android_tokens::find_by_binding(tx, &sha256_hex(binding.as_bytes()))?,
        None => None,
    };
    // The council is the row's: a token of another council's enterprise leads nowhere here (W6).
    let Some(token) = token.filter(|token| token.council_id == *council) else {
        return uninvited(tx, context, council, seen, "it shows none of Beadle's codes");
    };
    let invitation = store::invitations::find_of_council(tx, council, &token.invitation_id)?
        .ok_or_else(|| Error::internal("a token's invitation is missing"))?;
    if token.state == AndroidTokenState::Used || invitation.state == InvitationState::Used {
        return uninvited(tx, context, council, seen, "its code was used by another phone already");
    }
    if invitation.state != InvitationState::Accepted {
        return uninvited(tx, context, council, seen, "its invitation was taken back");
    }
    let udid = known_by(tx, council, seen)?;
    let newcomer = Newcomer {
        invitation: &invitation,
        udid: &udid,
        mode: stored_mode(mode, &invitation),
        mode_disagrees: mode != invitation.mode,
        fingerprint: &fingerprint(&seen.name),
        topic: None,
        identity_not_after: None,
        says: &seen.description,
        details: json!({ "google": seen.name, "reported_mode": mode }),
    };
    let enrolment = match enrolments::enrol(tx, context, &newcomer)? {
        Outcome::Enrolled(enrolment) => enrolment,
        Outcome::Misuse(why) => return uninvited(tx, context, council, seen, why),
    };
    store::android_enrolments::insert(
        tx,
        &AndroidEnrolment {
            council_id: council.clone(),
            enrolment_id: enrolment.id.clone(),
            device_name: seen.name.clone(),
            posture: Posture::Everyday,
            posture_sent: Posture::Everyday,
            api_level: seen.api_level,
            google_state: seen.state.clone(),
            reported_at: seen.reported_at,
            read_at: context.now,
        },
    )?;
    store::android_tokens::end(tx, &token, AndroidTokenState::Used, context.now)?;
    if !store::invitations::mark_used(tx, &invitation, context.now)? {
        return Err(Error::internal("an invitation was used twice under the council's lock"));
    }
    store::enrolments::mark_enrolled(tx, &enrolment, context.now)?;
    Ok(Some(Enrolment { state: EnrolmentState::Enrolled, enrolled_at: Some(context.now), ..*enrolment }))
}

/// What the phone is known by here: the name it had at Google when it first came, so that a phone that enrols again is the
/// same device in a new generation.
fn known_by(tx: &mut Transaction<'_>, council: &CouncilId, seen: &Seen) -> Result<String> {
    for name in &seen.previous_names {
        if let Some(row) = store::android_enrolments::find_by_device(tx, name)?.filter(|row| row.council_id == *council)
            && let Some(earlier) = store::enrolments::find(tx, council, &row.enrolment_id)?
            && let Some(device) = store::devices::find(tx, &earlier.device_id)?
        {
            return Ok(device.udid);
        }
    }
    Ok(seen.name.clone())
}

/// The database keeps personal modes to personal phones. A council's phone that came with a work profile "on a personal
/// device" is stored as invited, and its disagreement keeps every order from it until somebody resolves it.
fn stored_mode(reported: Mode, invitation: &Invitation) -> Mode {
    if reported.is_personal() && invitation.ownership == Ownership::Council { invitation.mode } else { reported }
}

fn uninvited(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    seen: &Seen,
    why: &str,
) -> Result<Option<Enrolment>> {
    let enterprise = enterprise_of(&seen.name).unwrap_or_default();
    let message = format!(
        "A phone enrolled at Google ({}) that Beadle does not manage: {why}. Find out whose it is; it can be removed in \
         Google's console of {enterprise}.",
        seen.name
    );
    alerts::raise(tx, context, council, UNINVITED, &seen.name, &message)?;
    Ok(None)
}
