//! The evidence of one loss, for the police, an insurer or the Information Commissioner: what is known of it, and what the
//! audit trail says.

use serde::Serialize;
use utoipa::ToSchema;

use super::standing;
use super::witness::{self, Witness};
use crate::error::{Error, Result};
use crate::model::{AssetId, BreachDecision, CaseId, CaseKind, CouncilId, DeviceId, Mode, Moment, Ownership, Platform};
use crate::operations::cases::{self, CaseView, TimelineEntry};
use crate::operations::orders::OrderView;
use crate::operations::{Context, operators, reports};
use crate::store::cases::Case;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// What the file is, for whoever finds it alone.
const ABOUT: &str = "Evidence of one loss, made by Beadle, which manages the council's phones. Times are UTC. An entry of the \
    timeline was reported by the phone itself only where reported_by_phone is true; all else was done or sent. \
    docs/evidence.md of Beadle says what each part means and how it is checked.";

/// Everything that is kept about one loss. Made twice of the same state it is the same, whoever asks and whenever.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Evidence {
    /// What this is.
    pub about: &'static str,
    /// The version of this form.
    pub version: u32,
    /// Whose phone it is.
    pub council: EvidenceCouncil,
    /// The loss.
    pub case: CaseView,
    /// Who entered it, marked it as found and closed it, by name.
    pub people: EvidencePeople,
    /// The item, as the council's register has it.
    pub item: EvidenceItem,
    /// The phone, as it reported itself; none where the item is not managed.
    pub device: Option<EvidenceDevice>,
    /// How far the lock is, in words that claim no more than the phone said.
    pub lock: EvidenceLock,
    /// What is known of encryption, lock and back-up, by the phone's last word.
    pub protection: EvidenceProtection,
    /// What was decided about personal data.
    pub breach: Option<EvidenceBreach>,
    /// The orders to erase, oldest first.
    pub orders: Vec<OrderView>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// What the audit trail says.
    pub trail: Witness,
}

impl Evidence {
    /// The file: text that can be tied to a print by its SHA-256.
    ///
    /// # Errors
    /// `Internal` when it cannot be written as JSON.
    pub fn file(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// The council of the loss.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidenceCouncil {
    /// The council.
    pub id: CouncilId,
    /// Its name.
    pub name: String,
    /// Its time zone.
    pub time_zone: String,
}

/// Who did what with the case, by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidencePeople {
    /// Who held the item when it was reported lost.
    pub holders: Vec<String>,
    /// Who entered the loss.
    pub reported_by: String,
    /// Who marked it as found.
    pub found_by: Option<String>,
    /// Who closed it.
    pub closed_by: Option<String>,
}

/// An item, as the register has it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidenceItem {
    /// The item.
    pub id: AssetId,
    /// Its tag.
    pub tag: String,
    /// What kind of thing it is.
    pub kind: String,
    /// Its make.
    pub make: String,
    /// Its model.
    pub model: String,
    /// The council's or the holder's own.
    pub ownership: Ownership,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its IMEI.
    pub imei: Option<String>,
    /// Its SIM.
    pub sim: Option<String>,
    /// Its number.
    pub phone_number: Option<String>,
}

/// A phone, as it reported itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidenceDevice {
    /// The phone.
    pub id: DeviceId,
    /// Whose system it runs.
    pub platform: Platform,
    /// Its model.
    pub product: Option<String>,
    /// Its system.
    pub os_version: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its IMEI.
    pub imei: Option<String>,
    /// Its SIM.
    pub sim: Option<String>,
    /// Its number.
    pub phone_number: Option<String>,
    /// How it is managed, or was at last.
    pub mode: Option<Mode>,
    /// Since when.
    pub enrolled_at: Option<Moment>,
    /// When it was last heard from.
    pub last_seen_at: Option<Moment>,
    /// When its management ended.
    pub management_ended_at: Option<Moment>,
}

/// How far the lock is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidenceLock {
    /// In words.
    pub words: String,
    /// Since when.
    pub at: Option<Moment>,
}

/// What speaks for or against anybody reading what is on the phone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidenceProtection {
    /// What the phone reported about its PIN and its encryption, in words.
    pub phone_reports: Vec<String>,
    /// When it reported that.
    pub reported_at: Option<Moment>,
    /// What is known of a back-up, in words.
    pub backup: Option<String>,
}

/// What was decided about personal data.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidenceBreach {
    /// What the phone likely holds.
    pub data_held: String,
    /// What was decided.
    pub decision: BreachDecision,
    /// Why.
    pub reason: String,
    /// When it was written down.
    pub decided_at: Moment,
    /// By whom.
    pub decided_by: String,
}

