//! The end of a cooling-off: the order goes, under the same conditions as an approval, or waits for a person.

use serde_json::json;

use super::approve::{request_is_genuine, require_unchanged_device};
use super::authorise::authorise;
use super::{end_alerts, hold, tag_of};
use crate::error::{Error, Result};
use crate::model::{COOLING_OFF, HeldReason, Moment, OneOperatorId, OrderEvent, OrderState};
use crate::operations::one_operator::{self, Untold};
use crate::operations::{Context, alerts, audit, quarantine, standing};
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// Carries out, or holds, one order whose cooling-off is over. Says whether there was one.
///
/// In a transaction of its own: it takes a council's lock and then the installation's, as an approval does.
pub fn cool_off_due(tx: &mut Transaction<'_>, context: &Context) -> Result<bool> {
    // What a person said still stands waits for the end of the quarantine.
    if quarantine::is_on(tx)? {
        return Ok(false);
    }
    let Some((council, id)) = store::cooling_offs::due(tx, context.now - COOLING_OFF, context.now)? else {
        return Ok(false);
    };
    audit::lock(tx, &council)?;
    store::audit::lock_head(tx, audit::INSTALLATION)?;
    let cooling = store::cooling_offs::find(tx, &council, &id)?;
    let order = store::orders::find(tx, &id)?.filter(|order| order.council_id == council);
    let over = cooling.and_then(|cooling| cooling.began_at).is_some_and(|at| at + COOLING_OFF <= context.now);
    let Some(order) =
        order.filter(|order| over && order.state == OrderState::Requested && context.now < order.lapses_at)
    else {
        return Ok(true);
    };
    match ready(tx, context, &order)? {
        Ok((setting, from)) => {
            let approved = authorise(
                tx,
                context,
                &order,
                OrderEvent::CooledOff,
                |command| json!({ "setting": setting, "from": from.unix_micros(), "command": command }),
                |next| {
                    next.one_operator_id = Some(setting.clone());
                    next.cooling_off_from = Some(from);
                },
            )?;
            // The one over the cap was sealed and held: that goes nowhere yet, and the hold has told so.
            if approved.state == OrderState::Approved {
                let tag = tag_of(tx, &approved)?;
                let message =
                    format!("Nobody stopped the order to erase {tag} within its 30 minutes: it goes to the phone.");
                alerts::raise(tx, context, &council, "order_cooled_off", order.id.as_str(), &message)?;
            }
        }
        Err((reason, problem)) => {
            end_alerts(tx, context, &order)?;
            hold(tx, context, &order, reason, &problem, |_| {})?;
        }
    }
    Ok(true)
}

type Ready = std::result::Result<(OneOperatorId, Moment), (HeldReason, String)>;

/// Whether an order whose time is over may go, under the same conditions as an approval; otherwise why it must wait for a person.
fn ready(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<Ready> {
    let held = |reason: HeldReason| Ok(Err((reason, reason.words().to_owned())));
    if quarantine::is_on(tx)? {
        return held(HeldReason::Quarantine);
    }
    if !request_is_genuine(tx, context, order)? {
        let problem = "the request does not agree with the audit trail: it was changed, or put there, by hand";
        return Ok(Err((HeldReason::Distrusted, problem.to_owned())));
    }
    let (setting, from) = match one_operator::told_since(tx, context, order)? {
        Ok((setting, from)) => (setting, from),
        Err(Untold { reason, words }) => return Ok(Err((reason, words.to_owned()))),
    };
    if from + COOLING_OFF > context.now {
        let problem = "by the audit trail its 30 minutes are not over: the time of their begin was changed by hand";
        return Ok(Err((HeldReason::Distrusted, problem.to_owned())));
    }
    let stands = store::operators::find(tx, &order.requested_by)?
        .is_some_and(|operator| standing::stands(&operator, context.now));
    if !stands {
        let problem = "the account that asked for it was ended or changed since";
        return Ok(Err((HeldReason::Forbidden, problem.to_owned())));
    }
    match require_unchanged_device(tx, context, order) {
        Ok(now) if now.frozen => held(HeldReason::Frozen),
        Ok(_) => Ok(Ok((setting, from))),
        Err(Error::Conflict(problem)) => Ok(Err((HeldReason::Forbidden, problem))),
        Err(other) => Err(other),
    }
}
