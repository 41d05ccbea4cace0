//! Connecting the installation's project, and a council's enterprise.

use beadle_enrollment::android::ENTERPRISE_NAME_LIMIT;
use url::Url;
use zeroize::Zeroizing;

use super::client;
use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::{random_bytes, sha256_hex};
use crate::model::{Actor, CouncilId};
use crate::operations::Context;
use crate::operations::android::connect;
use crate::operations::android::pace::Urgency;
use crate::platform::android::{EnterprisePatch, GoogleClient, Pace, ServiceAccountKey};
use crate::store;
use crate::store::google_enterprises::Enterprise;

/// The topic and subscription of a project, the same for all councils.
fn topic(project: &str) -> String {
    format!("projects/{project}/topics/beadle-notifications")
}

/// The subscription that is pulled.
pub(crate) fn subscription(project: &str) -> String {
    format!("projects/{project}/subscriptions/beadle")
}

/// Tries a service account's key at Google's token endpoint and keeps it, sealed. It is never shown again.
///
/// # Errors
/// `Invalid` for a file that is no such key, `Conflict` for a key that Google does not accept.
pub async fn connect_project(app: &App, context: Context, key_file: Zeroizing<Vec<u8>>) -> Result<String> {
    context.actor.require_installation(crate::model::Permission::Installation)?;
    let key = ServiceAccountKey::parse(&key_file)?;
    let (project, account) = (key.project_id().to_owned(), key.client_email().to_owned());
    let trial = GoogleClient::new(&app.config.google, key, app.clock.clone(), Pace::none())?;
    trial.check_key().await.map_err(Error::from)?;
    let tried = connect::seal(&app.keys, &project, &account, &key_file)?;
    app.database.write("google project", move |tx| connect::set_project(tx, &context, &tried)).await?;
    if let Err(problem) = prepare_notifications(app, &trial, &project).await {
        // The connection stands without them: devices are compared by the clock. A job tries again.
        tracing::warn!(%problem, "notifications from Google could not be set up");
    }
    Ok(project)
}

async fn prepare_notifications(app: &App, client: &GoogleClient, project: &str) -> Result<()> {
    client.ensure_notifications(&topic(project), &subscription(project)).await.map_err(Error::from)?;
    let (context, project) = (app.context(Actor::System), project.to_owned());
    app.database.write("google notifications", move |tx| connect::notifications_ready(tx, &context, &project)).await
}

/// Begins a council's sign-up; gives the address of Google's page.
///
/// # Errors
/// As [`connect::begin`]; `Unavailable` or `Conflict` with Google's words where it cannot or will not.
pub async fn begin_sign_up(app: &App, context: Context, council: CouncilId) -> Result<String> {
    let state = Zeroizing::new(hex::encode(random_bytes::<16>()?));
    let hash = sha256_hex(state.as_bytes());
    let sign_up = app.database.write("begin sign-up", move |tx| connect::begin(tx, &context, &council, &hash)).await?;
    let google = client(app, Urgency::Urgent).await?;
    let council = sign_up.council_id.clone();
    let row = app.database.read("council", move |tx| store::councils::find(tx, &council)).await?;
    let row = row.ok_or(Error::NotFound("council"))?;
    let callback = format!("{}/google/{}", row.public_url.trim_end_matches('/'), *state);
    let callback = Url::parse(&callback).map_err(Error::internal)?;
    let made = google.create_signup_url(google.project(), &callback).await.map_err(Error::from)?;
    let (name, url) = (made.name, made.url);
    app.database.write("sign-up named", move |tx| connect::named(tx, &sign_up, &name)).await?;
    Ok(url)
}

/// Google's page sent its visitor back: makes the council's enterprise. Gives the council's name.
///
/// # Errors
/// As [`connect::returned`] and [`connect::complete`].
pub async fn finish_sign_up(app: &App, state: &str, enterprise_token: &str) -> Result<String> {
    let (now, hash) = (app.clock.now(), sha256_hex(state.as_bytes()));
    let sign_up = app.database.read("sign-up returned", move |tx| connect::returned(tx, now, &hash)).await?;
    let council = sign_up.council_id.clone();
    let row = app.database.read("council", move |tx| store::councils::find(tx, &council)).await?;
    let row = row.ok_or(Error::NotFound("council"))?;
    let display: String = row.name.chars().take(ENTERPRISE_NAME_LIMIT).collect();
    let named = EnterprisePatch { enterprise_display_name: Some(display), ..EnterprisePatch::default() };
    let google = client(app, Urgency::Urgent).await?;
    let signup = sign_up.name.clone().unwrap_or_default();
    let made =
        google.create_enterprise(google.project(), &signup, enterprise_token, &named).await.map_err(Error::from)?;
    let context = app.context(Actor::System);
    app.database.write("enterprise connected", move |tx| connect::complete(tx, &context, &sign_up, &made.name)).await?;
    let council = row.id.clone();
    let enterprise =
        app.database.read("enterprise", move |tx| store::google_enterprises::current(tx, &council)).await?;
    if let Some(enterprise) = enterprise
        && let Err(problem) = notify(app, &enterprise).await
    {
        tracing::warn!(%problem, "Google does not send notifications about this enterprise yet; tried again by the clock");
    }
    Ok(row.name)
}

/// Lets Google send notifications about an enterprise.
///
/// # Errors
/// Google's refusal, or that it cannot just now.
pub async fn notify(app: &App, enterprise: &Enterprise) -> Result<()> {
    let google = client(app, Urgency::Usual).await?;
    let topic = topic(&enterprise.project_id);
    google.ensure_notifications(&topic, &subscription(&enterprise.project_id)).await.map_err(Error::from)?;
    google.patch_enterprise(&enterprise.name, &EnterprisePatch::notify(&topic)).await.map_err(Error::from)?;
    let (row, context, project) = (enterprise.clone(), app.context(Actor::System), enterprise.project_id.clone());
    app.database
        .write("notifications on", move |tx| {
            connect::notifications_ready(tx, &context, &project)?;
            connect::notifications_on(tx, &row)
        })
        .await
}
