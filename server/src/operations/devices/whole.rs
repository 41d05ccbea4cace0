//! Everything about one device on one page: what it is, what it reports setting by setting beside what the policy says, and
//! what happened to it.

use beadle_profiles::coverage::{self, Choice, Status};
use serde_json::Value;

use super::{Managed, managed, visible};
use crate::error::Result;
use crate::model::{
    CaseId, CaseKind, CaseState, CommandKind, CouncilId, DeviceId, Mode, Moment, Permission, SettingState,
};
use crate::operations::assets::{self, Listed};
use crate::operations::cases::{TimelineEntry, timeline_of_device};
use crate::operations::reports::{AndroidReport, android_report};
use crate::operations::{Context, policies};
use crate::store::commands::CommandRow;
use crate::store::enrolments::Enrolment;
use crate::store::legal_holds::LegalHold;
use crate::store::{self, Transaction};

/// How many things the timeline tells.
const MOST: usize = 60;
/// How many commands are looked through for the last clearing of the PIN.
const LOOKED_THROUGH: i64 = 50;

/// One setting of the policy on this device: what the policy says, what the phone reports, and what is missing.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its title for people.
    pub title: String,
    /// The clauses of the council's written policy that it serves.
    pub clauses: Vec<String>,
    /// What the policy says; nothing for the profile as a whole.
    pub policy_says: Option<String>,
    /// What the phone reports; nothing where it was never judged.
    pub state: Option<SettingState>,
    /// Why it is judged so, in words.
    pub reason: String,
    /// Since when it is so.
    pub since: Option<Moment>,
    /// What no phone of this kind does although the policy says it.
    pub gap: Option<String>,
    /// Whether a phone of this kind can keep or report it.
    pub possible: bool,
}

/// What an iPhone or iPad said in its last answers; what it has not said is absent.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    /// Charge of the battery in per cent.
    pub battery: Option<i64>,
    /// Storage in gigabytes: free, and in all.
    pub storage: Option<(i64, i64)>,
    /// Whether a PIN is set.
    pub pin: Option<bool>,
    /// Whether its storage can be encrypted, which it is once a PIN is set.
    pub encrypts: Option<bool>,
    /// When it said so.
    pub at: Option<Moment>,
}

/// Everything about one device.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The device and its newest enrolment.
    pub managed: Managed,
    /// The item that it is, and who holds that.
    pub item: Listed,
    /// The mode that it was invited to.
    pub invited_to: Option<Mode>,
    /// What the policy says and the phone reports, what is not in force first.
    pub rules: Vec<Rule>,
    /// What an iPhone or iPad reports beside its settings.
    pub reported: Reported,
    /// What an Android phone reports beside its settings.
    pub android: Option<AndroidReport>,
    /// The loss that is not closed, if there is one.
    pub loss: Option<(CaseId, CaseState)>,
    /// The legal holds on it.
    pub holds: Vec<LegalHold>,
    /// The last clearing of its PIN.
    pub clearing: Option<CommandRow>,
    /// What happened, newest first.
    pub timeline: Vec<TimelineEntry>,
}

/// Everything about the device with this id.
///
/// # Errors
/// `NotFound` when there is none that the caller sees.
pub fn whole(tx: &mut Transaction<'_>, context: &Context, id: &DeviceId) -> Result<Whole> {
    let device = visible(tx, context, id)?;
    let council = device.council_id.clone();
    context.actor.require(Permission::Read, &council)?;
    let item = assets::listed(tx, &council, vec![device.asset_id.clone()])?
        .remove(&device.asset_id)
        .ok_or(crate::Error::NotFound("asset"))?;
    let mut whole = Whole {
        holds: store::legal_holds::active_of_device(tx, &council, id)?,
        loss: store::cases::unclosed_of_asset(tx, &council, &device.asset_id, CaseKind::Loss)?
            .map(|case| (case.id, case.state)),
        timeline: timeline_of_device(tx, &device, MOST)?,
        managed: managed(tx, device)?,
        item,
        invited_to: None,
        rules: Vec::new(),
        reported: Reported::default(),
        android: None,
        clearing: None,
    };
    if let Some(enrolment) = whole.managed.enrolment.clone() {
        whole.invited_to =
            store::invitations::find_of_council(tx, &council, &enrolment.invitation_id)?.map(|found| found.mode);
        whole.rules = rules(tx, context, &council, &enrolment)?;
        whole.reported = reported(tx, &enrolment)?;
        whole.android = android_report(tx, context, &enrolment)?;
        let newest = store::commands::page_of_enrolment(tx, &council, &enrolment.id, None, LOOKED_THROUGH)?;
        whole.clearing = newest.into_iter().find(|command| command.kind == CommandKind::ClearPasscode);
    }
    Ok(whole)
}

