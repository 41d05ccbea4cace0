//! A phone written to a file and taken up again later, for load and kill tests that outlive one process.

use openssl::pkey::PKey;
use openssl::x509::X509;
use serde::{Deserialize, Serialize};

use super::{Management, Phone, PhoneOptions};
use crate::apple::keys::Identity;
use crate::{Error, Result};

/// What must be kept of an enrolled phone to go on as the same one. It holds the private key: for throw-away phones only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedPhone {
    /// The holder's name for it.
    pub name: String,
    /// Serial number.
    pub serial: String,
    /// UDID.
    pub udid: String,
    /// Product name.
    pub model: String,
    /// Whether it is supervised.
    pub supervised: bool,
    /// The server that manages it.
    pub management: Management,
    /// Private key, PKCS #8 PEM.
    pub private_key_pem: String,
    /// Certificate, PEM.
    pub certificate_pem: String,
}

impl Phone {
    /// Writes the phone down.
    ///
    /// # Errors
    /// [`Error::State`] when it is not enrolled.
    pub fn save(&self) -> Result<SavedPhone> {
        let identity = self.identity.as_ref().ok_or(Error::State("no identity"))?;
        Ok(SavedPhone {
            name: self.options.name.clone(),
            serial: self.options.serial.clone(),
            udid: self.options.udid.clone(),
            model: self.options.model.clone(),
            supervised: self.options.supervised,
            management: self.management.clone().ok_or(Error::State("not managed"))?,
            private_key_pem: String::from_utf8_lossy(&identity.key.private_key_to_pem_pkcs8()?).into_owned(),
            certificate_pem: String::from_utf8_lossy(&identity.certificate.to_pem()?).into_owned(),
        })
    }

    /// Takes a phone up again; what was not written down comes from `options`.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when key or certificate cannot be read.
    pub fn restore(saved: &SavedPhone, options: PhoneOptions) -> Result<Self> {
        let mut phone = Self::new(PhoneOptions {
            name: saved.name.clone(),
            serial: saved.serial.clone(),
            udid: saved.udid.clone(),
            model: saved.model.clone(),
            supervised: saved.supervised,
            ..options
        })?;
        phone.adopt(Identity {
            key: PKey::private_key_from_pem(saved.private_key_pem.as_bytes())?,
            certificate: X509::from_pem(saved.certificate_pem.as_bytes())?,
        })?;
        phone.management = Some(saved.management.clone());
        phone.shared.change(|state| state.enrolled = true);
        Ok(phone)
    }
}
