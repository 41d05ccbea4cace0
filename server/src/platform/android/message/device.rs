//! A device as Google describes it: its state, its mode, what it has applied, what it is.
//!
//! Source: discovery document, schema `Device` and those it names.

use beadle_enrollment::android as enrollment;
use serde_json::Value;

use super::{borrowed, list, moment, number, open_enum, text, word};
use crate::model::{Mode, Moment};

open_enum! {
    /// `Device.state`: what the server wants; also used for what the device has.
    pub enum DeviceState {
        /// In use.
        Active = "ACTIVE",
        /// Shut off.
        Disabled = "DISABLED",
        /// Deleted; in final reports and events only.
        Deleted = "DELETED",
        /// Enrolled, no policy applied yet.
        Provisioning = "PROVISIONING",
        /// In lost mode.
        Lost = "LOST",
        /// Comes from another management program.
        PreparingForMigration = "PREPARING_FOR_MIGRATION",
        /// Locked by whoever financed it.
        DeactivatedByDeviceFinance = "DEACTIVATED_BY_DEVICE_FINANCE",
    }
}

/// `Device.appliedState`: the same words as [`DeviceState`], as the device reports them.
pub type AppliedState = DeviceState;

open_enum! {
    /// `Device.ownership`.
    pub enum OwnershipAtGoogle {
        /// The council's.
        CompanyOwned = "COMPANY_OWNED",
        /// The holder's own.
        PersonallyOwned = "PERSONALLY_OWNED",
    }
}

open_enum! {
    /// `Device.managementMode`.
    pub enum ManagementMode {
        /// The whole device is managed.
        DeviceOwner = "DEVICE_OWNER",
        /// A work profile is managed.
        ProfileOwner = "PROFILE_OWNER",
    }
}

open_enum! {
    /// `SecurityPosture.devicePosture`.
    pub enum Posture {
        /// Nothing speaks against it.
        Secure = "SECURE",
        /// More open to attack than recommended.
        AtRisk = "AT_RISK",
        /// May have been broken into.
        PotentiallyCompromised = "POTENTIALLY_COMPROMISED",
    }
}

open_enum! {
    /// `PostureDetail.securityRisk`.
    pub enum SecurityRisk {
        /// Runs an operating system that Google does not know.
        UnknownOs = "UNKNOWN_OS",
        /// Runs an operating system that was tampered with.
        CompromisedOs = "COMPROMISED_OS",
        /// Its hardware does not vouch for its system.
        HardwareBackedEvaluationFailed = "HARDWARE_BACKED_EVALUATION_FAILED",
    }
}

open_enum! {
    /// `DeviceSettings.encryptionStatus`.
    pub enum EncryptionStatus {
        /// The device cannot encrypt.
        Unsupported = "UNSUPPORTED",
        /// It can, and does not.
        Inactive = "INACTIVE",
        /// It is about to.
        Activating = "ACTIVATING",
        /// It is encrypted.
        Active = "ACTIVE",
        /// It is encrypted, with a key that no PIN protects.
        ActiveDefaultKey = "ACTIVE_DEFAULT_KEY",
        /// It is encrypted, with a key for each user.
        ActivePerUser = "ACTIVE_PER_USER",
    }
}

open_enum! {
    /// `NonComplianceDetail.nonComplianceReason`.
    pub enum NonComplianceReason {
        /// Its Android is too old for the setting.
        ApiLevel = "API_LEVEL",
        /// The setting does not exist in its mode.
        ManagementMode = "MANAGEMENT_MODE",
        /// The holder has something to do first.
        UserAction = "USER_ACTION",
        /// The setting's value is wrong.
        InvalidValue = "INVALID_VALUE",
        /// An app is missing.
        AppNotInstalled = "APP_NOT_INSTALLED",
        /// The device does not know the setting.
        Unsupported = "UNSUPPORTED",
        /// An app is there that must not be.
        AppInstalled = "APP_INSTALLED",
        /// Not applied yet.
        Pending = "PENDING",
        /// An app does not know the setting.
        AppIncompatible = "APP_INCOMPATIBLE",
        /// An app is too old.
        AppNotUpdated = "APP_NOT_UPDATED",
        /// Its operating system is not one the policy permits.
        OsNotPermitted = "OS_NOT_PERMITTED",
        /// The device does not fit the policy.
        DeviceIncompatible = "DEVICE_INCOMPATIBLE",
        /// An app is signed by somebody else.
        AppSigningCertMismatch = "APP_SIGNING_CERT_MISMATCH",
        /// Google has not allowed this project to use the setting.
        ProjectNotPermitted = "PROJECT_NOT_PERMITTED",
    }
}

