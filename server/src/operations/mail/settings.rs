//! The mail server of the installation: set by the provider, its password kept sealed and never shown again.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::model::{MailSecurity, Moment, Permission};
use crate::operations::{Context, audit, trail};
use crate::store::mail_servers::MailServer;
use crate::store::{self, Transaction};

const ID: &str = "installation";

/// The row that the password is sealed for.
#[must_use]
pub fn sealed_id() -> &'static str {
    ID
}

/// A mail server to use. The password was sealed before.
#[derive(Clone)]
pub struct NewServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: i64,
    /// How the way to it is kept private.
    pub security: MailSecurity,
    /// Who the installation is there; empty to send without signing in.
    pub username: String,
    /// The password, sealed; none keeps the one that there is.
    pub sealed_password: Option<Vec<u8>>,
    /// The address that messages come from.
    pub sender: String,
}

impl std::fmt::Debug for NewServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "NewServer({}:{})", self.host, self.port)
    }
}

/// The mail server as it is shown: never its password.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServerView {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: i64,
    /// How the way to it is kept private.
    pub security: MailSecurity,
    /// Who the installation is there.
    pub username: Option<String>,
    /// Whether a password is kept.
    pub has_password: bool,
    /// The address that messages come from.
    pub sender: String,
    /// When it was set.
    pub changed_at: Moment,
    /// When it last accepted a message, as it is set now.
    pub accepted_at: Option<Moment>,
    /// What went wrong last, unless a message was accepted since.
    pub problem: Option<String>,
    /// When.
    pub problem_at: Option<Moment>,
}

impl From<MailServer> for ServerView {
    fn from(server: MailServer) -> Self {
        Self {
            host: server.host,
            port: server.port,
            security: server.security,
            username: server.username,
            has_password: server.sealed_password.is_some(),
            sender: server.sender,
            changed_at: server.changed_at,
            accepted_at: server.accepted_at,
            problem: server.problem,
            problem_at: server.problem_at,
        }
    }
}

/// The mail server, where one is set.
///
/// # Errors
/// `Forbidden` for all but the provider.
pub fn show(tx: &mut Transaction<'_>, context: &Context) -> Result<Option<ServerView>> {
    Ok(server(tx, context)?.map(ServerView::from))
}

/// The same as its row.
///
/// # Errors
/// `Forbidden` for all but the provider.
pub fn server(tx: &mut Transaction<'_>, context: &Context) -> Result<Option<MailServer>> {
    context.actor.require_installation(Permission::Installation)?;
    store::mail_servers::find(tx)
}

fn checked_host(host: &str) -> Result<String> {
    let host = host.trim().to_lowercase();
    let address = host.parse::<IpAddr>().is_ok();
    let name = host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    if address || name { Ok(host) } else { Err(Error::invalid("host", "must be a name such as smtp.example.org")) }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Takes a mail server for the whole installation, in the place of the one before. Only a person who showed his second factor
/// lately: whoever reads the council's mail knows what happens, and whoever can turn it off keeps others from knowing. The
/// server may be this very machine's, and only then may the way to it be plain text. A password that is kept goes to the host
/// and name that it was given for, and to no other.
///
/// # Errors
/// `Forbidden` for all but the provider, or without a recent sign-in; `Invalid` for settings that cannot be.
pub fn put(tx: &mut Transaction<'_>, context: &Context, new: &NewServer) -> Result<ServerView> {
    context.actor.require_installation(Permission::Installation)?;
    context.actor.require_fresh(context.now)?;
    store::audit::lock_head(tx, audit::INSTALLATION)?;
    let host = checked_host(&new.host)?;
    if !(1..=65535).contains(&new.port) {
        return Err(Error::invalid("port", "must be a number from 1 to 65535; most often 587 or 465"));
    }
    if new.security == MailSecurity::None && !is_this_machine(&host) {
        return Err(Error::invalid(
            "security",
            "must be encrypted: plain text is for a server on this same machine only",
        ));
    }
    let sender = super::checked_address(&new.sender)
        .map_err(|_| Error::invalid("sender", "must be a mail address such as beadle@example.org"))?;
    let username = Some(new.username.trim().to_owned()).filter(|name| !name.is_empty());
    if username.as_ref().is_some_and(|name| name.len() > 200 || name.chars().any(char::is_control)) {
        return Err(Error::invalid("username", "must have at most 200 characters"));
    }
    let before = store::mail_servers::find(tx)?;
    let kept = before.filter(|before| {
        before.host == host && before.port == new.port && before.username == username && before.security == new.security
    });
    let sealed_password = match (&username, &new.sealed_password) {
        (None, _) => None,
        (Some(_), Some(sealed)) => Some(sealed.clone()),
        (Some(_), None) => match kept.and_then(|before| before.sealed_password) {
            Some(sealed) => Some(sealed),
            None => return Err(Error::invalid("password", "must be given for this server and user name")),
        },
    };
    let server = MailServer {
        id: ID.to_owned(),
        host,
        port: new.port,
        security: new.security,
        username,
        sealed_password,
        sender,
        changed_by: context.actor.label(),
        changed_at: context.now,
        accepted_at: None,
        problem: None,
        problem_at: None,
    };
    store::mail_servers::put(tx, &server)?;
    audit::record_installation(tx, context, SET, ID, told(&server))?;
    Ok(server.into())
}

/// The kind of the row that says which mail server was set; its details are kept.
pub(crate) const SET: &str = "mail.server_set";
const REMOVED: &str = "mail.server_removed";

/// What the audit trail keeps of a mail server.
fn told(server: &MailServer) -> serde_json::Value {
    json!({
        "host": server.host, "port": server.port, "security": server.security, "username": server.username,
        "sender": server.sender,
    })
}

/// Since when `server` has been the mail server by the audit trail; none where the trail's last word is another.
pub(crate) fn proven_since(tx: &mut Transaction<'_>, context: &Context, server: &MailServer) -> Result<Option<Moment>> {
    let chain = audit::INSTALLATION;
    let last = trail::last_genuine(tx, context, chain, ID, &[SET, REMOVED])?;
    Ok(last.filter(|(row, said)| row.kind == SET && *said == told(server)).map(|(row, _)| row.at))
}

/// Takes the mail server away: nothing is sent any more.
///
/// # Errors
/// `Forbidden` for all but the provider, or without a recent sign-in; `NotFound` where none is set.
pub fn remove(tx: &mut Transaction<'_>, context: &Context) -> Result<()> {
    context.actor.require_installation(Permission::Installation)?;
    context.actor.require_fresh(context.now)?;
    store::audit::lock_head(tx, audit::INSTALLATION)?;
    if !store::mail_servers::remove(tx)? {
        return Err(Error::NotFound("mail server"));
    }
    audit::record_installation(tx, context, REMOVED, ID, json!({}))
}

/// Notes that the server, as it was set at `changed_at`, accepted a message.
///
/// # Errors
/// When the database fails.
pub fn accepted(tx: &mut Transaction<'_>, context: &Context, changed_at: Moment) -> Result<()> {
    store::mail_servers::set_accepted(tx, changed_at, context.now)
}

/// Notes what went wrong with the server, as it was set at `changed_at`.
///
/// # Errors
/// When the database fails.
pub fn problem(tx: &mut Transaction<'_>, context: &Context, changed_at: Moment, words: &str) -> Result<()> {
    store::mail_servers::set_problem(tx, changed_at, words, context.now)
}
