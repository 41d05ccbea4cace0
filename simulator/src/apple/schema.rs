//! Checks what goes to and comes from an Apple device against Apple's published schema (release iOS 18.1), because one wrong or
//! forbidden key makes a real device refuse a whole profile, and no real device is at hand in a test.
//!
//! The names, types and ranges stand in `data/apple-schema.json`; the test `schema_table_matches_apples_files` makes and
//! compares it. Rules of Apple's documentation that the schema cannot express stand in `profile` and `message`.
//!
//! What Apple marks "ignored" under User Enrolment may be sent and is not reported. What needs a Shared iPad is reported
//! wherever the device is known, since [`Device`] describes none. What is *deprecated* is not reported.

mod message;
mod profile;
#[cfg(test)]
mod source;
mod table;
#[cfg(test)]
mod tests;
mod violation;
mod walk;

pub use message::{check_check_in, check_command, check_response};
pub use profile::check_profile;
pub use table::Kind;
pub use violation::{Problem, Violation};

/// How a device is managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Supervised: the council's, set up through Apple Configurator or automated enrolment.
    Supervised,
    /// Device enrolment without supervision.
    Device,
    /// User Enrolment: a personal phone.
    User,
}

/// How a profile reaches a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Downloaded and installed by hand, as an enrolment profile is.
    Manual,
    /// Sent by `InstallProfile`.
    Mdm,
}

/// The device a profile or command is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// How it is managed.
    pub mode: Mode,
    /// Its version of iOS, major and minor.
    pub ios: (u32, u32),
    /// How the profile reaches it. Commands always come through MDM.
    pub source: Source,
}

impl Device {
    fn view(&self) -> walk::View {
        walk::View {
            user_enrolment: Some(self.mode == Mode::User),
            supervised: Some(self.mode == Mode::Supervised),
            ios: Some(self.ios),
            source: Some(self.source),
            rights: None,
        }
    }
}
