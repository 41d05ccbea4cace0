//! How a phone comes under management: by the link on a phone in use, by the QR code on one in factory state.

use serde_json::Value;

use super::AndroidPhone;
use super::report::enterprise_specific_id;
use super::state::{Happening, Mode};
use crate::android::cloud::{ADMIN_COMPONENT, Asking, EXTRA_TOKEN, EXTRAS, GoogleCloud, Way};
use crate::error::server;
use crate::{Error, Result};

const LINK: &str = "https://enterprise.google.com/android/enroll";
const COMPONENT: &str = "android.app.extra.PROVISIONING_DEVICE_ADMIN_COMPONENT_NAME";
/// What a code may say beside the token; anything else a phone does not know, and a server has no reason to write.
const KNOWN: [&str; 14] = [
    COMPONENT,
    EXTRAS,
    "android.app.extra.PROVISIONING_DEVICE_ADMIN_SIGNATURE_CHECKSUM",
    "android.app.extra.PROVISIONING_DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION",
    "android.app.extra.PROVISIONING_WIFI_SSID",
    "android.app.extra.PROVISIONING_WIFI_PASSWORD",
    "android.app.extra.PROVISIONING_WIFI_SECURITY_TYPE",
    "android.app.extra.PROVISIONING_WIFI_HIDDEN",
    "android.app.extra.PROVISIONING_LOCALE",
    "android.app.extra.PROVISIONING_TIME_ZONE",
    "android.app.extra.PROVISIONING_LOCAL_TIME",
    "android.app.extra.PROVISIONING_LEAVE_ALL_SYSTEM_APPS_ENABLED",
    "android.app.extra.PROVISIONING_USE_MOBILE_DATA",
    "android.app.extra.PROVISIONING_SKIP_ENCRYPTION",
];

/// The token in a code, if the code is one that Android takes.
fn token_of_code(code: &str) -> Result<String> {
    let read: Value =
        serde_json::from_str(code).map_err(|error| server(format!("the QR code is not JSON: {error}")))?;
    let object = read.as_object().ok_or_else(|| server("the QR code is not an object"))?;
    if read[COMPONENT] != ADMIN_COMPONENT {
        return Err(server("the QR code does not name Google's admin component"));
    }
    if let Some(unknown) = object.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(server(format!("the QR code says {unknown}, which no phone knows")));
    }
    let text = |name: &str| {
        let value = object.get(&format!("android.app.extra.PROVISIONING_WIFI_{name}"));
        match value {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.as_str())),
            Some(_) => Err(server(format!("PROVISIONING_WIFI_{name} must be text"))),
        }
    };
    let (network, password, security) = (text("SSID")?, text("PASSWORD")?, text("SECURITY_TYPE")?);
    if network.is_none() && (password.is_some() || security.is_some()) {
        return Err(server("the QR code has a Wi-Fi password or type, but no network"));
    }
    match security {
        None | Some("NONE") if password.is_some() => {
            return Err(server("the QR code has a Wi-Fi password, but no security type that takes one"));
        }
        Some("WPA" | "WEP") if password.is_none() => return Err(server("the Wi-Fi password is missing")),
        None | Some("NONE" | "WPA" | "WEP" | "EAP") => {}
        Some(other) => return Err(server(format!("Android knows no Wi-Fi security type {other}"))),
    }
    let token = read[EXTRAS][EXTRA_TOKEN].as_str().filter(|token| !token.is_empty());
    token.map(str::to_owned).ok_or_else(|| server("the QR code carries no enrolment token"))
}

/// The token in a link, if it is Google's link for work profiles.
fn token_of_link(link: &str) -> Result<String> {
    let url = reqwest::Url::parse(link).map_err(|error| server(format!("not an address: {error}")))?;
    let at = format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
    if at != LINK {
        return Err(server(format!("{link} is not Google's address for a work profile")));
    }
    let token = url.query_pairs().find(|(name, value)| name == "et" && !value.is_empty());
    token.map(|(_, value)| value.into_owned()).ok_or_else(|| server("the link carries no enrolment token"))
}

