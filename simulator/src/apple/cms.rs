//! CMS as Apple's devices write it: indefinite lengths, and signatures with or without signed attributes.

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::encrypt::Encrypter;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::rsa::Padding;
use openssl::sign::{Signer, Verifier};
use openssl::symm::{Cipher, encrypt};
use openssl::x509::{X509, X509Ref};

use super::ber;
use super::certificate::issuer_and_serial;
use crate::{Error, Result};

pub(crate) const DATA: &str = "1.2.840.113549.1.7.1";
pub(crate) const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const ENVELOPED_DATA: &str = "1.2.840.113549.1.7.3";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
const RSA: &str = "1.2.840.113549.1.1.1";
/// Apple's encoder streams; so many octets go into one chunk.
const CHUNK: usize = 1024;

/// Which digest a signature uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Digest {
    /// SHA-1, as older devices sign.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Digest {
    fn openssl(self) -> MessageDigest {
        match self {
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha256 => MessageDigest::sha256(),
        }
    }

    fn identifier(self) -> &'static str {
        match self {
            Self::Sha1 => "1.3.14.3.2.26",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
        }
    }

    fn with_rsa(self) -> &'static str {
        match self {
            Self::Sha1 => "1.2.840.113549.1.1.5",
            Self::Sha256 => "1.2.840.113549.1.1.11",
        }
    }

    fn of_identifier(element: &ber::Element<'_>) -> Result<MessageDigest> {
        let known = [
            ("1.3.14.3.2.26", MessageDigest::sha1()),
            ("2.16.840.1.101.3.4.2.1", MessageDigest::sha256()),
            ("2.16.840.1.101.3.4.2.2", MessageDigest::sha384()),
            ("2.16.840.1.101.3.4.2.3", MessageDigest::sha512()),
        ];
        let found = known
            .into_iter()
            .find(|(identifier, _)| element.is_identifier(identifier));
        found
            .map(|(_, digest)| digest)
            .ok_or(Error::Malformed("unknown digest"))
    }
}

/// How a phone signs its messages in `Mdm-Signature`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignatureStyle {
    /// SHA-1 over the body itself, no signed attributes: what was captured from real devices.
    #[default]
    Sha1WithoutAttributes,
    /// SHA-256 with content type, digest and signing time as signed attributes.
    Sha256WithAttributes,
}

/// How the content of a SCEP request is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCipher {
    /// AES-128-CBC.
    Aes128,
    /// AES-256-CBC.
    Aes256,
    /// Triple DES in CBC mode.
    TripleDes,
    /// Single DES, which a council's authority is to refuse unless told otherwise.
    SingleDes,
}

/// A detached signature over `body`, as sent (base64) in `Mdm-Signature`. `at` is the signing time, seconds since 1970.
///
/// # Errors
/// [`Error::Cryptography`] when the key cannot sign.
pub fn sign_detached(
    style: SignatureStyle,
    key: &PKeyRef<Private>,
    certificate: &X509Ref,
    body: &[u8],
    at: i64,
) -> Result<Vec<u8>> {
    let (digest, attributes) = match style {
        SignatureStyle::Sha1WithoutAttributes => (Digest::Sha1, None),
        SignatureStyle::Sha256WithAttributes => {
            let time = attribute(SIGNING_TIME, &ber::definite(0x17, utc_time(at).as_bytes()));
            (Digest::Sha256, Some(vec![time]))
        }
    };
    let signer = signer_info(digest, key, certificate, body, attributes)?;
    signed_data(digest, None, &certificate.to_der()?, &signer)
}

/// A signature that carries its content and the given signed attributes beside content type and digest (SCEP's pkiMessage).
///
/// # Errors
/// [`Error::Cryptography`] when the key cannot sign.
pub fn sign_enclosing(
    digest: Digest,
    key: &PKeyRef<Private>,
    certificate: &X509Ref,
    content: &[u8],
    attributes: Vec<Vec<u8>>,
) -> Result<Vec<u8>> {
    let signer = signer_info(digest, key, certificate, content, Some(attributes))?;
    signed_data(digest, Some(content), &certificate.to_der()?, &signer)
}

