//! The council's policy, platform-neutral: one section per subject, each setting tied to the clause of the written policy.

use serde::{Deserialize, Serialize};

use crate::named::named_enum;
use crate::setting;

pub mod accessories;
pub mod apps;
pub mod camera;
pub mod certificates;
pub mod cloud;
pub mod council;
pub mod diagnostics;
pub mod encryption;
pub mod location;
pub mod management;
pub mod passcode;
pub mod roaming;
pub mod screen;
pub mod updates;
pub mod wifi;
pub mod work_data;

mod change;
mod preset;

pub use preset::Preset;

named_enum! {
    /// The written IT policy a council adopted.
    Document, "written policy" {
        /// Germoe Parish Council's IT policy.
        Germoe = "germoe",
        /// Coreley Parish Council's IT policy.
        Coreley = "coreley",
        /// What the two texts share, which is the national template.
        CouncilTemplate = "council_template",
        /// A text Beadle has no clause numbers for.
        Other = "other",
    }
}

impl Document {
    /// The document's name, as people say it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Germoe => "Germoe",
            Self::Coreley => "Coreley",
            Self::CouncilTemplate => "Council template",
            Self::Other => "Own policy",
        }
    }
}

/// Something about a policy that cannot stand, in plain words that say what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Problem {
    /// The setting's path, as in [`Policy::set`].
    pub field: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl Problem {
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// What a council wants of its phones. The default asks for nothing, so a policy stored before a setting existed still reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The text the council adopted; decides which clauses are shown.
    pub written_policy: Document,
    /// PIN, automatic lock and erasing after failed attempts.
    pub passcode: passcode::Passcode,
    /// Encryption of what is stored.
    pub encryption: encryption::Encryption,
    /// Keeping work and personal data apart.
    pub work_data: work_data::WorkData,
    /// Cloud storage and backups.
    pub cloud: cloud::Cloud,
    /// Camera.
    pub camera: camera::Camera,
    /// Screenshots and what the locked screen shows.
    pub screen: screen::Screen,
    /// USB accessories, sticks and computers.
    pub accessories: accessories::Accessories,
    /// Apps and purchases.
    pub apps: apps::Apps,
    /// Whether the holder may take security off the phone.
    pub management: management::Management,
    /// System updates.
    pub updates: updates::Updates,
    /// Wi-Fi networks given to the phone.
    pub wifi: wifi::Wifi,
    /// Certificates given to the phone.
    pub certificates: certificates::Certificates,
    /// Mobile data abroad.
    pub roaming: roaming::Roaming,
    /// Where the phone is.
    pub location: location::Location,
    /// What the phone tells its maker.
    pub diagnostics: diagnostics::Diagnostics,
    /// What the text says about people rather than phones.
    pub council: council::Council,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            written_policy: Document::Other,
            passcode: Default::default(),
            encryption: Default::default(),
            work_data: Default::default(),
            cloud: Default::default(),
            camera: Default::default(),
            screen: Default::default(),
            accessories: Default::default(),
            apps: Default::default(),
            management: Default::default(),
            updates: Default::default(),
            wifi: Default::default(),
            certificates: Default::default(),
            roaming: Default::default(),
            location: Default::default(),
            diagnostics: Default::default(),
            council: Default::default(),
        }
    }
}

/// Something the written policy leaves to the council.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenQuestion {
    /// The setting that would answer it.
    pub setting: &'static str,
    /// The setting's title.
    pub title: &'static str,
    /// What is open.
    pub question: String,
}

impl Policy {
    /// A ready-made policy to start from.
    pub fn preset(preset: Preset) -> Self {
        preset::policy(preset)
    }

    /// Checks every setting and reports all that is wrong, not only the first.
    pub fn validate(&self) -> Result<(), Vec<Problem>> {
        let mut problems: Vec<Problem> = setting::all()
            .filter_map(|setting| (setting.problem)(self).map(|problem| Problem::new(setting.name, problem)))
            .collect();
        problems.extend(council::problems(self));
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Changes one setting from the command line: `passcode.minimum_length`, `8`. An empty value or `none` clears an optional
    /// one. The policy as a whole is not validated, so that several settings can be changed before [`Policy::validate`].
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), Problem> {
        *self = change::changed(self, path, value)?;
        Ok(())
    }

    /// Every setting's path with its present value as JSON, sorted, as `policy show` prints them.
    pub fn values(&self) -> Vec<(String, String)> {
        change::values(self)
    }

    /// What the text leaves open and the council has not yet decided.
    pub fn open_questions(&self) -> Vec<OpenQuestion> {
        let mut questions: Vec<OpenQuestion> = setting::all()
            .filter_map(|setting| match (setting.says)(self) {
                setting::Says::Open(question) => {
                    Some(OpenQuestion { setting: setting.name, title: setting.title, question })
                }
                _ => None,
            })
            .collect();
        questions.extend(council::open_questions(self));
        questions
    }
}

/// Whether text can stand in XML and be read by people: no control characters, no non-characters.
pub(crate) fn is_printable(text: &str) -> bool {
    text.chars().all(|character| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}'))
}

/// The text without what people cannot read.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|&character| is_printable(character.encode_utf8(&mut [0; 4]))).collect()
}