impl AndroidPhone {
    /// The holder opens Google's link on a phone in use and accepts the work profile. Gives the device's name.
    ///
    /// # Errors
    /// [`Error::Server`] when the link is wrong or Google refuses the token, [`Error::State`] when the phone cannot: it is managed,
    /// in factory state, or offline.
    pub fn enrol_by_link(&self, cloud: &GoogleCloud, link: &str) -> Result<String> {
        self.enrol(cloud, &token_of_link(link)?, Way::Link)
    }

    /// Somebody scans the QR code on a phone in factory state. Gives the device's name.
    ///
    /// # Errors
    /// [`Error::Server`] when the code is malformed or Google refuses the token, [`Error::State`] when the phone is not in factory
    /// state or offline.
    pub fn enrol_by_qr(&self, cloud: &GoogleCloud, code: &str) -> Result<String> {
        self.enrol(cloud, &token_of_code(code)?, Way::Qr)
    }

    /// Somebody resets the phone and types the token of a link during the first set-up, which makes it company-owned whatever the
    /// link was meant for. Gives the device's name.
    ///
    /// # Errors
    /// As [`AndroidPhone::enrol_by_qr`].
    pub fn enrol_at_set_up(&self, cloud: &GoogleCloud, link: &str) -> Result<String> {
        self.enrol(cloud, &token_of_link(link)?, Way::Qr)
    }

    /// The link that carries the token of a code, which a phone in use opens as if it were meant for it.
    ///
    /// # Errors
    /// [`Error::Server`] when the code is malformed.
    pub fn link_of_code(code: &str) -> Result<String> {
        Ok(format!("{LINK}?et={}", token_of_code(code)?))
    }

    fn enrol(&self, cloud: &GoogleCloud, token: &str, way: Way) -> Result<String> {
        let name = self.core.change(|phone| {
            if !phone.state.online {
                return Err(Error::State("it is offline"));
            }
            if phone.enrolled.is_some() {
                return Err(Error::State("it is managed already"));
            }
            match (way, phone.options.factory_state) {
                (Way::Link, true) => return Err(Error::State("a phone in factory state opens no links")),
                (Way::Qr, false) => return Err(Error::State("only a phone in factory state scans the code")),
                _ => {}
            }
            // A personal phone is known by an identifier that differs for each enterprise; a council's phone by its serial number.
            let serial = phone.options.serial.clone();
            let hidden = way == Way::Link && phone.options.api_level >= 31;
            let identity =
                |enterprise: &str| if hidden { enterprise_specific_id(&serial, enterprise) } else { serial.clone() };
            let wake = std::sync::Arc::clone(&self.core.wake);
            let asking = Asking { token, way, serial: &identity, wake };
            let enrolled = cloud.with(|state, moment| state.enrol(&asking, moment)).map_err(server)?;
            let mode = match (enrolled.company_owned, enrolled.device_owner) {
                (true, true) => Mode::FullyManaged,
                (true, false) => Mode::CompanyWorkProfile,
                _ => Mode::PersonalWorkProfile,
            };
            let device = format!("enterprises/{}/devices/{}", enrolled.enterprise, enrolled.device);
            phone.cloud = Some(cloud.clone());
            phone.enrolled = Some(enrolled);
            phone.options.factory_state = false;
            phone.state.device = Some(device.clone());
            phone.state.mode = Some(mode);
            phone.state.work_data = true;
            phone.state.personal_data = mode != Mode::FullyManaged;
            // Whoever sets a phone up chooses a lock.
            phone.state.screen_lock = phone.options.screen_lock;
            phone.state.work_lock = phone.options.work_lock.filter(|_| mode.has_work_profile());
            phone.happened(Happening::Enrolled { device: device.clone(), mode });
            Ok(device)
        })?;
        self.core.wake.notify_one();
        Ok(name)
    }
}
