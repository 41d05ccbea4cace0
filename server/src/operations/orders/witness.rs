//! Holds and freezes by two witnesses, the table and the audit trail: what either says stands, stands.

use super::tag_of;
use crate::error::Result;
use crate::model::HoldId;
use crate::operations::caps::{self, CapScope};
use crate::operations::{Context, alerts, trail};
use crate::store::legal_holds::LegalHold;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// Whether a legal hold lies on the order's device. A hold that the trail says stands and the table does not is put back,
/// so that people can see and end it, and the council is told. The caller holds the council's lock.
pub(super) fn legal_hold(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<bool> {
    let (council, device) = (&order.council_id, &order.device_id);
    let rows = store::legal_holds::active_of_device(tx, council, device)?;
    let told = trail::holds_of_device(tx, context, council, device)?;
    let mut difference = None;
    for (id, begun) in &told.by_id {
        let id = HoldId::from(id.as_str());
        if rows.iter().any(|row| row.id == id) {
            continue;
        }
        let hold = LegalHold {
            council_id: council.clone(),
            id,
            device_id: device.clone(),
            reason: begun.reason.clone().unwrap_or_else(|| trail::UNKNOWN_REASON.to_owned()),
            added_by: context.actor.label(),
            added_at: begun.at,
            ended_by: None,
            ended_at: None,
        };
        store::legal_holds::put_back(tx, &hold)?;
        difference = Some("was missing from the database, or stood in it as ended, and was put back");
    }
    if told.nameless && rows.is_empty() && told.by_id.is_empty() {
        difference = Some("is missing from the database, and what the audit trail knew of it is gone too");
    }
    if rows.iter().any(|row| !told.by_id.contains_key(row.id.as_str())) && !told.nameless {
        difference = Some("stands in the database although the audit trail knows no such hold; it counts all the same");
    }
    if let Some(what) = difference {
        let message = format!(
            "The legal hold on {} {what}. Somebody changed the database by hand: verify the audit trail.",
            tag_of(tx, order)?
        );
        alerts::raise(tx, context, council, "hold_differs", device.as_str(), &message)?;
    }
    Ok(!rows.is_empty() || !told.by_id.is_empty() || told.nameless)
}

/// Whether orders are frozen, in the order's council or in all. A freeze that only the trail knows is put back, so that it
/// can be thawed. The caller holds the council's lock.
pub(super) fn frozen(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<bool> {
    for scope in [CapScope::Council(order.council_id.clone()), CapScope::Installation] {
        caps::put_back_freeze(tx, context, &scope)?;
    }
    Ok(caps::frozen(tx, &order.council_id)?.is_some())
}
