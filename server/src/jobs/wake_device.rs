//! Wakes a device by push, again and again while something waits for it.

use chrono::Duration;
use zeroize::Zeroizing;

use super::Bench;
use super::outcome::{Failure, Next, payload};
use crate::error::{Error, Result};
use crate::model::{EnrolmentState, Moment, Platform};
use crate::operations::jobs::{PUSH_RETIRED, Wake};
use crate::operations::{Context, alerts, audit, orders};
use crate::platform::apple::push::{Credential, Outcome, Push};
use crate::sealing::Purpose;
use crate::store::enrolments::Enrolment;
use crate::store::jobs::Job;
use crate::store::push_certificates::PushCertificate;
use crate::store::{self, Transaction};

/// Commands above this number (inventory) can wait for the daily push.
const URGENT: i64 = 30;
/// A refused push is tried again after this: a person has to act first.
const AFTER_REFUSAL: Duration = Duration::hours(6);
/// Without a push certificate there is nothing to send; it may be imported at any time.
const WITHOUT_CERTIFICATE: Duration = Duration::hours(1);

/// The alert about pushes that this enrolment cannot be sent.
const REFUSED: &str = "push_refused";

/// When to push again after so many accepted pushes that the device did not heed.
fn repeat_after(pushes: u32, urgent: bool) -> Duration {
    match pushes {
        ..=1 if urgent => Duration::seconds(30),
        2 if urgent => Duration::minutes(2),
        3 if urgent => Duration::minutes(8),
        4 if urgent => Duration::minutes(30),
        _ => Duration::days(1),
    }
}

/// What is to be done for an enrolment now.
enum Plan {
    /// Nothing waits, or nobody can be woken.
    Nothing,
    /// Something waits, but not before this time.
    Later(Moment),
    /// No certificate serves the enrolment's topic.
    NoCertificate(Box<Enrolment>, String),
    /// Push.
    Push(Box<Ready>),
}

struct Ready {
    enrolment: Enrolment,
    certificate: PushCertificate,
    token: String,
    topic: String,
    urgent: bool,
}

pub(super) async fn run(bench: &Bench, job: &Job) -> Result<Next, Failure> {
    let wake: Wake = payload(job)?;
    let context = bench.context();
    let (asked, seen) = (wake.clone(), context.clone());
    let of = wake.clone();
    let platform = bench
        .app
        .database
        .read("whose device", move |tx| {
            Ok(store::wake::enrolment(tx, &of.council, &of.enrolment)?.map(|enrolment| enrolment.platform))
        })
        .await?;
    match platform {
        None => return Ok(Next::Done),
        Some(Platform::Android) => return super::android::send(bench, &wake).await,
        Some(Platform::Apple) => {}
    }
    let plan = bench.app.database.read("plan a push", move |tx| plan(tx, &seen, &asked)).await?;
    let ready = match plan {
        Plan::Nothing => return Ok(Next::Done),
        Plan::Later(at) => return again(&wake, at),
        Plan::NoCertificate(enrolment, message) => {
            let at = context.now + WITHOUT_CERTIFICATE;
            bench
                .app
                .database
                .write("no push certificate", move |tx| {
                    let council = &enrolment.council_id;
                    alerts::raise(tx, &context, council, alerts::NO_CERTIFICATE, council.as_str(), &message)
                })
                .await?;
            return again(&wake, at);
        }
        Plan::Push(ready) => ready,
    };
    let (credential, magic) = open(bench, &ready)?;
    let push = Push { token: &ready.token, topic: &ready.topic, magic: &magic };
    let outcome = bench.push.push(&credential, &push, context.now).await?;
    tracing::debug!(enrolment = %ready.enrolment.id, ?outcome, "push");
    record(bench, &wake, *ready, outcome).await
}

fn again(wake: &Wake, at: Moment) -> Result<Next, Failure> {
    let payload = serde_json::to_string(wake).map_err(Error::from)?;
    Ok(Next::Again { at, payload })
}

fn plan(tx: &mut Transaction<'_>, context: &Context, wake: &Wake) -> Result<Plan> {
    let Some(enrolment) = store::wake::enrolment(tx, &wake.council, &wake.enrolment)? else {
        return Ok(Plan::Nothing);
    };
    if enrolment.state == EnrolmentState::Ended || enrolment.push_retired_at.is_some() {
        return Ok(Plan::Nothing);
    }
    // Without tokens it is not reachable yet; it comes by itself, and TokenUpdate wakes it if need be.
    let (Some(token), Some(topic), Some(_)) =
        (enrolment.push_token.clone(), enrolment.topic.clone(), &enrolment.sealed_push_magic)
    else {
        return Ok(Plan::Nothing);
    };
    let ordered = orders::claimable(tx, context, &enrolment)?;
    let waiting = store::wake::waiting(tx, &enrolment, context.now)?;
    let due = waiting.iter().find(|waiting| waiting.from <= context.now);
    if !ordered && due.is_none() {
        let put_off = orders::offered_again_at(tx, context, &enrolment)?;
        let next = waiting.iter().map(|waiting| waiting.from).chain(put_off).min();
        return Ok(next.map_or(Plan::Nothing, Plan::Later));
    }
    let urgent = ordered || due.is_some_and(|waiting| waiting.priority <= URGENT);
    let none = |text: String| Ok(Plan::NoCertificate(Box::new(enrolment.clone()), text));
    let Some(certificate) = store::push_certificates::serving(tx, &enrolment.council_id, &topic)? else {
        return none(
            "A phone cannot be woken: the push certificate it enrolled with is no longer here. Import it again \
                     (apple push-status shows which), or let the phone enrol again."
                .to_owned(),
        );
    };
    if certificate.not_after.is_some_and(|end| end <= context.now) {
        let account = certificate.apple_account.as_deref().unwrap_or("unknown");
        return none(format!(
            "The push certificate has run out: no phone can be woken, and losses reported now reach a phone only when it \
             calls by itself. Renew it with the Apple Account {account}."
        ));
    }
    Ok(Plan::Push(Box::new(Ready { enrolment, certificate, token, topic, urgent })))
}

