//! The way to the mail server: one message over SMTP, and what the server said to it. It knows no database.

mod letters;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use zeroize::Zeroizing;

use crate::model::MailSecurity;
pub(crate) use letters::{seal_password, try_out, usable};

/// How long one message may take, from the first packet to the server's word.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of a server's words is shown, in characters.
const MOST_WORDS: usize = 300;

/// A mail server with everything that is needed to use it.
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: MailSecurity,
    pub(crate) login: Option<(String, Zeroizing<String>)>,
    pub(crate) sender: String,
    /// PEM files with roots to trust beside the machine's.
    pub(crate) extra_roots: Vec<PathBuf>,
    pub(crate) patience: Duration,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Server({}:{})", self.host, self.port)
    }
}

/// One message.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    /// Tells it from all others; the same at every repeat, so that a mailbox can drop the second copy of one.
    pub(crate) id: &'a str,
    pub(crate) to: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) text: &'a str,
}

/// Why a message was not accepted, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Whether it is this recipient or message that the server will never take; all else may pass.
    pub(crate) for_good: bool,
    pub(crate) words: String,
}

/// Which part of the conversation something happened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connect,
    Encrypt,
    SignIn,
    Sender,
    Recipient,
    Text,
}

impl Step {
    const fn words(self) -> &'static str {
        match self {
            Self::Connect => "The mail server could not be reached",
            Self::Encrypt => "An encrypted connection to the mail server could not be made",
            Self::SignIn => "The mail server refused the user name or password",
            Self::Sender => "The mail server refused the sender's address",
            Self::Recipient => "The mail server refused the recipient's address",
            Self::Text => "The mail server refused the message",
        }
    }

    fn broken(self, problem: &lettre::transport::smtp::Error) -> Trouble {
        let for_good = problem.is_permanent() && matches!(self, Self::Recipient | Self::Text);
        let said = shown(&problem.to_string());
        let words = if problem.is_permanent() || matches!(self, Self::Connect | Self::Encrypt) {
            self.words()
        } else if problem.is_transient() {
            "The mail server cannot take the message just now"
        } else {
            "The connection to the mail server broke"
        };
        Trouble { for_good, words: format!("{words}: {said}.") }
    }
}

/// A server's words, fit to be shown: one line, of bounded length.
fn shown(text: &str) -> String {
    let line: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MOST_WORDS).collect();
    line.trim().trim_end_matches('.').to_owned()
}

fn passing(words: impl Into<String>) -> Trouble {
    Trouble { for_good: false, words: words.into() }
}

/// Sends one message; gives what the server said when it accepted it.
///
/// # Errors
/// What went wrong and where, in words; nothing was accepted then, as far as the server said.
pub(crate) async fn send(server: &Server, outgoing: &Outgoing<'_>) -> Result<String, Trouble> {
    let message = message(server, outgoing)?;
    match tokio::time::timeout(server.patience.min(PATIENCE), converse(server, &message)).await {
        Ok(result) => result,
        Err(_) => Err(passing("The mail server did not answer in time.")),
    }
}

fn message(server: &Server, outgoing: &Outgoing<'_>) -> Result<Message, Trouble> {
    let wrong = |what: &str| Trouble { for_good: true, words: format!("{what} is no mail address.") };
    let from: Mailbox = server.sender.parse().map_err(|_| passing("The sender's address is no mail address."))?;
    let to: Mailbox = outgoing.to.parse().map_err(|_| wrong("The recipient's address"))?;
    let id = format!("<{}@{}>", outgoing.id, from.email.domain());
    let mut message = Message::builder()
        .from(from)
        .to(to)
        .subject(outgoing.subject)
        .message_id(Some(id))
        .header(ContentType::TEXT_PLAIN)
        .body(outgoing.text.to_owned())
        .map_err(|problem| passing(format!("The message could not be written: {problem}.")))?;
    // So that nobody's "I am away" answers it.
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
    Ok(message)
}

fn tls(server: &Server) -> Result<TlsParameters, Trouble> {
    let wrong = |problem: String| passing(format!("{}: {problem}.", Step::Encrypt.words()));
    let mut builder = TlsParameters::builder(server.host.clone());
    for path in &server.extra_roots {
        let pem = std::fs::read(path).map_err(|problem| wrong(problem.to_string()))?;
        builder =
            builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|problem| wrong(problem.to_string()))?);
    }
    builder.build().map_err(|problem| wrong(problem.to_string()))
}

async fn connect(server: &Server, hello: &ClientId) -> Result<AsyncSmtpConnection, Trouble> {
    let address = (server.host.as_str(), server.port);
    let at_once = if server.security == MailSecurity::Tls { Some(tls(server)?) } else { None };
    let mut connection = AsyncSmtpConnection::connect_tokio1(address, Some(server.patience), hello, at_once, None)
        .await
        .map_err(|problem| {
            // What breaks in the handshake is reported as any other failure to connect.
            let handshake =
                problem.is_tls() || (server.security == MailSecurity::Tls && problem.to_string().contains("SSL"));
            (if handshake { Step::Encrypt } else { Step::Connect }).broken(&problem)
        })?;
    if server.security == MailSecurity::Starttls {
        if !connection.can_starttls() {
            return Err(passing("The mail server does not offer STARTTLS, and nothing is sent in plain text."));
        }
        connection.starttls(tls(server)?, hello).await.map_err(|problem| Step::Encrypt.broken(&problem))?;
    }
    if server.security != MailSecurity::None && !connection.is_encrypted() {
        return Err(passing("The connection to the mail server is not encrypted."));
    }
    Ok(connection)
}

async fn converse(server: &Server, message: &Message) -> Result<String, Trouble> {
    let envelope = message.envelope().clone();
    let domain = envelope.from().map_or("localhost", |from| from.domain()).to_owned();
    let hello = ClientId::Domain(domain);
    let mut connection = connect(server, &hello).await?;
    let said = deliver(&mut connection, server, message).await;
    // Only a courtesy: what counts was said before.
    if tokio::time::timeout(Duration::from_secs(2), connection.quit()).await.is_err() {
        tracing::debug!("a mail server did not say goodbye");
    }
    said
}

async fn deliver(connection: &mut AsyncSmtpConnection, server: &Server, message: &Message) -> Result<String, Trouble> {
    if let Some((name, password)) = &server.login {
        let credentials = Credentials::new(name.clone(), password.to_string());
        let offered = [Mechanism::Plain, Mechanism::Login];
        connection.auth(&offered, &credentials).await.map_err(|problem| Step::SignIn.broken(&problem))?;
    }
    let envelope = message.envelope();
    let from = Mail::new(envelope.from().cloned(), Vec::new());
    connection.command(from).await.map_err(|problem| Step::Sender.broken(&problem))?;
    for to in envelope.to() {
        let to = Rcpt::new(to.clone(), Vec::new());
        connection.command(to).await.map_err(|problem| Step::Recipient.broken(&problem))?;
    }
    connection.command(Data).await.map_err(|problem| Step::Text.broken(&problem))?;
    let response = connection.message(&message.formatted()).await.map_err(|problem| Step::Text.broken(&problem))?;
    Ok(said(&response))
}

fn said(response: &Response) -> String {
    shown(&format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" ")))
}
