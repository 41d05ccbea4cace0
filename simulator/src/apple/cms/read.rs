//! Reads SignedData with this crate's own BER reader and verifies it, without trusting any chain.

use openssl::hash::{MessageDigest, hash};
use openssl::sign::Verifier;
use openssl::x509::X509;

use super::{MESSAGE_DIGEST, SIGNED_DATA};
use crate::apple::ber;
use crate::apple::certificate::issuer_and_serial;
use crate::{Error, Result};

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
        self.attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_slice())
    }
}

/// Reads a SignedData and verifies its one signer (if it has any) with the certificate it carries. No chain is checked.
///
/// # Errors
/// [`Error::Malformed`] when it is not SignedData, the signer's certificate is missing or the signature is wrong.
pub fn read_signed(message: &[u8]) -> Result<Signed> {
    let outer = ber::expect(Some(&ber::read_only(message)?), ber::SEQUENCE, "ContentInfo")?;
    if !outer.first().is_some_and(|kind| kind.is_identifier(SIGNED_DATA)) {
        return Err(Error::Malformed("not SignedData"));
    }
    let wrapped = ber::expect(outer.get(1), ber::CONTEXT_0, "SignedData")?;
    let fields = ber::expect(wrapped.first(), ber::SEQUENCE, "SignedData")?;
    let encapsulated = ber::expect(fields.get(2), ber::SEQUENCE, "EncapsulatedContentInfo")?;
    let content = match encapsulated.get(1) {
        Some(explicit) => explicit.children()?.first().map_or(Ok(Vec::new()), ber::Element::octets)?,
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
    let mut signed = Signed { content, certificates, signer: None, attributes: Vec::new() };
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
    let signer = signer.ok_or(Error::Malformed("the signer's certificate is not in the message"))?;
    let digest = ber::expect(fields.get(2), ber::SEQUENCE, "digestAlgorithm")?;
    let digest = digest_of(digest.first().ok_or(Error::Malformed("digestAlgorithm"))?)?;
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
                signed.attributes.push((name.whole.to_vec(), value.octets()?));
            }
        }
        let imprint = hash(digest, &signed.content)?;
        if signed.attribute(MESSAGE_DIGEST) != Some(&*imprint) {
            return Err(Error::Malformed("the message digest does not match the content"));
        }
        to_verify = ber::definite(ber::SET, first.content);
        rest = after;
    }
    let signature = rest.get(1).ok_or(Error::Malformed("SignerInfo"))?.octets()?;
    let key = signer.public_key()?;
    let mut verifier = Verifier::new(digest, &key)?;
    if !verifier.verify_oneshot(&signature, &to_verify)? {
        return Err(Error::Malformed("the signature is wrong"));
    }
    signed.signer = Some(signer);
    Ok(())
}

fn digest_of(element: &ber::Element<'_>) -> Result<MessageDigest> {
    let known = [
        ("1.3.14.3.2.26", MessageDigest::sha1()),
        ("2.16.840.1.101.3.4.2.1", MessageDigest::sha256()),
        ("2.16.840.1.101.3.4.2.2", MessageDigest::sha384()),
        ("2.16.840.1.101.3.4.2.3", MessageDigest::sha512()),
    ];
    let found = known.into_iter().find(|(identifier, _)| element.is_identifier(identifier));
    found.map(|(_, digest)| digest).ok_or(Error::Malformed("unknown digest"))
}