/// One attribute with one value.
pub fn attribute(identifier: &str, value: &[u8]) -> Vec<u8> {
    ber::sequence(&[
        &ber::object_identifier(identifier),
        &ber::definite(ber::SET, value),
    ])
}

fn signer_info(
    digest: Digest,
    key: &PKeyRef<Private>,
    certificate: &X509Ref,
    content: &[u8],
    attributes: Option<Vec<Vec<u8>>>,
) -> Result<Vec<u8>> {
    let mut signer = Signer::new(digest.openssl(), key)?;
    let mut signed_attributes = Vec::new();
    if let Some(mut attributes) = attributes {
        attributes.push(attribute(CONTENT_TYPE, &ber::object_identifier(DATA)));
        let imprint = hash(digest.openssl(), content)?;
        attributes.push(attribute(
            MESSAGE_DIGEST,
            &ber::definite(ber::OCTET_STRING, imprint),
        ));
        let set = ber::set_of(attributes);
        signer.update(&set)?;
        signed_attributes = set;
        // What is signed is a SET OF; what is sent is the same octets under [0] (RFC 5652, 5.4).
        if let Some(tag) = signed_attributes.first_mut() {
            *tag = ber::CONTEXT_0;
        }
    } else {
        signer.update(content)?;
    }
    Ok(ber::sequence(&[
        &ber::small_integer(1),
        &issuer_and_serial(certificate)?,
        &ber::algorithm(digest.identifier()),
        &signed_attributes,
        &ber::algorithm(digest.with_rsa()),
        &ber::definite(ber::OCTET_STRING, signer.sign_to_vec()?),
    ]))
}

fn signed_data(
    digest: Digest,
    content: Option<&[u8]>,
    certificate: &[u8],
    signer: &[u8],
) -> Result<Vec<u8>> {
    let enclosed = content
        .map(|content| {
            ber::indefinite(
                ber::CONTEXT_0,
                &[&ber::chunked(ber::OCTET_STRING, content, CHUNK)],
            )
        })
        .unwrap_or_default();
    let body = ber::indefinite(
        ber::SEQUENCE,
        &[
            &ber::small_integer(1),
            &ber::definite(ber::SET, ber::algorithm(digest.identifier())),
            &ber::indefinite(ber::SEQUENCE, &[&ber::object_identifier(DATA), &enclosed]),
            &ber::definite(ber::CONTEXT_0, certificate),
            &ber::definite(ber::SET, signer),
        ],
    );
    Ok(content_info(SIGNED_DATA, &body))
}

fn content_info(kind: &str, body: &[u8]) -> Vec<u8> {
    ber::indefinite(
        ber::SEQUENCE,
        &[
            &ber::object_identifier(kind),
            &ber::indefinite(ber::CONTEXT_0, &[body]),
        ],
    )
}

/// Content encrypted to each recipient's RSA key, chunked and of indefinite length as Apple's encoder writes it.
///
/// # Errors
/// [`Error::Cryptography`] when a recipient's key is not RSA.
pub fn envelop(cipher: ContentCipher, recipients: &[X509], content: &[u8]) -> Result<Vec<u8>> {
    let (symmetric, identifier, key_length, iv_length) = match cipher {
        ContentCipher::Aes128 => (Cipher::aes_128_cbc(), "2.16.840.1.101.3.4.1.2", 16, 16),
        ContentCipher::Aes256 => (Cipher::aes_256_cbc(), "2.16.840.1.101.3.4.1.42", 32, 16),
        ContentCipher::TripleDes => (Cipher::des_ede3_cbc(), "1.2.840.113549.3.7", 24, 8),
        ContentCipher::SingleDes => (Cipher::des_ede3_cbc(), "1.3.14.3.2.7", 8, 8),
    };
    let mut key = vec![0; key_length];
    openssl::rand::rand_bytes(&mut key)?;
    let mut iv = vec![0; iv_length];
    openssl::rand::rand_bytes(&mut iv)?;
    // Triple DES with the same key three times is single DES; OpenSSL 3 keeps single DES in its legacy provider.
    let working_key = if cipher == ContentCipher::SingleDes {
        key.repeat(3)
    } else {
        key.clone()
    };
    let encrypted = encrypt(symmetric, &working_key, Some(&iv), content)?;
    let mut infos = Vec::new();
    for recipient in recipients {
        let public = recipient.public_key()?;
        let mut encrypter = Encrypter::new(&public)?;
        encrypter.set_rsa_padding(Padding::PKCS1)?;
        let mut wrapped = vec![0; encrypter.encrypt_len(&key)?];
        let length = encrypter.encrypt(&key, &mut wrapped)?;
        wrapped.truncate(length);
        infos.push(ber::sequence(&[
            &ber::small_integer(0),
            &issuer_and_serial(recipient)?,
            &ber::algorithm(RSA),
            &ber::definite(ber::OCTET_STRING, wrapped),
        ]));
    }
    let parameters = ber::sequence(&[
        &ber::object_identifier(identifier),
        &ber::definite(ber::OCTET_STRING, iv),
    ]);
    let info = ber::indefinite(
        ber::SEQUENCE,
        &[
            &ber::object_identifier(DATA),
            &parameters,
            &ber::chunked(ber::CONTEXT_0, &encrypted, CHUNK),
        ],
    );
    let body = ber::indefinite(
        ber::SEQUENCE,
        &[&ber::small_integer(0), &ber::set_of(infos), &info],
    );
    Ok(content_info(ENVELOPED_DATA, &body))
}

