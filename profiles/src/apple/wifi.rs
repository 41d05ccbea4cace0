//! Wi-Fi payloads, `com.apple.wifi.managed`, one for each of the council's networks.

use super::{Context, payload};
use crate::policy::wifi::{Security, WifiNetwork};
use crate::policy::{Policy, Problem};

pub(crate) const PAYLOAD_TYPE: &str = "com.apple.wifi.managed";

/// The payloads; a network whose password is not stored, or could not be one, is a problem, not a silently missing network.
pub(super) fn networks(policy: &Policy, context: &Context<'_>) -> Result<Vec<plist::Dictionary>, Problem> {
    policy.wifi.networks.iter().enumerate().map(|(position, network)| one(network, position, context)).collect()
}

fn one(network: &WifiNetwork, position: usize, context: &Context<'_>) -> Result<plist::Dictionary, Problem> {
    let ssid = &network.ssid;
    let password = network.password(position, context.wifi_passwords)?;
    // The name decides, not the place in the list: adding a network must not make a phone drop the others.
    let mut dictionary = payload(context, PAYLOAD_TYPE, &format!("wifi.{}", hex(ssid)), &format!("Wi-Fi {ssid}"));
    dictionary.insert("SSID_STR".into(), ssid.as_str().into());
    dictionary.insert("HIDDEN_NETWORK".into(), network.hidden.into());
    dictionary.insert("AutoJoin".into(), network.auto_join.into());
    let encryption = match network.security {
        Security::Wpa2 => "WPA2",
        Security::Wpa3 => "WPA3",
    };
    dictionary.insert("EncryptionType".into(), encryption.into());
    dictionary.insert("Password".into(), password.into());
    Ok(dictionary)
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
