//! One-operator working: an order that needs no second person waits until everyone who must be told was told, and 30 minutes
//! more, in which any of them may pause it.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::approve::{request_is_genuine, require_unchanged_device};
use super::authorise::authorise;
use super::{advance, end_alerts, hold, tag_of};
use crate::error::{Error, Result};
use crate::model::{
    COOLING_OFF, CouncilId, HeldReason, Moment, OneOperatorId, OrderEvent, OrderId, OrderState, Role, SignedIn,
};
use crate::operations::one_operator::{self, Hearer, Untold};
use crate::operations::{Context, alerts, audit, mail, quarantine, standing};
use crate::store::cooling_offs::CoolingOff;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// More orders than this are never open in a council at once: the caps see to it.
const MOST_UNENDED: i64 = 1000;

/// How far the cooling-off of an order is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CoolingOffView {
    /// Since when everyone who must be told was told; none before that.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub began_at: Option<Moment>,
    /// When it is over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Moment>,
    /// Who must be told and was not yet: the mail server has not accepted the mail to them.
    pub waits_for: Vec<String>,
    /// Who was told, or will be.
    pub told: Vec<String>,
}

/// Begins the cooling-off of an order that was just asked for, where one operator works alone; gives back whether it did. The
/// caller holds the council's lock.
///
/// # Errors
/// `Conflict`, in words, where nobody is left who could be told, and nobody who could approve.
pub(super) fn begin(tx: &mut Transaction<'_>, context: &Context, order: &Order, asked_by: &SignedIn) -> Result<bool> {
    let council = &order.council_id;
    let Some(effect) = one_operator::in_effect(tx, context, council, order.requested_at)? else { return Ok(false) };
    // A provider, or an account that is new, needs a second person here as anywhere.
    match one_operator::own_established(tx, context, council, asked_by) {
        Ok(_) => {}
        Err(Error::Forbidden(_)) => return Ok(false),
        Err(other) => return Err(other),
    }
    let (needed, others) = whom_to_tell(tx, order, &effect.hearers, asked_by)?;
    if needed.is_empty() {
        if standing::anyone_established(tx, council, &asked_by.operator, context.now)? {
            return Ok(false);
        }
        return Err(Error::conflict(
            "whoever is told of orders by mail holds this phone, so nobody would know of it in time: end one-operator working \
             and announce it with one person more, or let a second person approve",
        ));
    }
    run(tx, context, order, &effect.setting, 1, (&needed, &others))?;
    Ok(true)
}

