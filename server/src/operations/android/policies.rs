//! A council's policy at Google: one for each mode and posture in use, sent only where it differs from what Google has.

use serde_json::{Value, json};

use super::super::{Context, alerts, audit, jobs, policies as council_policies};
use crate::error::{Error, Result};
use crate::keys::{Keys, sha256_hex};
use crate::model::{CouncilId, Mode, Posture};
use crate::store::android_policies::{AndroidPolicy, Taken};
use crate::store::councils::Council;
use crate::store::policies::PolicyVersion;
use crate::store::policy_secrets::PolicySecret;
use crate::store::{self, Transaction};

/// The alert about a policy that Google refused.
const REFUSED: &str = "policy_refused_by_google";

/// A policy that Google may have to be given.
#[derive(Debug)]
pub struct ToSend {
    /// What Google has.
    pub row: AndroidPolicy,
    /// The policy's name at Google.
    pub name: String,
    /// Whether it goes out although Google is thought to have it.
    pub forced: bool,
    council: Council,
    version: PolicyVersion,
    secrets: Vec<PolicySecret>,
}

/// What is to be sent.
#[derive(Debug)]
pub struct Compiled {
    /// Google's `Policy`; holds Wi-Fi passwords.
    pub policy: Value,
    /// SHA-256 of it.
    pub digest: String,
}

