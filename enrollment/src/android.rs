//! How an Android phone comes under a council's management: the enrolment token, the code and the link that carry it, and what
//! the phone's mode says afterwards.
//!
//! Google enrols; Beadle asks it for a token, marks the token so that the phone is known when it arrives, and compares the
//! mode that Google reports with the one that was meant. Source: Android Management API, discovery document (schemas
//! `EnrollmentToken`, `Device`), and "Provision devices".

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::certificate::sha256_hex;

/// The most characters that Google takes for an enterprise's name.
pub const ENTERPRISE_NAME_LIMIT: usize = 100;
/// The most characters that Google shows the holder before a work profile goes.
pub const WIPE_REASON_LIMIT: usize = 200;
/// How long the code of a council phone lives: it is made when it is shown, and scanned from another screen at once.
pub const CODE_LASTS: TimeDelta = TimeDelta::hours(1);
/// The longest life of a personal phone's link, which waits for the holder as his invitation does.
pub const LINK_LASTS_AT_MOST: TimeDelta = TimeDelta::days(7);
/// Google takes nothing shorter.
const SHORTEST: TimeDelta = TimeDelta::minutes(1);

/// How far management reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The council's phone, all of it managed.
    FullyManaged,
    /// The council's phone, with a work profile and a personal side.
    CompanyWorkProfile,
    /// A personal phone, of which the work profile alone is managed.
    PersonalWorkProfile,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FullyManaged, Self::CompanyWorkProfile, Self::PersonalWorkProfile];

    /// The word that names it in policies' ids.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FullyManaged => "fully_managed",
            Self::CompanyWorkProfile => "company_work_profile",
            Self::PersonalWorkProfile => "personal_work_profile",
        }
    }

    /// Whether the phone was set up as the council's.
    #[must_use]
    pub fn is_company_owned(self) -> bool {
        self != Self::PersonalWorkProfile
    }
}

/// Which of a mode's two policies a phone obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Posture {
    /// In use.
    Everyday,
    /// Reported lost.
    Lost,
}

impl Posture {
    /// The word that names it in policies' ids.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everyday => "everyday",
            Self::Lost => "lost",
        }
    }
}

/// The name of a council's policy for a mode and a posture, given by their words; `enterprise` is `enterprises/…`.
#[must_use]
pub fn policy_name(enterprise: &str, mode: &str, posture: &str) -> String {
    format!("{enterprise}/policies/{mode}-{posture}")
}

/// The mode that Google's two words mean; `None` where they fit no way in which Beadle manages a phone.
///
/// `ownership` is `Device.ownership`, `management_mode` is `Device.managementMode`. How a phone was set up decides both, not
/// the token: a personal phone that was reset and scanned a code is company-owned.
#[must_use]
pub fn mode_of(ownership: &str, management_mode: &str) -> Option<Mode> {
    match (ownership, management_mode) {
        ("COMPANY_OWNED", "DEVICE_OWNER") => Some(Mode::FullyManaged),
        ("COMPANY_OWNED", "PROFILE_OWNER") => Some(Mode::CompanyWorkProfile),
        ("PERSONALLY_OWNED", "PROFILE_OWNER") => Some(Mode::PersonalWorkProfile),
        _ => None,
    }
}

/// How the mode that a phone reports stands to the one in its invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// As it was meant.
    Agrees,
    /// Google has not said, or names a way in which Beadle manages no phone.
    Unknown,
    /// The phone was invited as personal and set up as the council's: management reaches further than its holder agreed to.
    ReachesFurther,
    /// The phone was invited as the council's and set up as personal: management reaches less far than it should.
    FallsShort,
    /// Council-owned as it was meant, but in the other of the two modes.
    OtherCompanyMode,
}

impl Comparison {
    /// Whether there is an alert, and no order until it is resolved.
    #[must_use]
    pub fn disagrees(self) -> bool {
        self != Self::Agrees
    }

