//! The words in which the pages tell how a device is managed and how it stands.

use crate::model::{CaseState, Confirmation, EnrolmentState, Mode, Moment};
use crate::operations::devices::Glance;
use crate::web::console::dates::Zone;

/// A kind of management in words.
pub(in crate::web::console) fn mode_words(mode: Mode) -> &'static str {
    match mode {
        Mode::Supervised => "iPhone or iPad of the council, supervised",
        Mode::Device => "iPhone or iPad of the council, not supervised",
        Mode::User => "Holder\u{2019}s own iPhone or iPad, council data kept apart",
        Mode::FullyManaged => "Android phone of the council, fully managed",
        Mode::CompanyWorkProfile => "Android phone of the council with a work profile and a private side",
        Mode::PersonalWorkProfile => "Holder\u{2019}s own Android phone with a work profile",
    }
}

/// Where a loss stands, in words.
pub(super) fn loss_words(state: CaseState) -> &'static str {
    match state {
        CaseState::Open => "This device is reported lost.",
        CaseState::Found | CaseState::Closed => "This device was lost and found; the loss is not closed yet.",
    }
}

/// How long a device may be silent before the list says so.
const SILENT_AFTER: chrono::Duration = chrono::Duration::days(7);

/// How a device stands, in one or a few short sentences, what matters most first.
pub(super) fn at_a_glance(glance: &Glance, zone: Zone, now: Moment) -> Vec<String> {
    let mut words = Vec::new();
    if glance.lost {
        words.push("Reported lost".to_owned());
    }
    if glance.device.retired_at.is_some() {
        words.push("Another phone took its place".to_owned());
        return words;
    }
    let Some(enrolment) = &glance.enrolment else {
        words.push("Not under management".to_owned());
        return words;
    };
    match enrolment.state {
        EnrolmentState::Authenticated => words.push("Began to enrol and has not finished".to_owned()),
        EnrolmentState::Ended => words.push("No longer under management".to_owned()),
        EnrolmentState::Enrolled => {
            if enrolment.confirmation == Confirmation::Waiting {
                words.push("Waits for you to confirm that it is the right phone".to_owned());
            }
            if enrolment.mode_disagrees {
                words.push("Reports another kind of management than it was invited to".to_owned());
            }
            match glance.unmet {
                0 => {}
                1 => words.push("One setting of the policy is not in force".to_owned()),
                many => words.push(format!("{many} settings of the policy are not in force")),
            }
            if enrolment.last_seen_at < now - SILENT_AFTER {
                words.push(format!("Not heard from since {}", zone.when(enrolment.last_seen_at)));
            }
            if words.is_empty() {
                words.push("Under management; it reports nothing that is not in force".to_owned());
            }
        }
    }
    words
}
