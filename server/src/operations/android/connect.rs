//! A council's connection to Google: the installation's project, the sign-up of a council, its enterprise, its end.

use chrono::Duration;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::super::{Context, alerts, audit, jobs};
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::model::{CouncilId, EnterpriseId, Mode, Moment, Permission, Posture, SignUpId};
use crate::sealing::Purpose;
use crate::store::google_enterprises::Enterprise;
use crate::store::google_projects::GoogleProject;
use crate::store::google_sign_ups::SignUp;
use crate::store::{self, Transaction};

/// How long somebody may take on Google's sign-up page.
const SIGN_UP_STANDS: Duration = Duration::hours(2);

/// A project whose key was tried at Google, the key sealed for its row.
#[derive(Debug)]
pub struct Tried {
    /// Google's id of the project.
    pub project: String,
    /// The service account that the key is for.
    pub client_email: String,
    sealed_key: Vec<u8>,
}

/// Seals the key file of a project; not inside a transaction.
///
/// # Errors
/// `Internal` where sealing fails.
pub fn seal(keys: &Keys, project: &str, client_email: &str, key_file: &[u8]) -> Result<Tried> {
    let sealed_key = keys.sealer.seal(Purpose::GoogleKey, "installation", project, key_file)?;
    Ok(Tried { project: project.to_owned(), client_email: client_email.to_owned(), sealed_key })
}

/// Keeps a project's key, in place of an earlier key of the same project.
///
/// # Errors
/// `Forbidden` for anybody but the provider; `Conflict` for another project while councils are connected through this one,
/// since an enterprise cannot move.
pub fn set_project(tx: &mut Transaction<'_>, context: &Context, tried: &Tried) -> Result<()> {
    context.actor.require_installation(Permission::Installation)?;
    // Whoever has the project has every Android phone of it, past all that Beadle asks for.
    context.actor.require_fresh(context.now)?;
    store::audit::lock_head(tx, audit::INSTALLATION)?;
    let by = context.actor.label();
    match store::google_projects::find(tx)? {
        Some(project) if project.id == tried.project => {
            store::google_projects::set_key(
                tx,
                &tried.project,
                &tried.client_email,
                &tried.sealed_key,
                &by,
                context.now,
            )?;
        }
        Some(project) => {
            return Err(Error::conflict(format!(
                "this installation uses the project {}; a council's enterprise cannot move to another project",
                project.id
            )));
        }
        None => store::google_projects::insert(
            tx,
            &GoogleProject {
                id: tried.project.clone(),
                slot: 1,
                client_email: tried.client_email.clone(),
                sealed_key: tried.sealed_key.clone(),
                notifications_ready: false,
                paced_until: context.now,
                connected_by: by,
                connected_at: context.now,
                changed_at: context.now,
            },
        )?,
    }
    // What an earlier key was refused for is tried with this one at once, and what waits is let go where it works.
    let key = format!("schedule:{}", super::RECONCILE);
    if store::jobs::hasten(tx, &[key], context.now)? > 0 {
        tx.nudge_jobs();
    }
    let details = json!({ "project": tried.project, "account": tried.client_email });
    audit::record_installation(tx, context, "google.project_connected", &tried.project, details)
}

/// Topic and subscription for notifications exist.
pub fn notifications_ready(tx: &mut Transaction<'_>, context: &Context, project: &str) -> Result<()> {
    store::google_projects::set_notifications_ready(tx, project, true)?;
    jobs::queue(tx, context, super::NOTIFICATIONS, json!(null), context.now, Some("schedule:android_notifications"))
}

/// Begins a sign-up: written down before Google is asked.
///
/// # Errors
/// `Conflict` where the council is connected already, or the installation has no project.
pub fn begin(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, state_hash: &str) -> Result<SignUp> {
    context.actor.require(Permission::Settings, council)?;
    context.actor.require_fresh(context.now)?;
    audit::lock(tx, council)?;
    if store::google_projects::find(tx)?.is_none() {
        return Err(Error::conflict(
            "the installation has no project at Google yet: the provider connects one with its service-account key",
        ));
    }
    if let Some(enterprise) = store::google_enterprises::current(tx, council)? {
        return Err(Error::conflict(format!("the council is connected to Google already, as {}", enterprise.name)));
    }
    let sign_up = SignUp {
        council_id: council.clone(),
        id: SignUpId::new(),
        state_hash: state_hash.to_owned(),
        name: None,
        requested_by: context.actor.label(),
        requested_at: context.now,
        expires_at: context.now + SIGN_UP_STANDS,
        completed_at: None,
    };
    store::google_sign_ups::insert(tx, &sign_up)?;
    audit::record(tx, context, council, "google.sign_up_begun", sign_up.id.as_str(), json!({}))?;
    Ok(sign_up)
}

/// Google named the sign-up.
pub fn named(tx: &mut Transaction<'_>, sign_up: &SignUp, name: &str) -> Result<()> {
    store::google_sign_ups::set_name(tx, sign_up, name)
}

/// A visitor came back from Google's page with this state.
///
/// # Errors
/// `NotFound` for a state that Beadle never made; `Conflict` for one that was used or has run out.
pub fn returned(tx: &mut Transaction<'_>, now: Moment, state_hash: &str) -> Result<SignUp> {
    let sign_up = store::google_sign_ups::find_by_state(tx, state_hash)?.ok_or(Error::NotFound("sign-up"))?;
    if sign_up.completed_at.is_some() {
        return Err(Error::conflict("this sign-up is finished: the council is connected"));
    }
    if now > sign_up.expires_at || sign_up.name.is_none() {
        return Err(Error::conflict("this sign-up has run out; begin a new one"));
    }
    Ok(sign_up)
}

