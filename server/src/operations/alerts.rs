//! What needs a person's attention, raised once and ended when it is over.

use super::{Context, audit, hands, mail};
use crate::error::{Error, Result};
use crate::model::{AlertId, CouncilId, OperatorId, Permission};
use crate::store::alerts::Alert;
use crate::store::{self, Transaction};

/// The alert about a push certificate that ends.
pub(crate) const PUSH_CERTIFICATE_ENDS: &str = "push_certificate_ends";
/// The alert about a council whose push certificate is missing or ran out.
pub(crate) const NO_CERTIFICATE: &str = "push_certificate";
/// The alerts about an identity that ends, by how near the end is.
pub(crate) const IDENTITY_ALERTS: [&str; 3] =
    ["identity_ends_within_7_days", "identity_ends_within_14_days", "identity_ends_within_30_days"];

/// How much of an earlier alert's text a newer one repeats, in characters.
const MOST_OF_EARLIER: usize = 1000;

/// Raises an alert of `kind` about `subject` (an id), unless one is open already.
pub fn raise(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    kind: &str,
    subject: &str,
    message: &str,
) -> Result<()> {
    raise_new(tx, context, council, kind, subject, message).map(drop)
}

/// The same; says whether the alert is new, so that what goes with a new one happens once.
pub fn raise_new(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    kind: &str,
    subject: &str,
    message: &str,
) -> Result<bool> {
    let alert = Alert {
        council_id: council.clone(),
        id: AlertId::new(),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        message: message.to_owned(),
        raised_at: context.now,
        ended_at: None,
        ended_by: None,
    };
    let raised = store::alerts::insert_unless_open(tx, &alert)?;
    if raised {
        tracing::warn!(council = %council, kind, subject, message, "alert");
        mail::tell_of_alert(tx, context, &alert)?;
    }
    Ok(raised)
}

/// Raises an alert also where one is open: that one is ended, and what it said stands in the new one, so that a second event
/// shows to those who have read of the first.
pub fn raise_anew(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    kind: &str,
    subject: &str,
    message: &str,
) -> Result<()> {
    let message = match store::alerts::find_open(tx, council, kind, subject)? {
        Some(open) => {
            let earlier: String = open.message.chars().take(MOST_OF_EARLIER).collect();
            format!("{message} Before that: {earlier}")
        }
        None => message.to_owned(),
    };
    end(tx, context, council, kind, subject)?;
    raise(tx, context, council, kind, subject, &message)
}

/// Ends the open alert of `kind` about `subject`, if there is one.
pub fn end(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, kind: &str, subject: &str) -> Result<()> {
    store::alerts::end_open(tx, council, kind, subject, context.now, &context.actor.label()).map(drop)
}

/// Ends every open alert that the identity of an enrolment ends; `subject` is the enrolment.
pub(crate) fn end_identity_alerts(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    subject: &str,
) -> Result<()> {
    store::alerts::end_open_of_three(tx, council, IDENTITY_ALERTS, subject, context.now, &context.actor.label())
}

/// A council's alerts, oldest first, after the alert with the id `after`; the open ones only, or all.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    open_only: bool,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Alert>> {
    context.actor.require(Permission::Read, council)?;
    store::alerts::page(tx, council, open_only, after, limit)
}

/// A council's alerts before the one with the id `before`, open or not, newest first.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn newest(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Alert>> {
    context.actor.require(Permission::Read, council)?;
    store::alerts::page_before(tx, council, before, limit)
}

/// The alerts about what someone did to an account; their subject is the account.
const ABOUT_WHAT_WAS_DONE: [&str; 4] = ["operator_added", "operator_reset", "own_phone_lost", "break_glass_used"];
/// The alerts about how an account was signed in to; their subject is the account.
const ABOUT_SIGN_IN: [&str; 3] = ["recovery_code_used", "sign_in_failures", "passkey_copied"];

