//! What needs a person's attention in a council, for the first page: each read from an index that holds nothing else.

use chrono::Duration;

use super::orders::{self, OrderView};
use super::{Context, caps};
use crate::error::Result;
use crate::model::{AssetId, CaseId, CaseKind, CaseState, CouncilId, Moment, Permission};
use crate::store::alerts::Alert;
use crate::store::enrolments::Silent;
use crate::store::setting_states::Unmet;
use crate::store::{self, Transaction};

/// How long a device may be silent before somebody should ask after it.
const SILENT_AFTER: Duration = Duration::days(7);
/// How many of each kind are shown.
pub const MOST: i64 = 20;

/// What the alerts are about that other parts of this list show already.
const SHOWN_OTHERWISE: [&str; 5] = ["order_waits", "order_held", "order_unreachable", "loss_reported", "orders_frozen"];

/// A case that is not closed.
#[derive(Clone, Debug)]
pub struct OpenCase {
    /// The case.
    pub id: CaseId,
    /// Loss or leaver.
    pub kind: CaseKind,
    /// The tag of the item.
    pub tag: String,
    /// Where it stands.
    pub state: CaseState,
    /// When it was entered.
    pub reported_at: Moment,
}

/// What needs attention, at most [`MOST`] of each.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Since when the server has been in quarantine, if it is.
    pub quarantine: Option<Moment>,
    /// Since when orders have been frozen, if they are, and why. It stays until two people have thawed them.
    pub freeze: Option<(Moment, String)>,
    /// Losses that are not closed.
    pub losses: Vec<OpenCase>,
    /// Orders that are still to be decided or carried out.
    pub orders: Vec<OrderView>,
    /// Devices that were not heard from for a week.
    pub silent: Vec<Silent>,
    /// Devices that do not do what the policy says.
    pub unmet: Vec<Unmet>,
    /// Everything else that somebody should see to.
    pub alerts: Vec<Alert>,
}

/// What needs attention in `council`.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn of_council(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Attention> {
    context.actor.require(Permission::Read, council)?;
    let cases = store::cases::unclosed(tx, council, CaseKind::Loss, MOST)?;
    let assets: Vec<AssetId> = cases.iter().map(|case| case.asset_id.clone()).collect();
    let tags = store::assets::tags(tx, council, assets)?;
    let losses = cases
        .into_iter()
        .map(|case| OpenCase {
            tag: tags.get(&case.asset_id).cloned().unwrap_or_default(),
            id: case.id,
            kind: case.kind,
            state: case.state,
            reported_at: case.reported_at,
        })
        .collect();
    // The newest first: old ones that nobody saw to must not hide what has just happened.
    let alerts = store::alerts::newest_open(tx, council, &SHOWN_OTHERWISE, MOST * 2)?;
    Ok(Attention {
        quarantine: store::quarantines::open(tx)?.map(|quarantine| quarantine.since),
        freeze: caps::frozen(tx, council)?.map(|freeze| (freeze.frozen_at, freeze.reason)),
        losses,
        orders: orders::unended(tx, context, council, MOST)?,
        silent: store::enrolments::silent(tx, council, context.now - SILENT_AFTER, MOST)?,
        unmet: store::setting_states::unmet(tx, council, MOST)?,
        alerts,
    })
}