    /// What the clerk is told.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Agrees => "the phone is managed as its invitation says",
            Self::Unknown => "Google does not say in which way the phone is managed",
            Self::ReachesFurther => {
                "the phone was invited as a personal one but set up as the council's, so that all of it is managed; \
                 ask its holder, and have it set up again from the link if it is his own"
            }
            Self::FallsShort => {
                "the phone was invited as the council's but set up as a personal one, so that its work profile alone is \
                 managed; have it reset and set up with the code"
            }
            Self::OtherCompanyMode => {
                "the phone is the council's as its invitation says, but set up in the other way: with a work profile \
                 instead of fully managed, or the reverse"
            }
        }
    }
}

/// Compares the mode of the invitation with the one that the phone reports.
#[must_use]
pub fn compare(invited: Mode, reported: Option<Mode>) -> Comparison {
    match reported {
        None => Comparison::Unknown,
        Some(reported) if reported == invited => Comparison::Agrees,
        Some(reported) => match (invited.is_company_owned(), reported.is_company_owned()) {
            (false, _) => Comparison::ReachesFurther,
            (true, false) => Comparison::FallsShort,
            (true, true) => Comparison::OtherCompanyMode,
        },
    }
}

const BINDING_PREFIX: &str = "beadle1.";
/// 32 bytes in base64url without padding.
const BINDING_LENGTH: usize = 43;

/// What marks an enrolment token as one of Beadle's, and comes back with the phone: `Device.enrollmentTokenData`.
///
/// Whoever knows it could pass off a phone as the invited one, so `Debug` does not show it and only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Binding(Zeroizing<String>);

impl Binding {
    /// Makes a mark of 32 random bytes.
    #[must_use]
    pub fn from_random(random: &[u8; 32]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(BINDING_PREFIX.len() + BINDING_LENGTH));
        text.push_str(BINDING_PREFIX);
        URL_SAFE_NO_PAD.encode_string(random, &mut text);
        Self(text)
    }

    /// Reads what came back with a phone; `None` where it is not a mark of Beadle's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(BINDING_PREFIX)?;
        let is_ours = rest.len() == BINDING_LENGTH
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        is_ours.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text, for the token alone.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up: SHA-256 of the text, lower-case hex.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Binding(secret)")
    }
}

/// `EnrollmentToken.allowPersonalUsage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PersonalUsage {
    /// A personal side beside the work profile.
    #[serde(rename = "PERSONAL_USAGE_ALLOWED")]
    Allowed,
    /// Work alone.
    #[serde(rename = "PERSONAL_USAGE_DISALLOWED")]
    Disallowed,
}

/// The `EnrollmentToken` that Google is asked for: for one phone, once.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRequest {
    policy_name: String,
    #[serde(serialize_with = "seconds")]
    duration: TimeDelta,
    one_time_only: bool,
    #[serde(serialize_with = "text")]
    additional_data: Binding,
    allow_personal_usage: PersonalUsage,
}

impl TokenRequest {
    /// The token that a phone of this mode needs, valid for `lasts`: at least a minute, at most [`CODE_LASTS`] for a council
    /// phone and [`LINK_LASTS_AT_MOST`] for a personal one.
    #[must_use]
    pub fn new(enterprise: &str, mode: Mode, lasts: TimeDelta, binding: &Binding) -> Self {
        let (longest, allow_personal_usage) = match mode {
            Mode::FullyManaged => (CODE_LASTS, PersonalUsage::Disallowed),
            Mode::CompanyWorkProfile => (CODE_LASTS, PersonalUsage::Allowed),
            Mode::PersonalWorkProfile => (LINK_LASTS_AT_MOST, PersonalUsage::Allowed),
        };
        Self {
            policy_name: policy_name(enterprise, mode.as_str(), Posture::Everyday.as_str()),
            duration: lasts.clamp(SHORTEST, longest),
            one_time_only: true,
            additional_data: binding.clone(),
            allow_personal_usage,
        }
    }

    /// How long the token will last.
    #[must_use]
    pub fn lasts(&self) -> TimeDelta {
        self.duration
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TokenRequest({}, {})", self.policy_name, self.duration)
    }
}

/// A duration as Google wants it: `"3600s"`.
fn seconds<S: Serializer>(duration: &TimeDelta, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{}s", duration.num_seconds()))
}

fn text<S: Serializer>(binding: &Binding, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(binding.as_str())
}

