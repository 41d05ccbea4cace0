//! The equipment register: what there is, whose it is, and who held it when.

use std::collections::HashMap;

use serde_json::json;

use super::{Context, audit, councils, entry, invitations, people};
use crate::error::{Error, Result};
use crate::model::{AssetId, AssetKind, CaseKind, CouncilId, Moment, Ownership, Permission, PersonId, Platform};
use crate::store::assets::Asset;
use crate::store::cases::Case;
use crate::store::custody::Custody;
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
use crate::store::faults::Fault;
use crate::store::invitations::Invitation;
use crate::store::{self, Transaction};

/// The most faults of one item that are shown.
const MOST_FAULTS: i64 = 50;

/// The most people who may hold one item at once.
const MOST_HOLDERS: usize = 20;

/// What an item is; what is left out of a change stays, an empty text clears.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// What is written on its label; no other item of the council may have it.
    pub tag: Option<String>,
    /// What kind of thing it is.
    pub kind: Option<AssetKind>,
    /// Who made it.
    pub make: Option<String>,
    /// Which model it is.
    pub model: Option<String>,
    /// Whose management protocol it speaks.
    pub platform: Option<Platform>,
    /// Whose it is.
    pub ownership: Option<Ownership>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its IMEI.
    pub imei: Option<String>,
    /// The number of its SIM card.
    pub sim: Option<String>,
    /// Its telephone number.
    pub phone_number: Option<String>,
    /// What else there is to say.
    pub note: Option<String>,
    /// What is known of how it is backed up.
    pub backup_note: Option<String>,
}

impl Description {
    fn apply(&self, asset: &mut Asset) -> Result<()> {
        if let Some(tag) = &self.tag {
            asset.tag = entry::required("tag", tag, 40)?;
        }
        if let Some(kind) = self.kind {
            asset.kind = kind.as_str().to_owned();
        }
        if let Some(make) = &self.make {
            asset.make = entry::required("make", make, 60)?;
        }
        if let Some(model) = &self.model {
            asset.model = entry::optional("model", model, 60)?.unwrap_or_default();
        }
        if self.platform.is_some() {
            asset.platform = self.platform;
        }
        if let Some(ownership) = self.ownership {
            asset.ownership = ownership;
        }
        if let Some(serial) = &self.serial {
            asset.serial = entry::optional("serial", serial, 60)?;
        }
        if let Some(imei) = &self.imei {
            asset.imei = entry::imei("imei", imei)?;
        }
        if let Some(sim) = &self.sim {
            asset.sim = entry::optional("sim", sim, 40)?;
        }
        if let Some(number) = &self.phone_number {
            asset.phone_number = entry::phone("phone_number", number)?;
            asset.phone_digits = asset.phone_number.as_deref().map(backwards);
        }
        if let Some(note) = &self.note {
            asset.note = entry::optional("note", note, 500)?.unwrap_or_default();
        }
        if let Some(note) = &self.backup_note {
            asset.backup_note = entry::optional("backup_note", note, 500)?.unwrap_or_default();
        }
        Ok(())
    }
}

fn backwards(number: &str) -> String {
    entry::dialled(number).chars().rev().collect()
}

/// Who holds or held an item.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Who.
    pub person: PersonId,
    /// The name.
    pub name: String,
    /// Since when.
    pub since: Moment,
    /// Until when; none while it lasts.
    pub until: Option<Moment>,
}

/// An item and who holds it now.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The item.
    pub asset: Asset,
    /// Who holds it now.
    pub holders: Vec<Holder>,
}

/// Everything about an item.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The item.
    pub asset: Asset,
    /// Who held it, now and before, in order of time.
    pub custody: Vec<Holder>,
    /// The phone or tablet that it is, with its newest enrolment.
    pub device: Option<(Device, Option<Enrolment>)>,
    /// Its losses and leaver's cases that are not closed.
    pub cases: Vec<Case>,
    /// Its invitations that no device has enrolled with and nobody has taken back.
    pub invitations: Vec<Invitation>,
    /// Its faults, the newest first.
    pub faults: Vec<Fault>,
}