/// Google made the council's enterprise.
///
/// # Errors
/// `Conflict` for an enterprise that serves another council (W6), or a sign-up finished meanwhile.
pub fn complete(tx: &mut Transaction<'_>, context: &Context, sign_up: &SignUp, enterprise: &str) -> Result<()> {
    let council = &sign_up.council_id;
    audit::lock(tx, council)?;
    if let Some(known) = store::google_enterprises::find_by_name(tx, enterprise)? {
        if known.council_id != *council {
            let message = "Google's sign-up led to an enterprise that serves another council; nothing was connected.";
            alerts::raise(tx, context, council, "google_enterprise_taken", council.as_str(), message)?;
        }
        return Err(Error::conflict("this enterprise at Google was connected before; begin a new sign-up"));
    }
    if !store::google_sign_ups::complete(tx, sign_up, context.now)? {
        return Err(Error::conflict("this sign-up is finished: the council is connected"));
    }
    let project =
        store::google_projects::find(tx)?.ok_or_else(|| Error::conflict("the installation's project is gone"))?;
    store::google_enterprises::insert(
        tx,
        &Enterprise {
            council_id: council.clone(),
            id: EnterpriseId::new(),
            project_id: project.id,
            name: enterprise.to_owned(),
            notifications_on: false,
            connected_by: sign_up.requested_by.clone(),
            connected_at: context.now,
            reconciled_at: None,
            disconnected_by: None,
            disconnected_at: None,
        },
    )?;
    let details = json!({ "enterprise": enterprise, "asked_by": sign_up.requested_by });
    audit::record(tx, context, council, "google.connected", council.as_str(), details)?;
    super::policies::put(tx, context, council)
}

/// Google sends notifications about this enterprise.
pub fn notifications_on(tx: &mut Transaction<'_>, enterprise: &Enterprise) -> Result<()> {
    store::google_enterprises::set_notifications_on(tx, enterprise)
}

/// Ends a council's connection. The enterprise stays at Google: deleting it would be destruction without an order.
///
/// # Errors
/// `Conflict` while Android phones of the council are enrolled.
pub fn disconnect(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<()> {
    context.actor.require(Permission::Settings, council)?;
    context.actor.require_fresh(context.now)?;
    audit::lock(tx, council)?;
    let enterprise = store::google_enterprises::current(tx, council)?
        .ok_or_else(|| Error::conflict("the council is not connected to Google"))?;
    if store::google_enterprises::any_enrolled(tx, council)? {
        return Err(Error::conflict(
            "Android phones of the council are under management: remove or wipe them first, or they could never be \
             reached again",
        ));
    }
    store::google_enterprises::disconnect(tx, &enterprise, &context.actor.label(), context.now)?;
    let details = json!({ "enterprise": enterprise.name });
    audit::record(tx, context, council, "google.disconnected", council.as_str(), details)
}

/// Where a council's connection to Google stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GoogleStatus {
    /// The installation's project, if one is connected.
    pub project: Option<String>,
    /// The service account whose key is used.
    pub account: Option<String>,
    /// The council's enterprise, if it is connected.
    pub enterprise: Option<String>,
    /// Since when.
    pub connected_at: Option<Moment>,
    /// Whether Google tells of changes at once; otherwise they are seen at the next comparison.
    pub notifications: bool,
    /// When all devices were last compared with what Google lists.
    pub reconciled_at: Option<Moment>,
    /// What Google has of the policy.
    pub policies: Vec<PolicyAtGoogle>,
}

/// One of a council's policies at Google.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PolicyAtGoogle {
    /// For phones of this mode.
    pub mode: Mode,
    /// In this posture.
    pub posture: Posture,
    /// The council's version that Google took last.
    pub version: Option<i64>,
    /// When.
    pub at: Option<Moment>,
    /// Why Google refused a newer one.
    pub problem: Option<String>,
}

/// A council's connection.
pub fn status(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<GoogleStatus> {
    context.actor.require(Permission::Read, council)?;
    let project = store::google_projects::find(tx)?;
    let enterprise = store::google_enterprises::current(tx, council)?;
    let policies = store::android_policies::of_council(tx, council)?
        .into_iter()
        .map(|row| PolicyAtGoogle {
            mode: row.mode,
            posture: row.posture,
            version: row.sent_version,
            at: row.sent_at,
            problem: row.problem,
        })
        .collect();
    // Google tells of changes where it is asked to about the enterprise, and there is a subscription to pull them from.
    let ready = project.as_ref().is_some_and(|project| project.notifications_ready);
    Ok(GoogleStatus {
        account: project.as_ref().map(|project| project.client_email.clone()),
        project: project.map(|project| project.id),
        notifications: ready && enterprise.as_ref().is_some_and(|enterprise| enterprise.notifications_on),
        connected_at: enterprise.as_ref().map(|enterprise| enterprise.connected_at),
        reconciled_at: enterprise.as_ref().and_then(|enterprise| enterprise.reconciled_at),
        enterprise: enterprise.map(|enterprise| enterprise.name),
        policies,
    })
}