/// The link that a personal phone opens to make its work profile; `value` is `EnrollmentToken.value`.
#[must_use]
pub fn personal_link(value: &str) -> Zeroizing<String> {
    let mut link = Zeroizing::new("https://enterprise.google.com/android/enroll?et=".to_owned());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            link.push(char::from(byte));
        } else {
            link.push_str(&format!("%{byte:02X}"));
        }
    }
    link
}

/// How a Wi-Fi network is protected.
#[derive(Clone, PartialEq, Eq)]
pub enum WifiSecurity {
    /// Not at all.
    Open,
    /// WPA, WPA2 or WPA3 with this passphrase.
    Passphrase(Zeroizing<String>),
}

/// The network that a phone joins while it is set up. `Debug` does not show the passphrase.
#[derive(Clone, PartialEq, Eq)]
pub struct Wifi {
    ssid: String,
    security: WifiSecurity,
}

impl Wifi {
    /// A network.
    ///
    /// # Errors
    /// [`NotUsable`] for a name or a passphrase that no network has.
    pub fn new(ssid: &str, security: WifiSecurity) -> Result<Self, NotUsable> {
        if !(1..=32).contains(&ssid.len()) || ssid.chars().any(char::is_control) {
            return Err(NotUsable("the name of the Wi-Fi must have 1 to 32 bytes"));
        }
        if let WifiSecurity::Passphrase(passphrase) = &security {
            let plain = passphrase.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            let hexadecimal = passphrase.len() == 64 && passphrase.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !(hexadecimal || plain && (8..=63).contains(&passphrase.len())) {
                return Err(NotUsable(
                    "the Wi-Fi's passphrase must have 8 to 63 letters, digits or signs without accents",
                ));
            }
        }
        Ok(Self { ssid: ssid.to_owned(), security })
    }
}

impl fmt::Debug for Wifi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Wifi({:?})", self.ssid)
    }
}

/// What cannot stand in a code for a phone, and what would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotUsable(pub &'static str);

/// The text of the code that a council phone scans: Google's `EnrollmentToken.qrCode`, untouched, with the Wi-Fi added.
///
/// Source: Android, `DevicePolicyManager` (`EXTRA_PROVISIONING_WIFI_SSID`, `…_WIFI_SECURITY_TYPE`, `…_WIFI_PASSWORD`).
///
/// # Errors
/// [`NotUsable`] where Google's text is not a JSON object.
pub fn code_text(qr_code: &str, wifi: Option<&Wifi>) -> Result<Zeroizing<String>, NotUsable> {
    const NOT_GOOGLES: NotUsable = NotUsable("the code that Google sent is not a JSON object");
    let there: Map<String, Value> = serde_json::from_str(qr_code).map_err(|_| NOT_GOOGLES)?;
    let Some(wifi) = wifi else { return Ok(Zeroizing::new(qr_code.to_owned())) };
    let mut extras = vec![("android.app.extra.PROVISIONING_WIFI_SSID", wifi.ssid.as_str())];
    match &wifi.security {
        WifiSecurity::Open => extras.push(("android.app.extra.PROVISIONING_WIFI_SECURITY_TYPE", "NONE")),
        WifiSecurity::Passphrase(passphrase) => extras.extend([
            ("android.app.extra.PROVISIONING_WIFI_SECURITY_TYPE", "WPA"),
            ("android.app.extra.PROVISIONING_WIFI_PASSWORD", passphrase.as_str()),
        ]),
    }
    if extras.iter().any(|(key, _)| there.contains_key(*key)) {
        return Err(NotUsable("the code that Google sent names a Wi-Fi already"));
    }
    let body = qr_code.trim_end().strip_suffix('}').ok_or(NOT_GOOGLES)?;
    let mut text = Zeroizing::new(String::with_capacity(qr_code.len() + 400));
    text.push_str(body);
    for (index, (key, value)) in extras.into_iter().enumerate() {
        if index > 0 || !there.is_empty() {
            text.push(',');
        }
        // `Value` writes a text with every escape that JSON wants.
        text.push_str(&format!("{}:{}", Value::from(key), *Zeroizing::new(Value::from(value).to_string())));
    }
    text.push('}');
    Ok(text)
}

#[cfg(test)]
#[path = "android_tests.rs"]
mod tests;
