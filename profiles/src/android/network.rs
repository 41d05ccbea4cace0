//! `openNetworkConfiguration`: the council's Wi-Fi networks and certificates, in the subset of Open Network Configuration that Google
//! takes (its guide "Configure networks"; the discovery document calls the field a plain object).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use uuid::Uuid;

use super::Context;
use crate::policy::certificates::{self, NamedCertificate};
use crate::policy::wifi::WifiNetwork;
use crate::policy::{Policy, Problem};

/// UUIDv5 namespace of networks and certificates (RFC 9562, section 5.5); random, and fixed for ever.
const NAMESPACE: Uuid = Uuid::from_u128(0x3c8e_51fa_07d2_4b6e_9f14_6ab0_d5c7_e281);

/// The configuration as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OpenNetworkConfiguration {
    #[serde(rename = "Type")]
    kind: &'static str,
    network_configurations: Vec<Network>,
    certificates: Vec<Certificate>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    #[serde(rename = "GUID")]
    guid: String,
    name: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(rename = "WiFi")]
    wifi: Wifi,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wifi {
    #[serde(rename = "SSID")]
    ssid: String,
    #[serde(rename = "HiddenSSID")]
    hidden_ssid: bool,
    auto_connect: bool,
    security: &'static str,
    passphrase: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Certificate {
    #[serde(rename = "GUID")]
    guid: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(rename = "X509")]
    x509: String,
}

/// The configuration, if the policy names networks or certificates; one that is not stored is a problem, not silently missing.
pub(super) fn configuration(
    policy: &Policy,
    context: &Context<'_>,
) -> Result<Option<OpenNetworkConfiguration>, Problem> {
    let networks = policy.wifi.networks.iter().enumerate().map(|(position, network)| {
        network.password(position, context.wifi_passwords).map(|password| wifi(network, password))
    });
    let certificates =
        policy.certificates.install.iter().map(|name| certificates::stored(name, context.certificates).map(authority));
    let configuration = OpenNetworkConfiguration {
        kind: "UnencryptedConfiguration",
        network_configurations: networks.collect::<Result<_, _>>()?,
        certificates: certificates.collect::<Result<_, _>>()?,
    };
    let is_empty = configuration.network_configurations.is_empty() && configuration.certificates.is_empty();
    Ok((!is_empty).then_some(configuration))
}

/// Google knows one form for networks with a password, `WPA-PSK`; a phone itself moves up to WPA3 where the network offers it.
fn wifi(network: &WifiNetwork, password: &str) -> Network {
    Network {
        guid: guid("wifi", &network.ssid),
        name: network.ssid.clone(),
        kind: "WiFi",
        wifi: Wifi {
            ssid: network.ssid.clone(),
            hidden_ssid: network.hidden,
            auto_connect: network.auto_join,
            security: "WPA-PSK",
            passphrase: password.to_owned(),
        },
    }
}

/// Whether root or issued by one, a certificate that is to be trusted is an `Authority`; the other kinds are for client keys and
/// servers of enterprise Wi-Fi.
fn authority(certificate: &NamedCertificate) -> Certificate {
    Certificate {
        guid: guid("certificate", &certificate.name),
        kind: "Authority",
        x509: STANDARD.encode(&certificate.der),
    }
}

/// The name decides, so that a phone keeps a network from version to version.
fn guid(kind: &str, name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{kind}/{name}").as_bytes()).hyphenated().to_string()
}
