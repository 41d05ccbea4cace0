//! What the audit trail says about an order, and about the holds and freezes that stop it: the second witness beside the
//! rows, so that an old state cannot be put back by hand.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Context, audit};
use crate::error::{Error, Result};
use crate::keys::MAC_LENGTH;
use crate::model::{CouncilId, DeviceId, Moment, OrderEvent, OrderId, OrderState};
use crate::store::audit::{AuditDetails, AuditRow};
use crate::store::orders::Order;
use crate::store::{self, Transaction};

const MARK: &str = "beadle order trail mark";
const HOLD_ADDED: &str = "hold.added";
const HOLD_ENDED: &str = "hold.ended";
/// The kinds of the rows that say which legal holds lie on a device.
pub(super) const HOLDS: [&str; 2] = [HOLD_ADDED, HOLD_ENDED];
const FROZEN: &str = "orders.frozen";
const THAWED: &str = "orders.thawed";

/// The unbroken trail of an order, from its request to the sealed end of the council's chain.
#[derive(Debug)]
pub(super) struct Trail {
    events: Vec<OrderEvent>,
    /// The details that were recorded with the request.
    pub(super) request: Option<Value>,
}

impl Trail {
    /// Where the trail leaves the order; none when it tells a life that cannot be.
    pub(super) fn state(&self) -> Option<OrderState> {
        OrderState::replay(self.events.iter().copied())
    }

    /// Whether the device ever counted as erased by the order.
    pub(super) fn was_presumed_erased(&self) -> bool {
        self.events.contains(&OrderEvent::PresumedErased)
    }
}

/// Reads and checks the trail of an order; none when a row is missing, changed or forged, or the chain's end was cut.
///
/// The caller holds the council's lock. The cost grows with what the council did since the request, which is why it is
/// paid only where something destructive is about to be approved, or given out for the first time.
pub(super) fn of_order(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    order: &OrderId,
) -> Result<Option<Trail>> {
    let chain = council.as_str();
    let Some((first, details)) = store::audit::of_subject(tx, chain, order.as_str(), 1)?.into_iter().next() else {
        return Ok(None);
    };
    let request = genuine_details(&first, details);
    let previous = if first.seq == 1 {
        vec![0; MAC_LENGTH]
    } else {
        match store::audit::rows_after(tx, chain, first.seq - 2, 1)?.into_iter().next() {
            Some(row) if row.seq == first.seq - 1 => row.mac,
            _ => return Ok(None),
        }
    };
    let events = walk(tx, context, chain, order, first.seq - 1, previous)?;
    Ok(events.map(|events| Trail { events, request }))
}

/// The order's events after row `last` of the chain, whose MAC is `previous`; none when the chain is broken from there on.
fn walk(
    tx: &mut Transaction<'_>,
    context: &Context,
    chain: &str,
    order: &OrderId,
    mut last: i64,
    mut previous: Vec<u8>,
) -> Result<Option<Vec<OrderEvent>>> {
    let key = &context.keys.audit;
    let mut events = Vec::new();
    loop {
        let rows = store::audit::rows_after(tx, chain, last, 500)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.seq != last + 1 || audit::mac_of(key, &previous, &row)? != row.mac {
                return Ok(None);
            }
            if row.subject == order.as_str() {
                events.extend(OrderEvent::from_audit_kind(&row.kind));
            }
            previous = row.mac;
            last = row.seq;
        }
    }
    match store::audit::head(tx, chain)? {
        Some(head) if head.seq == last && head.mac == previous && audit::head_is_sealed(key, &head)? => {
            Ok(Some(events))
        }
        _ => Ok(None),
    }
}