/// Opens an EnvelopedData addressed to this certificate's key.
///
/// # Errors
/// [`Error::Cryptography`] when it is addressed to another key or damaged.
pub fn open_envelope(envelope: &[u8], key: &PKey<Private>, certificate: &X509) -> Result<Vec<u8>> {
    Ok(CmsContentInfo::from_der(envelope)?.decrypt(key, certificate)?)
}

/// A SignedData taken apart; the signature is already verified against the embedded signer.
#[derive(Debug, Clone)]
pub struct Signed {
    /// What was signed.
    pub content: Vec<u8>,
    /// Every certificate in the message, in order.
    pub certificates: Vec<X509>,
    /// The certificate whose key signed; absent in a certificates-only message.
    pub signer: Option<X509>,
    attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Signed {
    /// The octets of the first value of a signed attribute.
    pub fn attribute(&self, identifier: &str) -> Option<&[u8]> {
        let wanted = ber::object_identifier(identifier);
        self.attributes
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.as_slice())
    }
}

/// Reads a SignedData and verifies its one signer (if it has any) with the certificate it carries. No chain is checked.
///
/// # Errors
/// [`Error::Malformed`] when it is not SignedData, the signer's certificate is missing or the signature is wrong.
pub fn read_signed(message: &[u8]) -> Result<Signed> {
    let outer = ber::expect(
        Some(&ber::read_only(message)?),
        ber::SEQUENCE,
        "ContentInfo",
    )?;
    if !outer
        .first()
        .is_some_and(|kind| kind.is_identifier(SIGNED_DATA))
    {
        return Err(Error::Malformed("not SignedData"));
    }
    let wrapped = ber::expect(outer.get(1), ber::CONTEXT_0, "SignedData")?;
    let fields = ber::expect(wrapped.first(), ber::SEQUENCE, "SignedData")?;
    let encapsulated = ber::expect(fields.get(2), ber::SEQUENCE, "EncapsulatedContentInfo")?;
    let content = match encapsulated.get(1) {
        Some(explicit) => explicit
            .children()?
            .first()
            .map_or(Ok(Vec::new()), ber::Element::octets)?,
        None => Vec::new(),
    };
    let mut certificates = Vec::new();
    let mut signer_infos = Vec::new();
    for field in fields.iter().skip(3) {
        match field.tag {
            ber::CONTEXT_0 => {
                for certificate in field.children()? {
                    certificates.push(X509::from_der(certificate.whole)?);
                }
            }
            ber::SET => signer_infos = field.children()?,
            _ => {}
        }
    }
    let mut signed = Signed {
        content,
        certificates,
        signer: None,
        attributes: Vec::new(),
    };
    match signer_infos.as_slice() {
        [] => {}
        [one] => verify_signer(&mut signed, one)?,
        _ => return Err(Error::Malformed("more than one signer")),
    }
    Ok(signed)
}

