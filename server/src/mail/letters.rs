//! From the settings in the database to a server that can be used: opens the sealed password, outside any transaction.

use std::time::Duration;

use zeroize::Zeroizing;

use super::{Outgoing, Server, send};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::JobId;
use crate::operations::{Context, accounts, mail};
use crate::sealing::Purpose;
use crate::store::mail_servers::MailServer;

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// The mail server as `row` says, with its password.
///
/// # Errors
/// When the password cannot be opened.
pub(crate) fn usable(app: &App, row: &MailServer) -> Result<Server> {
    let login = match (&row.username, &row.sealed_password) {
        (Some(name), Some(sealed)) => {
            let bytes = app.keys.sealer.open(Purpose::MailPassword, "installation", mail::sealed_id(), sealed)?;
            let password = std::str::from_utf8(&bytes).map_err(Error::internal)?;
            Some((name.clone(), Zeroizing::new(password.to_owned())))
        }
        _ => None,
    };
    Ok(Server {
        host: row.host.clone(),
        port: u16::try_from(row.port).map_err(Error::internal)?,
        security: row.security,
        login,
        sender: row.sender.clone(),
        extra_roots: app.config.mail.extra_roots.clone(),
        patience: PATIENCE,
    })
}

/// Seals the password of the mail server.
///
/// # Errors
/// When it cannot be sealed.
pub(crate) fn seal_password(app: &App, password: &str) -> Result<Vec<u8>> {
    if password.len() > 256 {
        return Err(Error::invalid("password", "must have at most 256 characters"));
    }
    app.keys.sealer.seal(Purpose::MailPassword, "installation", mail::sealed_id(), password.as_bytes())
}

/// Sends a test message to the caller's own address. Gives what the server said when it accepted it, or what went wrong in
/// words; either is kept beside the settings.
///
/// # Errors
/// `Forbidden` for all but the provider; `NotFound` where no server is set; `Conflict` for a caller without an address.
pub(crate) async fn try_out(app: &App, context: Context) -> Result<Result<String, String>> {
    let asked = context.clone();
    let (row, to) = app
        .database
        .read("test message", move |tx| {
            let row = mail::server(tx, &asked)?.ok_or(Error::NotFound("mail server"))?;
            let (operator, _) = accounts::show(tx, &asked)?;
            let to =
                operator.mail.ok_or_else(|| Error::conflict("your account has no mail address to send a test to"))?;
            Ok((row, to))
        })
        .await?;
    let server = usable(app, &row)?;
    let id = JobId::new();
    let outgoing = Outgoing {
        id: id.as_str(),
        to: &to,
        subject: "Beadle: test message",
        text: "This is a test. Mail from Beadle arrives.\r\n",
    };
    let result = send(&server, &outgoing).await.map_err(|trouble| trouble.words);
    let (kept, changed_at) = (result.clone(), row.changed_at);
    let context = app.context(context.actor);
    app.database
        .write("test message", move |tx| match &kept {
            Ok(_) => mail::accepted(tx, &context, changed_at),
            Err(words) => mail::problem(tx, &context, changed_at, words),
        })
        .await?;
    Ok(result)
}
