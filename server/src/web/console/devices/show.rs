//! One device: what it is, what it reports setting by setting beside what the policy says, what the council can see and do on
//! it, and what happened.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::words::loss_words;
use super::{mode_words, place_of};
use crate::app::App;
use crate::error::Result;
use crate::model::{
    CaseState, CommandKind, CommandState, Confirmation, DeviceId, EnrolmentState, Permission, SettingState, Sight,
    sight,
};
use crate::operations::devices::{Rule, Whole};
use crate::web::console::dates::Zone;
use crate::web::console::failure::{Failure, sentence};
use crate::web::console::page::{Frame, Place, draw, or_unknown};
use crate::web::console::visitor::Visitor;

#[derive(Template)]
#[template(path = "console/device.html")]
struct Page {
    frame: Frame,
    place: Place,
    here: String,
    whole: Whole,
    /// What matters most, in one sentence.
    headline: String,
    /// Whether the headline is good news.
    good: bool,
    /// What somebody must know or see to.
    warnings: Vec<String>,
    /// How far the last clearing of its PIN is.
    clearing: Option<String>,
    /// What it is: labels and values.
    facts: Vec<(&'static str, String)>,
    management: Vec<(&'static str, String)>,
    /// What may be done now: where it is, and its words.
    steps: Vec<(String, &'static str)>,
    sight: Option<Sight>,
}

impl Page {
    fn zone(&self) -> Zone {
        self.place.zone
    }

    /// What a phone reports of a setting, in words; never what was only sent.
    fn state_words(&self, rule: &Rule) -> &'static str {
        match (rule.state, rule.possible) {
            (Some(SettingState::InForce), _) => "In force",
            (Some(SettingState::NotInForce), _) => "Not in force",
            (Some(SettingState::Unknown), _) | (None, true) => "Not known",
            (None, false) => "Not possible on this kind of phone",
        }
    }
}

/// GET: the page.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = DeviceId::from(path.into_inner());
    let (place, whole) =
        visitor.read(&app, "show device", move |tx, context| super::with_council(tx, context, &id)).await?;
    let (headline, good) = headline(&whole);
    let page = Page {
        frame: Frame::new(&app, &visitor, format!("{}: device", whole.item.asset.tag), Some(&place))?,
        here: place_of(&whole.managed.device.id),
        headline,
        good,
        warnings: warnings(&whole),
        clearing: clearing(&whole, place.zone),
        facts: facts(&whole),
        management: management(&whole, place.zone),
        steps: steps(&visitor, &place, &whole),
        sight: whole.managed.enrolment.as_ref().map(|enrolment| sight(enrolment.mode, enrolment.ownership)),
        whole,
        place,
    };
    draw(StatusCode::OK, &page)
}

fn headline(whole: &Whole) -> (String, bool) {
    if let Some((_, state)) = &whole.loss {
        return (loss_words(*state).to_owned(), false);
    }
    if whole.managed.device.retired_at.is_some() {
        return ("Another phone took its place.".to_owned(), false);
    }
    let Some(enrolment) = &whole.managed.enrolment else {
        return ("Not under management.".to_owned(), false);
    };
    match enrolment.state {
        EnrolmentState::Authenticated => return ("It began to enrol and has not finished.".to_owned(), false),
        EnrolmentState::Ended => return ("No longer under management.".to_owned(), false),
        EnrolmentState::Enrolled => {}
    }
    let count = |state| whole.rules.iter().filter(|rule| rule.state == Some(state)).count();
    match (count(SettingState::NotInForce), count(SettingState::Unknown)) {
        (0, _) if whole.rules.iter().all(|rule| rule.state.is_none()) => {
            ("Under management. It has not reported its settings yet.".to_owned(), false)
        }
        (0, 0) => ("Under management. It reports every setting that it can as in force.".to_owned(), true),
        (0, _) => (
            "Under management. It reports nothing that is not in force; some settings are not known.".to_owned(),
            false,
        ),
        (1, _) => ("Under management. One setting of the policy is not in force.".to_owned(), false),
        (many, _) => (format!("Under management. {many} settings of the policy are not in force."), false),
    }
}

fn warnings(whole: &Whole) -> Vec<String> {
    let mut warnings = Vec::new();
    for hold in &whole.holds {
        warnings.push(format!("Legal hold: this device must not be erased. {}", sentence(&hold.reason)));
    }
    if let Some(enrolment) = whole.managed.enrolment.as_ref().filter(|enrolment| enrolment.ended_at.is_none()) {
        if enrolment.confirmation == Confirmation::Waiting {
            warnings.push(
                "The phone\u{2019}s serial number is not that of the item on the register. Confirm that it is the right phone."
                    .to_owned(),
            );
        }
        if enrolment.mode_disagrees {
            let invited = whole.invited_to.map_or("another kind of management", mode_words);
            warnings.push(format!(
                "The phone reports another kind of management than it was invited to ({invited}). Until that is put right it \
                 cannot be erased. Usually it must be enrolled again."
            ));
        }
        if whole.android.as_ref().is_some_and(|android| android.compromised) {
            warnings.push("Google says that this phone may have been tampered with.".to_owned());
        }
    }
    warnings
}

/// How far the last clearing of its PIN is, in words that say done only where the phone did.
fn clearing(whole: &Whole, zone: Zone) -> Option<String> {
    let command = whole.clearing.as_ref()?;
    let asked = format!("Clearing of the PIN, asked for on {}: ", zone.when(command.created_at));
    let ended = |words: &str| match command.ended_at {
        Some(at) => format!("{words} on {}.", zone.when(at)),
        None => format!("{words}."),
    };
    let how = match command.state {
        CommandState::Queued => "waits for the phone, which has not fetched it yet.".to_owned(),
        CommandState::Sent => "sent to the phone, which has not answered yet.".to_owned(),
        CommandState::Deferred => "the phone answered that it cannot just now. It is asked again by itself.".to_owned(),
        CommandState::Acknowledged => match &command.problem {
            Some(problem) => format!("the phone answered: {problem}."),
            None => ended("the phone confirmed that the PIN is cleared"),
        },
        CommandState::Failed => format!("not cleared: {}.", command.problem.as_deref().unwrap_or("unknown")),
        CommandState::Expired => ended("not cleared: the phone did not answer in time"),
        CommandState::Cancelled | CommandState::Superseded => ended("taken back"),
    };
    Some(format!("{asked}{how}"))
}

fn facts(whole: &Whole) -> Vec<(&'static str, String)> {
    let (device, asset) = (&whole.managed.device, &whole.item.asset);
    let holders: Vec<&str> = whole.item.holders.iter().map(|holder| holder.name.as_str()).collect();
    let mut facts = vec![
        ("Item on the register", format!("{} {}", asset.make, asset.model).trim().to_owned()),
        ("Held by", if holders.is_empty() { "Nobody".to_owned() } else { holders.join(", ") }),
        ("Model, as it reports", or_unknown(device.product.as_deref())),
        ("Serial number, as it reports", or_unknown(device.serial.as_deref())),
    ];
    if asset.serial.is_some() && asset.serial != device.serial {
        facts.push(("Serial number on the register", or_unknown(asset.serial.as_deref())));
    }
    facts.extend([
        ("IMEI, as it reports", or_unknown(device.imei.as_deref())),
        ("SIM, as it reports", or_unknown(device.iccid.as_deref())),
        ("Telephone number, as it reports", or_unknown(device.phone_number.as_deref())),
        ("System version", or_unknown(device.os_version.as_deref())),
    ]);
    let yes = |told: Option<bool>, yes: &str, no: &str| match told {
        Some(told) => (if told { yes } else { no }).to_owned(),
        None => or_unknown(None),
    };
    if let Some(android) = &whole.android {
        facts.push(("PIN", yes(android.locked_with_pin, "A PIN is set", "No PIN is set")));
        facts.push(("Encryption", or_unknown(android.encryption.as_deref())));
        let age = android.patch_age_days.map_or_else(String::new, |days| format!(" ({days} days old)"));
        facts.push(("Security patch level", or_unknown(android.patch_level.as_deref()) + &age));
        facts.push(("Security, as Google judges it", or_unknown(android.security.as_deref())));
    } else {
        let reported = &whole.reported;
        facts.push(("PIN", yes(reported.pin, "A PIN is set", "No PIN is set")));
        let encryption = match (reported.encrypts, reported.pin) {
            (Some(true), Some(true)) => "Encrypted: a PIN is set",
            (Some(true), Some(false)) => "Not protected: no PIN is set",
            (Some(false), _) => "Not encrypted",
            _ => "Not known",
        };
        facts.push(("Encryption", encryption.to_owned()));
        if let Some(battery) = reported.battery {
            facts.push(("Battery, when it last reported", format!("{battery} per cent")));
        }
        if let Some((free, all)) = reported.storage {
            facts.push(("Free storage", format!("{free} of {all} GB")));
        }
    }
    facts
}

fn management(whole: &Whole, zone: Zone) -> Vec<(&'static str, String)> {
    let Some(enrolment) = &whole.managed.enrolment else { return Vec::new() };
    let mut facts = vec![("Managed as", mode_words(enrolment.mode).to_owned())];
    if let Some(invited) = whole.invited_to.filter(|invited| *invited != enrolment.mode) {
        facts.push(("Invited as", mode_words(invited).to_owned()));
    }
    facts.push(("Under management since", zone.when_or(&enrolment.enrolled_at, "Not yet")));
    if let Some(at) = enrolment.ended_at {
        facts.push(("Until", zone.when(at)));
        facts.push(("Why it ended", or_unknown(enrolment.end_reason.as_deref()).replace('_', " ")));
    }
    facts.push(("Last heard from", zone.when(enrolment.last_seen_at)));
    if let Some(at) = whole.managed.bypass_code_at {
        facts.push(("Code that opens its Activation Lock", format!("Kept since {}", zone.when(at))));
    }
    facts
}

fn steps(visitor: &Visitor, place: &Place, whole: &Whole) -> Vec<(String, &'static str)> {
    let (device, council) = (&whole.managed.device, &place.id);
    let live = whole.managed.enrolment.as_ref().filter(|enrolment| enrolment.ended_at.is_none());
    let mut steps = Vec::new();
    match &whole.loss {
        Some((case, _)) => steps.push((format!("/console/losses/{case}"), "Go on with this loss")),
        None if device.retired_at.is_none() && visitor.may(Permission::Report, council) => {
            steps.push((format!("/console/assets/{}/lost", device.asset_id), "Report it lost"));
        }
        None => {}
    }
    if device.retired_at.is_none() && visitor.may(Permission::Register, council) {
        steps.push((format!("/console/assets/{}/card", device.asset_id), "Make a card for its holder"));
    }
    if visitor.may(Permission::CancelOrder, council) {
        for hold in &whole.holds {
            steps.push((format!("/console/holds/{}/end", hold.id), "End the legal hold"));
        }
        if whole.holds.is_empty() {
            steps.push((format!("{}/hold", place_of(&device.id)), "Put it under a legal hold"));
        }
    }
    let Some(enrolment) = live else { return steps };
    if enrolment.confirmation == Confirmation::Waiting && visitor.may(Permission::Register, council) {
        steps.push((format!("{}/confirm", place_of(&device.id)), "Confirm that it is the right phone"));
    }
    let possible = CommandKind::ClearPasscode.refusal(enrolment.mode, enrolment.ownership).is_none();
    let open_loss = whole.loss.as_ref().is_some_and(|(_, state)| *state == CaseState::Open);
    if possible && !open_loss && visitor.may(Permission::ClearPasscode, council) {
        steps.push((format!("{}/clear-pin", place_of(&device.id)), "Clear a forgotten PIN"));
    }
    steps
}
