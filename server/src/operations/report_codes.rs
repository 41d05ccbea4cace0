//! The code on a holder's card: with it he reports his own phone lost, at any hour and without an account, and reads what the
//! council can see of it and has done. It opens nothing else, and dies when he hands the item back.

use serde_json::json;
use zeroize::Zeroizing;

use super::cases::timeline::{self, TimelineEntry};
use super::losses::{self, NewLoss};
use super::sign_in_limits::{self, Counted, Subjects};
use super::{Context, audit, idempotency, second_factor};
use crate::error::{Error, Result};
use crate::keys::sha256_hex;
use crate::model::{Actor, AssetId, CommandKind, Moment, Permission, Sight, sight};
use crate::store::assets::Asset;
use crate::store::councils::Council;
use crate::store::custody::Custody;
use crate::store::report_codes::ReportCode;
use crate::store::{self, Transaction};

/// How many commands of a phone are looked through for its history.
const COMMANDS: i64 = 200;
/// How many losses.
const LOSSES: i64 = 20;

/// How a code is stored; typed in any case, with or without hyphens, misread letters forgiven.
fn hash(code: &str) -> String {
    let plain = Zeroizing::new(second_factor::plain_code(code));
    sha256_hex(format!("beadle report code {}", plain.as_str()).as_bytes())
}

/// Someone who holds the item now, and since when he has a card.
#[derive(Clone, Debug)]
pub struct Card {
    /// The custody.
    pub custody: String,
    /// The holder's name.
    pub holder: String,
    /// When his code was made, if it was.
    pub made_at: Option<Moment>,
}

fn asset_to_keep(tx: &mut Transaction<'_>, context: &Context, id: &AssetId) -> Result<Asset> {
    let asset = store::assets::find(tx, id)?
        .filter(|asset| context.actor.sees(&asset.council_id))
        .ok_or(Error::NotFound("asset"))?;
    context.actor.require(Permission::Register, &asset.council_id)?;
    Ok(asset)
}

fn name_of(tx: &mut Transaction<'_>, custody: &Custody) -> Result<String> {
    let person = store::people::find(tx, &custody.person_id)?;
    Ok(person.map_or_else(String::new, |person| person.name))
}

/// The item, its council, and who holds it now.
///
/// # Errors
/// `NotFound` for an item that the caller does not see; `Forbidden` for whoever may not keep the register.
pub fn cards(tx: &mut Transaction<'_>, context: &Context, id: &AssetId) -> Result<(Council, Asset, Vec<Card>)> {
    let asset = asset_to_keep(tx, context, id)?;
    let council = store::councils::find(tx, &asset.council_id)?.ok_or(Error::NotFound("council"))?;
    let mut cards = Vec::new();
    for held in store::custody::current_of_assets(tx, &council.id, vec![asset.id.clone()])? {
        let code = store::report_codes::find(tx, &council.id, &held.id)?;
        cards.push(Card { holder: name_of(tx, &held)?, made_at: code.map(|code| code.made_at), custody: held.id });
    }
    Ok((council, asset, cards))
}

/// Makes a code for one who holds the item now, in place of the one that he had. It is shown once.
///
/// # Errors
/// As [`cards`]; `Conflict` when that person holds it no longer.
pub fn make(tx: &mut Transaction<'_>, context: &Context, id: &AssetId, custody: &str) -> Result<Zeroizing<String>> {
    let council = asset_to_keep(tx, context, id)?.council_id;
    audit::lock(tx, &council)?;
    let asset = asset_to_keep(tx, context, id)?;
    let held = store::custody::current_of_assets(tx, &council, vec![asset.id.clone()])?;
    if asset.disposed_at.is_some() || !held.iter().any(|held| held.id == custody) {
        return Err(Error::conflict("this person does not hold the item any more"));
    }
    let code = second_factor::recovery_code()?;
    let row = ReportCode {
        council_id: council.clone(),
        custody_id: custody.to_owned(),
        asset_id: asset.id.clone(),
        code_hash: hash(&code),
        made_by: context.actor.label(),
        made_at: context.now,
    };
    store::report_codes::replace(tx, &row)?;
    let details = json!({ "custody": custody });
    audit::record(tx, context, &council, "asset.report_code_made", asset.id.as_str(), details)?;
    Ok(code)
}

/// What a right code opens.
#[derive(Clone, Debug)]
pub struct Held {
    /// The council.
    pub council: Council,
    /// The item.
    pub asset: Asset,
    /// Who entered the code.
    pub actor: Actor,
    custody: Custody,
}

/// A try at a code: counted, and what it opens, if it is right.
#[derive(Clone, Debug)]
pub struct CodeTry {
    /// Nothing for a right code.
    counted: Option<Counted>,
    /// What it opens; nothing for a wrong code, whatever is wrong with it.
    pub held: Option<Held>,
}

/// Counts a try and looks the code up; refuses one that has to wait.
///
/// # Errors
/// `TooMany`.
pub fn begin(tx: &mut Transaction<'_>, code: &str, address: &str, now: Moment) -> Result<CodeTry> {
    let hash = hash(code);
    // A right code is never held up by what others behind the same address tried: a report must not wait.
    if let Some(held) = held(tx, &hash)? {
        return Ok(CodeTry { counted: None, held: Some(held) });
    }
    let counted = sign_in_limits::count(tx, &Subjects::of_report_code(&hash, address), now)?;
    Ok(CodeTry { counted: Some(counted), held: None })
}

