//! What a phone is before it meets a council: its hardware, its Android, its locks, and its temper.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a screen or a work profile is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// What must be drawn or typed.
    pub kind: LockKind,
    /// How many characters.
    pub length: u8,
    /// Repeats or counts: 4444, 1234, 2468.
    pub simple: bool,
}

/// What opens a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockKind {
    /// Nothing: a swipe.
    Swipe,
    /// A pattern.
    Pattern,
    /// Digits.
    Pin,
    /// Letters.
    Letters,
    /// Letters and digits.
    Mixed,
}

impl Lock {
    /// No lock at all.
    pub const NONE: Self = Self { kind: LockKind::Swipe, length: 0, simple: true };

    /// A PIN of so many digits that neither repeat nor count.
    pub const fn pin(length: u8) -> Self {
        Self { kind: LockKind::Pin, length, simple: false }
    }

    /// 1234 and its longer kin.
    pub const fn simple_pin(length: u8) -> Self {
        Self { kind: LockKind::Pin, length, simple: true }
    }

    /// A password of letters and digits.
    pub const fn password(length: u8) -> Self {
        Self { kind: LockKind::Mixed, length, simple: false }
    }

    /// Whether anything is needed to open it.
    pub fn secure(self) -> bool {
        self.kind != LockKind::Swipe
    }

    /// Android's band: 0 none, 1 low, 2 medium, 3 high.
    pub(crate) fn band(self) -> u8 {
        match self.kind {
            LockKind::Swipe => 0,
            LockKind::Pattern => 1,
            LockKind::Pin if self.simple || self.length < 4 => 1,
            LockKind::Pin if self.length < 8 => 2,
            LockKind::Pin => 3,
            LockKind::Letters | LockKind::Mixed if self.length < 4 => 1,
            LockKind::Letters | LockKind::Mixed if self.length < 6 => 2,
            LockKind::Letters | LockKind::Mixed => 3,
        }
    }
}

/// Everything about a phone that does not come from Google or a council. Start from [`AndroidOptions::personal`] or
/// [`AndroidOptions::company`] and change fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AndroidOptions {
    /// What its holder calls it; never reported.
    pub name: String,
    /// Whose it is: a phone in factory state can only become the council's, a phone in use only get a work profile.
    pub factory_state: bool,
    /// Manufacturer, such as `Google`.
    pub manufacturer: String,
    /// Model, such as `Pixel 8a`.
    pub model: String,
    /// Serial number of the hardware.
    pub serial: String,
    /// IMEI.
    pub imei: String,
    /// Telephone number of the SIM.
    pub phone_number: String,
    /// Android's version, such as `15`.
    pub android_version: String,
    /// Android's API level, such as 35.
    pub api_level: u32,
    /// Patch level, such as `2026-10-05`.
    pub security_patch: String,
    /// What opens the screen.
    pub screen_lock: Lock,
    /// What opens the work profile, when that is not the screen lock.
    pub work_lock: Option<Lock>,
    /// Storage is encrypted.
    pub encrypted: bool,
    /// Somebody has rooted it.
    pub rooted: bool,
    /// Location is on.
    pub location_on: bool,
    /// Developer options are on.
    pub developer_options: bool,
    /// Packages that Play cannot install on it.
    pub unavailable_packages: Vec<String>,
    /// How long a phone that lives by itself takes to answer.
    pub answer_after: Duration,
}

impl Default for AndroidOptions {
    fn default() -> Self {
        Self::personal("phone")
    }
}

impl AndroidOptions {
    /// A councillor's own Pixel with Android 15 and a six-digit PIN; serial and IMEI are random.
    pub fn personal(name: &str) -> Self {
        let random = uuid::Uuid::new_v4();
        let digits = random.as_u128() % 1_000_000_000_000;
        let serial = random.simple().to_string().to_uppercase();
        Self {
            name: name.to_owned(),
            factory_state: false,
            manufacturer: "Google".into(),
            model: "Pixel 8a".into(),
            serial: serial.get(..12).unwrap_or_default().to_owned(),
            imei: format!("35{digits:012}0"),
            phone_number: format!("+447700900{:03}", digits % 1000),
            android_version: "15".into(),
            api_level: 35,
            security_patch: "2026-10-05".into(),
            screen_lock: Lock::pin(6),
            work_lock: None,
            encrypted: true,
            rooted: false,
            location_on: true,
            developer_options: false,
            unavailable_packages: Vec::new(),
            answer_after: Duration::from_millis(20),
        }
    }

    /// A phone of the council, in factory state.
    pub fn company(name: &str) -> Self {
        Self { factory_state: true, ..Self::personal(name) }
    }

    /// Sets Android's version by its API level.
    #[must_use]
    pub fn with_api_level(mut self, level: u32) -> Self {
        self.api_level = level;
        self.android_version = match level {
            ..=25 => "7".into(),
            26 | 27 => "8".into(),
            28 => "9".into(),
            29 => "10".into(),
            30 => "11".into(),
            31 | 32 => "12".into(),
            above => (above - 20).to_string(),
        };
        self
    }

    /// What Chrome calls itself on this phone.
    pub fn browser(&self) -> String {
        format!(
            "Mozilla/5.0 (Linux; Android {}; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
            self.android_version, self.model
        )
    }
}
