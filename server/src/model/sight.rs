//! What a council can see and do on a device, and what not: one text for the notice, the API and the pages, by the real mode.

use super::{Mode, Ownership};

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
                cannot_see: private.to_vec(),
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
                found.cannot_see.push("where the device is, unless it was reported lost");
                found
                    .can_do
                    .push("put a lost device into Lost Mode, find it and let it ring; it then says so on its screen");
            } else {
                found.cannot_see.push("where the device is");
                found.cannot_do.push("keep you from removing the management; the council is then told");
            }
            found
        }
        (Mode::FullyManaged | Mode::CompanyWorkProfile, Ownership::Council) => Sight {
            can_see: vec![
                "the make, model and serial number of the device",
                "the version of its system",
                "the names of the work apps",
                "which settings of the council are in force",
            ],
            cannot_see: private.to_vec(),
            can_do: vec![
                "set rules for the device",
                "lock the device",
                "erase the device, if it is lost or you leave: one person asks and a second one must agree",
            ],
            cannot_do: vec!["listen in, watch the screen or read what is on the device"],
        },
        (_, Ownership::Personal) | (Mode::User | Mode::PersonalWorkProfile, _) => {
            let mut cannot_see = private.to_vec();
            cannot_see.extend([
                "your own apps and what is in them",
                "the serial number and telephone number of your phone",
                "where your phone is",
            ]);
            Sight {
                can_see: vec![
                    "the model of your phone and the version of its system",
                    "the council's own apps and settings on it",
                    "whether the PIN is good enough",
                ],
                cannot_see,
                can_do: vec![
                    "set rules for the council's data, and ask for a good PIN",
                    "remove the council's own data from your phone",
                ],
                cannot_do: vec!["erase your phone", "clear your PIN", "read or remove anything of your own"],
            }
        }
    }
}
