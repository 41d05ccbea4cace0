//! From this installation to Google: whoever wants something done there, a page, a job or the API, comes through here. What is
//! to change is written down first, then Google is called, then its answer is written down.

mod codes;
mod connect;
mod policies;

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Moment;
use crate::operations::android::pace::{self, Urgency};
use crate::platform::android::{GoogleClient, Pace, ServiceAccountKey};
use crate::sealing::Purpose;
use crate::store;

pub use codes::{Code, code_as_operator, code_by_link};
pub(crate) use connect::subscription;
pub use connect::{begin_sign_up, connect_project, finish_sign_up, notify};
pub use policies::{put, put_again};

/// The clients of the project that is connected, kept while its key stays the same.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Option<Clients>>>);

struct Clients {
    of: (String, Moment),
    urgent: GoogleClient,
    usual: GoogleClient,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Kept")
    }
}

/// The client for calls of this urgency.
///
/// # Errors
/// `Conflict` where no project is connected.
pub async fn client(app: &App, urgency: Urgency) -> Result<GoogleClient> {
    let project =
        app.database.read("google project", store::google_projects::find).await?.ok_or_else(|| {
            Error::conflict("no project at Google is connected; the provider connects one with its key")
        })?;
    let of = (project.id.clone(), project.changed_at);
    let mut kept = app.google.0.lock().await;
    if kept.as_ref().is_none_or(|clients| clients.of != of) {
        let file = app.keys.sealer.open(Purpose::GoogleKey, "installation", &project.id, &project.sealed_key)?;
        let make = |urgency| {
            let key = ServiceAccountKey::parse(&file)?;
            GoogleClient::new(&app.config.google, key, app.clock.clone(), paced(app, urgency))
        };
        *kept = Some(Clients { of, urgent: make(Urgency::Urgent)?, usual: make(Urgency::Usual)? });
    }
    kept.as_ref()
        .map(|clients| match urgency {
            Urgency::Urgent => clients.urgent.clone(),
            Urgency::Usual => clients.usual.clone(),
        })
        .ok_or_else(|| Error::internal("no client for Google"))
}

/// Every attempt takes its place in the queue that all servers share.
fn paced(app: &App, urgency: Urgency) -> Pace {
    let (database, clock) = (app.database.clone(), app.clock.clone());
    Pace::new(move || {
        let (database, now) = (database.clone(), clock.now());
        async move {
            let wait = database.write("a call's place", move |tx| pace::take(tx, now, urgency)).await?;
            tokio::time::sleep(wait.to_std().unwrap_or_default()).await;
            Ok(())
        }
    })
}
