//! Who calls the API, and the two ways on from there: reading, and changing with repeats done once.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::http::{Method, Uri};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use super::problem::Problem;
use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::model::Actor;
use crate::operations::sign_in::{self, Credential};
use crate::operations::{Context, tokens};
use crate::store::Transaction;
use crate::web::LocalPeer;

/// Where a request comes from: an IP address, or "local" for the control socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) String);

/// A keyed hash of method, URL and body: tells a repeat from another request without keeping what it said.
#[derive(Clone, Debug)]
pub(crate) struct RequestHash(pub(crate) String);

impl RequestHash {
    pub(crate) fn of(keys: &Keys, method: &Method, uri: &Uri, body: &[u8]) -> Result<Self> {
        let url = uri.to_string();
        let parts: [&[u8]; 3] = [method.as_str().as_bytes(), url.as_bytes(), body];
        keys.token.mac("beadle request", &parts).map(|mac| Self(hex::encode(mac)))
    }
}

/// Who calls. Present in every handler but those that need no sign-in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Who it is, as of the arrival of the request; what counts inside a change is looked up again there.
    pub(crate) actor: Actor,
    pub(super) credential: Credential,
    pub(super) idempotency_key: Option<String>,
    pub(super) request: RequestHash,
}

impl Caller {
    /// Who asks, for what is done in more than one transaction.
    pub(crate) fn context(&self, app: &App) -> Context {
        app.context(self.actor.clone())
    }

    /// Runs `operation` on a snapshot. `name` says what for, in logs.
    pub(crate) async fn read<T, F>(&self, app: &App, name: &'static str, operation: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>, &Context) -> Result<T> + Send + 'static,
    {
        let context = app.context(self.actor.clone());
        Ok(app.database.read(name, move |tx| operation(tx, &context)).await?)
    }
}

/// Finds out who calls: a session, a bearer token, or nobody in particular through the control socket.
pub(super) async fn authenticate(app: &App, request: &HttpRequest, address: &Address) -> Result<Caller, Problem> {
    let credential = credential(app, request)?;
    let now = app.clock.now();
    let asked = credential.clone();
    let found = app.database.read("authenticate", move |tx| sign_in::authenticate(tx, &asked, now)).await?;
    if let Some(session) = found.seen {
        tracing::debug!(%session, address = address.0, "session seen");
        app.database.write("session seen", move |tx| sign_in::seen(tx, &session, now)).await?;
    }
    let idempotency_key = match request.headers().get("idempotency-key") {
        None => None,
        Some(value) => Some(
            value
                .to_str()
                .ok()
                .filter(|key| (1..=200).contains(&key.len()))
                .ok_or_else(|| Error::invalid("Idempotency-Key", "must be 1 to 200 printable ASCII characters"))?
                .to_owned(),
        ),
    };
    Ok(Caller { actor: found.actor, credential, idempotency_key, request: RequestHash(String::new()) })
}

fn credential(app: &App, request: &HttpRequest) -> Result<Credential> {
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        return match request.conn_data::<LocalPeer>() {
            Some(LocalPeer) => Ok(Credential::Local),
            None => Err(Error::Unauthenticated("sign in, or send a bearer token".to_owned())),
        };
    };
    let token = header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| Error::Unauthenticated("the header must read \"Authorization: Bearer …\"".to_owned()))?;
    if token.starts_with(sign_in::TOKEN_PREFIX) {
        Ok(Credential::session(token))
    } else {
        tokens::verify(&app.keys, token, app.clock.now()).map(Credential::Token)
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| Error::Unauthenticated("sign in, or send a bearer token".to_owned()).into()))
    }
}

impl FromRequest for Address {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let address = request.extensions().get::<Self>().cloned();
        ready(address.ok_or_else(|| Error::internal("the request passed no gate").into()))
    }
}
