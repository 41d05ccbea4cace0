//! The profile that puts an iPhone or iPad under a council's management, and renews its identity later.
//!
//! Source: Apple's schema, `com.apple.mdm`, `com.apple.security.scep`, `com.apple.security.root`,
//! TopLevel and CommonPayloadKeys.

use crate::cms::{Signature, sign};
use crate::{Error, certificate};
use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::x509::X509;
use plist::{Dictionary, Value};
use std::fmt;
use uuid::Uuid;

/// How an Apple device is managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnrolmentMode {
    /// Supervised: Lost Mode, and management that the holder cannot remove.
    Supervised,
    /// Enrolled by an ordinary profile, not supervised.
    Device,
    /// User Enrollment: a personal device on which only work data is managed.
    User,
}

/// Whose device it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// The council's.
    Council,
    /// The holder's own.
    Personal,
}

/// AccessRights bit: lock the device, clear its passcode.
pub const RIGHT_LOCK: u32 = 4;
/// AccessRights bit: erase the device.
pub const RIGHT_ERASE: u32 = 8;
/// Every AccessRights bit there is.
pub const ALL_RIGHTS: u32 = 8191;

/// What the enrolment profile may ask for: the AccessRights, or `None` where the key must be left out.
///
/// A personal device never grants the right to erase it (W3), whatever its mode.
#[must_use]
pub fn access_rights(mode: EnrolmentMode, ownership: Ownership) -> Option<u32> {
    match (mode, ownership) {
        (EnrolmentMode::User, Ownership::Council | Ownership::Personal) => None,
        (EnrolmentMode::Supervised | EnrolmentMode::Device, Ownership::Council) => Some(ALL_RIGHTS),
        (EnrolmentMode::Supervised | EnrolmentMode::Device, Ownership::Personal) => {
            Some(ALL_RIGHTS & !(RIGHT_ERASE | RIGHT_LOCK))
        }
    }
}

/// The identifier of a council's management profile: the same at every re-enrolment and renewal, so that it replaces itself.
#[must_use]
pub fn management_profile_identifier(council_id: &str) -> String {
    format!("beadle.council.{council_id}.management")
}

/// Everything an enrolment profile is made of.
#[derive(Clone, Copy)]
pub struct EnrolmentProfile<'a> {
    /// The council's id, part of the profile's identifier.
    pub council_id: &'a str,
    /// The council's name, shown to the holder.
    pub council_name: &'a str,
    /// The council's public address, `https://…`, shown to the holder.
    pub public_url: &'a str,
    /// The push topic, `com.apple.mgmt.…`. It can never change while the device is enrolled.
    pub topic: &'a str,
    /// How the device is managed; [`EnrolmentMode::User`] is refused, since it begins at the device by signing in.
    pub mode: EnrolmentMode,
    /// Whose device it is.
    pub ownership: Ownership,
    /// Where the device asks for its identity, `https://…`.
    pub scep_url: &'a str,
    /// Where the device checks in, `https://…`. It can never change while the device is enrolled.
    pub checkin_url: &'a str,
    /// Where the device fetches commands, `https://…`. It can never change while the device is enrolled.
    pub command_url: &'a str,
    /// The one-use SCEP challenge. Secret.
    pub challenge: &'a str,
    /// The council's certificate authority.
    pub ca_certificate_der: &'a [u8],
    /// Roots the device needs to trust the server's TLS certificate, where that is not a public one.
    pub extra_tls_roots: &'a [Vec<u8>],
    /// A unique id of the enrolment, from which the payloads' UUIDs are made; the same at every renewal.
    pub enrolment_token: &'a str,
}

impl fmt::Debug for EnrolmentProfile<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EnrolmentProfile")
            .field("council_id", &self.council_id)
            .field("mode", &self.mode)
            .field("ownership", &self.ownership)
            .finish_non_exhaustive()
    }
}

