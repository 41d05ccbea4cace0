//! TokenUpdate: where a device can be woken, and that it is under management.

use chrono::Duration;
use serde_json::json;

use super::{Identified, Outcome, adopt_renewal, as_device, identify_locked, refuse_misuse, topic};
use crate::error::{Error, Result};
use crate::model::{CouncilId, EnrolmentId, EnrolmentState, Mode};
use crate::operations::{Context, alerts, audit, commands, jobs, orders, reports};
use crate::store::enrolments::{Enrolment, Tokens};
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
    let enrolment = match identify_locked(tx, council, fingerprint, device)? {
        Identified::Refused(reason) => return Ok(Outcome::Refused(reason)),
        Identified::Misused(certificate, how) => return refuse_misuse(tx, context, &certificate, how),
        Identified::Pinned(caller) => caller.enrolment,
        Identified::Renewed(caller, certificate) => {
            let enrolment = caller.enrolment;
            adopt_renewal(tx, &as_device(context, &enrolment), &enrolment, &certificate)?;
            enrolment
        }
    };
    if enrolment.id != change.sealed_for {
        return Err(Error::Unavailable("the enrolment changed while its tokens were sealed".to_owned()));
    }
    let context = &as_device(context, &enrolment);
    if let Some(unfit) = topic::check(tx, context, council, change.topic.as_deref(), enrolment.id.as_str())? {
        return Ok(unfit);
    }
    let tokens = Tokens {
        topic: change.topic.as_deref(),
        push_token: &change.push_token,
        sealed_push_magic: &change.sealed_push_magic,
        sealed_unlock_token: change.sealed_unlock_token.as_deref(),
    };
    store::enrolments::set_tokens(tx, &enrolment, &tokens, context.now)?;
    store::enrolments::touch(tx, &enrolment.council_id, &enrolment.id, context.now)?;
    // A phone that erased itself does not speak as the same enrolment any more.
    orders::on_idle(tx, context, &enrolment)?;
    reachable_again(tx, context, &enrolment, change)?;
    if enrolment.state == EnrolmentState::Authenticated
        && store::enrolments::mark_enrolled(tx, &enrolment, context.now)?
    {
        enrolled(tx, context, &enrolment, change.awaiting_configuration)?;
    }
    Ok(Outcome::Done)
}

/// What waited while the device could not be woken under its former token or topic can be pushed now.
fn reachable_again(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    change: &TokenChange,
) -> Result<()> {
    let council = &enrolment.council_id;
    if enrolment.push_retired_at.is_some() {
        alerts::end(tx, context, council, jobs::PUSH_RETIRED, enrolment.id.as_str())?;
    }
    let same_token = enrolment.push_token.as_deref() == Some(change.push_token.as_str());
    let same_topic = change.topic.is_none() || change.topic == enrolment.topic;
    if enrolment.push_retired_at.is_none() && same_token && same_topic {
        return Ok(());
    }
    jobs::wake(tx, context, council, &enrolment.id)
}

/// The device is under management from now on: it is told the policy, and asked what only the first days can answer.
fn enrolled(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, awaits: bool) -> Result<()> {
    let (council, id) = (&enrolment.council_id, &enrolment.id);
    let enrolment = store::enrolments::find(tx, council, id)?.ok_or(Error::NotFound("enrolment"))?;
    let details = json!({ "device": enrolment.device_id, "mode": enrolment.mode });
    audit::record(tx, context, council, "device enrolled", enrolment.id.as_str(), details)?;
    reports::refresh(tx, context, &enrolment)?;
    commands::ask_for_bypass_code(tx, context, &enrolment)?;
    if awaits && enrolment.mode == Mode::Supervised {
        commands::queue(tx, context, &enrolment, &configured())?;
    }
    Ok(())
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
