//! Sends one message to one recipient. Jobs that failed are tried again; a recipient that the server refuses stops only its own.

use chrono::Duration;

use super::outcome::{Failure, Next, payload};
use super::{Bench, back_off, jitter};
use crate::error::Error;
use crate::mail::{Outgoing, send, usable};
use crate::operations::mail::{self, Letter};
use crate::store;
use crate::store::jobs::Job;

/// The longest wait between two tries: people should hear soon once the mail server is back.
const LONGEST: Duration = Duration::minutes(15);

pub(super) async fn run(bench: &Bench, job: &Job) -> Result<Next, Failure> {
    let mut letter: Letter = payload(job)?;
    let database = &bench.app.database;
    // Whoever took the mail server away wants nothing sent.
    let row = database.read("mail server", store::mail_servers::find).await?;
    let context = bench.context();
    // But what waits for this letter waits for a server, too.
    if row.is_none() && letter.notice.is_some() && !letter.is_stale(context.now) {
        return Ok(Next::Again { at: context.now + LONGEST, payload: job.payload.clone() });
    }
    let Some(row) = row else { return Ok(Next::Done) };
    if letter.is_stale(context.now) {
        database.write("give a mail up", move |tx| mail::given_up(tx, &context, &letter)).await?;
        return Ok(Next::Done);
    }
    let server = usable(&bench.app, &row)?;
    let outgoing = Outgoing { id: job.id.as_str(), to: &letter.to, subject: &letter.subject, text: &letter.text };
    let result = send(&server, &outgoing).await;
    let (context, changed_at) = (bench.context(), row.changed_at);
    match result {
        Ok(said) => {
            tracing::info!(job = %job.id, said, "the mail server accepted a message");
            database.write("a mail was sent", move |tx| mail::sent(tx, &context, &letter, &row)).await?;
            Ok(Next::Done)
        }
        Err(trouble) if trouble.for_good => {
            let words = trouble.words;
            database
                .write("a mail was refused", move |tx| mail::recipient_refused(tx, &context, &letter, &words))
                .await?;
            Ok(Next::Done)
        }
        Err(trouble) => {
            letter.tries += 1;
            let at = context.now + back_off(letter.tries, jitter()?).min(LONGEST);
            let payload = serde_json::to_string(&letter).map_err(Error::from)?;
            let words = trouble.words;
            tracing::warn!(job = %job.id, tries = letter.tries, words, "a mail could not be sent");
            database
                .write("a mail was not sent", move |tx| mail::cannot_send(tx, &context, &letter, changed_at, &words))
                .await?;
            Ok(Next::Again { at, payload })
        }
    }
}
