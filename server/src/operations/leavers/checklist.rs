//! What is left to do before somebody has left: each thing of theirs, and the one next step for it.

use crate::error::Result;
use crate::model::{AssetId, CaseId, CaseKind, DeviceId, OrderId, Ownership, PersonId};
use crate::operations::{Context, assets, orders, people};
use crate::store::assets::Asset;
use crate::store::cases::Case;
use crate::store::people::Person;
use crate::store::{self, Transaction};

/// What comes next for one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is reported lost: that goes first.
    Loss(CaseId),
    /// It is under management: begin its return.
    Begin,
    /// Its return is open: ask for it to be erased.
    Erase(CaseId),
    /// It cannot be erased, or not now, for this reason.
    Blocked(CaseId, String),
    /// An order waits for somebody, or is on its way.
    Order(OrderId),
    /// Nothing more is to be erased: take it back from them.
    TakeBack,
    /// It is back: close its return.
    Close(CaseId),
}

/// One thing of somebody who leaves.
#[derive(Clone, Debug)]
pub struct Item {
    /// The item.
    pub asset: AssetId,
    /// Its tag.
    pub tag: String,
    /// Its make and model.
    pub what: String,
    /// Whose it is.
    pub ownership: Ownership,
    /// Whether the person holds it now.
    pub held: bool,
    /// The device under management that it is.
    pub device: Option<DeviceId>,
    /// Its return, if that is open.
    pub case: Option<CaseId>,
    /// Where the last order of its return stands, in words that are true.
    pub order_words: Option<String>,
    /// What comes next.
    pub next: Next,
}

/// What is left to do before somebody has left.
#[derive(Clone, Debug)]
pub struct Checklist {
    /// Who leaves.
    pub person: Person,
    /// Their things, those that they hold first.
    pub items: Vec<Item>,
    /// How many invitations are open, which end with their leaving.
    pub invitations: usize,
}

/// The checklist of somebody who leaves.
///
/// # Errors
/// `NotFound` when there is no such person whom the caller sees.
pub fn checklist(tx: &mut Transaction<'_>, context: &Context, id: &PersonId) -> Result<Checklist> {
    let (person, held) = people::show_with_past(tx, context, id)?;
    let council = person.council_id.clone();
    let mut wanted: Vec<(AssetId, bool)> = Vec::new();
    let mut want = |asset: AssetId, held: bool| match wanted.iter_mut().find(|(other, _)| *other == asset) {
        Some((_, already)) => *already |= held,
        None => wanted.push((asset, held)),
    };
    for item in held.iter().filter(|item| item.until.is_none()) {
        want(item.asset.clone(), true);
    }
    for asset in people::still_managed(tx, &person)? {
        want(asset, false);
    }
    let past: Vec<AssetId> = held.into_iter().filter(|item| item.until.is_some()).map(|item| item.asset).collect();
    for case in store::cases::unclosed_of_assets(tx, &council, past, CaseKind::Leaver)? {
        want(case.asset_id, false);
    }
    let mut items = Vec::new();
    for (asset, held) in wanted {
        if let Some(asset) = store::assets::find_of_council(tx, &council, &asset)? {
            items.extend(item(tx, asset, held)?);
        }
    }
    let invitations = store::invitations::pending_of_person(tx, &council, &person.id)?.len();
    Ok(Checklist { person, items, invitations })
}

/// One thing; none where nothing is left to do.
fn item(tx: &mut Transaction<'_>, asset: Asset, held: bool) -> Result<Option<Item>> {
    let council = asset.council_id.clone();
    let case = store::cases::unclosed_of_asset(tx, &council, &asset.id, CaseKind::Leaver)?;
    let loss = store::cases::unclosed_of_asset(tx, &council, &asset.id, CaseKind::Loss)?;
    let live = assets::live_enrolment(tx, &asset)?;
    let orders = match &case {
        Some(case) => store::orders::of_case(tx, &council, &case.id)?,
        None => Vec::new(),
    };
    let last = orders.last();
    let open = orders.iter().find(|order| order.state.is_open());
    let next = match (&loss, &case, open) {
        (Some(loss), _, _) => Some(Next::Loss(loss.id.clone())),
        (None, _, Some(order)) => Some(Next::Order(order.id.clone())),
        (None, case, None) => {
            let erased = last.is_some_and(|order| order.state.counts_as_erased());
            match case {
                None if live.is_some() => Some(Next::Begin),
                Some(case) if live.is_some() && !erased => Some(erase(tx, case)?),
                _ if held => Some(Next::TakeBack),
                case => case.as_ref().map(|case| Next::Close(case.id.clone())),
            }
        }
    };
    Ok(next.map(|next| Item {
        what: format!("{} {}", asset.make, asset.model).trim().to_owned(),
        asset: asset.id,
        tag: asset.tag,
        ownership: asset.ownership,
        held,
        device: live.map(|enrolment| enrolment.device_id),
        case: case.map(|case| case.id),
        order_words: last.map(|order| order.words().to_owned()),
        next,
    }))
}

fn erase(tx: &mut Transaction<'_>, case: &Case) -> Result<Next> {
    Ok(match orders::refusal(tx, case)? {
        None => Next::Erase(case.id.clone()),
        Some(why) => Next::Blocked(case.id.clone(), why),
    })
}
