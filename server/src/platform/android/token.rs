//! Access tokens: asked for with a signed statement, kept while they last, fetched by one caller for all.
//!
//! Source: Google, "Using OAuth 2.0 for server to server applications"; RFC 7523.

use std::sync::Arc;
use std::time::Instant;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Client;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::answer::{Attempt, attempt};
use super::failure::Failure;
use super::key::ServiceAccountKey;
use super::retry::Patience;
use crate::clock::Clock;
use crate::error::Error;
use crate::jwt_crypto;
use crate::model::Moment;

/// For how long the statement is good, in seconds; Google takes no more.
const STATEMENT_LASTS: i64 = 3600;
/// How long before its end a token is renewed, in seconds.
const EARLY: i64 = 300;
/// How long a token lasts where Google does not say, in seconds.
const USUAL: i64 = 3600;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The Android Management API.
    Management,
    /// Pub/Sub.
    PubSub,
}

impl Access {
    fn scope(self) -> &'static str {
        match self {
            Self::Management => "https://www.googleapis.com/auth/androidmanagement",
            Self::PubSub => "https://www.googleapis.com/auth/pubsub",
        }
    }
}

/// An access token.
#[derive(Clone)]
pub(super) struct Bearer(Arc<Zeroizing<String>>);

impl Bearer {
    /// The token itself, for one header.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Bearer(secret)")
    }
}

#[derive(Default)]
struct State {
    kept: Option<(Bearer, Moment)>,
    failed: Option<(Instant, Failure)>,
}

/// The tokens of one key.
pub(super) struct Tokens {
    key: ServiceAccountKey,
    http: Client,
    clock: Clock,
    patience: Patience,
    management: Mutex<State>,
    pubsub: Mutex<State>,
}

#[derive(Serialize)]
struct Statement<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(deserialize_with = "secret")]
    access_token: Zeroizing<String>,
    /// Seconds.
    expires_in: Option<i64>,
}

impl Tokens {
    pub(super) fn new(key: ServiceAccountKey, http: Client, clock: Clock, patience: Patience) -> Self {
        Self { key, http, clock, patience, management: Mutex::default(), pubsub: Mutex::default() }
    }

    pub(super) fn key(&self) -> &ServiceAccountKey {
        &self.key
    }

    fn state(&self, access: Access) -> &Mutex<State> {
        match access {
            Access::Management => &self.management,
            Access::PubSub => &self.pubsub,
        }
    }

    /// A token that will last for a while yet; who comes while one is being fetched waits for it, and shares its failure.
    ///
    /// # Errors
    /// [`Failure::KeyRefused`] where the key is not accepted, [`Failure::Again`] where nobody answers; never `NotFound` or
    /// `Unclear`, since nothing was done yet.
    pub(super) async fn bearer(&self, access: Access) -> Result<Bearer, Failure> {
        let asked = Instant::now();
        let mut state = self.state(access).lock().await;
        if let Some((bearer, until)) = &state.kept
            && self.clock.now() < *until
        {
            return Ok(bearer.clone());
        }
        if let Some((when, failure)) = &state.failed
            && *when >= asked
        {
            return Err(failure.clone());
        }
        let fetched = self.fetch(access).await;
        *state = match &fetched {
            Ok((bearer, until)) => State { kept: Some((bearer.clone(), *until)), failed: None },
            Err(failure) => State { kept: None, failed: Some((Instant::now(), failure.clone())) },
        };
        fetched.map(|(bearer, _)| bearer)
    }

    /// Drops a token that was not accepted, unless another caller has replaced it already.
    pub(super) async fn forget(&self, access: Access, refused: &Bearer) {
        let mut state = self.state(access).lock().await;
        if state.kept.as_ref().is_some_and(|(kept, _)| Arc::ptr_eq(&kept.0, &refused.0)) {
            state.kept = None;
        }
    }

    async fn fetch(&self, access: Access) -> Result<(Bearer, Moment), Failure> {
        let begun = Instant::now();
        let mut made = 0;
        loop {
            made += 1;
            let now = self.clock.now();
            let assertion = self.statement(access, now)?;
            let form =
                [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.as_str())];
            let request = self.http.post(self.key.token_uri().clone()).timeout(self.patience.call).form(&form);
            let (after, problem) = match attempt(request).await {
                Attempt::Done(body) => match read(&Zeroizing::new(body)) {
                    Some((bearer, lasts)) => {
                        return Ok((bearer, now + chrono::Duration::seconds(lasts - EARLY.min(lasts / 2))));
                    }
                    None => (None, "the token endpoint's answer holds no token".to_owned()),
                },
                Attempt::NotDone { after, problem }
                | Attempt::Busy { after, problem }
                | Attempt::Lost { after, problem } => (after, format!("no access token: {problem}")),
                Attempt::Unauthorised { reason, message } => {
                    return Err(Failure::KeyRefused { status: 401, reason, message });
                }
                // Nothing is said here about any device.
                Attempt::Failed(Failure::NotFound) => {
                    let message = "the key file's token_uri leads nowhere".to_owned();
                    return Err(Failure::KeyRefused { status: 404, reason: "NOT_FOUND".to_owned(), message });
                }
                // A rotated key, a clock that is wrong: whatever is refused here is not what somebody wants done.
                Attempt::Failed(failure) => return Err(failure.of_key()),
            };
            tokio::time::sleep(self.patience.wait(begun, made, after, problem)?).await;
        }
    }

    fn statement(&self, access: Access, now: Moment) -> Result<Zeroizing<String>, Failure> {
        jwt_crypto::install();
        let statement = Statement {
            iss: self.key.client_email(),
            scope: access.scope(),
            aud: self.key.token_uri().as_str(),
            iat: now.unix(),
            exp: now.unix() + STATEMENT_LASTS,
        };
        let header = Header { kid: Some(self.key.private_key_id().to_owned()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &statement, &EncodingKey::from_rsa_der(self.key.private_key_der()))
            .map(Zeroizing::new)
            .map_err(|problem| Failure::Fault(Error::Internal(format!("the statement for Google: {problem}"))))
    }
}

/// A text that is wiped from memory when it is no longer needed.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

/// A token that can stand in a header, and for how many seconds it is good.
fn read(body: &[u8]) -> Option<(Bearer, i64)> {
    let answer: TokenAnswer = serde_json::from_slice(body).ok()?;
    let usable = !answer.access_token.is_empty() && answer.access_token.bytes().all(|byte| byte.is_ascii_graphic());
    let lasts = answer.expires_in.filter(|seconds| *seconds > 0).unwrap_or(USUAL).min(24 * 3600);
    usable.then(|| (Bearer(Arc::new(answer.access_token)), lasts))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_usable_token_is_taken() {
        let (bearer, lasts) =
            read(br#"{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}"#).expect("one");
        assert_eq!((bearer.secret(), lasts), ("ya29.x", 3599));
        assert_eq!(format!("{bearer:?}"), "Bearer(secret)");
        assert_eq!(read(br#"{"access_token":"x"}"#).map(|(_, lasts)| lasts), Some(USUAL));
        for body in [r#"{}"#, r#"{"access_token":""}"#, r#"{"access_token":"a\nb"}"#, "nothing"] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
        }
    }
}