/// Adds an item, held by these people from now on.
pub fn add(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &str,
    new: &Description,
    holders: &[PersonId],
) -> Result<Listed> {
    let council = councils::permitted(tx, context, council, Permission::Register)?;
    audit::lock(tx, &council)?;
    let mut asset = Asset {
        council_id: council.clone(),
        id: AssetId::new(),
        tag: String::new(),
        kind: AssetKind::Other.as_str().to_owned(),
        make: String::new(),
        model: String::new(),
        platform: None,
        ownership: Ownership::Council,
        serial: None,
        imei: None,
        sim: None,
        phone_number: None,
        phone_digits: None,
        note: String::new(),
        created_at: context.now,
        disposed_at: None,
        backup_note: String::new(),
    };
    let whole = Description {
        tag: Some(new.tag.clone().unwrap_or_default()),
        make: Some(new.make.clone().unwrap_or_default()),
        ..new.clone()
    };
    whole.apply(&mut asset)?;
    refuse_doubles(tx, &asset)?;
    store::assets::insert(tx, &asset)?;
    let people = distinct(holders)?;
    for person in &people {
        take(tx, &asset, person, context.now)?;
    }
    let mut details = details(&asset);
    if let Some(fields) = details.as_object_mut() {
        fields.insert("holders".to_owned(), json!(people));
    }
    audit::record(tx, context, &council, "asset added", asset.id.as_str(), details)?;
    listed_one(tx, asset)
}

fn details(asset: &Asset) -> serde_json::Value {
    json!({
        "tag": asset.tag,
        "kind": asset.kind,
        "make": asset.make,
        "model": asset.model,
        "platform": asset.platform,
        "ownership": asset.ownership,
        "serial": asset.serial,
        "imei": asset.imei,
        "sim": asset.sim,
        "phone_number": asset.phone_number,
        "note": asset.note,
        "backup_note": asset.backup_note,
    })
}

fn refuse_doubles(tx: &mut Transaction<'_>, asset: &Asset) -> Result<()> {
    let taken = store::assets::find_by_tag(tx, &asset.council_id, &asset.tag)?;
    if let Some(other) = taken.iter().find(|other| other.id != asset.id) {
        return Err(Error::conflict(match other.disposed_at {
            None => {
                format!("the tag {} is on another item ({} {}); choose another", other.tag, other.make, other.model)
            }
            Some(_) => format!(
                "the tag {} was on an item that was disposed of; its history stays, so choose another",
                other.tag
            ),
        }));
    }
    if let Some(serial) = &asset.serial {
        let same = store::assets::find_by_serial(tx, &asset.council_id, serial)?;
        if let Some(other) = same.iter().find(|other| other.id != asset.id && other.disposed_at.is_none()) {
            return Err(Error::conflict(format!(
                "the serial number {serial} is on the register already, as {}",
                other.tag
            )));
        }
    }
    Ok(())
}

fn distinct(holders: &[PersonId]) -> Result<Vec<PersonId>> {
    let mut people: Vec<PersonId> = Vec::new();
    for person in holders {
        if !people.contains(person) {
            people.push(person.clone());
        }
    }
    if people.len() > MOST_HOLDERS {
        return Err(Error::invalid("holders", format!("at most {MOST_HOLDERS} people may hold one item")));
    }
    Ok(people)
}

fn take(tx: &mut Transaction<'_>, asset: &Asset, person: &PersonId, at: Moment) -> Result<()> {
    let person = people::present(tx, &asset.council_id, person, "holders")?;
    store::custody::insert(
        tx,
        &Custody {
            council_id: asset.council_id.clone(),
            id: uuid::Uuid::now_v7().to_string(),
            asset_id: asset.id.clone(),
            person_id: person.id,
            since: at,
            until: None,
        },
    )
}

