//! Changes by someone signed in, whichever door they come through: looked up again inside the transaction, and done once.

use std::sync::Arc;

use serde::Serialize;

use crate::app::App;
use crate::error::Result;
use crate::operations::Context;
use crate::operations::idempotency::{self, Key};
use crate::operations::sign_in::{self, Credential};
use crate::store::Transaction;

/// What tells a repeat of a request from another one.
#[derive(Clone, Debug)]
pub(crate) struct OnceKey {
    /// The key that the caller chose, or that was given to him with a form.
    pub(crate) key: String,
    /// A keyed hash of all that was sent.
    pub(crate) request_hash: String,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// It was done now.
    Now {
        /// The HTTP status.
        status: u16,
        /// What the operation gave, as JSON.
        body: Vec<u8>,
    },
    /// The same request was done before, and this was its answer; nothing was done now.
    Before {
        /// The HTTP status.
        status: u16,
        /// What the operation gave, as JSON.
        body: Vec<u8>,
    },
    /// The key was used for another request; nothing was done.
    OtherRequest,
}

/// Runs `operation` in a transaction, once for each key.
///
/// The caller is looked up again inside it, so that a session or account ended meanwhile changes nothing.
///
/// # Errors
/// `Unauthenticated` when the sign-in is over, and whatever the operation refuses; then the key is not used up.
pub(crate) async fn write<T, F>(
    app: &App,
    name: &'static str,
    credential: &Credential,
    key: Option<OnceKey>,
    status: u16,
    operation: F,
) -> Result<Done>
where
    T: Serialize + 'static,
    F: Fn(&mut Transaction<'_>, &Context) -> Result<T> + Send + 'static,
{
    let (credential, keys, now) = (credential.clone(), Arc::clone(&app.keys), app.clock.now());
    app.database
        .write(name, move |tx| {
            let actor = sign_in::authenticate(tx, &credential, now)?.actor;
            let context = Context { actor, now, keys: Arc::clone(&keys) };
            if let Some(once) = &key {
                match idempotency::begin(tx, &context, &once.key, &once.request_hash)? {
                    Key::New => {}
                    Key::Done { status, body } => return Ok(Done::Before { status, body }),
                    Key::OtherRequest => return Ok(Done::OtherRequest),
                }
            }
            let body = serde_json::to_vec(&operation(tx, &context)?)?;
            if let Some(once) = &key {
                idempotency::keep(tx, &context, &once.key, status, &body)?;
            }
            Ok(Done::Now { status, body })
        })
        .await
}