/// Whether an order that the caller asked for now would go on without a second person, as far as he himself is concerned.
pub(super) fn would_begin(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<bool> {
    let Some(signed_in) = context.actor.signed_in() else { return Ok(false) };
    if one_operator::in_effect(tx, context, council, context.now)?.is_none() {
        return Ok(false);
    }
    match one_operator::own_established(tx, context, council, signed_in) {
        Ok(_) => Ok(true),
        Err(Error::Forbidden(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

fn run(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    setting: &OneOperatorId,
    round: i64,
    (needed, others): (&[Hearer], &[Hearer]),
) -> Result<()> {
    let cooling = CoolingOff {
        council_id: order.council_id.clone(),
        order_id: order.id.clone(),
        setting_id: setting.clone(),
        round,
        began_at: None,
    };
    store::cooling_offs::put(tx, &cooling)?;
    one_operator::tell_of_order(tx, context, setting, (order, round), needed, others)?;
    let tag = tag_of(tx, order)?;
    let message = format!(
        "{tag} is to be erased without a second person: 30 minutes after the mail to those who must be told was accepted, unless \
         somebody stops it."
    );
    alerts::raise(tx, context, &order.council_id, "order_cools_off", order.id.as_str(), &message)
}

/// Who must be told of an order before it may go, and who else is. Never its holder, whose mail is on the phone that is lost,
/// and not the one who asks.
fn whom_to_tell(
    tx: &mut Transaction<'_>,
    order: &Order,
    hearers: &[Hearer],
    asked_by: &SignedIn,
) -> Result<(Vec<Hearer>, Vec<Hearer>)> {
    let council = &order.council_id;
    let holders = mail::holders_of_case(tx, council, &order.case_id)?;
    let own = store::operators::find(tx, &asked_by.operator)?.and_then(|operator| operator.mail);
    let may_hear = |hearer: &Hearer| {
        !own.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&hearer.address))
            && !holders.iter().any(|holder| holder.is(&hearer.name, Some(&hearer.address)))
    };
    let needed: Vec<Hearer> = hearers.iter().filter(|hearer| may_hear(hearer)).cloned().collect();
    let mut operators = store::operators::with_mail(tx, Some(council), &[Role::Clerk, Role::Approver])?;
    for named in store::named_approvers::of_council(tx, council)? {
        let operator = store::operators::find(tx, &named.operator_id)?;
        operators.extend(operator.filter(|one| one.role == Role::Provider && one.ended_at.is_none()));
    }
    let others = operators
        .into_iter()
        .filter(|operator| operator.id != asked_by.operator)
        .filter_map(|operator| Some(Hearer { name: operator.name, address: operator.mail? }))
        .filter(|hearer| may_hear(hearer))
        .filter(|hearer| needed.iter().all(|one| !one.address.eq_ignore_ascii_case(&hearer.address)))
        .collect();
    Ok((needed, others))
}

/// How far the cooling-off of `order` is; none where it waits for a second person, or for nobody any more.
pub(super) fn shown(tx: &mut Transaction<'_>, order: &Order) -> Result<Option<CoolingOffView>> {
    if order.state != OrderState::Requested {
        return Ok(None);
    }
    let Some(cooling) = store::cooling_offs::find(tx, &order.council_id, &order.id)? else { return Ok(None) };
    let (council, setting) = (&order.council_id, &cooling.setting_id);
    let notices = store::one_operator_notices::of_order(tx, council, setting, &order.id, cooling.round)?;
    let waits = notices.iter().filter(|notice| notice.needed && notice.accepted_at.is_none());
    Ok(Some(CoolingOffView {
        began_at: cooling.began_at,
        ends_at: cooling.began_at.map(|at| at + COOLING_OFF),
        waits_for: waits.map(|notice| notice.name.clone()).collect(),
        told: notices.iter().map(|notice| notice.name.clone()).collect(),
    }))
}

/// Why a link in a mail cannot pause this order any more, if that is so.
pub(crate) fn not_pausable(order: &Order) -> Option<String> {
    use HeldReason as H;
    let before = match order.state {
        OrderState::Requested | OrderState::Approved | OrderState::Pushed | OrderState::Unreachable => true,
        // Held for something that a person puts right: it would go on without its 30 minutes.
        OrderState::Held => matches!(
            order.held_reason,
            Some(H::LegalHold | H::Frozen | H::Quarantine | H::IdentityWaiting | H::Forbidden)
        ),
        _ => false,
    };
    match order.state {
        _ if before && order.first_fetched_at.is_none() => None,
        OrderState::Held => Some("The order is held already: nothing is sent to the phone.".to_owned()),
        _ => Some(format!("It can no longer be stopped. The order is: {}.", order.words())),
    }
}

/// Holds an order because somebody who was told of it wants that; the caller holds the council's lock and has checked that it
/// is not too late.
pub(crate) fn pause(tx: &mut Transaction<'_>, context: &Context, id: &OrderId, problem: &str) -> Result<()> {
    let order = store::orders::find(tx, id)?.ok_or(Error::NotFound("order"))?;
    end_alerts(tx, context, &order)?;
    let problem = match (&order.held_reason, &order.problem) {
        (Some(_), Some(before)) => format!("{before}; and {problem}"),
        _ => problem.to_owned(),
    };
    hold(tx, context, &order, HeldReason::Paused, &problem, |_| {}).map(drop)
}

/// Lets the cooling-off of a held order begin anew, in full: everyone is told again, and may pause it again. Where one-operator
/// working is not in effect, the order waits for a second person instead. The caller holds the council's lock; `asked_by` signed in
/// again within five minutes.
///
/// # Errors
/// `Conflict`, in words, where it could not end any more before the request lapses, or nobody could be told.
pub(super) fn restart(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    asked_by: &SignedIn,
) -> Result<Order> {
    let council = &order.council_id;
    if context.now + COOLING_OFF >= order.lapses_at {
        return Err(Error::conflict("the request is too old to begin anew: cancel it and ask for a new one"));
    }
    if store::google_operations::open_of_order(tx, council, &order.id)?.is_some() {
        return Err(Error::conflict(
            "Google was asked to take this order back and has not answered yet: try again later",
        ));
    }
    let effect = one_operator::in_effect(tx, context, council, order.requested_at)?;
    let told = match &effect {
        Some(effect) => {
            one_operator::own_established(tx, context, council, asked_by)?;
            let told = whom_to_tell(tx, order, &effect.hearers, asked_by)?;
            if told.0.is_empty() {
                return Err(Error::conflict("nobody is left who could be told of it: cancel it and ask for a new one"));
            }
            Some((&effect.setting, told))
        }
        None => None,
    };
    let round = store::cooling_offs::find(tx, council, &order.id)?.map_or(1, |cooling| cooling.round + 1);
    let restarted = advance(tx, context, order, OrderEvent::Restarted, json!({ "was": order.held_reason }), |next| {
        next.problem = None;
        next.not_before = None;
        next.one_operator_id = None;
        next.cooling_off_from = None;
        next.approved_by = None;
        next.approved_at = None;
        next.seal = None;
        next.seal_key_id = None;
        next.command_id = None;
    })?;
    end_alerts(tx, context, &restarted)?;
    match told {
        Some((setting, (needed, others))) => run(tx, context, &restarted, setting, round, (&needed, &others))?,
        // One-operator working is over, or was never: a second person decides.
        None => {
            store::cooling_offs::remove(tx, council, &order.id)?;
            waits(tx, context, &restarted)?;
        }
    }
    Ok(restarted)
}

/// Tells the council that an order waits for its second person.
pub(super) fn waits(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<()> {
    let tag = tag_of(tx, order)?;
    let name = store::operators::find(tx, &order.requested_by)?.map(|operator| operator.name).unwrap_or_default();
    let message = format!(
        "{name} asks to erase {tag}. A second person must approve or refuse it before {}.",
        order.lapses_at.utc().format("%d %B %Y, %H:%M UTC")
    );
    alerts::raise(tx, context, &order.council_id, "order_waits", order.id.as_str(), &message)
}

/// One-operator working under `setting` ended: what waits for its 30 minutes waits for a second person, and what had them and no
/// phone has fetched is held. The caller holds the council's lock.
pub(crate) fn back_to_two(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    setting: &OneOperatorId,
) -> Result<()> {
    for order in store::orders::unended(tx, council, MOST_UNENDED)? {
        if order.state == OrderState::Requested && store::cooling_offs::remove(tx, council, &order.id)? {
            end_alerts(tx, context, &order)?;
            waits(tx, context, &order)?;
        } else if order.one_operator_id.as_ref() == Some(setting) && not_pausable(&order).is_none() {
            pause(tx, context, &order.id, "one-operator working was ended before the phone fetched the order")?;
        }
    }
    Ok(())
}

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
            let tag = tag_of(tx, &approved)?;
            let message =
                format!("Nobody stopped the order to erase {tag} within its 30 minutes: it goes to the phone.");
            alerts::raise(tx, context, &council, "order_cooled_off", order.id.as_str(), &message)?;
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
        .is_some_and(|operator| operator.ended_at.is_none() && standing::stands(&operator, context.now));
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