impl EnrolmentProfile<'_> {
    /// The profile as a property list.
    ///
    /// The UUIDs come from the enrolment token, those of the profile and its SCEP payload from the
    /// challenge too: the same call gives the same profile, and a new challenge a new identity.
    ///
    /// # Errors
    /// [`Error::Profile`] for a field that Apple's schema would refuse.
    pub fn to_plist(&self) -> Result<Value, Error> {
        self.check()?;
        let identifier = management_profile_identifier(self.council_id);
        let identity_uuid = self.uuid(&["identity", self.challenge]);
        let authority_name = format!("{} certificate authority", self.council_name);
        let mut payloads = vec![self.root_payload("authority", &authority_name, self.ca_certificate_der)];
        let mut known: Vec<&[u8]> = vec![self.ca_certificate_der];
        for root in self.extra_tls_roots {
            // One certificate twice would be two payloads with one UUID, and iOS refuses the profile.
            if !known.contains(&root.as_slice()) {
                let name = format!("root.{}", known.len());
                payloads.push(self.root_payload(&name, "Management server certificate", root));
                known.push(root);
            }
        }
        payloads.push(self.scep_payload(&identity_uuid));
        payloads.push(self.mdm_payload(&identity_uuid)?);
        let description =
            format!("Puts this device under the management of {} ({}).", self.council_name, self.public_url);
        let mut profile = dictionary([
            ("PayloadType", "Configuration".into()),
            ("PayloadVersion", 1.into()),
            ("PayloadIdentifier", identifier.into()),
            ("PayloadUUID", self.uuid(&["profile", self.challenge]).into()),
            ("PayloadDisplayName", format!("{} device management", self.council_name).into()),
            ("PayloadDescription", description.into()),
            ("PayloadOrganization", self.council_name.into()),
            ("PayloadContent", Value::Array(payloads)),
        ]);
        if self.mode == EnrolmentMode::Supervised {
            profile.insert("PayloadRemovalDisallowed".into(), true.into());
        }
        Ok(Value::Dictionary(profile))
    }

    /// The profile as an XML property list.
    ///
    /// # Errors
    /// As [`EnrolmentProfile::to_plist`].
    pub fn to_xml(&self) -> Result<Vec<u8>, Error> {
        let mut xml = Vec::new();
        self.to_plist()?.to_writer_xml(&mut xml)?;
        Ok(xml)
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |field, problem| Err(Error::Profile { field, problem });
        if self.mode == EnrolmentMode::User {
            return refuse("mode", "User Enrollment begins at the device, not with a profile");
        }
        if self.topic.strip_prefix("com.apple.mgmt.").is_none_or(str::is_empty) {
            return refuse("topic", "must begin with com.apple.mgmt.");
        }
        for (field, url) in [
            ("public_url", self.public_url),
            ("scep_url", self.scep_url),
            ("checkin_url", self.checkin_url),
            ("command_url", self.command_url),
        ] {
            if url.strip_prefix("https://").is_none_or(str::is_empty) {
                return refuse(field, "must begin with https://");
            }
        }
        for (field, text) in [
            ("council_id", self.council_id),
            ("council_name", self.council_name),
            ("challenge", self.challenge),
            ("enrolment_token", self.enrolment_token),
        ] {
            if text.is_empty() {
                return refuse(field, "must not be empty");
            }
        }
        Ok(())
    }

    fn uuid(&self, purpose: &[&str]) -> String {
        // Length before text: no two lists of parts give the same bytes.
        let mut seed = Vec::new();
        for part in ["beadle", self.council_id, self.enrolment_token].iter().chain(purpose) {
            seed.extend_from_slice(&(part.len() as u64).to_be_bytes());
            seed.extend_from_slice(part.as_bytes());
        }
        let [first_half @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = sha256(&seed);
        let uuid: Uuid = uuid::Builder::from_random_bytes(first_half).into_uuid();
        uuid.hyphenated().to_string().to_uppercase()
    }

    fn payload(&self, kind: &str, name: &str, uuid: String, display_name: &str) -> Dictionary {
        let identifier = management_profile_identifier(self.council_id);
        dictionary([
            ("PayloadType", kind.into()),
            ("PayloadVersion", 1.into()),
            ("PayloadIdentifier", format!("{identifier}.{name}").into()),
            ("PayloadUUID", uuid.into()),
            ("PayloadDisplayName", display_name.into()),
            ("PayloadOrganization", self.council_name.into()),
        ])
    }

    fn root_payload(&self, name: &str, display_name: &str, certificate_der: &[u8]) -> Value {
        let uuid = self.uuid(&["root", &hex::encode(sha256(certificate_der))]);
        let mut payload = self.payload("com.apple.security.root", name, uuid, display_name);
        payload.insert("PayloadContent".into(), Value::Data(certificate_der.to_vec()));
        Value::Dictionary(payload)
    }

    fn scep_payload(&self, uuid: &str) -> Value {
        let relative_name = |kind: &str, value: &str| Value::Array(vec![Value::Array(vec![kind.into(), value.into()])]);
        let fingerprint = certificate::sha1_bytes(self.ca_certificate_der);
        let content = dictionary([
            ("URL", self.scep_url.into()),
            (
                "Subject",
                Value::Array(vec![relative_name("O", self.council_name), relative_name("CN", self.enrolment_token)]),
            ),
            ("Challenge", self.challenge.into()),
            ("Keysize", 2048.into()),
            ("Key Type", "RSA".into()),
            ("Key Usage", 5.into()),
            ("CAFingerprint", Value::Data(fingerprint.to_vec())),
            ("Retries", 3.into()),
            ("RetryDelay", 10.into()),
        ]);
        let mut payload = self.payload(
            "com.apple.security.scep",
            "identity",
            uuid.to_owned(),
            &format!("{} device identity", self.council_name),
        );
        payload.insert("PayloadContent".into(), Value::Dictionary(content));
        Value::Dictionary(payload)
    }

    fn mdm_payload(&self, identity_uuid: &str) -> Result<Value, Error> {
        let mut payload = self.payload(
            "com.apple.mdm",
            "mdm",
            self.uuid(&["mdm"]),
            &format!("{} device management", self.council_name),
        );
        payload.extend([
            ("IdentityCertificateUUID".to_owned(), identity_uuid.into()),
            ("Topic".to_owned(), self.topic.into()),
            ("ServerURL".to_owned(), self.command_url.into()),
            ("CheckInURL".to_owned(), self.checkin_url.into()),
            ("SignMessage".to_owned(), true.into()),
            ("CheckOutWhenRemoved".to_owned(), true.into()),
        ]);
        let rights = access_rights(self.mode, self.ownership)
            .ok_or(Error::Profile { field: "mode", problem: "has no access rights" })?;
        payload.insert("AccessRights".into(), u64::from(rights).into());
        Ok(Value::Dictionary(payload))
    }
}

/// Signs a profile for delivery outside the MDM channel: CMS in DER, content inside, SHA-256 (content type `application/x-apple-aspen-config`).
///
/// `private_key_der` is PKCS#8, PKCS#1 or SEC 1; `chain` holds the certificates between signer and root.
///
/// # Errors
/// [`Error::Unreadable`] or [`Error::KeyMismatch`] when certificate and key do not fit.
pub fn sign_profile(
    xml: &[u8],
    signer_certificate_der: &[u8],
    chain: &[&[u8]],
    private_key_der: &[u8],
) -> Result<Vec<u8>, Error> {
    let key = PKey::private_key_from_der(private_key_der).map_err(|_| Error::Unreadable("the signing key"))?;
    let certificate =
        X509::from_der(signer_certificate_der).map_err(|_| Error::Unreadable("the signer's certificate"))?;
    if !certificate.public_key()?.public_eq(&key) {
        return Err(Error::KeyMismatch);
    }
    sign(Some(xml), &Signature { certificate_der: signer_certificate_der, key: &key, chain, attributes: &[] })
}

fn dictionary<const N: usize>(entries: [(&str, Value); N]) -> Dictionary {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
