//! USB, nearby sharing and which Wi-Fi networks a phone may join.

use super::Draft;
use super::Posture;
use super::message::{members, message};

message! {
    /// `DeviceConnectivityManagement`.
    DeviceConnectivityManagement {
        bluetooth_sharing: BluetoothSharing,
        configure_wifi: ConfigureWifi,
        usb_data_access: UsbDataAccess,
    }
}

message! {
    /// `DeviceRadioState`.
    DeviceRadioState {
        minimum_wifi_security_level: WifiSecurityLevel,
    }
}

members! {
    /// Handing files to phones nearby over Bluetooth.
    BluetoothSharing { Allowed = "BLUETOOTH_SHARING_ALLOWED", Disallowed = "BLUETOOTH_SHARING_DISALLOWED" }
}

members! {
    /// Whether the holder may add Wi-Fi networks.
    ConfigureWifi { Allowed = "ALLOW_CONFIGURING_WIFI", Disallowed = "DISALLOW_CONFIGURING_WIFI" }
}

members! {
    /// What the USB port carries besides power, freest first. Left out, Google forbids file transfer.
    UsbDataAccess { Everything = "ALLOW_USB_DATA_TRANSFER", NoFiles = "DISALLOW_USB_FILE_TRANSFER", Nothing = "DISALLOW_USB_DATA_TRANSFER" }
}

members! {
    /// The weakest Wi-Fi a phone may join; needs Android 13.
    WifiSecurityLevel { Personal = "PERSONAL_NETWORK_SECURITY" }
}

/// Lets the USB port carry at most this; what another setting forbade already stays forbidden. The port of a personal phone is
/// none of the council's business.
pub(crate) fn usb_at_most(draft: &mut Draft, access: UsbDataAccess) {
    if draft.is_company_owned() {
        let connectivity = draft.resource.device_connectivity_management.get_or_insert_default();
        connectivity.usb_data_access = connectivity.usb_data_access.max(Some(access));
    }
}

/// A lost council phone talks to no computer.
pub(super) fn when_lost(draft: &mut Draft) {
    if draft.posture == Posture::Lost {
        usb_at_most(draft, UsbDataAccess::Nothing);
    }
}
