//! `statusReportingSettings`: what the phone tells, which is no more than Beadle judges or the council's register needs.

use super::message::message;
use crate::mode::Mode;

message! {
    /// `StatusReportingSettings`. What is not here stays off by Google's default: hardware, displays, memory, power events.
    StatusReportingSettings {
        application_reports_enabled: bool,
        device_settings_enabled: bool,
        network_info_enabled: bool,
        software_info_enabled: bool,
    }
}

/// A personal phone tells whether it is locked and encrypted and which Android it runs; neither its apps nor its networks.
pub(super) fn settings(mode: Mode) -> StatusReportingSettings {
    let council_phone = mode != Mode::PersonalWorkProfile;
    StatusReportingSettings {
        application_reports_enabled: Some(council_phone),
        device_settings_enabled: Some(true),
        network_info_enabled: Some(council_phone),
        software_info_enabled: Some(true),
    }
}
