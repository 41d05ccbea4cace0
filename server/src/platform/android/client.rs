//! The way to Google: one client with one service account's key; every call is paced, timed, and repeated where that is safe.
//!
//! What can be called is in `calls.rs` and `pubsub.rs`. There is deliberately no way to delete an enterprise.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Client, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::answer::{Attempt, attempt};
use super::failure::Failure;
use super::key::ServiceAccountKey;
use super::retry::{Patience, Repeat};
use super::token::{Access, Tokens};
use crate::clock::Clock;
use crate::config::{self, GoogleSettings};
use crate::error::{Error, Result as ServerResult};
use crate::platform::outgoing;

/// What [`Pace`] waits for.
pub type PaceFuture = Pin<Box<dyn Future<Output = ServerResult<()>> + Send>>;

/// Awaited before every attempt at the Android Management API, because the quota is one for the whole installation and
/// its limiter lives where this room cannot look.
///
/// [`Error::TooMany`] becomes [`Failure::Paced`], [`Error::Unavailable`] [`Failure::Again`]; nothing is sent then.
#[derive(Clone)]
pub struct Pace(Arc<dyn Fn() -> PaceFuture + Send + Sync>);

impl Pace {
    /// Waits as `wait` says.
    pub fn new<F>(wait: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ServerResult<()>> + Send + 'static,
    {
        Self(Arc::new(move || -> PaceFuture { Box::pin(wait()) }))
    }

    /// Never waits: for a single call outside the jobs, and for tests.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|| std::future::ready(Ok(())))
    }
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pace")
    }
}

/// The way to Google with one key. Cheap to clone; the clones share connections and access tokens.
#[derive(Clone)]
pub struct GoogleClient {
    inner: Arc<Inner>,
}

struct Inner {
    api: Url,
    pubsub: Url,
    http: Client,
    tokens: Tokens,
    pace: Pace,
    patience: Patience,
}

impl std::fmt::Debug for GoogleClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "GoogleClient({:?} at {})", self.inner.tokens.key(), self.inner.api)
    }
}

/// One call, before it is sent.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<Vec<u8>>,
    pub(super) access: Access,
    pub(super) repeat: Repeat,
    /// How long one attempt may take.
    pub(super) timeout: Duration,
}

impl GoogleClient {
    /// A client for these addresses, trusted by the machine's roots and `extra_roots`, acting as `key`'s service account.
    ///
    /// `clock` must be the world's: Google refuses statements of another time.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an address that is neither https nor on this machine, or a file of roots that cannot be read.
    pub fn new(settings: &GoogleSettings, key: ServiceAccountKey, clock: Clock, pace: Pace) -> ServerResult<Self> {
        Self::with_patience(settings, key, clock, pace, Patience::REAL)
    }

