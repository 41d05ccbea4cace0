//! Google's `Policy` resource (Android Management API v1, discovery revision 20261104): exactly the fields Beadle sends.

use super::applications::{ApplicationPolicy, PlayStoreMode};
use super::connectivity::{DeviceConnectivityManagement, DeviceRadioState};
use super::enforcement::PolicyEnforcementRule;
use super::keyguard::KeyguardFeature;
use super::message::{Milliseconds, UserFacingMessage, members, message};
use super::network::OpenNetworkConfiguration;
use super::passcode::PasswordRequirements;
use super::reporting::StatusReportingSettings;
use super::security::AdvancedSecurityOverrides;
use super::updates::SystemUpdate;
use super::work_profile::{CrossProfilePolicies, PersonalUsagePolicies};

message! {
    /// `Policy`. `name` travels in the address and `version` is Google's to count, so neither is here; nor is any deprecated field
    /// (`passwordRequirements`, `cameraDisabled`, `complianceRules` …).
    Resource {
        advanced_security_overrides: AdvancedSecurityOverrides,
        applications: Vec<ApplicationPolicy>,
        backup_service: BackupService,
        camera_access: CameraAccess,
        cross_profile_policies: CrossProfilePolicies,
        data_roaming_disabled: bool,
        device_connectivity_management: DeviceConnectivityManagement,
        device_radio_state: DeviceRadioState,
        encryption_policy: EncryptionPolicy,
        factory_reset_disabled: bool,
        keyguard_disabled_features: Vec<KeyguardFeature>,
        location_mode: LocationMode,
        long_support_message: UserFacingMessage,
        maximum_time_to_lock: Milliseconds,
        minimum_api_level: u16,
        mount_physical_media_disabled: bool,
        open_network_configuration: OpenNetworkConfiguration,
        password_policies: Vec<PasswordRequirements>,
        personal_usage_policies: PersonalUsagePolicies,
        play_store_mode: PlayStoreMode,
        policy_enforcement_rules: Vec<PolicyEnforcementRule>,
        screen_capture_disabled: bool,
        short_support_message: UserFacingMessage,
        status_reporting_settings: StatusReportingSettings,
        system_update: SystemUpdate,
    }
}

members! {
    /// Android's backup to the holder's Google account; unset, Google switches it off on a fully managed phone.
    BackupService { UserChoice = "BACKUP_SERVICE_USER_CHOICE", Disabled = "BACKUP_SERVICE_DISABLED" }
}

members! {
    /// The camera: of the whole phone when fully managed, else of the work profile only.
    CameraAccess { UserChoice = "CAMERA_ACCESS_USER_CHOICE", Disabled = "CAMERA_ACCESS_DISABLED" }
}

members! {
    /// Encryption of what is stored. Asking for a password at boot as well is a thing of phones older than Android 10, and every
    /// newer one would count as not complying.
    EncryptionPolicy { Required = "ENABLED_WITHOUT_PASSWORD" }
}

members! {
    /// Whether location is on: always the holder's choice. A company-owned phone with a work profile cannot obey anything else from
    /// Android 11 on and would count as not complying for ever.
    LocationMode { UserChoice = "LOCATION_USER_CHOICE" }
}