fn verify_signer(signed: &mut Signed, info: &ber::Element<'_>) -> Result<()> {
    let fields = info.children()?;
    let identifier = fields.get(1).ok_or(Error::Malformed("SignerInfo"))?;
    let mut signer = None;
    for certificate in &signed.certificates {
        if issuer_and_serial(certificate)? == identifier.whole {
            signer = Some(certificate.clone());
        }
    }
    let signer = signer.ok_or(Error::Malformed(
        "the signer's certificate is not in the message",
    ))?;
    let digest = ber::expect(fields.get(2), ber::SEQUENCE, "digestAlgorithm")?;
    let digest = Digest::of_identifier(digest.first().ok_or(Error::Malformed("digestAlgorithm"))?)?;
    let mut rest = fields.get(3..).unwrap_or_default();
    let mut to_verify = signed.content.clone();
    if let [first, after @ ..] = rest
        && first.tag == ber::CONTEXT_0
    {
        for attribute in first.children()? {
            let parts = attribute.children()?;
            if let (Some(name), Some(values)) = (parts.first(), parts.get(1))
                && let Some(value) = values.children()?.first()
            {
                signed
                    .attributes
                    .push((name.whole.to_vec(), value.octets()?));
            }
        }
        let imprint = hash(digest, &signed.content)?;
        if signed.attribute(MESSAGE_DIGEST) != Some(&*imprint) {
            return Err(Error::Malformed(
                "the message digest does not match the content",
            ));
        }
        to_verify = ber::definite(ber::SET, first.content);
        rest = after;
    }
    let signature = rest
        .get(1)
        .ok_or(Error::Malformed("SignerInfo"))?
        .octets()?;
    let key = signer.public_key()?;
    let mut verifier = Verifier::new(digest, &key)?;
    if !verifier.verify_oneshot(&signature, &to_verify)? {
        return Err(Error::Malformed("the signature is wrong"));
    }
    signed.signer = Some(signer);
    Ok(())
}

/// Verifies a detached signature with OpenSSL's own CMS code, for tests of what this file writes.
///
/// # Errors
/// [`Error::Cryptography`] when OpenSSL refuses it.
pub fn openssl_verify_detached(signature: &[u8], body: &[u8]) -> Result<()> {
    let options = CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::BINARY;
    Ok(CmsContentInfo::from_der(signature)?.verify(None, None, Some(body), None, options)?)
}

