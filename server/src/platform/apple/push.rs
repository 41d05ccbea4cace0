//! Apple's push service: wakes a device by HTTP/2 with the council's own certificate, and tells what came of it.
//!
//! Source: Apple, "Sending notification requests to APNs" and "Pushing an MDM command"; `apns-push-type: mdm`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openssl::pkey::PKey;
use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, Client, Identity, StatusCode, Url};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::model::Moment;
use crate::platform::outgoing::{trusted, words};

/// How long one push may take, connection included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the push service keeps a push for a phone that is off.
const KEPT: chrono::Duration = chrono::Duration::days(7);

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The push service took it.
    Accepted,
    /// The device's token is no longer valid, as of this time: 410.
    Retired {
        /// When the push service last knew it to be invalid; absent where it did not say.
        since: Option<Moment>,
    },
    /// Too many pushes, a fault of the push service, or no connection: the same push may succeed later.
    TryLater {
        /// What happened, for the log.
        problem: String,
        /// How long the push service asked to be left alone, in seconds.
        after_seconds: Option<u64>,
    },
    /// The push service will not take this push: certificate, topic or token do not fit.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Apple's reason: `BadDeviceToken`, `BadCertificate`, …
        reason: String,
    },
}

/// A push certificate as the client needs it.
pub struct Credential {
    /// The certificate's id; together with the fingerprint it names the connection.
    pub id: String,
    /// SHA-256 of the certificate.
    pub fingerprint: String,
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// Its private key, PKCS #8 DER.
    pub private_key_der: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Credential({})", self.id)
    }
}

/// One push.
pub struct Push<'a> {
    /// The device token, hexadecimal.
    pub token: &'a str,
    /// The topic of the enrolment, which is also the certificate's.
    pub topic: &'a str,
    /// The device's push magic.
    pub magic: &'a str,
}

impl std::fmt::Debug for Push<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Push({})", self.topic)
    }
}

/// The way to the push service; one client, hence one connection, for each push certificate. Cheap to clone.
#[derive(Clone)]
pub struct PushClient {
    url: Url,
    roots: Arc<Vec<Certificate>>,
    timeout: Duration,
    clients: Arc<Mutex<HashMap<String, (String, Client)>>>,
}

impl std::fmt::Debug for PushClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PushClient({})", self.url)
    }
}

impl PushClient {
    /// A way to the push service at `url`, trusted by the machine's roots and those in `extra_roots` (PEM files).
    ///
    /// # Errors
    /// [`Error::Invalid`] where a file of roots cannot be read.
    pub fn new(url: &Url, extra_roots: &[PathBuf]) -> Result<Self> {
        let roots = trusted("apns.extra_roots", extra_roots)?;
        Ok(Self { url: url.clone(), roots: Arc::new(roots), timeout: TIMEOUT, clients: Arc::default() })
    }

    /// The same, less patient.
    #[cfg(test)]
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    fn client(&self, credential: &Credential) -> Result<Client> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((fingerprint, client)) = clients.get(&credential.id)
            && *fingerprint == credential.fingerprint
        {
            return Ok(client.clone());
        }
        let key = PKey::private_key_from_der(&credential.private_key_der)?;
        let key_pem = Zeroizing::new(key.private_key_to_pem_pkcs8()?);
        let identity = Identity::from_pkcs8_pem(credential.certificate_pem.as_bytes(), &key_pem)
            .map_err(|problem| Error::Internal(format!("the push certificate cannot be used: {problem}")))?;
        let client = Client::builder()
            .identity(identity)
            .tls_certs_merge(self.roots.iter().cloned())
            .http2_prior_knowledge()
            // An idle connection that died would otherwise be noticed only by the next urgent push.
            .http2_keep_alive_interval(Duration::from_secs(60))
            .http2_keep_alive_timeout(Duration::from_secs(10))
            .http2_keep_alive_while_idle(true)
            .pool_idle_timeout(Duration::from_secs(3600))
            .connect_timeout(self.timeout)
            .timeout(self.timeout)
            .https_only(self.url.scheme() == "https")
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|problem| Error::Internal(format!("no client for the push service: {problem}")))?;
        clients.insert(credential.id.clone(), (credential.fingerprint.clone(), client.clone()));
        Ok(client)
    }

    /// Sends one push, now. Only a fault of our own is an error; whatever the push service says is an outcome.
    pub async fn push(&self, credential: &Credential, push: &Push<'_>, now: Moment) -> Result<Outcome> {
        let client = self.client(credential)?;
        let url = self
            .url
            .join(&format!("/3/device/{}", push.token))
            .map_err(|problem| Error::Internal(format!("the push service's address: {problem}")))?;
        let answer = client
            .post(url)
            .header("apns-topic", push.topic)
            .header("apns-push-type", "mdm")
            .header("apns-priority", "10")
            .header("apns-expiration", (now + KEPT).unix().to_string())
            .json(&serde_json::json!({ "mdm": push.magic }))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(problem) => return Ok(later(words(&problem), None)),
        };
        let status = answer.status();
        if status == StatusCode::OK {
            return Ok(Outcome::Accepted);
        }
        let header = answer.headers().get(RETRY_AFTER);
        let after_seconds = header.and_then(|value| value.to_str().ok()).and_then(|text| text.trim().parse().ok());
        // The refusal stands, whether or not its reason arrives.
        let body: Answer = answer.json().await.unwrap_or_default();
        let reason = body.reason.unwrap_or_else(|| "no reason given".to_owned());
        Ok(match status {
            StatusCode::GONE => {
                Outcome::Retired { since: body.timestamp.map(|millis| Moment::from_unix(millis / 1000)) }
            }
            StatusCode::TOO_MANY_REQUESTS => later(format!("429 {reason}"), after_seconds),
            status if status.is_server_error() => later(format!("{} {reason}", status.as_u16()), after_seconds),
            status => Outcome::Refused { status: status.as_u16(), reason },
        })
    }
}

fn later(problem: String, after_seconds: Option<u64>) -> Outcome {
    Outcome::TryLater { problem, after_seconds }
}

/// What the push service says when it does not accept.
#[derive(Debug, Default, serde::Deserialize)]
struct Answer {
    reason: Option<String>,
    /// Milliseconds since 1970; with 410 only.
    timestamp: Option<i64>,
}

#[cfg(test)]
#[path = "push_tests.rs"]
mod tests;