/// When an item changes hands: not in time to come, and not before it last did.
fn checked_time(tx: &mut Transaction<'_>, context: &Context, asset: &Asset, at: Option<Moment>) -> Result<Moment> {
    let Some(at) = at else { return Ok(context.now) };
    if at > context.now {
        return Err(Error::invalid("at", "must not be in the future"));
    }
    let custody = store::custody::of_asset(tx, &asset.council_id, &asset.id)?;
    if custody.iter().any(|held| held.since > at || held.until.is_some_and(|until| until > at)) {
        return Err(Error::invalid("at", "must not be before it last changed hands, as the register has it"));
    }
    Ok(at)
}

/// Which items to list.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The one with this tag.
    pub tag: Option<String>,
    /// The one with this serial number.
    pub serial: Option<String>,
    /// Those with a word in their tag or in a holder's name that begins so, whose telephone number ends so, whose serial number
    /// begins so, or whose IMEI is this.
    pub search: Option<String>,
    /// In use or not; a tag or serial number is found either way, a search finds only what is in use.
    pub which: Which,
}

/// Which part of the register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// What is in use.
    #[default]
    InUse,
    /// What was disposed of.
    Disposed,
    /// Both.
    All,
}

impl Which {
    /// Whether the items were disposed of; nothing where that does not matter.
    fn disposed(self) -> Option<bool> {
        match self {
            Self::InUse => Some(false),
            Self::Disposed => Some(true),
            Self::All => None,
        }
    }
}

/// The council's items after `after`, by id. With a tag, a serial number or a search, the first `limit` that fit, without pages.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &str,
    wanted: &Wanted,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Listed>> {
    let council = councils::permitted(tx, context, council, Permission::Read)?;
    let mut found = match (&wanted.tag, &wanted.serial, &wanted.search) {
        (None, None, None) => store::assets::page(tx, &council, wanted.which.disposed(), after, limit)?,
        (Some(tag), None, None) => store::assets::find_by_tag(tx, &council, tag.trim())?,
        (None, Some(serial), None) => store::assets::find_by_serial(tx, &council, serial.trim())?,
        (None, None, Some(search)) => find(tx, &council, search, limit)?,
        _ => return Err(Error::invalid("search", "give one of tag, serial and search")),
    };
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    with_holders(tx, &council, found)
}

fn find(tx: &mut Transaction<'_>, council: &CouncilId, search: &str, limit: i64) -> Result<Vec<Asset>> {
    let search = entry::required("search", search, 60)?;
    let mut found = store::assets::tag_starts_with(tx, council, &search, limit)?;
    let capitals = search.to_uppercase();
    if capitals != search {
        found.extend(store::assets::tag_starts_with(tx, council, &capitals, limit)?);
    }
    let with_word = store::name_starts::assets(tx, council, &search, limit)?;
    found.extend(store::assets::with_ids(tx, council, with_word)?);
    found.extend(store::assets::find_by_serial(tx, council, &search)?);
    // Serial numbers are in capitals; fewer letters than three would find every other phone of one make.
    if capitals.chars().count() >= 3 {
        found.extend(store::assets::serial_starts_with(tx, council, &capitals, limit)?);
    }
    if search.chars().all(|character| character.is_ascii_digit() || " +-()".contains(character)) {
        let digits = backwards(&search);
        // Fewer digits than three would find every other phone.
        if digits.len() >= 3 {
            found.extend(store::assets::phone_ends_with(tx, council, &digits, limit)?);
        }
        let imei: String = search.chars().filter(char::is_ascii_digit).collect();
        found.extend(store::assets::find_by_imei(tx, council, &imei)?);
    }
    let people = store::name_starts::people(tx, council, &search, limit)?;
    let held = store::custody::current_of_people(tx, council, people)?;
    let held = held.into_iter().map(|held| held.asset_id).collect();
    found.extend(store::assets::with_ids(tx, council, held)?);
    let mut seen = std::collections::HashSet::new();
    found.retain(|asset| asset.disposed_at.is_none() && seen.insert(asset.id.clone()));
    Ok(found)
}