/// `YYMMDDhhmmssZ`.
fn utc_time(unix: i64) -> String {
    let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    // Civil date from days since 1970, after Howard Hinnant's description.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{:02}{month:02}{day:02}{:02}{:02}{:02}Z",
        year.rem_euclid(100),
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use openssl::x509::store::X509StoreBuilder;

    use super::*;
    use crate::apple::certificate::{DAY, Purpose, issue, name};
    use crate::apple::keys::{Identity, rsa_key};

    const NOON: i64 = 1_790_000_000;

    fn identity() -> Identity {
        let key = rsa_key(2048).unwrap();
        let subject = name(&[("O", "scep"), ("CN", "A phone")]).unwrap();
        let valid = (NOON - DAY, NOON + DAY);
        let certificate = issue(&subject, &key, None, Some(&key), Purpose::Signer, valid).unwrap();
        Identity { key, certificate }
    }

    #[test]
    fn openssl_accepts_both_styles_and_only_over_the_same_body() {
        let phone = identity();
        for style in [
            SignatureStyle::Sha1WithoutAttributes,
            SignatureStyle::Sha256WithAttributes,
        ] {
            let made = sign_detached(style, &phone.key, &phone.certificate, b"body", NOON).unwrap();
            assert_eq!(&made[..2], [0x30, 0x80], "indefinite length");
            openssl_verify_detached(&made, b"body").unwrap();
            assert!(openssl_verify_detached(&made, b"bode").is_err());
            let pkcs7 = openssl::pkcs7::Pkcs7::from_der(&made).unwrap();
            let store = X509StoreBuilder::new().unwrap().build();
            let flags = openssl::pkcs7::Pkcs7Flags::NOVERIFY | openssl::pkcs7::Pkcs7Flags::BINARY;
            let none = openssl::stack::Stack::new().unwrap();
            pkcs7
                .verify(&none, &store, Some(b"body"), None, flags)
                .unwrap();
        }
    }

    /// Tags and kinds of length, outside in; certificates and names are left out, since they differ.
    fn shape(element: &ber::Element<'_>, depth: usize, out: &mut Vec<(usize, u8, bool)>) {
        out.push((depth, element.tag, element.whole.get(1) == Some(&0x80)));
        if depth < 5 && element.tag & 0x20 != 0 && !(depth == 3 && element.tag == ber::CONTEXT_0) {
            for child in element.children().unwrap() {
                shape(&child, depth + 1, out);
            }
        }
    }

    #[test]
    fn a_signature_has_the_shape_of_a_real_devices() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/captures/mdm-signature.der"
        );
        let phone = identity();
        let ours = sign_detached(
            SignatureStyle::default(),
            &phone.key,
            &phone.certificate,
            b"body",
            NOON,
        )
        .unwrap();
        let mut our_shape = Vec::new();
        shape(&ber::read_only(&ours).unwrap(), 0, &mut our_shape);
        assert!(our_shape.starts_with(&[
            (0, 0x30, true),
            (1, 0x06, false),
            (1, 0xa0, true),
            (2, 0x30, true)
        ]));
        let Ok(real) = std::fs::read(file) else {
            eprintln!("no capture of a real device here: only the first levels were compared");
            return;
        };
        let mut real_shape = Vec::new();
        shape(&ber::read_only(&real).unwrap(), 0, &mut real_shape);
        assert_eq!(our_shape, real_shape);
    }

    #[test]
    fn enclosed_content_and_attributes_are_read_back_and_by_openssl() {
        let phone = identity();
        let content = vec![7; 5000];
        let mark = attribute("1.2.3.4", &ber::definite(ber::PRINTABLE_STRING, "19"));
        for digest in [Digest::Sha1, Digest::Sha256] {
            let made = sign_enclosing(
                digest,
                &phone.key,
                &phone.certificate,
                &content,
                vec![mark.clone()],
            )
            .unwrap();
            let read = read_signed(&made).unwrap();
            assert_eq!(read.content, content);
            assert_eq!(read.attribute("1.2.3.4"), Some(b"19".as_slice()));
            let mut out = Vec::new();
            let options = CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::BINARY;
            CmsContentInfo::from_der(&made)
                .unwrap()
                .verify(None, None, None, Some(&mut out), options)
                .unwrap();
            assert_eq!(out, content);
            let mut damaged = made.clone();
            let middle = damaged.iter().position(|octet| *octet == 7).unwrap() + 100;
            damaged[middle] ^= 1;
            assert!(read_signed(&damaged).is_err());
        }
    }

    #[test]
    fn openssl_opens_our_envelopes() {
        let (phone, other) = (identity(), identity());
        let content = b"a certificate request".repeat(100);
        for cipher in [
            ContentCipher::Aes128,
            ContentCipher::Aes256,
            ContentCipher::TripleDes,
        ] {
            let recipients = [other.certificate.clone(), phone.certificate.clone()];
            let made = envelop(cipher, &recipients, &content).unwrap();
            assert_eq!(
                open_envelope(&made, &phone.key, &phone.certificate).unwrap(),
                content
            );
            assert_eq!(
                open_envelope(&made, &other.key, &other.certificate).unwrap(),
                content
            );
        }
        let single = envelop(
            ContentCipher::SingleDes,
            std::slice::from_ref(&phone.certificate),
            &content,
        )
        .unwrap();
        let wanted = ber::object_identifier("1.3.14.3.2.7");
        assert!(single.windows(wanted.len()).any(|window| window == wanted));
    }

    #[test]
    fn signing_times_are_right() {
        assert_eq!(utc_time(0), "700101000000Z");
        assert_eq!(utc_time(951_782_400), "000229000000Z");
        assert_eq!(utc_time(1_735_689_599), "241231235959Z");
    }

    proptest::proptest! {
        #[test]
        fn reading_signed_data_never_panics(input in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = read_signed(&input);
        }
    }
}
