//! What a council can see and do on a device, and what not: one text for the notice, the API and the pages, by the real mode.

use super::{CommandKind, Mode, Ownership};

/// The four lists that a holder reads before he accepts, and can read again at any time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Sight {
    /// What the council can see.
    pub can_see: Vec<&'static str>,
    /// What it cannot see.
    pub cannot_see: Vec<&'static str>,
    /// What it can do.
    pub can_do: Vec<&'static str>,
    /// What it cannot do.
    pub cannot_do: Vec<&'static str>,
}

/// What a council can see and do on a device of this mode and ownership.
#[must_use]
pub fn sight(mode: Mode, ownership: Ownership) -> Sight {
    let private = [
        "your messages, e-mails, photographs, notes and contacts",
        "whom you call, and which pages you visit",
        "your passwords and your PIN",
    ];
    match (mode, ownership) {
        (Mode::Supervised | Mode::Device, Ownership::Council) => {
            let supervised = mode == Mode::Supervised;
            let mut found = Sight {
                can_see: vec![
                    "the make, model, serial number and IMEI of the device",
                    "its telephone number and which SIM is in it",
                    "the version of its system, its battery and free storage",
                    "the names of the apps that are installed",
                    "whether a PIN is set and is good enough",
                    "which settings of the council are in force",
                ],
                cannot_see: private.iter().copied().chain(["where the device is"]).collect(),
                can_do: vec![
                    "set rules: the PIN, automatic locking, restrictions, Wi-Fi; depending on the policy the device erases \
                     itself after too many wrong PINs",
                    "lock the device",
                    "clear a forgotten PIN, when you ask for it",
                    "erase the whole device, if it is lost or you leave: one person asks and a second one must agree",
                ],
                cannot_do: vec!["listen in, watch the screen or read what is on the device"],
            };
            if supervised {
                found.can_do.push("put a lost device into Lost Mode: it then shows whom to call, and nothing else");
            } else {
                found.cannot_do.push("keep you from removing the management; the council is then told");
            }
            found
        }
        (Mode::FullyManaged | Mode::CompanyWorkProfile, Ownership::Council) => on_android(mode, &private),
        (_, Ownership::Personal) | (Mode::User | Mode::PersonalWorkProfile, _) => {
            let mut cannot_see = private.to_vec();
            cannot_see.extend([
                "your own apps and what is in them",
                "the serial number and telephone number of your phone",
                "where your phone is",
            ]);
            let mut can_do = vec![
                "set rules for the council's data, and ask for a good PIN",
                "remove the council's own data from your phone",
            ];
            if CommandKind::DeviceLock.refusal(mode, ownership).is_none() {
                can_do.push("lock your phone, or the council's part of it, when it was reported lost");
            }
            Sight {
                can_see: vec![
                    "the model of your phone and the version of its system",
                    "the council's own apps and settings on it",
                    "whether the PIN is good enough",
                ],
                cannot_see,
                can_do,
                cannot_do: vec!["erase your phone", "clear your PIN", "read or remove anything of your own"],
            }
        }
    }
}

/// A council's own Android phone: what Google reports of it, and what Google's commands do.
fn on_android(mode: Mode, private: &[&'static str]) -> Sight {
    let whole = mode == Mode::FullyManaged;
    let mut found = Sight {
        can_see: vec![
            "the make, model, serial number and IMEI of the device, and the address of its Wi-Fi adapter",
            if whole {
                "its telephone number, which SIMs are in it and the mobile network"
            } else {
                "the mobile network that it uses"
            },
            "the version and language of its system, and whether an update waits",
            if whole { "the names of the apps that are installed" } else { "the names of the work apps" },
            "whether a PIN is set and is good enough, whether storage is encrypted and developers' settings are on",
            "which settings of the council are in force",
        ],
        cannot_see: private.to_vec(),
        can_do: vec![
            "set rules: the PIN, automatic locking, restrictions, apps, Wi-Fi; depending on the policy the device erases itself \
             after too many wrong PINs",
            "lock the device",
            "put a lost device into lost mode: it then shows whom to call, and nothing else",
            "erase the whole device, if it is lost or you leave: one person asks and a second one must agree",
        ],
        cannot_do: vec!["listen in, watch the screen or read what is on the device"],
    };
    found.cannot_see.push("where the device is");
    if whole {
        found.can_do.push("clear a forgotten PIN, when you ask for it");
    } else {
        found.cannot_see.push("your own apps outside the work profile");
        found.cannot_do.push("clear your PIN");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds_of_device() -> impl Iterator<Item = (Mode, Ownership)> {
        Mode::ALL.iter().flat_map(|mode| Ownership::ALL.iter().map(|ownership| (*mode, *ownership)))
    }

    #[test]
    fn a_holder_reads_of_every_command_that_the_council_can_give_and_of_no_other() {
        for (mode, ownership) in kinds_of_device() {
            let can = sight(mode, ownership).can_do.join("\n").to_lowercase();
            for (kind, words) in [
                (CommandKind::EnableLostMode, "into lost mode"),
                (CommandKind::DeviceLock, "lock "),
                (CommandKind::ClearPasscode, "clear a forgotten pin"),
            ] {
                let possible = kind.refusal(mode, ownership).is_none();
                assert_eq!(can.contains(words), possible, "{mode:?}, {ownership:?}, {kind:?}: {can}");
            }
        }
    }

    #[test]
    fn no_command_locates_a_phone_or_lets_it_ring_and_the_notice_promises_neither() {
        for (mode, ownership) in kinds_of_device() {
            let found = sight(mode, ownership);
            assert!(found.cannot_see.iter().any(|line| line.starts_with("where ")), "{mode:?}, {ownership:?}");
            let can = found.can_do.join(" ");
            assert!(!can.contains("find it") && !can.contains("ring;"), "{mode:?}, {ownership:?}: {can}");
        }
    }

    #[test]
    fn what_a_council_phone_reports_through_google_is_told() {
        let told = |mode| sight(mode, Ownership::Council).can_see.join("\n");
        for words in ["serial number", "IMEI", "telephone number", "SIMs", "apps that are installed", "PIN"] {
            assert!(told(Mode::FullyManaged).contains(words), "{words}");
        }
        assert!(told(Mode::CompanyWorkProfile).contains("IMEI"));
        // Google says so of the SIMs: fully managed devices only.
        assert!(!told(Mode::CompanyWorkProfile).contains("telephone number"));
    }
}
