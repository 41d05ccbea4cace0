//! A council's policy at Google: one for each mode and posture in use, sent only where it differs from what Google has.

use serde_json::{Value, json};

use super::super::{Context, alerts, jobs, policies as council_policies};
use crate::error::Result;
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
    let key = format!("android_policies:{council}");
    jobs::queue(tx, context, super::PUT_POLICIES, json!({ "council": council }), context.now, Some(&key))
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
    of_posture(tx, context, &enterprise.name, &row, &version, mode, posture)
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

/// Google took it, or has it already (`google_version` is then the number it had).
pub fn taken(
    tx: &mut Transaction<'_>,
    context: &Context,
    to_send: &ToSend,
    digest: &str,
    google_version: i64,
) -> Result<()> {
    let taken = Taken { version: to_send.version.version, digest, google_version };
    store::android_policies::taken(tx, &to_send.row, &taken, context.now)?;
    let subject = format!("{}-{}", to_send.row.mode, to_send.row.posture);
    alerts::end(tx, context, &to_send.row.council_id, REFUSED, &subject)
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