/// The council's items with these ids, each with who holds it. The caller has the right to read.
pub(super) fn listed(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    ids: Vec<AssetId>,
) -> Result<HashMap<AssetId, Listed>> {
    let found = store::assets::with_ids(tx, council, ids)?;
    let listed = with_holders(tx, council, found)?;
    Ok(listed.into_iter().map(|listed| (listed.asset.id.clone(), listed)).collect())
}

fn with_holders(tx: &mut Transaction<'_>, council: &CouncilId, assets: Vec<Asset>) -> Result<Vec<Listed>> {
    let ids = assets.iter().map(|asset| asset.id.clone()).collect();
    let custody = store::custody::current_of_assets(tx, council, ids)?;
    let mut listed: Vec<Listed> = assets.into_iter().map(|asset| Listed { asset, holders: Vec::new() }).collect();
    for (asset, holder) in named(tx, council, custody)? {
        if let Some(entry) = listed.iter_mut().find(|entry| entry.asset.id == asset) {
            entry.holders.push(holder);
        }
    }
    Ok(listed)
}

fn named(tx: &mut Transaction<'_>, council: &CouncilId, custody: Vec<Custody>) -> Result<Vec<(AssetId, Holder)>> {
    let ids = custody.iter().map(|held| held.person_id.clone()).collect();
    let names = store::people::names(tx, council, ids)?;
    Ok(custody
        .into_iter()
        .map(|held| {
            let name = names.get(&held.person_id).cloned().unwrap_or_default();
            (held.asset_id, Holder { person: held.person_id, name, since: held.since, until: held.until })
        })
        .collect())
}

fn listed_one(tx: &mut Transaction<'_>, asset: Asset) -> Result<Listed> {
    let custody = store::custody::current_of_assets(tx, &asset.council_id, vec![asset.id.clone()])?;
    let holders = named(tx, &asset.council_id, custody)?.into_iter().map(|(_, holder)| holder).collect();
    Ok(Listed { asset, holders })
}

fn visible(tx: &mut Transaction<'_>, context: &Context, id: &AssetId) -> Result<Asset> {
    store::assets::find(tx, id)?.filter(|asset| context.actor.sees(&asset.council_id)).ok_or(Error::NotFound("asset"))
}

/// The council's item with this id or tag.
pub(crate) fn of_council(tx: &mut Transaction<'_>, council: &CouncilId, name: &str) -> Result<Asset> {
    let name = name.trim();
    if let Some(asset) = store::assets::find_of_council(tx, council, &AssetId::from(name))? {
        return Ok(asset);
    }
    store::assets::find_by_tag(tx, council, name)?.into_iter().next().ok_or(Error::NotFound("asset"))
}

/// A page of an export: the items after `after`, in use or not, each with who holds it and its open faults.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn export(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(Listed, Vec<Fault>)>> {
    let wanted = Wanted { which: Which::All, ..Wanted::default() };
    let listed = list(tx, context, council, &wanted, after, limit)?;
    let Some(council) = listed.first().map(|listed| listed.asset.council_id.clone()) else { return Ok(Vec::new()) };
    let ids = listed.iter().map(|listed| listed.asset.id.clone()).collect();
    let mut faults: HashMap<AssetId, Vec<Fault>> = HashMap::new();
    for fault in store::faults::open_of_assets(tx, &council, ids)? {
        faults.entry(fault.asset_id.clone()).or_default().push(fault);
    }
    let with_faults = |listed: Listed| {
        let own = faults.remove(&listed.asset.id).unwrap_or_default();
        (listed, own)
    };
    Ok(listed.into_iter().map(with_faults).collect())
}

/// Everything about the item with this id.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &AssetId) -> Result<Shown> {
    let asset = visible(tx, context, id)?;
    context.actor.require(Permission::Read, &asset.council_id)?;
    whole(tx, asset)
}