    /// The same, with times of its own.
    pub(super) fn with_patience(
        settings: &GoogleSettings,
        key: ServiceAccountKey,
        clock: Clock,
        pace: Pace,
        patience: Patience,
    ) -> ServerResult<Self> {
        let addresses = [("google.api_url", &settings.api_url), ("google.pubsub_url", &settings.pubsub_url)];
        for (setting, url) in addresses.into_iter().chain([("token_uri", key.token_uri())]) {
            if !config::may_be_called(url) {
                return Err(Error::invalid(setting, "must be an https address; plain http only to this machine"));
            }
        }
        let all_https = addresses.iter().all(|(_, url)| url.scheme() == "https") && key.token_uri().scheme() == "https";
        let http = Client::builder()
            .tls_certs_merge(outgoing::trusted("google.extra_roots", &settings.extra_roots)?)
            .connect_timeout(patience.connect)
            .timeout(patience.call)
            .pool_idle_timeout(Duration::from_secs(90))
            // A shared connection that died would otherwise take every attempt of a call with it.
            .http2_keep_alive_interval(Duration::from_secs(20))
            .http2_keep_alive_timeout(Duration::from_secs(10))
            .https_only(all_https)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|problem| Error::Internal(format!("no client for Google: {problem}")))?;
        let tokens = Tokens::new(key, http.clone(), clock, patience);
        let (api, pubsub) = (settings.api_url.clone(), settings.pubsub_url.clone());
        Ok(Self { inner: Arc::new(Inner { api, pubsub, http, tokens, pace, patience }) })
    }

    /// The key's project, which owns councils' enterprises and the topic of notifications.
    #[must_use]
    pub fn project(&self) -> &str {
        self.inner.tokens.key().project_id()
    }

    /// Asks for access to both APIs, so that a wrong or revoked key is told when it is given, not when a phone is lost.
    ///
    /// # Errors
    /// [`Failure::KeyRefused`] where Google does not accept the key, [`Failure::Again`] where nobody answers.
    pub async fn check_key(&self) -> Result<(), Failure> {
        for access in [Access::Management, Access::PubSub] {
            self.inner.tokens.bearer(access).await?;
        }
        Ok(())
    }

    pub(super) fn api(&self) -> &Url {
        &self.inner.api
    }

    pub(super) fn pubsub(&self) -> &Url {
        &self.inner.pubsub
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.inner.patience
    }

    /// Makes a call and reads its answer.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, Failure> {
        let repeat = call.repeat;
        let body = self.send(call).await?;
        serde_json::from_slice(&body).map_err(|problem| {
            // The parser's own message could quote a token.
            let problem = format!("the answer cannot be read ({:?}, column {})", problem.classify(), problem.column());
            match repeat {
                Repeat::Safe => Failure::again(problem),
                Repeat::Once | Repeat::Never => Failure::Unclear { problem },
            }
        })
    }

    /// Makes a call whose answer says nothing but that it was done.
    pub(super) async fn send(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let begun = Instant::now();
        let mut made = 0;
        let mut renewed = false;
        loop {
            let bearer = self.inner.tokens.bearer(call.access).await?;
            if call.access == Access::Management {
                (self.inner.pace.0)().await?;
            }
            made += 1;
            let (after, problem) = match attempt(self.request(&call, bearer.secret())).await {
                Attempt::Done(body) => return Ok(body),
                Attempt::Failed(failure @ Failure::Refused { status: 403, .. }) => return Err(failure.of_key()),
                Attempt::Failed(failure) => return Err(failure),
                // A token may be revoked before its time; a new one is tried once.
                Attempt::Unauthorised { .. } if !renewed => {
                    self.inner.tokens.forget(call.access, &bearer).await;
                    renewed = true;
                    made -= 1;
                    continue;
                }
                Attempt::Unauthorised { reason, message } => {
                    return Err(Failure::KeyRefused { status: 401, reason, message });
                }
                Attempt::NotDone { after, problem } | Attempt::Busy { after, problem }
                    if call.repeat == Repeat::Never =>
                {
                    return Err(Failure::Again { after, problem });
                }
                Attempt::Busy { after, problem } if call.repeat == Repeat::Once => {
                    return Err(Failure::Again { after, problem });
                }
                Attempt::Lost { problem, .. } if call.repeat != Repeat::Safe => {
                    return Err(Failure::Unclear { problem });
                }
                Attempt::NotDone { after, problem }
                | Attempt::Busy { after, problem }
                | Attempt::Lost { after, problem } => (after, problem),
            };
            let wait = self.inner.patience.wait(begun, made, after, problem)?;
            tracing::debug!(path = call.url.path(), made, ?wait, "a call to Google is repeated");
            tokio::time::sleep(wait).await;
        }
    }

    fn request(&self, call: &Call, bearer: &str) -> reqwest::RequestBuilder {
        let request =
            self.inner.http.request(call.method.clone(), call.url.clone()).timeout(call.timeout).bearer_auth(bearer);
        match &call.body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.clone()),
            // Google's front end wants the length of nothing to be said.
            None if call.method == Method::POST => request.header(CONTENT_LENGTH, 0),
            None => request,
        }
    }
}

/// A body of our own types, as JSON.
pub(super) fn json(body: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|problem| Failure::Fault(Error::Internal(format!("a body for Google: {problem}"))))
}