/// Where the trail leaves the order; none as for [`of_order`]. Reads on from where [`mark`] left it, so that what a council
/// does is walked through once for each of its orders, however often their devices ask.
pub(super) fn state_of(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<Option<OrderState>> {
    let chain = order.council_id.as_str();
    let Some((row, state)) = marked(tx, context, order)? else {
        return Ok(of_order(tx, context, &order.council_id, &order.id)?.and_then(|trail| trail.state()));
    };
    let events = walk(tx, context, chain, &order.id, row.seq, row.mac)?;
    Ok(events.and_then(|events| events.into_iter().try_fold(state, |state, event| state.next(event).ok())))
}

/// Keeps with the order that its trail was checked up to the present end of the chain, and says its state. The caller has
/// checked it in this transaction, and holds the council's lock.
pub(super) fn mark(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<()> {
    let chain = order.council_id.as_str();
    let head = store::audit::head(tx, chain)?.ok_or_else(|| Error::Internal(format!("no audit chain {chain}")))?;
    let seal = mark_parts(order, head.seq, &head.mac, order.state, |parts| context.keys.audit.mac(MARK, parts))?;
    store::orders::set_trail_mark(tx, order, head.seq, order.state, &seal)
}

/// The row up to which the order's trail was checked, and the state there; none without a mark, or with a wrong one. An old
/// mark put back by hand is true all the same: the walk from there is only longer.
fn marked(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<Option<(AuditRow, OrderState)>> {
    let (Some(seq), Some(state), Some(seal)) = (order.trail_seq, order.trail_state, &order.trail_seal) else {
        return Ok(None);
    };
    let row = store::audit::rows_after(tx, order.council_id.as_str(), seq - 1, 1)?.into_iter().next();
    let Some(row) = row.filter(|row| row.seq == seq) else { return Ok(None) };
    let right = mark_parts(order, seq, &row.mac, state, |parts| context.keys.audit.verify(MARK, parts, seal))?;
    Ok(right.then_some((row, state)))
}

fn mark_parts<T>(
    order: &Order,
    seq: i64,
    mac: &[u8],
    state: OrderState,
    work: impl FnOnce(&[&[u8]]) -> Result<T>,
) -> Result<T> {
    work(&[
        order.council_id.as_str().as_bytes(),
        order.id.as_str().as_bytes(),
        &seq.to_be_bytes(),
        mac,
        state.as_str().as_bytes(),
    ])
}

/// The details, if they are those that the chain saw.
fn genuine_details(row: &AuditRow, details: Option<AuditDetails>) -> Option<Value> {
    details
        .filter(|details| audit::hash_details(&details.salt, &details.details) == row.details_hash)
        .and_then(|details| serde_json::from_str(&details.details).ok())
}

/// Whether a row, together with the one before it, is as it was chained.
pub(super) fn is_genuine(tx: &mut Transaction<'_>, context: &Context, row: &AuditRow) -> Result<bool> {
    let previous = match row.seq {
        1 => vec![0; MAC_LENGTH],
        seq => match store::audit::row(tx, &row.chain, seq - 1)? {
            Some(previous) => previous.mac,
            None => return Ok(false),
        },
    };
    Ok(audit::mac_of(&context.keys.audit, &previous, row)? == row.mac)
}

/// The reason of what is put back from the trail without its details.
pub(super) const UNKNOWN_REASON: &str = "put back from the audit trail, which does not say why any more";

/// Something that the trail says was begun and never ended.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    /// Since when.
    pub(super) at: Moment,
    /// Why; none when the details are gone.
    pub(super) reason: Option<String>,
}

/// The legal holds that the trail says lie on a device.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// By their ids.
    pub(super) by_id: BTreeMap<String, Begun>,
    /// Whether there are more, of which the details are gone.
    pub(super) nameless: bool,
}

/// Reads which legal holds lie on a device. An end counts only where its row is genuine; a beginning counts in any case.
///
/// The caller holds the council's lock. Costs the rows about holds of this device.
pub(super) fn holds_of_device(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    device: &DeviceId,
) -> Result<Holds> {
    let mut found = Holds::default();
    for (row, details) in store::audit::of_subject_and_kinds(tx, council.as_str(), device.as_str(), &HOLDS)? {
        let details = genuine_details(&row, details);
        let text = |name: &str| Some(details.as_ref()?.get("details")?.get(name)?.as_str()?.to_owned());
        match (row.kind.as_str(), text("hold")) {
            (HOLD_ADDED, Some(id)) => {
                found.by_id.insert(id, Begun { at: row.at, reason: text("reason") });
            }
            (HOLD_ADDED, None) => found.nameless = true,
            (_, Some(id)) => {
                if is_genuine(tx, context, &row)? {
                    found.by_id.remove(&id);
                }
            }
            (_, None) => {}
        }
    }
    Ok(found)
}

/// The freeze of `chain` (a council's, or the installation's) that the trail says was not thawed. A thaw counts only where
/// its row is genuine.
pub(super) fn freeze(tx: &mut Transaction<'_>, context: &Context, chain: &str) -> Result<Option<Begun>> {
    // What a freeze is about is the chain itself: its subject is the council, or the installation.
    let Some((row, details)) = store::audit::last_of_kinds(tx, chain, chain, &[FROZEN, THAWED])? else {
        return Ok(None);
    };
    if row.kind == THAWED && is_genuine(tx, context, &row)? {
        return Ok(None);
    }
    let details = genuine_details(&row, details);
    let reason = details.as_ref().and_then(|details| details.get("details")?.get("reason")?.as_str());
    Ok(Some(Begun { at: row.at, reason: reason.map(str::to_owned) }))
}
