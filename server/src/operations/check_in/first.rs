//! The first Authenticate with a certificate: a phone becomes an asset, in a new generation.

use chrono::Duration;
use serde_json::json;

use super::Outcome;
use super::authenticate::Arrival;
use super::misuse::misuse;
use crate::error::{Error, Result};
use crate::model::{InvitationState, Mode};
use crate::operations::Context;
use crate::operations::enrolments::{self, Newcomer};
use crate::store::certificates::Certificate;
use crate::store::invitations::Invitation;
use crate::store::{self, Transaction};

/// How long after its invitation's end a phone that has its certificate may still finish enrolling.
const FINISHING: Duration = Duration::hours(1);

/// The first Authenticate with a certificate.
pub(super) fn first(
    tx: &mut Transaction<'_>,
    context: &Context,
    certificate: &Certificate,
    invitation: &Invitation,
    udid: &str,
    arrival: &Arrival,
) -> Result<Outcome> {
    match invitation.state {
        InvitationState::Accepted => {}
        InvitationState::Used => {
            return misuse(tx, context, certificate, "a second device tried to enrol with an invitation that was used");
        }
        InvitationState::Open | InvitationState::Withdrawn => {
            return Ok(Outcome::Refused("the invitation no longer stands"));
        }
    }
    if context.now > invitation.expires_at + FINISHING {
        return Ok(Outcome::Refused("the invitation has expired"));
    }
    let newcomer = Newcomer {
        invitation,
        udid,
        mode: invitation.mode,
        mode_disagrees: arrival.user_enrolment != (invitation.mode == Mode::User),
        fingerprint: &certificate.fingerprint,
        topic: arrival.topic.clone(),
        identity_not_after: Some(certificate.not_after),
        says: &arrival.description,
        details: json!({ "certificate": certificate.serial }),
    };
    let new = match enrolments::enrol(tx, context, &newcomer)? {
        enrolments::Outcome::Enrolled(new) => new,
        enrolments::Outcome::Misuse(problem) => return misuse(tx, context, certificate, problem),
    };
    if !store::certificates::bind(tx, certificate, &new.id)?
        || !store::invitations::mark_used(tx, invitation, context.now)?
    {
        return Err(Error::internal("a certificate or invitation was used twice under the council's lock"));
    }
    Ok(Outcome::Done)
}