fn rules(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, enrolment: &Enrolment) -> Result<Vec<Rule>> {
    let mut judged = store::setting_states::of_enrolment(tx, council, &enrolment.id)?;
    let mut rules = Vec::new();
    for row in policies::coverage(tx, context, council)? {
        if row.mode.as_str() != enrolment.mode.as_str() || row.choice != Choice::Asked {
            continue;
        }
        let place = judged.iter().position(|judged| judged.setting == row.setting);
        rules.push(rule(row, place.map(|place| judged.swap_remove(place))));
    }
    for row in judged {
        let title = match row.setting.as_str() {
            "profile" => "The council's settings as a whole".to_owned(),
            other => other.to_owned(),
        };
        rules.push(Rule {
            title,
            clauses: Vec::new(),
            policy_says: None,
            state: Some(row.state),
            reason: row.reason,
            since: Some(row.since),
            gap: None,
            possible: true,
        });
    }
    rules.sort_by_key(|rule| match (rule.state, rule.possible) {
        (Some(SettingState::NotInForce), _) => 0,
        (Some(SettingState::Unknown), _) => 1,
        (None, true) => 2,
        (Some(SettingState::InForce), _) => 3,
        (None, false) => 4,
    });
    Ok(rules)
}

fn rule(row: coverage::Row, judged: Option<store::setting_states::SettingStateRow>) -> Rule {
    Rule {
        title: row.title.to_owned(),
        clauses: row.clauses.iter().map(|clause| format!("{} {}", clause.document, clause.number)).collect(),
        policy_says: Some(row.policy_says),
        state: judged.as_ref().map(|judged| judged.state),
        since: judged.as_ref().map(|judged| judged.since),
        reason: judged.map(|judged| judged.reason).unwrap_or_default(),
        gap: row.gap,
        possible: row.status != Status::NotPossible,
    }
}

fn reported(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Reported> {
    let kinds = [CommandKind::DeviceInformation, CommandKind::SecurityInfo];
    let mut reported = Reported::default();
    for report in store::reports::of_kinds(tx, &enrolment.council_id, &enrolment.id, &kinds)? {
        let answer: Value = serde_json::from_str(&report.answer)?;
        let inner = ["QueryResponses", "SecurityInfo"].iter().find_map(|name| answer.get(name)).unwrap_or(&answer);
        let number = |name: &str| inner.get(name).and_then(Value::as_f64);
        let whole = |number: f64| format!("{number:.0}").parse::<i64>().ok();
        // Apple says -1 where it does not know.
        let battery = number("BatteryLevel").filter(|level| (0.0..=1.0).contains(level));
        reported.battery = battery.and_then(|level| whole(level * 100.0)).or(reported.battery);
        let free = number("AvailableDeviceCapacity").and_then(whole);
        reported.storage = free.zip(number("DeviceCapacity").and_then(whole)).or(reported.storage);
        reported.pin = inner.get("PasscodePresent").and_then(Value::as_bool).or(reported.pin);
        let caps = inner.get("HardwareEncryptionCaps").and_then(Value::as_u64);
        // Apple, SecurityInfo: 1 is block level, 2 file level, 3 both.
        reported.encrypts = caps.map(|caps| caps > 0).or(reported.encrypts);
        reported.at = reported.at.max(Some(report.received_at));
    }
    Ok(reported)
}