/// The evidence of a loss, with what the audit trail says up to and with row `until` of the council's chain, or to its end.
///
/// # Errors
/// `NotFound` when there is no such loss that the caller sees.
pub fn evidence(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, until: Option<i64>) -> Result<Evidence> {
    let detail = cases::show(tx, context, id, CaseKind::Loss)?;
    let stands = standing::standing(tx, context, id)?;
    let case = store::cases::find(tx, id)?.ok_or(Error::NotFound("case"))?;
    let council = store::councils::find(tx, &case.council_id)?.ok_or(Error::NotFound("council"))?;
    // After an erasure the phone is under management no more, and what it said before is what counts.
    let enrolments = match &case.device_id {
        Some(device) => store::enrolments::last_of_device(tx, &case.council_id, device, witness::MOST_ENROLMENTS)?,
        None => Vec::new(),
    };
    let breach = stands.breach.map(|breach| EvidenceBreach {
        data_held: breach.data_held,
        decision: breach.decision,
        reason: breach.reason,
        decided_at: breach.decided_at,
        decided_by: breach.decided_by,
    });
    Ok(Evidence {
        about: ABOUT,
        version: 1,
        council: EvidenceCouncil { id: council.id, name: council.name, time_zone: council.time_zone },
        people: people(tx, &case)?,
        item: item(tx, &case)?,
        device: device(tx, &case, enrolments.first())?,
        lock: EvidenceLock { words: stands.lock_words, at: stands.lock_at },
        protection: protection(tx, enrolments.first())?,
        breach,
        orders: detail.orders,
        timeline: detail.timeline,
        trail: witness::of_case(tx, context, &case, &enrolments, until, witness::MOST_WALKED)?,
        case: detail.case,
    })
}

fn people(tx: &mut Transaction<'_>, case: &Case) -> Result<EvidencePeople> {
    let labels = [Some(&case.reported_by), case.found_by.as_ref(), case.closed_by.as_ref()];
    let names = operators::words_of_labels(tx, labels.into_iter().flatten().cloned())?;
    let name = |label: &String| names.get(label).cloned().unwrap_or_default();
    let held = store::custody::of_asset(tx, &case.council_id, &case.asset_id)?
        .into_iter()
        .filter(|held| held.since <= case.reported_at && held.until.is_none_or(|until| until > case.reported_at));
    let held: Vec<_> = held.map(|held| held.person_id).collect();
    let known = store::people::names(tx, &case.council_id, held.clone())?;
    Ok(EvidencePeople {
        holders: held.iter().filter_map(|person| known.get(person).cloned()).collect(),
        reported_by: name(&case.reported_by),
        found_by: case.found_by.as_ref().map(name),
        closed_by: case.closed_by.as_ref().map(name),
    })
}

fn item(tx: &mut Transaction<'_>, case: &Case) -> Result<EvidenceItem> {
    let asset = store::cases::asset(tx, &case.asset_id)?.ok_or(Error::NotFound("asset"))?;
    Ok(EvidenceItem {
        id: asset.id,
        tag: asset.tag,
        kind: asset.kind,
        make: asset.make,
        model: asset.model,
        ownership: asset.ownership,
        serial: asset.serial,
        imei: asset.imei,
        sim: asset.sim,
        phone_number: asset.phone_number,
    })
}

fn device(tx: &mut Transaction<'_>, case: &Case, last: Option<&Enrolment>) -> Result<Option<EvidenceDevice>> {
    let Some(device) = &case.device_id else { return Ok(None) };
    Ok(store::devices::find(tx, device)?.map(|device| EvidenceDevice {
        id: device.id,
        platform: device.platform,
        product: device.product,
        os_version: device.os_version,
        serial: device.serial,
        imei: device.imei,
        sim: device.iccid,
        phone_number: device.phone_number,
        mode: last.map(|last| last.mode),
        enrolled_at: last.and_then(|last| last.enrolled_at),
        last_seen_at: last.map(|last| last.last_seen_at),
        management_ended_at: last.and_then(|last| last.ended_at),
    }))
}

fn protection(tx: &mut Transaction<'_>, last: Option<&Enrolment>) -> Result<EvidenceProtection> {
    let Some(last) = last else {
        return Ok(EvidenceProtection { phone_reports: Vec::new(), reported_at: None, backup: None });
    };
    Ok(EvidenceProtection {
        phone_reports: standing::evidence_of(tx, last)?,
        reported_at: standing::security_reported_at(tx, last)?,
        backup: Some(reports::backup(tx, last)?),
    })
}
