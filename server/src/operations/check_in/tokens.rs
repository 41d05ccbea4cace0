//! TokenUpdate: where a device can be woken, and that it is under management.

use chrono::Duration;
use serde_json::json;

use super::{Identified, Outcome, adopt_renewal, as_device, identify};
use crate::error::{Error, Result};
use crate::model::{CouncilId, EnrolmentId, EnrolmentState, Mode};
use crate::operations::{Context, alerts, audit, commands, jobs, reports};
use crate::store::enrolments::Tokens;
use crate::store::{self, Transaction};

/// What a TokenUpdate says; the secrets are sealed for the enrolment `sealed_for` already.
#[derive(Clone, Debug)]
pub struct TokenChange {
    /// The enrolment whose id the secrets are bound to.
    pub sealed_for: EnrolmentId,
    /// The push topic, if the message has one.
    pub topic: Option<String>,
    /// The push token, hexadecimal.
    pub push_token: String,
    /// PushMagic, sealed.
    pub sealed_push_magic: Vec<u8>,
    /// UnlockToken, sealed; only when the message has one.
    pub sealed_unlock_token: Option<Vec<u8>>,
    /// Whether Automated Device Enrollment waits for DeviceConfigured.
    pub awaiting_configuration: bool,
}

/// TokenUpdate: where the device can be woken. The first after Authenticate means that it is under management.
pub fn token_update(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    fingerprint: &str,
    device: Option<&str>,
    change: &TokenChange,
) -> Result<Outcome> {
    let enrolment = match identify(tx, council, fingerprint, device)? {
        Identified::Refused(reason) => return Ok(Outcome::Refused(reason)),
        Identified::Pinned(enrolment) => enrolment,
        Identified::Renewed(enrolment, certificate) => {
            adopt_renewal(tx, &as_device(context, &enrolment), &enrolment, &certificate)?;
            enrolment
        }
    };
    if enrolment.id != change.sealed_for {
        return Err(Error::Unavailable("the enrolment changed while its tokens were sealed".to_owned()));
    }
    let context = &as_device(context, &enrolment);
    let tokens = Tokens {
        topic: change.topic.as_deref(),
        push_token: &change.push_token,
        sealed_push_magic: &change.sealed_push_magic,
        sealed_unlock_token: change.sealed_unlock_token.as_deref(),
    };
    store::enrolments::set_tokens(tx, &enrolment, &tokens, context.now)?;
    store::enrolments::touch(tx, &enrolment, context.now)?;
    if enrolment.state != EnrolmentState::Authenticated {
        // What waited while the push service refused the former token can be pushed again.
        if enrolment.push_retired_at.is_some() {
            alerts::end(tx, context, council, jobs::PUSH_RETIRED, enrolment.id.as_str())?;
            jobs::wake(tx, context, council, &enrolment.id)?;
        }
        return Ok(Outcome::Done);
    }
    audit::lock(tx, council)?;
    if store::enrolments::mark_enrolled(tx, &enrolment, context.now)? {
        let enrolment = store::enrolments::find(tx, council, &enrolment.id)?.ok_or(Error::NotFound("enrolment"))?;
        let details = json!({ "device": enrolment.device_id, "mode": enrolment.mode });
        audit::record(tx, context, council, "device enrolled", enrolment.id.as_str(), details)?;
        reports::refresh(tx, context, &enrolment)?;
        if change.awaiting_configuration && enrolment.mode == Mode::Supervised {
            commands::queue(tx, context, &enrolment, &configured())?;
        }
    }
    Ok(Outcome::Done)
}

/// After everything else that is queued at enrolment: the set-up assistant goes on.
fn configured() -> commands::NewCommand {
    commands::NewCommand {
        kind: crate::model::CommandKind::DeviceConfigured,
        payload: json!({}),
        priority: 90,
        case: None,
        expires_in: Duration::days(7),
        supersede_key: Some("device_configured"),
    }
}
