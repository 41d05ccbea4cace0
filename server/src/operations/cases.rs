//! What loss and leaver cases share: finding one, its notes, its end, and how it is shown with a timeline that is true.

mod policy;
pub(crate) mod timeline;

pub use timeline::TimelineEntry;
pub(super) use timeline::of_device as timeline_of_device;

use chrono::Duration;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::orders::{self, OrderView};
use super::{Context, audit};
use crate::error::{Error, Result};
use crate::model::{AssetId, CaseId, CaseKind, CaseState, CouncilId, DeviceId, Moment, OrderState, Permission};
use crate::store::cases::Case;
use crate::store::{self, Transaction};

/// UK GDPR, article 33: a breach is notified within 72 hours of becoming aware of it.
const BREACH_CLOCK: Duration = Duration::hours(72);

/// A case, for people.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseView {
    /// The case.
    pub id: CaseId,
    /// Its council.
    pub council: CouncilId,
    /// Loss or leaver.
    pub kind: CaseKind,
    /// The item on the register.
    pub asset: AssetId,
    /// Its tag.
    pub asset_tag: String,
    /// Its make and model.
    pub item: String,
    /// The device, if the item is managed.
    pub device: Option<DeviceId>,
    /// Where the case stands.
    pub state: CaseState,
    /// Where the case stands, in words.
    pub state_words: String,
    /// Who told of it.
    pub reporter: String,
    /// Who entered it.
    pub reported_by: String,
    /// When it was entered.
    pub reported_at: Moment,
    /// When it happened.
    pub happened_at: Option<Moment>,
    /// Where it happened.
    pub place: String,
    /// How it happened.
    pub circumstances: String,
    /// When the council became aware.
    pub aware_at: Moment,
    /// For a loss: until when a breach of personal data must be notified to the Information Commissioner, if it is one.
    pub notify_breach_by: Option<Moment>,
    /// Shown on the locked screen.
    pub contact_message: String,
    /// The number shown on the locked screen.
    pub contact_number: String,
    /// The police's reference.
    pub police_reference: String,
    /// What the mobile network needs in order to block the phone.
    pub imei: Option<String>,
    /// The SIM card.
    pub sim: Option<String>,
    /// The phone number.
    pub phone_number: Option<String>,
    /// What to do outside of Beadle.
    pub advice: Vec<String>,
    /// For a loss: who must be told of it, by the council's policy in force.
    pub told_to: Option<String>,
    /// For a loss: what negligence costs the holder, by the council's policy in force.
    pub liability: Option<String>,
    /// When it was found.
    pub found_at: Option<Moment>,
    /// When the phone itself said that it is back in use.
    pub back_in_use_at: Option<Moment>,
    /// When the case was closed.
    pub closed_at: Option<Moment>,
    /// How it ended.
    pub outcome: Option<String>,
}

/// What is said of a case to whoever did something about it and may not read the council's cases: a token that reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Receipt {
    /// The case.
    pub id: CaseId,
    /// Its council.
    pub council: CouncilId,
    /// The tag of the item on the register.
    pub asset_tag: String,
    /// Where the case stands.
    pub state: CaseState,
    /// Where the case stands, in words.
    pub state_words: String,
    /// When it was entered.
    pub reported_at: Moment,
}

/// A case as far as whoever asks may know it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum CaseAnswer {
    /// The whole of it.
    Case(Box<CaseView>),
    /// That it is there.
    Receipt(Receipt),
}

/// A case with its orders and timeline, as far as whoever asks may know it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum DetailAnswer {
    /// The whole of it.
    Case(Box<CaseDetail>),
    /// That it is there.
    Receipt(Receipt),
}

/// A case with its orders and everything that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseDetail {
    /// The case.
    #[serde(flatten)]
    pub case: CaseView,
    /// Its orders, oldest first.
    pub orders: Vec<OrderView>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// The case of this kind, if the caller sees its council; behind the council's lock.
pub(super) fn locked(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, kind: CaseKind) -> Result<Case> {
    let council = visible(tx, context, id, kind)?.council_id;
    audit::lock(tx, &council)?;
    visible(tx, context, id, kind)
}

