//! What the audit trail says about an order: the second witness beside its seal, so that an old state cannot be put back
//! by hand.

use serde_json::Value;

use super::{Context, audit};
use crate::error::Result;
use crate::keys::MAC_LENGTH;
use crate::model::{CouncilId, OrderEvent, OrderId, OrderState};
use crate::store::{self, Transaction};

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
}

/// Reads and checks the trail of an order; none when a row is missing, changed or forged, or the chain's end was cut.
///
/// The caller holds the council's lock. The cost grows with what the council did since the request, which is why it is
/// paid only where something destructive is about to be approved or given out.
pub(super) fn of_order(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    order: &OrderId,
) -> Result<Option<Trail>> {
    let (key, chain) = (&context.keys.audit, council.as_str());
    let Some((first, details)) = store::audit::of_subject(tx, chain, order.as_str(), 1)?.into_iter().next() else {
        return Ok(None);
    };
    let request = details
        .filter(|details| audit::hash_details(&details.salt, &details.details) == first.details_hash)
        .and_then(|details| serde_json::from_str::<Value>(&details.details).ok());
    let mut previous = if first.seq == 1 {
        vec![0; MAC_LENGTH]
    } else {
        match store::audit::rows_after(tx, chain, first.seq - 2, 1)?.into_iter().next() {
            Some(row) if row.seq == first.seq - 1 => row.mac,
            _ => return Ok(None),
        }
    };
    let mut last = first.seq - 1;
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
            Ok(Some(Trail { events, request }))
        }
        _ => Ok(None),
    }
}