/// Everything about the council's item with this id or tag.
pub fn show_named(tx: &mut Transaction<'_>, context: &Context, council: &str, name: &str) -> Result<Shown> {
    let council = councils::permitted(tx, context, council, Permission::Read)?;
    let asset = of_council(tx, &council, name)?;
    whole(tx, asset)
}

fn whole(tx: &mut Transaction<'_>, asset: Asset) -> Result<Shown> {
    let council = &asset.council_id;
    let custody = store::custody::of_asset(tx, council, &asset.id)?;
    let custody = named(tx, council, custody)?.into_iter().map(|(_, holder)| holder).collect();
    let device = match store::devices::of_asset(tx, council, &asset.id)? {
        None => None,
        Some(device) => {
            let enrolment = store::enrolments::latest_of_device(tx, council, &device.id)?;
            Some((device, enrolment))
        }
    };
    let cases = open_cases(tx, &asset)?;
    let invitations = store::invitations::pending_of_asset(tx, council, &asset.id)?;
    let faults = store::faults::of_asset(tx, council, &asset.id, MOST_FAULTS)?;
    Ok(Shown { custody, device, cases, invitations, faults, asset })
}

fn open_cases(tx: &mut Transaction<'_>, asset: &Asset) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for kind in [CaseKind::Loss, CaseKind::Leaver] {
        cases.extend(store::cases::unclosed_of_asset(tx, &asset.council_id, &asset.id, kind)?);
    }
    Ok(cases)
}

/// The enrolment by which the item is under management now.
pub(crate) fn live_enrolment(tx: &mut Transaction<'_>, asset: &Asset) -> Result<Option<Enrolment>> {
    match store::devices::of_asset(tx, &asset.council_id, &asset.id)? {
        None => Ok(None),
        Some(device) => store::enrolments::live_of_device(tx, &asset.council_id, &device.id),
    }
}

/// Finds the item again after the lock, for somebody who may change it and if it was not disposed of.
pub(super) fn changeable(tx: &mut Transaction<'_>, context: &Context, id: &AssetId) -> Result<Asset> {
    let asset = visible(tx, context, id)?;
    context.actor.require(Permission::Register, &asset.council_id)?;
    audit::lock(tx, &asset.council_id)?;
    let asset = visible(tx, context, id)?;
    refuse_disposed(&asset)?;
    Ok(asset)
}

pub(crate) fn refuse_disposed(asset: &Asset) -> Result<()> {
    match asset.disposed_at {
        None => Ok(()),
        Some(_) => Err(Error::conflict(format!("{} was disposed of; only its history is left", asset.tag))),
    }
}

/// Changes what is written about an item. Whose it is and what it runs stay while a device is enrolled or invited as it.
pub fn change(tx: &mut Transaction<'_>, context: &Context, id: &AssetId, change: &Description) -> Result<Listed> {
    let before = changeable(tx, context, id)?;
    let mut asset = before.clone();
    change.apply(&mut asset)?;
    refuse_doubles(tx, &asset)?;
    if asset.ownership != before.ownership || asset.platform != before.platform {
        if live_enrolment(tx, &asset)?.is_some() {
            return Err(Error::conflict(format!(
                "{} is under management as it is written; whose it is and its platform can change only after it has \
                 left management",
                before.tag
            )));
        }
        if !store::invitations::pending_of_asset(tx, &asset.council_id, &asset.id)?.is_empty() {
            return Err(Error::conflict(format!(
                "{} has an invitation that relies on whose it is and on its platform; withdraw it first",
                before.tag
            )));
        }
    }
    store::assets::update(tx, &asset)?;
    let details = json!({ "before": details(&before), "after": details(&asset) });
    audit::record(tx, context, &asset.council_id, "asset changed", id.as_str(), details)?;
    listed_one(tx, asset)
}

/// Hands an item over. Former holders give it up, unless it is `shared` with them; nobody as holder means that the office
/// has it back.
pub fn hand_over(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &AssetId,
    holders: &[PersonId],
    shared: bool,
) -> Result<Listed> {
    hand_over_at(tx, context, id, holders, shared, None)
}