fn visible(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, kind: CaseKind) -> Result<Case> {
    store::cases::find(tx, id)?
        .filter(|case| case.kind == kind && context.actor.sees(&case.council_id))
        .ok_or(Error::NotFound("case"))
}

/// Refuses an item of another council than the one that the caller named.
pub(super) fn require_asset_of(tx: &mut Transaction<'_>, council: &CouncilId, asset: &AssetId) -> Result<()> {
    store::cases::asset(tx, asset)?
        .filter(|asset| asset.council_id == *council)
        .map(drop)
        .ok_or(Error::NotFound("asset"))
}

/// Closes a case with its outcome.
pub(super) fn close(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &CaseId,
    kind: CaseKind,
    outcome: &str,
) -> Result<CaseDetail> {
    let mut case = locked(tx, context, id, kind)?;
    context.actor.require(Permission::CancelOrder, &case.council_id)?;
    let outcome = outcome.trim();
    if outcome.is_empty() || outcome.chars().count() > 2000 {
        return Err(Error::invalid("outcome", "say how it ended, in at most 2,000 characters"));
    }
    if case.state == CaseState::Closed {
        return Err(Error::conflict("the case is closed already"));
    }
    let mut presumed_erased = Vec::new();
    for order in store::orders::of_case(tx, &case.council_id, &case.id)? {
        // It stands all the same: should the device come back, it is given the order again.
        if order.state == OrderState::PresumedErased {
            presumed_erased.push(order.id.clone());
        }
        if order.state.is_open() {
            return Err(Error::conflict(format!(
                "an order of this case is not at its end ({}): cancel it or wait for its end, then close the case",
                order.words()
            )));
        }
    }
    case.state = CaseState::Closed;
    case.closed_at = Some(context.now);
    case.closed_by = Some(context.actor.label());
    case.outcome = Some(outcome.to_owned());
    store::cases::update(tx, &case)?;
    let details = json!({ "outcome": outcome, "presumed_erased": presumed_erased });
    audit::record(tx, context, &case.council_id, "case.closed", case.id.as_str(), details)?;
    detail(tx, &case)
}

/// One case with its timeline.
pub(super) fn show(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, kind: CaseKind) -> Result<CaseDetail> {
    let case = visible(tx, context, id, kind)?;
    context.actor.require(Permission::Read, &case.council_id)?;
    detail(tx, &case)
}

/// The council's cases of a kind after `after`, by id.
pub(super) fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    kind: CaseKind,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<CaseView>> {
    context.actor.require(Permission::Read, council)?;
    let rows = store::cases::page(tx, council, kind, after, limit)?;
    let says = policy::says(tx, council)?;
    rows.iter().map(|case| view_under(tx, case, &says)).collect()
}