fn open(bench: &Bench, ready: &Ready) -> Result<(Credential, Zeroizing<String>)> {
    let (sealer, council) = (&bench.app.keys.sealer, ready.enrolment.council_id.as_str());
    let certificate = &ready.certificate;
    let pem = certificate.certificate_pem.clone().unwrap_or_default();
    let fingerprint = crate::keys::sha256_hex(pem.as_bytes());
    let key = sealer.open(Purpose::PushKey, council, certificate.id.as_str(), &certificate.sealed_key)?;
    let sealed = ready.enrolment.sealed_push_magic.as_deref().unwrap_or_default();
    let magic = sealer.open(Purpose::PushMagic, council, ready.enrolment.id.as_str(), sealed)?;
    let magic = String::from_utf8(magic.to_vec()).map_err(|_| Error::internal("the push magic is no text"))?;
    let credential =
        Credential { id: certificate.id.to_string(), fingerprint, certificate_pem: pem, private_key_der: key };
    Ok((credential, Zeroizing::new(magic)))
}

async fn record(bench: &Bench, wake: &Wake, ready: Ready, outcome: Outcome) -> Result<Next, Failure> {
    let context = bench.context();
    let now = context.now;
    match outcome {
        Outcome::Accepted => {
            let next = Wake { pushes: wake.pushes.saturating_add(1), ..wake.clone() };
            let at = now + repeat_after(next.pushes, ready.urgent);
            bench
                .app
                .database
                .write("pushed", move |tx| {
                    let Ready { enrolment, .. } = &ready;
                    let council = &enrolment.council_id;
                    audit::lock(tx, council)?;
                    orders::on_pushed(tx, &context, enrolment)?;
                    alerts::end(tx, &context, council, REFUSED, enrolment.id.as_str())?;
                    alerts::end(tx, &context, council, PUSH_RETIRED, enrolment.id.as_str())?;
                    alerts::end(tx, &context, council, alerts::NO_CERTIFICATE, council.as_str())
                })
                .await?;
            again(&next, at)
        }
        Outcome::Retired { since } => {
            let retired =
                bench.app.database.write("retire a token", move |tx| retire(tx, &context, &ready, since)).await?;
            // A token that came since is worth a push of its own.
            if retired { Ok(Next::Done) } else { again(wake, now + Duration::seconds(30)) }
        }
        Outcome::TryLater { problem, after_seconds } => {
            let after = after_seconds.and_then(|seconds| i64::try_from(seconds).ok()).map(Duration::seconds);
            Err(Failure {
                problem: format!("the push service: {problem}"),
                after: after.map(|it| it.min(Duration::hours(6))),
                key_refused: None,
            })
        }
        Outcome::Refused { status, reason } => {
            let message = refusal(status, &reason);
            bench
                .app
                .database
                .write("push refused", move |tx| {
                    let enrolment = &ready.enrolment;
                    alerts::raise(tx, &context, &enrolment.council_id, REFUSED, enrolment.id.as_str(), &message)
                })
                .await?;
            again(wake, now + AFTER_REFUSAL)
        }
    }
}

/// Retires the token, unless the device sent it again after the push service last knew it to be invalid.
fn retire(tx: &mut Transaction<'_>, context: &Context, ready: &Ready, since: Option<Moment>) -> Result<bool> {
    audit::lock(tx, &ready.enrolment.council_id)?;
    let Some(enrolment) = store::wake::enrolment(tx, &ready.enrolment.council_id, &ready.enrolment.id)? else {
        return Ok(true);
    };
    let sent = enrolment.push_token_at.unwrap_or(enrolment.authenticated_at);
    // The push service's clock counts whole seconds here.
    if since.is_some_and(|since| since.unix() < sent.unix()) {
        return Ok(false);
    }
    if !store::wake::retire_token(tx, &enrolment, &ready.token, context.now)? {
        return Ok(false);
    }
    let message = "Apple's push service says that this phone can no longer be woken: management was removed, or the phone \
                   was erased or replaced. Ask the holder; what waits for it is kept until it calls by itself.";
    alerts::raise(tx, context, &enrolment.council_id, PUSH_RETIRED, enrolment.id.as_str(), message)?;
    Ok(true)
}

fn refusal(status: u16, reason: &str) -> String {
    let advice = match reason {
        "BadDeviceToken" | "DeviceTokenNotForTopic" => {
            "The phone's token does not belong to this push certificate: the phone enrolled under another one. Let it enrol \
             again, or import the certificate it enrolled with."
        }
        "BadCertificate" | "BadCertificateEnvironment" | "MissingProviderToken" | "Forbidden" => {
            "The push certificate is not accepted: it was revoked or replaced. Renew it with the Apple Account that made it."
        }
        "BadTopic" | "MissingTopic" | "TopicDisallowed" => {
            "The push certificate and the phone's topic do not fit. Check apple push-status."
        }
        _ => "Look at the server's log, and at Apple's system status page.",
    };
    format!("A phone cannot be woken: Apple's push service refused ({status} {reason}). {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urgent_pushes_are_repeated_soon_and_then_daily() {
        let waits: Vec<i64> = (1..=6).map(|pushes| repeat_after(pushes, true).num_seconds()).collect();
        assert_eq!(waits, [30, 120, 480, 1800, 86400, 86400]);
        assert_eq!(repeat_after(1, false), Duration::days(1));
    }
}