/// Like [`hand_over`], at a time in the past; now where there is none.
///
/// # Errors
/// As [`hand_over`]; `Invalid` for a time to come, or one that does not fit what is written about it.
pub fn hand_over_at(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &AssetId,
    holders: &[PersonId],
    shared: bool,
    at: Option<Moment>,
) -> Result<Listed> {
    let asset = changeable(tx, context, id)?;
    let people = distinct(holders)?;
    let at = checked_time(tx, context, &asset, at)?;
    let now = store::custody::current_of_assets(tx, &asset.council_id, vec![asset.id.clone()])?;
    let mut given_up = Vec::new();
    for held in &now {
        if !shared && !people.contains(&held.person_id) {
            store::custody::end(tx, held, at)?;
            given_up.push(&held.person_id);
        }
    }
    let taken: Vec<&PersonId> =
        people.iter().filter(|person| !now.iter().any(|held| held.person_id == **person)).collect();
    if now.len() - given_up.len() + taken.len() > MOST_HOLDERS {
        return Err(Error::invalid("holders", format!("at most {MOST_HOLDERS} people may hold one item")));
    }
    for person in &taken {
        take(tx, &asset, person, at)?;
    }
    if !given_up.is_empty() || !taken.is_empty() {
        let details = json!({ "tag": asset.tag, "at": at.unix_micros(), "taken_by": taken, "given_up_by": given_up });
        audit::record(tx, context, &asset.council_id, "asset handed over", id.as_str(), details)?;
    }
    listed_one(tx, asset)
}

/// One person gives an item up; whoever else holds it keeps it.
///
/// # Errors
/// `NotFound` for an item that the caller does not see; `Conflict` when the person does not hold it.
pub fn give_up(tx: &mut Transaction<'_>, context: &Context, id: &AssetId, person: &PersonId) -> Result<Listed> {
    let asset = changeable(tx, context, id)?;
    let now = store::custody::current_of_assets(tx, &asset.council_id, vec![asset.id.clone()])?;
    let held = now
        .iter()
        .find(|held| held.person_id == *person)
        .ok_or_else(|| Error::conflict(format!("this person does not hold {} any more", asset.tag)))?;
    store::custody::end(tx, held, context.now)?;
    let details = json!({ "tag": asset.tag, "taken_by": [], "given_up_by": [person] });
    audit::record(tx, context, &asset.council_id, "asset handed over", id.as_str(), details)?;
    listed_one(tx, asset)
}

/// The item was disposed of: nobody holds it any more. Refused while a device is enrolled as it or a case is open.
pub fn dispose(tx: &mut Transaction<'_>, context: &Context, id: &AssetId) -> Result<Listed> {
    let mut asset = changeable(tx, context, id)?;
    if let Some(case) = open_cases(tx, &asset)?.first() {
        let what = match case.kind {
            CaseKind::Loss => "a loss",
            CaseKind::Leaver => "a leaver's case",
        };
        return Err(Error::conflict(format!("{what} is open for {}; close it first", asset.tag)));
    }
    if live_enrolment(tx, &asset)?.is_some() {
        return Err(Error::conflict(format!(
            "{} is still under management; open a leaver's case to erase it or take it out of management first",
            asset.tag
        )));
    }
    for invitation in store::invitations::pending_of_asset(tx, &asset.council_id, &asset.id)? {
        invitations::take_back(tx, context, &invitation, "the item was disposed of")?;
    }
    for held in store::custody::current_of_assets(tx, &asset.council_id, vec![asset.id.clone()])? {
        store::custody::end(tx, &held, context.now)?;
    }
    asset.disposed_at = Some(context.now);
    store::assets::update(tx, &asset)?;
    audit::record(tx, context, &asset.council_id, "asset disposed of", id.as_str(), json!({ "tag": asset.tag }))?;
    listed_one(tx, asset)
}

#[cfg(test)]
pub(crate) mod tests;
