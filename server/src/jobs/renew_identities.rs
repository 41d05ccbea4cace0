//! Renews the identities of phones before they end, asks again weekly, and tells people when it does not work.

use chrono::Duration;

use super::outcome::{Failure, Next};
use super::{Bench, again};
use crate::error::Result;
use crate::model::{EnrolmentId, Moment, Platform};
use crate::operations::{Context, alerts, commands};
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

pub(super) const KIND: &str = "renew_identities";

const BEFORE: Duration = Duration::days(60);
const ASKED_AGAIN: Duration = Duration::days(7);
const PHONES: i64 = 100;

pub(super) async fn run(bench: &Bench) -> Result<Next, Failure> {
    let now = bench.context().now;
    loop {
        let context = bench.context();
        let started = bench.app.database.write("renew identities", move |tx| start_some(tx, &context)).await?;
        if started == 0 {
            break;
        }
    }
    let mut after: Option<(Moment, EnrolmentId)> = None;
    loop {
        let context = bench.context();
        let from = after.clone();
        after =
            bench.app.database.write("identities that end", move |tx| tell_some(tx, &context, from.clone())).await?;
        if after.is_none() {
            break;
        }
    }
    Ok(again(now, Duration::hours(24)))
}

fn start_some(tx: &mut Transaction<'_>, context: &Context) -> Result<usize> {
    let (before, started) = (context.now + BEFORE, context.now - ASKED_AGAIN);
    let mut phones = store::wake::identities_ending(tx, before, started, PHONES)?;
    // Locks of several councils are taken in one order everywhere.
    phones.sort_by(|one, other| (&one.council_id, &one.id).cmp(&(&other.council_id, &other.id)));
    for phone in &phones {
        if phone.platform == Platform::Apple {
            // One phone that cannot be asked must not keep the others from it.
            if let Err(problem) = commands::queue(tx, context, phone, &commands::renewal()) {
                tracing::warn!(enrolment = %phone.id, %problem, "a renewal could not be asked for");
            }
        }
        store::wake::renewal_started(tx, phone, context.now)?;
    }
    Ok(phones.len())
}

fn tell_some(
    tx: &mut Transaction<'_>,
    context: &Context,
    after: Option<(Moment, EnrolmentId)>,
) -> Result<Option<(Moment, EnrolmentId)>> {
    let phones = store::wake::identities_ending_after(tx, context.now + Duration::days(30), after, PHONES)?;
    for phone in &phones {
        tell(tx, context, phone)?;
    }
    Ok(phones.last().and_then(|phone| Some((phone.identity_not_after?, phone.id.clone()))))
}

fn tell(tx: &mut Transaction<'_>, context: &Context, phone: &Enrolment) -> Result<()> {
    let Some(end) = phone.identity_not_after else { return Ok(()) };
    let days = (end - context.now).num_days();
    let nearest = match days {
        ..=7 => 0,
        8..=14 => 1,
        _ => 2,
    };
    for (position, kind) in alerts::IDENTITY_ALERTS.into_iter().enumerate() {
        if position != nearest {
            alerts::end(tx, context, &phone.council_id, kind, phone.id.as_str())?;
            continue;
        }
        let when = if end <= context.now {
            "has ended; the phone is served its renewal only".to_owned()
        } else {
            format!("ends in {days} days")
        };
        let message = format!(
            "The identity by which this phone proves who it is {when}. Its renewal is under way but the phone has not \
             taken it: have it switched on and connected. If that does not help, let it enrol again."
        );
        alerts::raise(tx, context, &phone.council_id, kind, phone.id.as_str(), &message)?;
    }
    Ok(())
}
