//! Bringing a council's policy to Google.

use super::client;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Actor, CouncilId, Mode, Posture};
use crate::operations::android::pace::Urgency;
use crate::operations::android::policies::{self, Sent, ToSend};
use crate::platform::android::Failure;

/// How often a policy is sent in a row where another sender of it came between; after that the council's job sends it.
const TIMES: usize = 3;

/// Brings every policy of a council that Google does not have yet, or those of one mode that is about to be used. Jobs, codes and
/// postures all send: where two send one policy at once, [`policies::taken`] notices, and it is sent again.
///
/// # Errors
/// Where Google cannot just now; a refusal is no error, it is written down and told.
pub async fn put(app: &App, council: &CouncilId, only: Option<Mode>, urgency: Urgency) -> Result<()> {
    let (context, of) = (app.context(Actor::System), council.clone());
    let waiting = app
        .database
        .write("policies for Google", move |tx| match only {
            None => policies::to_send(tx, &context, &of),
            Some(mode) => policies::to_send_for(tx, &context, &of, mode),
        })
        .await?;
    for to_send in waiting {
        let (mode, posture) = (to_send.row.mode, to_send.row.posture);
        if put_one(app, to_send, urgency).await? == Sent::Crossed {
            put_again(app, council, mode, posture).await?;
        }
    }
    Ok(())
}

/// Sends one policy whatever Google is thought to have: it forgets those that no phone has had for a week.
///
/// # Errors
/// As [`put`].
pub async fn put_again(app: &App, council: &CouncilId, mode: Mode, posture: Posture) -> Result<()> {
    for _ in 0..TIMES {
        let (context, of) = (app.context(Actor::System), council.clone());
        let waiting = app
            .database
            .write("one policy for Google", move |tx| policies::again(tx, &context, &of, mode, posture))
            .await?;
        let Some(to_send) = waiting else { return Ok(()) };
        if put_one(app, to_send, Urgency::Urgent).await? == Sent::There {
            return Ok(());
        }
    }
    Ok(())
}

async fn put_one(app: &App, to_send: ToSend, urgency: Urgency) -> Result<Sent> {
    let context = app.context(Actor::System);
    let compiled = match policies::compile(&app.keys, &to_send) {
        Ok(compiled) => compiled,
        Err(Error::Invalid { field, problem }) => {
            let words = format!("{field} {problem}.");
            app.database.write("policy not made", move |tx| policies::refused(tx, &context, &to_send, &words)).await?;
            return Ok(Sent::There);
        }
        Err(other) => return Err(other),
    };
    let digest = compiled.digest;
    // What the change was about may concern iPhones alone: then Google's number stays, and no phone fetches anything.
    let is_there = !to_send.forced && to_send.row.sent_digest.as_deref() == Some(digest.as_str());
    let answer = match to_send.row.google_version.filter(|_| is_there) {
        Some(version) => Ok(version),
        None => client(app, urgency).await?.patch_policy(&to_send.name, &compiled.policy).await,
    };
    match answer {
        Ok(version) => {
            app.database
                .write("policy taken", move |tx| policies::taken(tx, &context, &to_send, &digest, version))
                .await
        }
        Err(Failure::Refused { message, .. }) => {
            app.database.write("policy refused", move |tx| policies::refused(tx, &context, &to_send, &message)).await?;
            Ok(Sent::There)
        }
        Err(failure @ (Failure::Again { .. } | Failure::Unclear { .. })) => {
            app.database.write("policy perhaps sent", move |tx| policies::unclear(tx, &context, &to_send)).await?;
            Err(failure.into())
        }
        Err(other) => Err(other.into()),
    }
}