/// Queues the job that brings a council's policy to Google, where the council is connected.
pub fn put(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<()> {
    if store::google_enterprises::current(tx, council)?.is_none() {
        return Ok(());
    }
    let key = job_key(council);
    jobs::queue(tx, context, super::PUT_POLICIES, json!({ "council": council }), context.now, Some(&key))
}

/// The key under which a council's policies are queued for Google.
pub(super) fn job_key(council: &CouncilId) -> String {
    format!("android_policies:{council}")
}

/// The name at Google of the policy for a mode and posture.
#[must_use]
pub fn name(enterprise: &str, mode: Mode, posture: Posture) -> String {
    beadle_enrollment::android::policy_name(enterprise, mode.as_str(), posture.as_str())
}

/// Every policy of a council whose version Google does not have yet, with what it is made of. Each has its row first.
pub fn to_send(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Vec<ToSend>> {
    let mut found = Vec::new();
    for mode in store::android_policies::modes_in_use(tx, council, context.now)? {
        found.extend(to_send_for(tx, context, council, mode)?);
    }
    Ok(found)
}

/// The same for one mode, in use or about to be.
pub fn to_send_for(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    mode: Mode,
) -> Result<Vec<ToSend>> {
    let Some(enterprise) = store::google_enterprises::current(tx, council)? else { return Ok(Vec::new()) };
    let Some(version) = store::policies::current(tx, council)? else { return Ok(Vec::new()) };
    let Some(row) = store::councils::find(tx, council)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for posture in Posture::ALL {
        let to_send = of_posture(tx, context, &enterprise.name, &row, &version, mode, *posture)?;
        found.extend(to_send.filter(|it| {
            it.row.sent_version != Some(version.version) && it.row.refused_version != Some(version.version)
        }));
    }
    Ok(found)
}

/// One policy, whether or not Google is thought to have it.
pub fn again(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    mode: Mode,
    posture: Posture,
) -> Result<Option<ToSend>> {
    let Some(enterprise) = store::google_enterprises::current(tx, council)? else { return Ok(None) };
    let Some(version) = store::policies::current(tx, council)? else { return Ok(None) };
    let Some(row) = store::councils::find(tx, council)? else { return Ok(None) };
    let to_send = of_posture(tx, context, &enterprise.name, &row, &version, mode, posture)?;
    Ok(to_send.map(|to_send| ToSend { forced: true, ..to_send }))
}

fn of_posture(
    tx: &mut Transaction<'_>,
    context: &Context,
    enterprise: &str,
    council: &Council,
    version: &PolicyVersion,
    mode: Mode,
    posture: Posture,
) -> Result<Option<ToSend>> {
    store::android_policies::ensure(tx, &council.id, mode, posture, context.now)?;
    let Some(row) = store::android_policies::find(tx, &council.id, mode, posture)? else { return Ok(None) };
    Ok(Some(ToSend {
        name: name(enterprise, mode, posture),
        forced: false,
        row,
        council: council.clone(),
        secrets: council_policies::secrets_of(tx, version)?,
        version: version.clone(),
    }))
}

/// Compiles a policy; opens seals, so not inside a transaction.
///
/// # Errors
/// `Invalid` naming the setting that cannot be sent.
pub fn compile(keys: &Keys, to_send: &ToSend) -> Result<Compiled> {
    let policy = council_policies::compile_android(
        keys,
        &to_send.council,
        to_send.row.mode,
        to_send.row.posture,
        &to_send.version,
        &to_send.secrets,
    )?;
    let digest = sha256_hex(policy.to_string().as_bytes());
    Ok(Compiled { policy, digest })
}

/// What is certain after a policy was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Google has it.
    There,
    /// Another sender's patch of the same policy was under way at the same time: which of the two Google has is not known, so the
    /// policy is to be sent once more.
    Crossed,
}

/// Google took it, or has it already (`google_version` is then the number it had).
///
/// Nothing keeps two senders of one policy apart for as long as a call may take, so each compares what it found before its call
/// with what stands there after it. Who finds that somebody else came between does not say which of the two Google has.
pub fn taken(
    tx: &mut Transaction<'_>,
    context: &Context,
    to_send: &ToSend,
    digest: &str,
    google_version: i64,
) -> Result<Sent> {
    let row = &to_send.row;
    audit::lock(tx, &row.council_id)?;
    let version = to_send.version.version;
    let now = store::android_policies::find(tx, &row.council_id, row.mode, row.posture)?;
    let now = now.ok_or_else(|| Error::internal("the row of a policy at Google is missing"))?;
    let same = now.sent_version == Some(version) && now.sent_digest.as_deref() == Some(digest);
    if !same && has_moved(row, &now) {
        lost_sight(tx, context, &now)?;
        return Ok(Sent::Crossed);
    }
    // Where two sent the same, the later number is the one that phones will report.
    let google_version =
        if has_moved(row, &now) { now.google_version.unwrap_or(0).max(google_version) } else { google_version };
    let taken = Taken { version, digest, google_version };
    store::android_policies::taken(tx, row, &taken, context.now)?;
    let subject = format!("{}-{}", row.mode, row.posture);
    alerts::end(tx, context, &row.council_id, REFUSED, &subject)?;
    Ok(Sent::There)
}

/// The answer was lost, or never came: Google may have it, now or a little later.
pub fn unclear(tx: &mut Transaction<'_>, context: &Context, to_send: &ToSend) -> Result<()> {
    let row = &to_send.row;
    audit::lock(tx, &row.council_id)?;
    let Some(now) = store::android_policies::find(tx, &row.council_id, row.mode, row.posture)? else { return Ok(()) };
    if has_moved(row, &now) {
        return lost_sight(tx, context, &now);
    }
    // Whoever sends another version at this moment finds by this that it was not alone.
    store::android_policies::uncertain(tx, &now, context.now)
}

fn has_moved(before: &AndroidPolicy, now: &AndroidPolicy) -> bool {
    (before.sent_version, &before.sent_digest, before.google_version)
        != (now.sent_version, &now.sent_digest, now.google_version)
}

fn lost_sight(tx: &mut Transaction<'_>, context: &Context, row: &AndroidPolicy) -> Result<()> {
    store::android_policies::unknown(tx, row, context.now)?;
    put(tx, context, &row.council_id)
}

/// Google refused it: phones keep what they had, and nobody is shown that the new one is in force.
pub fn refused(tx: &mut Transaction<'_>, context: &Context, to_send: &ToSend, problem: &str) -> Result<()> {
    let row = &to_send.row;
    store::android_policies::refused(tx, row, to_send.version.version, problem, context.now)?;
    let message = format!(
        "Google refused version {} of the policy for {} ({}): {problem} Phones keep the version they have. Change the policy, \
         or tell the provider.",
        to_send.version.version, row.mode, row.posture
    );
    let subject = format!("{}-{}", row.mode, row.posture);
    alerts::raise(tx, context, &row.council_id, REFUSED, &subject, &message)
}
