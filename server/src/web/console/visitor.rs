//! Who is at the page: the session behind the cookie, and the two ways on from there, reading and changing.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::form::Sent;
use super::form_token;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Actor, CouncilId, Permission, SignedIn};
use crate::operations::Context;
use crate::operations::sign_in::Credential;
use crate::store::Transaction;
use crate::web::once::{self, Done, OnceKey};

/// Someone signed in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// Who it is, as of the arrival of the request; what counts inside a change is looked up again there.
    pub(super) signed_in: SignedIn,
    pub(super) credential: Credential,
    /// What forms are bound to.
    pub(super) binding: String,
    /// Where the request comes from.
    pub(super) address: String,
}

impl Visitor {
    pub(super) fn actor(&self) -> Actor {
        Actor::Operator(self.signed_in.clone())
    }

    /// Whether a button is shown; the operation behind it decides for itself.
    pub(super) fn may(&self, permission: Permission, council: &CouncilId) -> bool {
        self.actor().require(permission, council).is_ok()
    }

    /// Whether password and second factor were shown within the last five minutes.
    pub(super) fn is_fresh(&self, app: &App) -> bool {
        self.actor().require_fresh(app.clock.now()).is_ok()
    }

    /// A token for a form that goes to `action`.
    ///
    /// # Errors
    /// `Internal` when there is no randomness.
    pub(super) fn token(&self, app: &App, action: &str) -> Result<String> {
        form_token::issue(&app.keys, &self.binding, action, app.clock.now())
    }

    /// Runs `operation` on a snapshot. `name` says what for, in logs.
    ///
    /// # Errors
    /// What the operation refuses.
    pub(super) async fn read<T, F>(&self, app: &App, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>, &Context) -> Result<T> + Send + 'static,
    {
        let context = app.context(self.actor());
        app.database.read(name, move |tx| operation(tx, &context)).await
    }

    /// Runs `operation` in a transaction, once for each form: one that is sent again (a second click, a step back) gets what
    /// the first gave and does nothing.
    ///
    /// # Errors
    /// What the operation refuses; `Conflict` when the same form was sent before with other answers.
    pub(super) async fn change<T, F>(&self, app: &App, sent: &Sent, name: &'static str, operation: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned + 'static,
        F: Fn(&mut Transaction<'_>, &Context) -> Result<T> + Send + 'static,
    {
        let key = OnceKey { key: format!("form {}", sent.nonce), request_hash: sent.hash.clone() };
        match once::write(app, name, &self.credential, Some(key), 200, operation).await? {
            Done::Now { body, .. } | Done::Before { body, .. } => Ok(serde_json::from_slice(&body)?),
            Done::OtherRequest => Err(other_request()),
        }
    }

    /// As [`Self::change`], for what makes a secret that is shown once: `operation` gives it beside what is kept of the form, and a
    /// form that is sent again finds only that it was made.
    ///
    /// # Errors
    /// What the operation refuses.
    pub(super) async fn change_with_secret<T, S, F>(
        &self,
        app: &App,
        sent: &Sent,
        name: &'static str,
        operation: F,
    ) -> Result<(T, Option<S>)>
    where
        T: Serialize + DeserializeOwned + 'static,
        S: Send + 'static,
        F: Fn(&mut Transaction<'_>, &Context) -> Result<(T, S)> + Send + 'static,
    {
        let secret: Arc<Mutex<Option<S>>> = Arc::default();
        let aside = Arc::clone(&secret);
        let key = OnceKey { key: format!("form {}", sent.nonce), request_hash: sent.hash.clone() };
        let done = once::write(app, name, &self.credential, Some(key), 200, move |tx, context| {
            let (kept, made) = operation(tx, context)?;
            *aside.lock().map_err(Error::internal)? = Some(made);
            Ok(kept)
        })
        .await?;
        match done {
            Done::Now { body, .. } => {
                Ok((serde_json::from_slice(&body)?, secret.lock().map_err(Error::internal)?.take()))
            }
            // What a transaction made that was repeated, or undone, counts for nothing.
            Done::Before { body, .. } => Ok((serde_json::from_slice(&body)?, None)),
            Done::OtherRequest => Err(other_request()),
        }
    }

    /// Whether this form is sent for the first time, for what a transaction cannot do: then `operation` looks whether it may be
    /// done, and its refusal leaves the form unused.
    ///
    /// # Errors
    /// What the operation refuses.
    pub(super) async fn first<F>(&self, app: &App, sent: &Sent, name: &'static str, operation: F) -> Result<bool>
    where
        F: Fn(&mut Transaction<'_>, &Context) -> Result<()> + Send + 'static,
    {
        let key = OnceKey { key: format!("form {}", sent.nonce), request_hash: sent.hash.clone() };
        Ok(matches!(once::write(app, name, &self.credential, Some(key), 200, operation).await?, Done::Now { .. }))
    }
}

fn other_request() -> Error {
    Error::conflict(
        "you have sent this form before, with other answers, and it was done then: open the page again to see how things stand",
    )
}

impl FromRequest for Visitor {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visitor = request.extensions().get::<Self>().cloned();
        ready(visitor.ok_or(Failure::SignIn(None)))
    }
}
