//! What phones make of the passcode settings, in the words the coverage shows, and the rounding to what they can count.

use super::{Passcode, personal_android};
use crate::mode::Mode;
use crate::setting::{Effect, does};

/// Six digits is what iOS itself imposes on a personal phone, whatever the payload says.
const USER_ENROLLMENT_LENGTH: u8 = 6;

/// Whole minutes, never more than asked except that one is the least an iPhone can count.
pub(super) fn auto_lock_minutes(seconds: u32) -> u32 {
    (seconds / 60).clamp(1, 15)
}

/// Whole minutes, never more than asked.
pub(super) fn grace_minutes(seconds: u32) -> u32 {
    seconds / 60
}

/// Seconds in the words people use.
pub(crate) fn duration(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, 1) => "1 second".into(),
        (0, seconds) => format!("{seconds} seconds"),
        (1, 0) => "1 minute".into(),
        (minutes, 0) => format!("{minutes} minutes"),
        (_, _) => format!("{seconds} seconds"),
    }
}

pub(super) fn length_effect(passcode: &Passcode, mode: Mode) -> Effect {
    let length = passcode.minimum_length.unwrap_or_default();
    match mode {
        Mode::Supervised | Mode::Device => does(format!("The phone takes no PIN shorter than {length} characters.")),
        Mode::User if length <= USER_ENROLLMENT_LENGTH => does("The phone asks for at least six digits."),
        Mode::User => does("The phone asks for at least six digits.")
            .but(format!("policy says {length} characters; a personal iPhone ignores that and asks for six digits")),
        Mode::FullyManaged | Mode::CompanyWorkProfile => {
            does(format!("The phone takes no PIN shorter than {length} characters."))
        }
        Mode::PersonalWorkProfile => personal_android::length_effect(passcode.personal_android, length),
    }
}

pub(super) fn erase_effect(attempts: u8, mode: Mode) -> Effect {
    match mode {
        Mode::Supervised | Mode::Device => {
            let effect = does(format!(
                "The phone erases itself after {attempts} wrong PINs. A personal phone is never given this."
            ));
            if attempts <= 6 {
                effect.but("with so few attempts the phone does not slow the guessing down before it erases everything")
            } else {
                effect
            }
        }
        Mode::User => does("Nothing: no automatic erasing exists on a personal iPhone.").but(
            "policy says erase; the council can only remove its own data from a personal phone, by an approved order",
        ),
        Mode::FullyManaged => does(format!("The phone erases itself after {attempts} wrong PINs.")),
        Mode::CompanyWorkProfile => does(format!(
            "After {attempts} wrong PINs the phone erases itself, or its work profile where that has a lock of its own."
        )),
        Mode::PersonalWorkProfile => {
            does(format!("After {attempts} wrong PINs the work profile is removed; the personal side stays."))
                .but("policy says erase all content; on a personal phone only the council's part goes, and never more")
        }
    }
}

pub(super) fn auto_lock_effect(seconds: u32, mode: Mode) -> Effect {
    let minutes = auto_lock_minutes(seconds);
    match mode {
        Mode::Supervised | Mode::Device => {
            let rounded = duration(minutes * 60);
            let effect = does(format!("The phone locks after {rounded}."));
            if seconds == minutes * 60 {
                effect
            } else {
                let stricter = if seconds > minutes * 60 { ", which is stricter" } else { "" };
                effect
                    .but(format!("policy says {}; iPhone counts whole minutes: {rounded}{stricter}", duration(seconds)))
            }
        }
        Mode::User => does("The holder chooses the time; \"never\" cannot be chosen.")
            .but(format!("policy says {}; a personal iPhone ignores the number", duration(seconds))),
        Mode::FullyManaged | Mode::CompanyWorkProfile => does(format!("The phone locks after {}.", duration(seconds))),
        Mode::PersonalWorkProfile => does(format!(
            "The phone locks after {}; the work profile too where it has a lock of its own.",
            duration(seconds)
        )),
    }
}

pub(super) fn grace_effect(seconds: u32, mode: Mode) -> Effect {
    let minutes = grace_minutes(seconds);
    match mode {
        Mode::Supervised | Mode::Device if minutes == 0 => {
            let effect = does("The PIN is asked for at once.");
            if seconds == 0 {
                effect
            } else {
                effect.but(format!(
                    "policy says {}; iPhone counts whole minutes, so it asks at once, which is stricter",
                    duration(seconds)
                ))
            }
        }
        Mode::Supervised | Mode::Device => {
            let rounded = duration(minutes * 60);
            let effect = does(format!("The PIN is asked for at latest {rounded} after locking."));
            if seconds == minutes * 60 {
                effect
            } else {
                effect.but(format!(
                    "policy says {}; iPhone counts whole minutes: {rounded}, which is stricter",
                    duration(seconds)
                ))
            }
        }
        Mode::User => does("The holder chooses.").but("a personal iPhone ignores this setting"),
        _ => does("The phone's own setting decides.")
            .but("Android offers the council no setting for this; phones normally ask at once"),
    }
}
