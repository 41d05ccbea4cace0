//! The mail server of the installation, and what it said last.

use diesel::prelude::*;

use super::Transaction;
use super::schema::mail_servers;
use crate::error::Result;
use crate::model::{MailSecurity, Moment};

/// A row of `mail_servers`; the migration says what each column means.
#[derive(Clone, HasQuery, Insertable)]
#[diesel(table_name = mail_servers)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct MailServer {
    pub id: String,
    pub host: String,
    pub port: i64,
    pub security: MailSecurity,
    pub username: Option<String>,
    pub sealed_password: Option<Vec<u8>>,
    pub sender: String,
    pub changed_by: String,
    pub changed_at: Moment,
    pub accepted_at: Option<Moment>,
    pub problem: Option<String>,
    pub problem_at: Option<Moment>,
}

impl std::fmt::Debug for MailServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MailServer({}:{})", self.host, self.port)
    }
}

/// The mail server, where one is set.
pub fn find(tx: &mut Transaction<'_>) -> Result<Option<MailServer>> {
    Ok(MailServer::query().first(tx.connection).optional()?)
}

/// Takes `server` in the place of whatever there was.
pub fn put(tx: &mut Transaction<'_>, server: &MailServer) -> Result<()> {
    remove(tx)?;
    diesel::insert_into(mail_servers::table).values(server).execute(tx.connection)?;
    Ok(())
}

/// Takes the mail server away: nothing is sent any more. Says whether there was one.
pub fn remove(tx: &mut Transaction<'_>) -> Result<bool> {
    Ok(diesel::delete(mail_servers::table).execute(tx.connection)? == 1)
}

/// Notes that the server, as it was set at `changed_at`, accepted a message.
pub fn set_accepted(tx: &mut Transaction<'_>, changed_at: Moment, at: Moment) -> Result<()> {
    diesel::update(mail_servers::table.filter(mail_servers::changed_at.eq(changed_at)))
        .set((
            mail_servers::accepted_at.eq(Some(at)),
            mail_servers::problem.eq(None::<String>),
            mail_servers::problem_at.eq(None::<Moment>),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes what went wrong with the server, as it was set at `changed_at`.
pub fn set_problem(tx: &mut Transaction<'_>, changed_at: Moment, problem: &str, at: Moment) -> Result<()> {
    diesel::update(mail_servers::table.filter(mail_servers::changed_at.eq(changed_at)))
        .set((mail_servers::problem.eq(Some(problem)), mail_servers::problem_at.eq(Some(at))))
        .execute(tx.connection)?;
    Ok(())
}
