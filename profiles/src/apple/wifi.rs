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
    let field = || format!("wifi.networks.{position}");
    let ssid = &network.ssid;
    let password = context.wifi_passwords.get(ssid).ok_or_else(|| {
        Problem::new(field(), format!("the password of \"{ssid}\" is not stored; store it, or remove the network"))
    })?;
    if !is_password(password) {
        let problem = format!(
            "the stored password of \"{ssid}\" cannot be right: a Wi-Fi password has 8 to 63 plain characters, or 64 hexadecimal digits; store it again"
        );
        return Err(Problem::new(field(), problem));
    }
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
    dictionary.insert("Password".into(), password.as_str().into());
    Ok(dictionary)
}

/// A WPA passphrase (IEEE 802.11, annex J.4.1): 8 to 63 printable ASCII characters, or the key itself in hexadecimal.
pub(crate) fn is_password(password: &str) -> bool {
    match password.len() {
        8..=63 => password.bytes().all(|byte| (0x20..=0x7e).contains(&byte)),
        64 => password.bytes().all(|byte| byte.is_ascii_hexdigit()),
        _ => false,
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
