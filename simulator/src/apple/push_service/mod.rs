//! A stand-in for Apple's push service: strict about what a server sends, obedient about what a test wants to go wrong.

mod faults;
mod portal;
mod rules;
mod serve;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openssl::nid::Nid;
use openssl::x509::{X509, X509Ref};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::certificate::{self, Issuer};
use crate::{Clock, Error, Result};

pub use faults::{Fault, Times};
pub use portal::{PushCertificate, VendorCertificate};
pub use rules::{PushAnswer, PushRecord};

use portal::Authorities;

/// A running push service on loopback; clones share it, and it stops when the last one is dropped.
#[derive(Clone)]
pub struct PushService {
    inner: Arc<Inner>,
    listener: Arc<Listener>,
}

struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How many connections were made; few for many pushes means they are reused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connections {
    /// TLS connections accepted since the start.
    pub accepted: u64,
    /// Connections open now.
    pub open: u64,
}

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) authorities: Authorities,
    pub(crate) address: SocketAddr,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) tokens: HashMap<String, Token>,
    /// SHA-256 of each admitted client certificate, and its topic.
    pub(crate) certificates: HashMap<String, String>,
    pub(crate) faults: faults::Faults,
    pub(crate) log: Vec<PushRecord>,
    pub(crate) connections: Connections,
}

pub(crate) struct Token {
    pub(crate) topic: String,
    pub(crate) magic: String,
    pub(crate) wake: Arc<Notify>,
    /// When it stopped being valid, seconds since 1970.
    pub(crate) unregistered: Option<i64>,
}

/// What a device gets from the push service: its token, and a bell that rings when it is pushed.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The device token (32 octets).
    pub token: Vec<u8>,
    /// Rings once for any number of pushes not yet attended to.
    pub wake: Arc<Notify>,
}

impl PushService {
    /// Starts on a free port of 127.0.0.1 with authorities of its own. Needs a running tokio.
    ///
    /// # Errors
    /// [`Error::Io`] when no port can be had, [`Error::Cryptography`] when the authorities cannot be made.
    pub async fn start() -> Result<Self> {
        Self::start_with(Clock::system(), SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts with a given clock and address.
    ///
    /// # Errors
    /// As [`PushService::start`].
    pub async fn start_with(clock: Clock, address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let authorities = Authorities::new(clock.unix())?;
        let inner = Arc::new(Inner { clock, authorities, address, state: Mutex::default() });
        let acceptor = serve::acceptor(&inner.authorities)?;
        let task = tokio::spawn(serve::accept(Arc::clone(&inner), listener, acceptor));
        Ok(Self { inner, listener: Arc::new(Listener(task)) })
    }

    /// The base address for the server's `apns.url` setting, `https://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("https://{}", self.inner.address)
    }

    /// The root certificate the server must trust to reach this service, as PEM.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when OpenSSL cannot encode it.
    pub fn root_certificate_pem(&self) -> Result<String> {
        pem(&self.inner.authorities.root.certificate)
    }

    /// Every request so far with its answer, oldest first.
    pub fn log(&self) -> Vec<PushRecord> {
        self.inner.state().log.clone()
    }

    /// How many connections there were and are.
    pub fn connections(&self) -> Connections {
        self.inner.state().connections
    }

    /// Makes something go wrong from now on: for every token, or for one (hex).
    pub fn set_fault(&self, token: Option<&str>, fault: Fault, times: Times) {
        self.inner.state().faults.add(token.map(str::to_lowercase), fault, times);
    }

    /// Lets everything go right again.
    pub fn clear_faults(&self) {
        self.inner.state().faults.clear();
    }

    /// Gives a device a token for a topic; `magic` is what a push to it must carry.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when OpenSSL has no randomness.
    pub fn register_device(&self, topic: &str, magic: &str) -> Result<Registration> {
        let mut token = vec![0; 32];
        openssl::rand::rand_bytes(&mut token)?;
        let wake = Arc::new(Notify::new());
        let record =
            Token { topic: topic.to_owned(), magic: magic.to_owned(), wake: Arc::clone(&wake), unregistered: None };
        self.inner.state().tokens.insert(hex::encode(&token), record);
        Ok(Registration { token, wake })
    }

    /// The device now expects another magic under the same token.
    pub fn change_magic(&self, token: &[u8], magic: &str) {
        if let Some(record) = self.inner.state().tokens.get_mut(&hex::encode(token)) {
            magic.clone_into(&mut record.magic);
        }
    }

    /// The token is no longer valid: pushes to it answer 410 from now on.
    pub fn unregister_device(&self, token: &[u8]) {
        let now = self.inner.clock.unix();
        if let Some(record) = self.inner.state().tokens.get_mut(&hex::encode(token)) {
            record.unregistered = Some(now);
        }
    }

    /// Admits a client certificate made elsewhere; its subject must carry a UID.
    ///
    /// # Errors
    /// [`Error::Malformed`] when there is no UID.
    pub fn admit_certificate(&self, certificate: &X509Ref) -> Result<()> {
        let topic = certificate::subject_entry(certificate, Nid::USERID)
            .ok_or(Error::Malformed("the push certificate's subject has no UID"))?;
        self.inner.state().certificates.insert(certificate::fingerprint(certificate)?, topic);
        Ok(())
    }

    /// Turns a client certificate away from now on, as after a revocation.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when OpenSSL cannot encode it.
    pub fn revoke_certificate(&self, certificate: &X509Ref) -> Result<()> {
        self.inner.state().certificates.remove(&certificate::fingerprint(certificate)?);
        Ok(())
    }

    /// Stops at once: open connections are dropped.
    pub fn stop(&self) {
        self.listener.0.abort();
    }

    pub(crate) fn authorities(&self) -> &Authorities {
        &self.inner.authorities
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }
}

impl std::fmt::Debug for PushService {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PushService({})", self.url())
    }
}

impl Inner {
    /// A panic elsewhere must not hide what was logged.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn pem(certificate: &X509) -> Result<String> {
    Ok(String::from_utf8_lossy(&certificate.to_pem()?).into_owned())
}

pub(crate) fn new_topic() -> String {
    format!("com.apple.mgmt.External.{}", uuid::Uuid::new_v4())
}

pub(crate) fn issuer(certificate: X509, key: openssl::pkey::PKey<openssl::pkey::Private>) -> Issuer {
    Issuer { certificate, key }
}
