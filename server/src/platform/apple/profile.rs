//! The profile that brings an Apple device under management, and later renews its identity.

use beadle_enrollment::apple::{EnrolmentMode, EnrolmentProfile, Ownership as ProfileOwnership};

use crate::model::{Mode, Ownership};
use crate::platform::Unsupported;

/// The council as a profile shows it, and the addresses that are made of it.
#[derive(Debug)]
pub struct CouncilFacts<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its own address, `https://…`.
    pub public_url: &'a str,
    /// Its authority's certificate, DER.
    pub authority_certificate: &'a [u8],
    /// Roots that the device needs to trust the server, DER.
    pub extra_tls_roots: &'a [Vec<u8>],
}

/// One device's part of an enrolment profile.
#[derive(Debug)]
pub struct EnrolmentFacts<'a> {
    /// Its mode.
    pub mode: Mode,
    /// Whose it is.
    pub ownership: Ownership,
    /// The push topic; never changes while the device is enrolled.
    pub topic: &'a str,
    /// The invitation's id, the same at every renewal.
    pub token: &'a str,
}

/// The address of the council's SCEP service.
#[must_use]
pub fn scep_url(public_url: &str, council: &str) -> String {
    format!("{}/scep/{council}", public_url.trim_end_matches('/'))
}

/// The addresses of the council's MDM service: check-in, commands.
#[must_use]
pub fn mdm_urls(public_url: &str, council: &str) -> (String, String) {
    let root = public_url.trim_end_matches('/');
    (format!("{root}/mdm/{council}/check-in"), format!("{root}/mdm/{council}/command"))
}

/// The enrolment profile, or, for a device that is enrolled, the same with a new challenge, which renews its identity. XML.
///
/// # Errors
/// [`Unsupported`] where Apple's devices would refuse it.
pub fn enrolment_profile(
    council: &CouncilFacts<'_>,
    enrolment: &EnrolmentFacts<'_>,
    challenge: &str,
) -> Result<Vec<u8>, Unsupported> {
    let mode = match enrolment.mode {
        Mode::Supervised => EnrolmentMode::Supervised,
        Mode::Device => EnrolmentMode::Device,
        Mode::User => EnrolmentMode::User,
        Mode::FullyManaged | Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
            return Err("an Android phone enrols without a profile".into());
        }
    };
    let ownership = match enrolment.ownership {
        Ownership::Council => ProfileOwnership::Council,
        Ownership::Personal => ProfileOwnership::Personal,
    };
    let (checkin_url, command_url) = mdm_urls(council.public_url, council.id);
    EnrolmentProfile {
        council_id: council.id,
        council_name: council.name,
        public_url: council.public_url,
        topic: enrolment.topic,
        mode,
        ownership,
        scep_url: &scep_url(council.public_url, council.id),
        checkin_url: &checkin_url,
        command_url: &command_url,
        challenge,
        ca_certificate_der: council.authority_certificate,
        extra_tls_roots: council.extra_tls_roots,
        enrolment_token: enrolment.token,
    }
    .to_xml()
    .map_err(|problem| Unsupported(problem.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_renewal_keeps_everything_but_the_identity() {
        let authority = beadle_enrollment::authority::Authority::create(
            "Germoe",
            beadle_enrollment::authority::Serial::from_random([7; 16]),
            chrono::DateTime::UNIX_EPOCH,
            chrono::DateTime::UNIX_EPOCH + chrono::Duration::days(3650),
        )
        .expect("makes");
        let certificate = authority.certificate_der();
        let council = CouncilFacts {
            id: "c-1",
            name: "Germoe Parish Council",
            public_url: "https://mdm.germoe.example/",
            authority_certificate: &certificate,
            extra_tls_roots: &[],
        };
        let facts = EnrolmentFacts {
            mode: Mode::Supervised,
            ownership: Ownership::Council,
            topic: "com.apple.mgmt.External.x",
            token: "invitation",
        };
        let mdm = |challenge: &str| {
            let xml = enrolment_profile(&council, &facts, challenge).expect("makes");
            let profile = plist::Value::from_reader_xml(xml.as_slice()).expect("reads");
            let payloads = profile.as_dictionary().and_then(|profile| profile.get("PayloadContent")).cloned();
            let payloads = payloads.and_then(plist::Value::into_array).expect("payloads");
            let mut mdm = payloads.last().and_then(plist::Value::as_dictionary).cloned().expect("one");
            let identity = mdm.remove("IdentityCertificateUUID");
            (mdm, identity)
        };
        let ((first, one), (second, other)) = (mdm("a"), mdm("b"));
        assert_eq!(first, second);
        assert_ne!(one, other);
        assert_eq!(
            first.get("CheckInURL").and_then(plist::Value::as_string),
            Some("https://mdm.germoe.example/mdm/c-1/check-in")
        );
        let android = EnrolmentFacts { mode: Mode::FullyManaged, ..facts };
        assert!(enrolment_profile(&council, &android, "a").is_err());
    }
}
