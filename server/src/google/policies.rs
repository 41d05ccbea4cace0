//! Bringing a council's policy to Google.

use super::client;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Actor, CouncilId, Mode, Posture};
use crate::operations::android::pace::Urgency;
use crate::operations::android::policies::{self, ToSend};
use crate::platform::android::Failure;

/// Brings every policy of a council that Google does not have yet, or those of one mode that is about to be used. The caller
/// holds the lease of the council's policies, so that patches of one policy never cross.
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
        put_one(app, to_send, urgency).await?;
    }
    Ok(())
}

/// Sends one policy whatever Google is thought to have: it forgets those that no phone has had for a week.
///
/// # Errors
/// As [`put`].
pub async fn put_again(app: &App, council: &CouncilId, mode: Mode, posture: Posture) -> Result<()> {
    let (context, of) = (app.context(Actor::System), council.clone());
    let waiting = app
        .database
        .write("one policy for Google", move |tx| policies::again(tx, &context, &of, mode, posture))
        .await?;
    match waiting {
        Some(mut to_send) => {
            to_send.row.sent_digest = None;
            put_one(app, to_send, Urgency::Urgent).await
        }
        None => Ok(()),
    }
}

async fn put_one(app: &App, to_send: ToSend, urgency: Urgency) -> Result<()> {
    let context = app.context(Actor::System);
    let compiled = match policies::compile(&app.keys, &to_send) {
        Ok(compiled) => compiled,
        Err(Error::Invalid { field, problem }) => {
            let words = format!("{field} {problem}.");
            return app
                .database
                .write("policy not made", move |tx| policies::refused(tx, &context, &to_send, &words))
                .await;
        }
        Err(other) => return Err(other),
    };
    let digest = compiled.digest;
    // What the change was about may concern iPhones alone: then Google's number stays, and no phone fetches anything.
    let unchanged = to_send.row.google_version.filter(|_| to_send.row.sent_digest.as_deref() == Some(digest.as_str()));
    let answer = match unchanged {
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
            app.database.write("policy refused", move |tx| policies::refused(tx, &context, &to_send, &message)).await
        }
        Err(other) => Err(other.into()),
    }
}