fn advice(case: &Case) -> Vec<String> {
    let lines: &[&str] = match case.kind {
        CaseKind::Loss => &[
            "Ring the mobile network now: have the SIM barred and the IMEI blocked. Until it knows, the council may have to \
             pay for calls and data.",
            "Report a theft to the police and write their reference into this case.",
            "Have the holder change the passwords of the accounts that were used on the phone.",
            "If personal data may have been exposed, decide with your data protection officer whether to notify the \
             Information Commissioner within 72 hours of becoming aware.",
        ],
        CaseKind::Leaver => &[
            "Have the holder turn off Find My and sign out of his Apple Account before the phone is erased; otherwise \
             Activation Lock may make it useless to the next holder.",
            "Collect charger, SIM card and accessories, and end the holder's accounts.",
        ],
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn state_words(case: &Case) -> String {
    match (case.kind, case.state, case.back_in_use_at) {
        (CaseKind::Loss, CaseState::Open, _) => "lost",
        (CaseKind::Leaver, CaseState::Open, _) => "being returned",
        (_, CaseState::Found, None) => "found; not yet back in use: the phone has not answered since",
        (_, CaseState::Found, Some(_)) => "found and back in use, as the phone itself reports",
        (_, CaseState::Closed, _) => "closed",
    }
    .to_owned()
}

/// Shows a row; the caller has checked the right to read it.
pub(super) fn view(tx: &mut Transaction<'_>, case: &Case) -> Result<CaseView> {
    let says = policy::says(tx, &case.council_id)?;
    view_under(tx, case, &says)
}

/// Shows a row to whoever did something about it: no more than a receipt, if he may not read the council's cases.
pub(super) fn answer(tx: &mut Transaction<'_>, context: &Context, case: &Case) -> Result<CaseAnswer> {
    if context.actor.require(Permission::Read, &case.council_id).is_ok() {
        return Ok(CaseAnswer::Case(Box::new(view(tx, case)?)));
    }
    receipt(tx, case).map(CaseAnswer::Receipt)
}

/// The same with orders and timeline.
pub(super) fn answer_in_detail(tx: &mut Transaction<'_>, context: &Context, case: &Case) -> Result<DetailAnswer> {
    if context.actor.require(Permission::Read, &case.council_id).is_ok() {
        return Ok(DetailAnswer::Case(Box::new(detail(tx, case)?)));
    }
    receipt(tx, case).map(DetailAnswer::Receipt)
}

fn receipt(tx: &mut Transaction<'_>, case: &Case) -> Result<Receipt> {
    let asset = store::cases::asset(tx, &case.asset_id)?.ok_or(Error::NotFound("asset"))?;
    Ok(Receipt {
        id: case.id.clone(),
        council: case.council_id.clone(),
        asset_tag: asset.tag,
        state: case.state,
        state_words: state_words(case),
        reported_at: case.reported_at,
    })
}

fn view_under(tx: &mut Transaction<'_>, case: &Case, says: &policy::Says) -> Result<CaseView> {
    let loss = case.kind == CaseKind::Loss;
    let asset = store::cases::asset(tx, &case.asset_id)?.ok_or(Error::NotFound("asset"))?;
    let device = match &case.device_id {
        Some(device) => store::devices::find(tx, device)?,
        None => None,
    };
    let reported = |from: fn(&store::devices::Device) -> Option<String>| device.as_ref().and_then(from);
    Ok(CaseView {
        id: case.id.clone(),
        council: case.council_id.clone(),
        kind: case.kind,
        asset: case.asset_id.clone(),
        asset_tag: asset.tag,
        item: format!("{} {}", asset.make, asset.model).trim().to_owned(),
        device: case.device_id.clone(),
        state: case.state,
        state_words: state_words(case),
        reporter: case.reporter.clone(),
        reported_by: case.reported_by.clone(),
        reported_at: case.reported_at,
        happened_at: case.happened_at,
        place: case.place.clone(),
        circumstances: case.circumstances.clone(),
        aware_at: case.aware_at,
        notify_breach_by: loss.then(|| case.aware_at + BREACH_CLOCK),
        contact_message: case.contact_message.clone(),
        contact_number: case.contact_number.clone(),
        police_reference: case.police_reference.clone(),
        imei: reported(|device| device.imei.clone()).or(asset.imei),
        sim: reported(|device| device.iccid.clone()).or(asset.sim),
        phone_number: reported(|device| device.phone_number.clone()).or(asset.phone_number),
        advice: advice(case),
        told_to: loss.then(|| says.told_to.clone()),
        liability: loss.then(|| says.liability.clone()),
        found_at: case.found_at,
        back_in_use_at: case.back_in_use_at,
        closed_at: case.closed_at,
        outcome: case.outcome.clone(),
    })
}

/// Shows a row with its orders and timeline; the caller has checked the right to read it.
pub(super) fn detail(tx: &mut Transaction<'_>, case: &Case) -> Result<CaseDetail> {
    let rows = store::orders::of_case(tx, &case.council_id, &case.id)?;
    let timeline = timeline::of_case(tx, case, &rows)?;
    let mut shown = Vec::new();
    for order in &rows {
        shown.push(orders::view(tx, order)?);
    }
    Ok(CaseDetail { case: view(tx, case)?, orders: shown, timeline })
}
