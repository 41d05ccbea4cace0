//! One-operator working: an order that needs no second person waits until everyone who must be told was told, and 30 minutes
//! more, in which any of them may pause it.

use serde::Serialize;
use utoipa::ToSchema;

use super::tag_of;
use crate::error::{Error, Result};
use crate::model::{COOLING_OFF, CouncilId, Moment, OneOperatorId, OrderState, Role, SignedIn};
use crate::operations::one_operator::{self, Hearer};
use crate::operations::{Context, alerts, mail, standing};
use crate::store::cooling_offs::CoolingOff;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

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

/// Runs one round: from now on those who must be told are told, and the 30 minutes begin with the last of them.
pub(super) fn run(
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
pub(super) fn whom_to_tell(
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
