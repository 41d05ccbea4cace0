//! Changes through the API: done once per Idempotency-Key, by a caller looked up again inside the transaction.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::error::Result;
use crate::operations::idempotency::{self, Key};
use crate::operations::{Context, sign_in};
use crate::store::Transaction;
use crate::web::once::{self, Done, OnceKey};

impl Caller {
    /// The answer to a repeat, before anything of the request is looked at: what it shows may be good once only, such as
    /// the old password or a code of the authenticator app.
    pub(super) async fn answered_before(&self, app: &App) -> Result<Option<HttpResponse>, Problem> {
        let Some(key) = self.idempotency_key.clone() else { return Ok(None) };
        let hash = self.request.0.clone();
        let known = move |tx: &mut Transaction<'_>, context: &Context| idempotency::look(tx, context, &key, &hash);
        match self.read(app, "look for a repeat", known).await? {
            Key::New => Ok(None),
            Key::Done { status, body } => Ok(Some(answer(status, body))),
            Key::OtherRequest => Err(Problem::key_reused()),
        }
    }

    /// Runs `operation` in a transaction and answers `status` with what it returns as JSON (204: with nothing).
    ///
    /// The caller is looked up again inside it, so that a session or account ended meanwhile changes nothing. With an
    /// Idempotency-Key, a repeat of the same request gets the same answer and does nothing.
    pub(crate) async fn write<T, F>(
        &self,
        app: &App,
        name: &'static str,
        status: StatusCode,
        operation: F,
    ) -> Result<HttpResponse, Problem>
    where
        T: Serialize + 'static,
        F: Fn(&mut Transaction<'_>, &Context) -> Result<T> + Send + 'static,
    {
        let key = self.idempotency_key.clone().map(|key| OnceKey { key, request_hash: self.request.0.clone() });
        let done = once::write(app, name, &self.credential, key, status.as_u16(), operation).await?;
        match done {
            Done::OtherRequest => Err(Problem::key_reused()),
            Done::Now { status, body } | Done::Before { status, body } => Ok(answer(status, body)),
        }
    }
}

impl Caller {
    /// Runs `operation` in a transaction and gives what it returns. What it gives is not kept for repeats, not even sealed:
    /// an Idempotency-Key has no effect here.
    ///
    /// As with [`Caller::write`], the caller is looked up again inside.
    pub(crate) async fn write_once<T, F>(&self, app: &App, name: &'static str, operation: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>, &Context) -> Result<T> + Send + 'static,
    {
        let (caller, keys, now) = (self.clone(), Arc::clone(&app.keys), app.clock.now());
        let done = app
            .database
            .write(name, move |tx| {
                let actor = sign_in::authenticate(tx, &caller.credential, now)?.actor;
                operation(tx, &Context { actor, now, keys: Arc::clone(&keys) })
            })
            .await?;
        Ok(done)
    }
}

fn answer(status: u16, body: Vec<u8>) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::NO_CONTENT {
        return answer.finish();
    }
    answer.content_type("application/json").body(body)
}