/// A setting that the device does not obey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonCompliance {
    /// The top-level setting, such as `passwordPolicies`.
    pub setting: Option<String>,
    /// Where in the setting.
    pub field_path: Option<String>,
    /// Why.
    pub reason: Option<NonComplianceReason>,
    /// Why, closer: `PASSWORD_POLICIES_PASSWORD_EXPIRED` and so on.
    pub specific_reason: Option<String>,
    /// The app that it is about.
    pub package: Option<String>,
}

/// What the device is. A personal phone with Android 12 or later gives an id of its own for the serial number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the field of the same name")]
pub struct Hardware {
    pub serial_number: Option<String>,
    pub enterprise_specific_id: Option<String>,
    pub manufacturer: Option<String>,
    pub brand: Option<String>,
    pub model: Option<String>,
}

/// What runs on the device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the field of the same name")]
pub struct Software {
    pub android_version: Option<String>,
    pub android_build_number: Option<String>,
    /// A date such as `2026-08-05`.
    pub security_patch_level: Option<String>,
}

/// A SIM card in the device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the field of the same name")]
pub struct Sim {
    pub phone_number: Option<String>,
    pub carrier_name: Option<String>,
    pub icc_id: Option<String>,
}

/// How secure the device looks to Google.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityPosture {
    /// The verdict.
    pub posture: Posture,
    /// What speaks against it.
    pub risks: Vec<SecurityRisk>,
}

/// A device as Google describes it. `Debug` shows neither the holder's details nor the token's data.
#[derive(Clone, PartialEq)]
pub struct DeviceReport {
    /// `enterprises/…/devices/…`.
    pub name: String,
    /// What the server wants it to be.
    pub state: Option<DeviceState>,
    /// What it reports to be.
    pub applied_state: Option<AppliedState>,
    /// Whose it is, by how it was set up.
    pub ownership: Option<OwnershipAtGoogle>,
    /// How far management reaches.
    pub management_mode: Option<ManagementMode>,
    /// What the enrolment token carried: Beadle's own mark.
    pub enrollment_token_data: Option<String>,
    /// The token it enrolled with.
    pub enrollment_token_name: Option<String>,
    /// The policy that it is to apply.
    pub policy_name: Option<String>,
    /// The policy that it has applied.
    pub applied_policy_name: Option<String>,
    /// The version of that policy.
    pub applied_policy_version: Option<i64>,
    /// Whether it obeys.
    pub policy_compliant: Option<bool>,
    /// What it does not obey.
    pub non_compliance: Vec<NonCompliance>,
    /// Android's API level.
    pub api_level: Option<i64>,
    /// When it enrolled.
    pub enrollment_time: Option<Moment>,
    /// When it last reported.
    pub last_status_report_time: Option<Moment>,
    /// When it last fetched its policy.
    pub last_policy_sync_time: Option<Moment>,
    /// What the same phone was called in earlier enrolments, oldest first.
    pub previous_device_names: Vec<String>,
    /// What it is.
    pub hardware: Hardware,
    /// What runs on it.
    pub software: Software,
    /// Its IMEI; never on a personal phone.
    pub imei: Option<String>,
    /// Its SIM cards.
    pub sims: Vec<Sim>,
    /// How secure it looks.
    pub security_posture: Option<SecurityPosture>,
    /// Whether it is encrypted.
    pub encryption: Option<EncryptionStatus>,
    /// Whether a PIN or password is set.
    pub is_device_secure: Option<bool>,
    /// Everything, as it came.
    pub raw: Value,
}

impl std::fmt::Debug for DeviceReport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("DeviceReport")
            .field("name", &self.name)
            .field("state", &self.state)
            .field("applied_state", &self.applied_state)
            .field("ownership", &self.ownership)
            .field("management_mode", &self.management_mode)
            .finish_non_exhaustive()
    }
}