impl CodeTry {
    /// How many tries at this code this made.
    #[must_use]
    pub fn tries(&self) -> i64 {
        self.counted.as_ref().map_or(0, Counted::tries)
    }
}

fn held(tx: &mut Transaction<'_>, hash: &str) -> Result<Option<Held>> {
    let Some(code) = store::report_codes::find_by_hash(tx, hash)? else { return Ok(None) };
    let current = store::custody::current_of_assets(tx, &code.council_id, vec![code.asset_id.clone()])?;
    let Some(custody) = current.into_iter().find(|held| held.id == code.custody_id) else { return Ok(None) };
    let asset = store::assets::find_of_council(tx, &code.council_id, &code.asset_id)?;
    let council = store::councils::find(tx, &code.council_id)?;
    let (Some(asset), Some(council)) = (asset, council) else { return Ok(None) };
    if asset.disposed_at.is_some() || council.ended_at.is_some() {
        return Ok(None);
    }
    let actor = Actor::Holder { council: council.id.clone(), asset: asset.id.clone(), custody: custody.id.clone() };
    Ok(Some(Held { council, asset, actor, custody }))
}

/// What a holder is told when he has reported his phone.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Told {
    /// Whether a lock was ordered; otherwise the item cannot be locked from here.
    pub lock_ordered: bool,
    /// What he must know at once: that it may not help, or why there is none.
    pub warnings: Vec<String>,
}

/// Reports the holder's own phone lost, which locks it; once for each form (`key`), so that a page sent again does not lose a
/// phone that was found meanwhile. The code counts again here: it may have died since the page was shown.
///
/// # Errors
/// `Unauthenticated` for a code that is wrong, or no longer right.
pub fn report(tx: &mut Transaction<'_>, context: &Context, code: &str, key: &str, request: &str) -> Result<Told> {
    let held = held(tx, &hash(code))?.ok_or_else(|| Error::Unauthenticated("the code is wrong".to_owned()))?;
    let context = Context { actor: held.actor.clone(), ..context.clone() };
    match idempotency::begin(tx, &context, key, request)? {
        idempotency::Key::Done { body, .. } => return Ok(serde_json::from_slice(&body)?),
        idempotency::Key::OtherRequest => return Err(Error::conflict("this page was sent before: open it again")),
        idempotency::Key::New => {}
    }
    let holder = name_of(tx, &held.custody)?;
    let new = NewLoss {
        asset: held.asset.id.clone(),
        reporter: format!("{holder}, by the code on the holder's card").trim_start_matches(", ").to_owned(),
        happened_at: None,
        place: String::new(),
        circumstances: String::new(),
        aware_at: None,
        contact_message: String::new(),
        contact_number: String::new(),
        police_reference: String::new(),
    };
    let reported = losses::report(tx, &context, &new)?;
    let told = Told { lock_ordered: reported.lock.is_some(), warnings: reported.warnings };
    idempotency::keep(tx, &context, key, 200, &serde_json::to_vec(&told)?)?;
    Ok(told)
}

/// What the council can see of a phone, and has done with it while this person held it.
#[derive(Clone, Debug)]
pub struct Record {
    /// The notice, by the phone's real mode; none for an item that is not managed.
    pub sight: Option<Sight>,
    /// When it was last heard from.
    pub last_seen_at: Option<Moment>,
    /// Reports of losses, locks and orders, newest first.
    pub history: Vec<TimelineEntry>,
}

/// The same for whoever entered the code.
///
/// # Errors
/// Of the database.
pub fn record(tx: &mut Transaction<'_>, held: &Held) -> Result<Record> {
    let (council, asset) = (&held.council.id, &held.asset.id);
    let device = store::devices::of_asset(tx, council, asset)?;
    let enrolment = match &device {
        Some(device) => store::enrolments::live_of_device(tx, council, &device.id)?,
        None => None,
    };
    let mut history = Vec::new();
    for case in store::cases::losses_of_asset(tx, council, asset, LOSSES)? {
        let orders = store::orders::of_case(tx, council, &case.id)?;
        history.extend(timeline::of_case(tx, &case, &orders)?);
    }
    if let Some(enrolment) = &enrolment {
        for command in store::commands::page_of_enrolment(tx, council, &enrolment.id, None, COMMANDS)? {
            let told = [CommandKind::DeviceLock, CommandKind::EnableLostMode, CommandKind::ClearPasscode];
            if command.case_id.is_none() && told.contains(&command.kind) {
                history.extend(timeline::of_command(&command, Some(enrolment.mode)));
            }
        }
    }
    // What happened while somebody else held it is not his to read.
    history.retain(|entry| entry.at >= held.custody.since);
    history.sort();
    history.reverse();
    Ok(Record {
        sight: enrolment.as_ref().map(|enrolment| sight(enrolment.mode, enrolment.ownership)),
        last_seen_at: enrolment.map(|enrolment| enrolment.last_seen_at),
        history,
    })
}
