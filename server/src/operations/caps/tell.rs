//! Telling every council what concerns all of them: that orders of the whole installation are frozen, that a raise of its
//! caps was asked for. A page of councils at a time, since an installation may have thousands.

use serde_json::json;

use super::CapScope;
use super::freeze::{FROZEN, message_of};
use super::raise::RAISE;
use crate::error::Result;
use crate::model::CouncilId;
use crate::operations::{Context, alerts, audit, jobs};
use crate::store::{self, Transaction};

/// The kind of the job that tells the councils after the first page.
pub const TELL_COUNCILS: &str = "tell_councils";

/// How many councils are told in one transaction.
const COUNCILS: i64 = 500;

/// Tells the first page of councils now, and leaves the others to a job.
pub(super) fn tell_all(tx: &mut Transaction<'_>, context: &Context) -> Result<()> {
    match tell_councils(tx, context, None, COUNCILS)? {
        None => Ok(()),
        Some(after) => {
            jobs::queue(tx, context, TELL_COUNCILS, json!({ "after": after }), context.now, Some(TELL_COUNCILS))
        }
    }
}

/// Brings the alerts of up to `limit` councils after `after` into line with how the installation's caps stand now; gives
/// back the council to go on from, unless it was the last. A repeat changes nothing.
pub fn tell_councils(
    tx: &mut Transaction<'_>,
    context: &Context,
    after: Option<&CouncilId>,
    limit: i64,
) -> Result<Option<CouncilId>> {
    let frozen = store::freezes::open(tx, audit::INSTALLATION)?.map(|freeze| message_of(&freeze));
    let raise = raise_asked(tx)?;
    let page = store::councils::page(tx, None, after.map(CouncilId::as_str), limit)?;
    for council in &page {
        show_as(tx, context, &council.id, FROZEN, frozen.as_deref())?;
        show_as(tx, context, &council.id, RAISE, raise.as_deref())?;
    }
    let full = i64::try_from(page.len()).is_ok_and(|councils| councils >= limit);
    Ok(page.into_iter().last().map(|council| council.id).filter(|_| full))
}

fn raise_asked(tx: &mut Transaction<'_>) -> Result<Option<String>> {
    let Some(raise) = store::cap_changes::pending(tx, CapScope::Installation.as_str())? else { return Ok(None) };
    if raise.approved_by.is_some() {
        return Ok(None);
    }
    let name = store::operators::find(tx, &raise.requested_by)?
        .map_or_else(|| raise.requested_by.to_string(), |operator| operator.name);
    Ok(Some(format!(
        "{name} asks to raise the caps on the orders of all councils together to {} an hour, {} a day.",
        raise.per_hour, raise.per_day
    )))
}

/// Raises, replaces or ends an alert about the installation, so that it says `message`.
fn show_as(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    kind: &str,
    message: Option<&str>,
) -> Result<()> {
    let open = store::alerts::find_open(tx, council, kind, audit::INSTALLATION)?;
    if open.as_ref().map(|alert| alert.message.as_str()) == message {
        return Ok(());
    }
    if open.is_some() {
        alerts::end(tx, context, council, kind, audit::INSTALLATION)?;
    }
    match message {
        Some(message) => alerts::raise(tx, context, council, kind, audit::INSTALLATION, message),
        None => Ok(()),
    }
}
