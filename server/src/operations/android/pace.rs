//! One pace for all calls of the Android Management API, whichever server makes them: all councils share Google's quota of
//! 1,000 calls in 100 seconds (Google, "Quotas and limits").
//!
//! A leaky bucket in one row: `paced_until` moves on by an eighth of a second for each call. A call may go as soon as the row
//! is not further ahead of the clock than its burst allows; urgent calls may go further ahead, so that 5,000 phones being read
//! never keep a lock waiting. In any 100 seconds at most 800 + 150 calls leave.

use chrono::Duration;

use crate::error::{Error, Result};
use crate::model::Moment;
use crate::store::{self, Transaction};

/// The place in time that one call takes.
const INTERVAL: Duration = Duration::milliseconds(125);
/// How far ahead of the clock the bulk of calls may run: 50 calls.
const USUAL_BURST: Duration = Duration::milliseconds(50 * 125);
/// How far ahead urgent calls may run: 150 calls.
const URGENT_BURST: Duration = Duration::milliseconds(150 * 125);
/// The longest that a call waits for its place; who would wait longer takes none and comes back later.
const LONGEST_WAIT: Duration = Duration::seconds(60);
/// How often another server may take the place first before the caller is told to come back.
const TRIES: usize = 20;

/// How much a call matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A lock, an order, a code that somebody waits for.
    Urgent,
    /// Everything else.
    Usual,
}

/// Takes a place for one call; says how long to wait before making it. A call that would have to wait too long takes no place: the
/// queue would else grow by every call that is turned away, for as long as there are any.
///
/// # Errors
/// `TooMany` for a call that comes back later; `Conflict` where no project is connected; `Unavailable` where too many ask at once.
pub fn take(tx: &mut Transaction<'_>, now: Moment, urgency: Urgency) -> Result<Duration> {
    let burst = match urgency {
        Urgency::Urgent => URGENT_BURST,
        Urgency::Usual => USUAL_BURST,
    };
    for _ in 0..TRIES {
        let project = store::google_projects::find(tx)?
            .ok_or_else(|| Error::conflict("no project at Google is connected; connect one first"))?;
        let until = project.paced_until.max(now) + INTERVAL;
        let wait = ((until - now) - burst).max(Duration::zero());
        if wait > LONGEST_WAIT {
            return Err(Error::TooMany { retry_after_seconds: u64::try_from(wait.num_seconds()).unwrap_or(60) });
        }
        if store::google_projects::pace(tx, &project.id, project.paced_until, until)? {
            return Ok(wait);
        }
    }
    Err(Error::Unavailable("too many calls to Google are waiting".to_owned()))
}

/// Google said that there were too many: everybody waits until `until`.
///
/// # Errors
/// `Unavailable` where so many ask at once that the row could not be moved.
pub fn hold_back(tx: &mut Transaction<'_>, until: Moment) -> Result<()> {
    for _ in 0..TRIES {
        let Some(project) = store::google_projects::find(tx)? else { return Ok(()) };
        let end = until + URGENT_BURST;
        if project.paced_until >= end || store::google_projects::pace(tx, &project.id, project.paced_until, end)? {
            return Ok(());
        }
    }
    Err(Error::Unavailable("too many calls to Google are waiting to be slowed down".to_owned()))
}
