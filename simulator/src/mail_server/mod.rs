//! A strict mail server: SMTP as RFC 5321 has it, with STARTTLS and AUTH, that can be told to refuse, hang or drop.
//!
//! It shares no code with any mail library, and notes every breach of the protocol; a test asks for them at its end.

mod certificate;
mod conversation;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openssl::ssl::{Ssl, SslAcceptor, SslMethod};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_openssl::SslStream;

use crate::error::Result;

/// How the connection is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// STARTTLS is offered, and demanded before anything else.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    None,
}

/// A point of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The first line.
    Greeting,
    /// EHLO.
    Hello,
    /// AUTH.
    SignIn,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA.
    Data,
    /// The dot at the end.
    End,
}

/// What is done at a point of the conversation instead of going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this code and text.
    Answer(u16, String),
    /// Says nothing for ever.
    Hang,
    /// Ends the connection.
    Drop,
    /// Keeps the message, and ends the connection before saying so; only at the end of a message.
    KeepAndDrop,
}

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The address in MAIL FROM.
    pub from: String,
    /// The addresses in RCPT TO.
    pub to: Vec<String>,
    /// The message as it came, dots taken off.
    pub text: String,
    /// Whether it came encrypted.
    pub encrypted: bool,
    /// Who had signed in.
    pub user: Option<String>,
}

impl Received {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.text.split_once("\r\n\r\n")?;
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        unfolded.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// The text below the headers, its quoted-printable signs resolved.
    #[must_use]
    pub fn body(&self) -> String {
        let body = self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let encoding = self.header("Content-Transfer-Encoding").unwrap_or_default();
        if encoding.eq_ignore_ascii_case("quoted-printable") { resolved(body) } else { body.to_owned() }
    }
}

fn resolved(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'=') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Debug, Default)]
struct State {
    received: Vec<Received>,
    breaches: Vec<String>,
    faults: BTreeMap<Stage, Fault>,
    refused: BTreeMap<String, (u16, String)>,
    connections: usize,
}

struct Inner {
    privacy: Privacy,
    user: Option<(String, String)>,
    acceptor: SslAcceptor,
    state: Mutex<State>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running server; it ends when this is dropped.
pub struct MailServer {
    address: SocketAddr,
    root: String,
    inner: Arc<Inner>,
    accepts: JoinHandle<()>,
}

impl std::fmt::Debug for MailServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MailServer({})", self.address)
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

/// Bytes in both directions, encrypted or not.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

async fn encrypted(stream: Box<dyn Line>, acceptor: &SslAcceptor) -> Option<Box<dyn Line>> {
    let mut stream = SslStream::new(Ssl::new(acceptor.context()).ok()?, stream).ok()?;
    Pin::new(&mut stream).accept().await.ok()?;
    Some(Box::new(stream))
}

impl MailServer {
    /// Starts one on a free port of 127.0.0.1. With a `user` (name and password) nobody sends without signing in.
    ///
    /// # Errors
    /// When no port or certificate can be had.
    pub async fn start(privacy: Privacy, user: Option<(&str, &str)>) -> Result<Self> {
        let (certificate, key) = certificate::made()?;
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
        acceptor.set_certificate(&certificate)?;
        acceptor.set_private_key(&key)?;
        let inner = Arc::new(Inner {
            privacy,
            user: user.map(|(name, password)| (name.to_owned(), password.to_owned())),
            acceptor: acceptor.build(),
            state: Mutex::default(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let root = String::from_utf8_lossy(&certificate.to_pem()?).into_owned();
        let serve = Arc::clone(&inner);
        let accepts = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve.state().connections += 1;
                tokio::spawn(talk(Arc::clone(&serve), stream));
            }
        });
        Ok(Self { address, root, inner, accepts })
    }

    /// Where it listens; its certificate is for this address and for "localhost".
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// PEM of the certificate to trust.
    #[must_use]
    pub fn root_certificate_pem(&self) -> &str {
        &self.root
    }

    /// What was accepted so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.inner.state().received.clone()
    }

    /// What clients did that the protocol forbids.
    #[must_use]
    pub fn breaches(&self) -> Vec<String> {
        self.inner.state().breaches.clone()
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.inner.state().connections
    }

    /// From now on does `fault` whenever a conversation comes to `stage`; none for going on as usual.
    pub fn at(&self, stage: Stage, fault: Option<Fault>) {
        let mut state = self.inner.state();
        match fault {
            Some(fault) => state.faults.insert(stage, fault),
            None => state.faults.remove(&stage),
        };
    }

    /// From now on refuses this recipient.
    pub fn refuse(&self, recipient: &str, code: u16, text: &str) {
        self.inner.state().refused.insert(recipient.to_owned(), (code, text.to_owned()));
    }
}

async fn talk(inner: Arc<Inner>, stream: TcpStream) {
    let stream: Box<dyn Line> = Box::new(stream);
    if inner.privacy != Privacy::Tls {
        return conversation::hold(&inner, stream).await;
    }
    if let Some(stream) = encrypted(stream, &inner.acceptor).await {
        conversation::hold(&inner, stream).await;
    }
}

#[cfg(test)]
mod tests;