/// Refuses whoever an alert about an account may be about: the one who made or reset it (or stands behind him) must not
/// make it vanish, nor must the account itself vouch for how it came about.
fn require_bystander(tx: &mut Transaction<'_>, context: &Context, alert: &Alert) -> Result<()> {
    let about_sign_in = ABOUT_SIGN_IN.contains(&alert.kind.as_str());
    if !about_sign_in && !ABOUT_WHAT_WAS_DONE.contains(&alert.kind.as_str()) {
        return Ok(());
    }
    let subject = OperatorId::from(alert.subject.as_str());
    let own = context.actor.signed_in().is_some_and(|signed_in| signed_in.operator == subject);
    if own && about_sign_in {
        return Ok(());
    }
    let Some(about) = store::operators::find(tx, &subject)? else { return Ok(()) };
    if hands::touch(tx, &context.actor, &about)? {
        return Err(Error::forbidden(
            "this alert is about an account that you made or reset, or about your own; someone else must see to it",
        ));
    }
    Ok(())
}

/// A person has seen to the alert: ends it. What is still wrong raises a new one.
///
/// # Errors
/// `Forbidden` for an alert about an account that the caller made or reset.
pub fn acknowledge(tx: &mut Transaction<'_>, context: &Context, id: &AlertId) -> Result<Alert> {
    let alert = store::alerts::find(tx, id)?
        .filter(|alert| context.actor.sees(&alert.council_id))
        .ok_or(Error::NotFound("alert"))?;
    context.actor.require(Permission::Register, &alert.council_id)?;
    audit::lock(tx, &alert.council_id)?;
    require_bystander(tx, context, &alert)?;
    let by = context.actor.label();
    if store::alerts::end_open(tx, &alert.council_id, &alert.kind, &alert.subject, context.now, &by)? {
        let details = serde_json::json!({ "kind": alert.kind, "subject": alert.subject, "message": alert.message });
        audit::record(tx, context, &alert.council_id, "alert acknowledged", alert.id.as_str(), details)?;
    }
    store::alerts::find(tx, id)?.ok_or(Error::NotFound("alert"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Actor;
    use crate::testing::on_both;

    #[tokio::test]
    async fn raised_once_while_open_and_again_after_its_end() {
        on_both(|bench| async move {
            let council = bench.council("germoe").await;
            let context = bench.context(Actor::System);
            bench
                .database
                .write("alerts", move |tx| {
                    let raise = |tx: &mut Transaction<'_>, subject| {
                        raise_new(tx, &context, &council, "sim_changed", subject, "another SIM")
                    };
                    assert!(raise(tx, "a")?);
                    assert!(!raise(tx, "a")?, "the transaction goes on, without a second alert");
                    assert!(raise(tx, "b")?);
                    end(tx, &context, &council, "sim_changed", "a")?;
                    end(tx, &context, &council, "sim_changed", "a")?;
                    assert!(raise(tx, "a")?);
                    let open = list(tx, &context, &council, true, None, 10)?;
                    assert_eq!(open.len(), 2);
                    assert_eq!(list(tx, &context, &council, false, None, 10)?.len(), 3);
                    let next = list(tx, &context, &council, true, open.first().map(|alert| alert.id.as_str()), 10)?;
                    assert_eq!(next.len(), 1);
                    let ended = acknowledge(tx, &context, &next[0].id)?;
                    assert_eq!(ended.ended_by.as_deref(), Some("system"));
                    assert!(ended.ended_at.is_some());
                    Ok(())
                })
                .await
                .expect("alerts");
        })
        .await;
    }

    #[tokio::test]
    async fn another_council_does_not_see_an_alert() {
        on_both(|bench| async move {
            let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
            let system = bench.context(Actor::System);
            let stranger = bench.context(Actor::Token {
                id: crate::model::TokenId::new(),
                council: other,
                scopes: crate::model::TokenScope::ALL.to_vec(),
            });
            bench
                .database
                .write("alerts", move |tx| {
                    raise(tx, &system, &council, "x", "s", "m")?;
                    let alert = list(tx, &system, &council, true, None, 1)?.remove(0);
                    assert!(matches!(acknowledge(tx, &stranger, &alert.id), Err(Error::NotFound(_))));
                    assert!(matches!(list(tx, &stranger, &council, true, None, 1), Err(Error::NotFound(_))));
                    Ok(())
                })
                .await
                .expect("alerts");
        })
        .await;
    }
}
