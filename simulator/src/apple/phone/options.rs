//! What a phone is before it meets a server: its hardware, its software and its temper.

use std::time::Duration;

use crate::Clock;
use crate::apple::cms::SignatureStyle;
use crate::apple::keys::KeyPool;
use crate::apple::push_service::PushService;

/// Everything about a phone that does not come from a server. Start from [`PhoneOptions::iphone`] and change fields.
#[derive(Debug, Clone)]
pub struct PhoneOptions {
    /// The name its holder gave it.
    pub name: String,
    /// Apple's product name, such as `iPhone15,2` or `iPad13,18`.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Unique device identifier.
    pub udid: String,
    /// IMEI; absent on a tablet without a modem.
    pub imei: Option<String>,
    /// The SIM's number.
    pub iccid: Option<String>,
    /// The telephone number.
    pub phone_number: Option<String>,
    /// Version of iOS, such as `17.6.1`.
    pub os_version: String,
    /// Build of iOS, such as `21G93`.
    pub build_version: String,
    /// Whether the phone was supervised when it was set up.
    pub supervised: bool,
    /// How long ago it was supervised: it gives its Activation Lock bypass code for 15 days only.
    pub supervised_for: Duration,
    /// The code that opens its Activation Lock, which a supervised phone has.
    pub bypass_code: String,
    /// Whether the set-up assistant waits for the server to say that everything is on the phone.
    pub awaiting_configuration: bool,
    /// Number of characters of the passcode; `None` when there is none.
    pub passcode_length: Option<u8>,
    /// Installed applications: identifier, name, version.
    pub applications: Vec<(String, String, String)>,
    /// How messages are signed.
    pub signature_style: SignatureStyle,
    /// Whether the answer to EraseDevice is sent before the phone is wiped; on real phones it may never come.
    pub erase_acknowledges: bool,
    /// Whether profiles and commands are judged by Apple's schema, and refused as iOS would.
    pub check_schema: bool,
    /// Where RSA keys come from; each is made afresh without it.
    pub keys: Option<KeyPool>,
    /// The push service the phone listens to.
    pub push: Option<PushService>,
    /// PEM of a root certificate the phone trusts beside none other.
    pub root_certificate_pem: Option<String>,
    /// The phone's clock.
    pub clock: Clock,
    /// How long a listening phone waits to come back after its last status was NotNow.
    pub not_now_retry: Duration,
    /// How long a listening phone waits to come back after the server failed it; doubles each time, up to a minute.
    pub failure_retry: Duration,
    /// How long the phone waits for an answer.
    pub timeout: Duration,
}

impl PhoneOptions {
    /// An unsupervised iPhone 14 Pro with a SIM and a six-digit passcode; serial, UDID, IMEI and ICCID are random.
    pub fn iphone(name: &str) -> Self {
        let random = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
        let part = |from: usize, to: usize| random.get(from..to).unwrap_or_default();
        Self {
            name: name.to_owned(),
            model: "iPhone15,2".into(),
            serial: format!("F{}", part(0, 9)),
            udid: format!("00008120-{}", part(16, 32)),
            imei: Some(with_check_digit(&format!("35{}", digits(12)))),
            iccid: Some(format!("894400{}", digits(13))),
            phone_number: Some(format!("+447700900{}", digits(3))),
            os_version: "17.6.1".into(),
            build_version: "21G93".into(),
            supervised: false,
            supervised_for: Duration::ZERO,
            bypass_code: format!("{}-{}-{}", part(0, 5), part(5, 10), part(10, 14)),
            awaiting_configuration: false,
            passcode_length: Some(6),
            applications: vec![("com.example.minutes".into(), "Minutes".into(), "2.1".into())],
            signature_style: SignatureStyle::default(),
            erase_acknowledges: true,
            check_schema: true,
            keys: None,
            push: None,
            root_certificate_pem: None,
            clock: Clock::system(),
            not_now_retry: Duration::from_millis(500),
            failure_retry: Duration::from_millis(500),
            timeout: Duration::from_secs(30),
        }
    }

    /// The version of iOS, major and minor.
    pub fn os(&self) -> (u32, u32) {
        let mut parts = self.os_version.split('.').map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }

    /// What Safari calls itself on this device. An iPad asks for desktop pages and claims to be a Macintosh.
    pub(crate) fn browser(&self) -> String {
        let (major, minor) = self.os();
        let device = if self.model.starts_with("iPad") {
            "Macintosh; Intel Mac OS X 10_15_7".to_owned()
        } else {
            format!("iPhone; CPU iPhone OS {major}_{minor} like Mac OS X")
        };
        format!(
            "Mozilla/5.0 ({device}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{major}.{minor} Mobile/15E148 Safari/604.1"
        )
    }
}

/// Random decimal digits.
fn digits(count: usize) -> String {
    let mut bytes = vec![0; count];
    // Without randomness the digits are zeros, which a phone survives; keys are made elsewhere and do fail.
    let _ = openssl::rand::rand_bytes(&mut bytes);
    bytes.into_iter().map(|byte| char::from(b'0' + byte % 10)).collect()
}

/// Appends the Luhn digit that ends an IMEI.
fn with_check_digit(body: &str) -> String {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit.saturating_sub(b'0'));
            if place % 2 == 0 { value * 2 / 10 + value * 2 % 10 } else { value }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imei_ends_in_its_luhn_digit() {
        assert_eq!(with_check_digit("49015420323751"), "490154203237518");
        assert_eq!(PhoneOptions::iphone("x").imei.expect("has one").len(), 15);
    }
}