impl DeviceReport {
    /// Reads a `Device`; `None` only where it has no name, since then it is about nothing.
    #[must_use]
    pub fn read(raw: Value) -> Option<Self> {
        let from = &raw;
        let truth = |path: &[&str]| super::at(from, path).and_then(Value::as_bool);
        Some(Self {
            name: text(from, &["name"])?,
            state: word(from, &["state"]),
            applied_state: word(from, &["appliedState"]),
            ownership: word(from, &["ownership"]),
            management_mode: word(from, &["managementMode"]),
            enrollment_token_data: text(from, &["enrollmentTokenData"]),
            enrollment_token_name: text(from, &["enrollmentTokenName"]),
            policy_name: text(from, &["policyName"]),
            applied_policy_name: text(from, &["appliedPolicyName"]),
            applied_policy_version: number(from, &["appliedPolicyVersion"]),
            policy_compliant: truth(&["policyCompliant"]),
            non_compliance: list(from, &["nonComplianceDetails"]).iter().map(non_compliance).collect(),
            api_level: number(from, &["apiLevel"]),
            enrollment_time: moment(from, &["enrollmentTime"]),
            last_status_report_time: moment(from, &["lastStatusReportTime"]),
            last_policy_sync_time: moment(from, &["lastPolicySyncTime"]),
            previous_device_names: list(from, &["previousDeviceNames"])
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            hardware: Hardware {
                serial_number: text(from, &["hardwareInfo", "serialNumber"]),
                enterprise_specific_id: text(from, &["hardwareInfo", "enterpriseSpecificId"]),
                manufacturer: text(from, &["hardwareInfo", "manufacturer"]),
                brand: text(from, &["hardwareInfo", "brand"]),
                model: text(from, &["hardwareInfo", "model"]),
            },
            software: Software {
                android_version: text(from, &["softwareInfo", "androidVersion"]),
                android_build_number: text(from, &["softwareInfo", "androidBuildNumber"]),
                security_patch_level: text(from, &["softwareInfo", "securityPatchLevel"]),
            },
            imei: text(from, &["networkInfo", "imei"]),
            sims: list(from, &["networkInfo", "telephonyInfos"]).iter().map(sim).collect(),
            security_posture: posture(from),
            encryption: word(from, &["deviceSettings", "encryptionStatus"]),
            is_device_secure: truth(&["deviceSettings", "isDeviceSecure"]),
            raw,
        })
    }

    /// The mode, from Google's ownership and management mode alone; `None` where they say nothing, or something that Beadle
    /// does not manage.
    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        let ownership = self.ownership.as_ref()?.as_str();
        let management = self.management_mode.as_ref()?.as_str();
        enrollment::mode_of(ownership, management).map(Mode::from)
    }
}

/// The server's word for an Android mode of the enrolment rules.
impl From<enrollment::Mode> for Mode {
    fn from(mode: enrollment::Mode) -> Self {
        match mode {
            enrollment::Mode::FullyManaged => Self::FullyManaged,
            enrollment::Mode::CompanyWorkProfile => Self::CompanyWorkProfile,
            enrollment::Mode::PersonalWorkProfile => Self::PersonalWorkProfile,
        }
    }
}

/// The enrolment rules' word for a mode; an Apple mode is none of theirs.
impl TryFrom<Mode> for enrollment::Mode {
    type Error = crate::error::Error;

    fn try_from(mode: Mode) -> Result<Self, Self::Error> {
        match mode {
            Mode::FullyManaged => Ok(Self::FullyManaged),
            Mode::CompanyWorkProfile => Ok(Self::CompanyWorkProfile),
            Mode::PersonalWorkProfile => Ok(Self::PersonalWorkProfile),
            Mode::Supervised | Mode::Device | Mode::User => {
                Err(crate::error::Error::internal("an Apple mode does not exist on Android"))
            }
        }
    }
}

fn non_compliance(detail: &Value) -> NonCompliance {
    NonCompliance {
        setting: text(detail, &["settingName"]),
        field_path: text(detail, &["fieldPath"]),
        reason: word(detail, &["nonComplianceReason"]),
        specific_reason: borrowed(detail, &["specificNonComplianceReason"])
            .filter(|word| !word.ends_with("_UNSPECIFIED"))
            .map(str::to_owned),
        package: text(detail, &["packageName"]),
    }
}

fn sim(info: &Value) -> Sim {
    Sim {
        phone_number: text(info, &["phoneNumber"]),
        carrier_name: text(info, &["carrierName"]),
        icc_id: text(info, &["iccId"]),
    }
}

fn posture(device: &Value) -> Option<SecurityPosture> {
    let risks = list(device, &["securityPosture", "postureDetails"]);
    Some(SecurityPosture {
        posture: word(device, &["securityPosture", "devicePosture"])?,
        risks: risks.iter().filter_map(|detail| word(detail, &["securityRisk"])).collect(),
    })
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
