//! The link in a mail about one-operator working: it opens nothing, and stops one thing, once.

use serde_json::json;

use super::announce::end_one;
use super::notices::hash;
use crate::error::Result;
use crate::model::{HeldReason, OrderState};
use crate::operations::{Context, alerts, audit, orders};
use crate::store::one_operator_notices::Notice;
use crate::store::orders::Subject;
use crate::store::{self, Transaction};

/// What a link could stop.
#[derive(Clone, Debug)]
pub struct Stoppable {
    /// The council's name.
    pub council: String,
    /// The item that is to be erased; none where the link is about the announcement itself.
    pub item: Option<Subject>,
    /// Whether it can be stopped still, or else what it is instead, in words.
    pub state: Stopped,
    /// Google has the order, and has not said whether it took it back.
    pub in_doubt: bool,
}

/// What became of the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It can be stopped.
    Possible,
    /// It is stopped, by this link.
    Done,
    /// There is nothing left to stop, for this reason.
    TooLate(String),
}

/// What the link with this code is about, and whether it still can be stopped. Changes nothing.
///
/// # Errors
/// When the database fails. None for a code that there never was.
pub fn look(tx: &mut Transaction<'_>, code: &str) -> Result<Option<Stoppable>> {
    let Some(notice) = store::one_operator_notices::find_by_code(tx, &hash(code))? else { return Ok(None) };
    let council = store::councils::find(tx, &notice.council_id)?.map(|council| council.name).unwrap_or_default();
    let (mut item, mut in_doubt) = (None, false);
    if let Some(order) = &notice.order_id
        && let Some(order) = store::orders::find(tx, order)?
    {
        item = store::orders::subject(tx, &order.council_id, &order.device_id)?;
        in_doubt = store::google_operations::open_of_order(tx, &order.council_id, &order.id)?.is_some();
    }
    Ok(Some(Stoppable { council, item, state: state_of(tx, &notice)?, in_doubt }))
}

fn state_of(tx: &mut Transaction<'_>, notice: &Notice) -> Result<Stopped> {
    let used = notice.used_at.is_some();
    let Some(order) = &notice.order_id else {
        let standing = store::one_operator_settings::standing(tx, &notice.council_id)?;
        return Ok(match standing {
            Some(standing) if standing.id == notice.setting_id => Stopped::Possible,
            Some(_) => Stopped::TooLate("It was announced anew since: use the link in the newest mail.".to_owned()),
            None if used => Stopped::Done,
            None => {
                Stopped::TooLate("It was ended already. Two people must agree before a phone is erased.".to_owned())
            }
        });
    };
    let Some(order) = store::orders::find(tx, order)?.filter(|order| order.council_id == notice.council_id) else {
        return Ok(Stopped::TooLate("There is no such order any more.".to_owned()));
    };
    let cooling = store::cooling_offs::find(tx, &order.council_id, &order.id)?;
    let waits = order.state == OrderState::Requested;
    Ok(match cooling {
        Some(cooling) if cooling.round != notice.round => {
            Stopped::TooLate("Its time was begun anew since: use the link in the newest mail.".to_owned())
        }
        None if waits => {
            Stopped::TooLate("One-operator working was ended meanwhile: another person must approve it now.".to_owned())
        }
        _ if used && order.held_reason == Some(HeldReason::Paused) => Stopped::Done,
        _ => match orders::not_pausable(&order) {
            None => Stopped::Possible,
            Some(words) => Stopped::TooLate(words),
        },
    })
}

/// Stops what the link is about: the order is held, or the announcement ended. Done twice, it changes nothing the second time.
///
/// # Errors
/// When the database fails. None for a code that there never was.
pub fn stop(tx: &mut Transaction<'_>, context: &Context, code: &str) -> Result<Option<Stopped>> {
    let Some(notice) = store::one_operator_notices::find_by_code(tx, &hash(code))? else { return Ok(None) };
    audit::lock(tx, &notice.council_id)?;
    let state = match store::one_operator_notices::find(tx, &notice.id)? {
        Some(notice) => state_of(tx, &notice)?,
        None => return Ok(None),
    };
    if state != Stopped::Possible {
        return Ok(Some(state));
    }
    store::one_operator_notices::set_used(tx, &notice, context.now)?;
    let name = &notice.name;
    if let Some(order) = &notice.order_id {
        orders::pause(tx, context, order, &format!("{name}, who was told of it by mail, stopped it"))?;
    } else if let Some(standing) = store::one_operator_settings::standing(tx, &notice.council_id)? {
        end_one(tx, context, &standing, json!({ "setting": standing.id, "stopped_by": name }))?;
        let message = format!(
            "{name}, who was told of it by mail, does not want that one operator works alone: it was ended. Two people must agree \
             before a phone is erased."
        );
        alerts::raise(tx, context, &notice.council_id, "one_operator_stopped", standing.id.as_str(), &message)?;
    }
    Ok(Some(Stopped::Done))
}
