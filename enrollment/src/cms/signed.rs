//! SignedData: reading and checking what a device signed, and signing what is sent to it.

use super::algorithm::{Digest, Scheme, algorithm_identifier};
use crate::ber::{self, Element, INTEGER, Malformed, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET};
use crate::certificate::{self, IssuerAndSerial};
use crate::der::{self, context};
use crate::{Error, oid};
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{Id, PKey, PKeyRef, Private, Public};
use openssl::sign::{Signer, Verifier};
use openssl::x509::{X509, X509Name};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Why a signed message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureProblem {
    /// It is not a CMS SignedData.
    #[error("not a signed message")]
    Malformed,
    /// It has no signer, or several.
    #[error("the message must have exactly one signer")]
    NotOneSigner,
    /// The signer's certificate is not in the message.
    #[error("the signer's certificate is missing")]
    CertificateMissing,
    /// A digest or signature algorithm that is not accepted.
    #[error("the signature uses an algorithm that is not accepted")]
    Algorithm,
    /// There is nothing that was signed.
    #[error("the signed content is missing")]
    ContentMissing,
    /// The signed attributes are missing, repeated, or do not fit the content.
    #[error("the signed attributes do not fit the content")]
    Attributes,
    /// The signature is wrong: another key made it, or the content was changed.
    #[error("the signature does not fit the content")]
    WrongSignature,
}

impl From<Malformed> for SignatureProblem {
    fn from(_: Malformed) -> SignatureProblem {
        SignatureProblem::Malformed
    }
}

/// A signed message that was read but not yet checked.
pub struct SignedMessage<'a> {
    content_type: &'a [u8],
    content: Option<Cow<'a, [u8]>>,
    certificates: Vec<Cow<'a, [u8]>>,
    signers: Vec<SignerInfo<'a>>,
}

struct SignerInfo<'a> {
    identifier: Element<'a>,
    digest: &'a [u8],
    attributes: Option<Element<'a>>,
    scheme: &'a [u8],
    signature: Cow<'a, [u8]>,
}

/// The one signer of a message whose signature is right for its own certificate. Whether that certificate is trusted is another question.
#[derive(Debug)]
pub struct VerifiedSigner<'a> {
    /// The signer's certificate.
    pub certificate_der: Cow<'a, [u8]>,
    /// The digest that was signed.
    pub digest: Digest,
    pub(crate) public_key: PKey<Public>,
    pub(crate) attributes: Vec<Attribute<'a>>,
}

/// A signed attribute with its one value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute<'a> {
    pub(crate) identifier: &'a [u8],
    pub(crate) value: Element<'a>,
}

impl<'a> SignedMessage<'a> {
    /// Reads a ContentInfo with SignedData, in DER or BER; bytes after it are ignored.
    ///
    /// # Errors
    /// [`SignatureProblem::Malformed`].
    pub fn read(bytes: &'a [u8]) -> Result<SignedMessage<'a>, SignatureProblem> {
        let mut outer = ber::first(bytes)?.tagged(SEQUENCE)?.children();
        if outer.expect(OBJECT_IDENTIFIER)?.content != oid::SIGNED_DATA {
            return Err(SignatureProblem::Malformed);
        }
        let wrapped = outer.expect(context(0))?;
        let mut fields = wrapped.children().expect(SEQUENCE)?.children();
        fields.expect(INTEGER)?;
        fields.expect(SET)?;
        let mut encapsulated = fields.expect(SEQUENCE)?.children();
        let content_type = encapsulated.expect(OBJECT_IDENTIFIER)?.content;
        let content = match encapsulated.take(context(0))? {
            Some(explicit) => {
                let string = explicit.children().next()?;
                if string.tag & !0x20 != OCTET_STRING {
                    return Err(SignatureProblem::Malformed);
                }
                Some(string.octets()?)
            }
            None => None,
        };
        let certificates = match fields.take(context(0))? {
            Some(set) => set
                .children()
                .all()?
                .into_iter()
                .filter(|choice| choice.tag == SEQUENCE)
                .map(|certificate| certificate.definite())
                .collect::<Result<_, Malformed>>()?,
            None => Vec::new(),
        };
        fields.take(context(1))?;
        let signers =
            fields.expect(SET)?.children().all()?.iter().map(SignerInfo::read).collect::<Result<_, Malformed>>()?;
        Ok(SignedMessage { content_type, content, certificates, signers })
    }

    /// What was signed, where the message carries it.
    #[must_use]
    pub fn content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// Every certificate in the message, in its order.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.certificates.iter().map(AsRef::as_ref)
    }

    pub(crate) fn content_type(&self) -> &'a [u8] {
        self.content_type
    }

    /// The signed attributes of the one signer, before anything is checked.
    pub(crate) fn unverified_attributes(&self) -> Option<Vec<Attribute<'a>>> {
        match self.signers.as_slice() {
            [signer] => read_attributes(signer.attributes.as_ref()?).ok(),
            _ => None,
        }
    }

    /// Checks the one signature over the message's own content, or over `detached` where it carries none.
    ///
    /// A message that carries content and is given other content is refused.
    ///
    /// # Errors
    /// [`SignatureProblem`].
    pub fn verify(&self, detached: Option<&[u8]>) -> Result<VerifiedSigner<'a>, SignatureProblem> {
        self.verify_by(detached, |certificate| Ok(certificate::public_key(certificate)?))
    }

    /// The same, where the key of the signer's certificate comes from `key_of`.
    pub(crate) fn verify_by(
        &self,
        detached: Option<&[u8]>,
        key_of: impl FnOnce(&[u8]) -> Result<PKey<Public>, SignatureProblem>,
    ) -> Result<VerifiedSigner<'a>, SignatureProblem> {
        let [signer] = self.signers.as_slice() else {
            return Err(SignatureProblem::NotOneSigner);
        };
        let content = match (self.content.as_deref(), detached) {
            (Some(own), Some(given)) if own != given => {
                return Err(SignatureProblem::WrongSignature);
            }
            (Some(content), _) | (None, Some(content)) => content,
            (None, None) => return Err(SignatureProblem::ContentMissing),
        };
        let certificate_der = self.certificate_of(signer)?;
        let digest = Digest::from_oid(signer.digest).ok_or(SignatureProblem::Algorithm)?;
        let scheme = Scheme::from_oid(signer.scheme).ok_or(SignatureProblem::Algorithm)?;
        let public_key = key_of(&certificate_der)?;
        if public_key.id() != scheme.key
            || public_key.bits() > 8192
            || scheme.digest.is_some_and(|named| named != digest)
        {
            return Err(SignatureProblem::Algorithm);
        }
        let attributes = signer.check(&public_key, digest, self.content_type, content)?;
        Ok(VerifiedSigner { certificate_der, digest, public_key, attributes })
    }

    fn certificate_of(&self, signer: &SignerInfo<'a>) -> Result<Cow<'a, [u8]>, SignatureProblem> {
        self.certificates
            .iter()
            .find(|der| names(&signer.identifier, der))
            .cloned()
            .ok_or(SignatureProblem::CertificateMissing)
    }
}

/// Whether a SignerIdentifier or RecipientIdentifier means this certificate.
pub(super) fn names(identifier: &Element<'_>, certificate_der: &[u8]) -> bool {
    if identifier.tag & !0x20 == 0x80 {
        let Ok(wanted) = identifier.octets() else {
            return false;
        };
        return X509::from_der(certificate_der)
            .ok()
            .and_then(|certificate| Some(certificate.subject_key_id()?.as_slice() == &*wanted))
            .unwrap_or(false);
    }
    let named = || -> Result<bool, Malformed> {
        let certificate = IssuerAndSerial::of(certificate_der)?;
        let mut fields = identifier.tagged(SEQUENCE)?.children();
        let issuer = fields.expect(SEQUENCE)?.definite()?;
        let serial = fields.expect(INTEGER)?;
        Ok(serial.whole == certificate.serial && same_name(&issuer, certificate.issuer))
    };
    named().unwrap_or(false)
}

/// Equal names, also where one writes PrintableString and the other UTF8String.
fn same_name(one: &[u8], other: &[u8]) -> bool {
    one == other
        || match (X509Name::from_der(one), X509Name::from_der(other)) {
            (Ok(one), Ok(other)) => one.try_cmp(&other).is_ok_and(Ordering::is_eq),
            _ => false,
        }
}

impl<'a> SignerInfo<'a> {
    fn read(info: &Element<'a>) -> Result<SignerInfo<'a>, Malformed> {
        let mut fields = info.tagged(SEQUENCE)?.children();
        fields.expect(INTEGER)?;
        let identifier = fields.next()?;
        let (digest, _) = algorithm_identifier(&fields.expect(SEQUENCE)?)?;
        let attributes = fields.take(context(0))?;
        let (scheme, _) = algorithm_identifier(&fields.expect(SEQUENCE)?)?;
        let signature = fields.next()?;
        if signature.tag & !0x20 != OCTET_STRING {
            return Err(Malformed);
        }
        Ok(SignerInfo { identifier, digest, attributes, scheme, signature: signature.octets()? })
    }

    fn check(
        &self,
        key: &PKeyRef<Public>,
        digest: Digest,
        content_type: &[u8],
        content: &[u8],
    ) -> Result<Vec<Attribute<'a>>, SignatureProblem> {
        let Some(set) = &self.attributes else {
            // RFC 5652, 5.3: attributes may only be absent where the content is plain data.
            if content_type != oid::DATA {
                return Err(SignatureProblem::Attributes);
            }
            return if signed_by(key, digest, content, &self.signature) {
                Ok(Vec::new())
            } else {
                Err(SignatureProblem::WrongSignature)
            };
        };
        let attributes = read_attributes(set)?;
        let stated_type = find(&attributes, oid::CONTENT_TYPE)
            .and_then(|value| value.tagged(OBJECT_IDENTIFIER).ok())
            .ok_or(SignatureProblem::Attributes)?;
        let stated_digest = find(&attributes, oid::MESSAGE_DIGEST)
            .and_then(|value| value.octets().ok())
            .ok_or(SignatureProblem::Attributes)?;
        if stated_type.content != content_type {
            return Err(SignatureProblem::Attributes);
        }
        let actual = hash(digest.openssl(), content).map_err(|_| SignatureProblem::Algorithm)?;
        if *stated_digest != *actual {
            return Err(SignatureProblem::WrongSignature);
        }
        if encodings(set)?.iter().any(|bytes| signed_by(key, digest, bytes, &self.signature)) {
            Ok(attributes)
        } else {
            Err(SignatureProblem::WrongSignature)
        }
    }
}

fn signed_by(key: &PKeyRef<Public>, digest: Digest, bytes: &[u8], signature: &[u8]) -> bool {
    Verifier::new(digest.openssl(), key)
        .and_then(|mut verifier| verifier.verify_oneshot(signature, bytes))
        .unwrap_or(false)
}

/// What the signer may have signed: the attributes under a SET tag as sent, in DER lengths, and sorted as DER asks (senders differ).
fn encodings(attributes: &Element<'_>) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut candidates = vec![der::element(SET, attributes.content)];
    let converted =
        attributes.children().all()?.into_iter().map(Element::to_der).collect::<Result<Vec<_>, Malformed>>()?;
    for candidate in [der::element(SET, &converted.concat()), der::element(SET, &der::sorted(converted))] {
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    Ok(candidates)
}

fn read_attributes<'a>(set: &Element<'a>) -> Result<Vec<Attribute<'a>>, SignatureProblem> {
    let mut attributes: Vec<Attribute<'a>> = Vec::new();
    for attribute in set.children().all()? {
        let mut fields = attribute.tagged(SEQUENCE)?.children();
        let identifier = fields.expect(OBJECT_IDENTIFIER)?.content;
        let mut values = fields.expect(SET)?.children();
        let value = values.next()?;
        let repeated = attributes.iter().any(|seen| seen.identifier == identifier);
        if repeated || !values.is_empty() {
            return Err(SignatureProblem::Attributes);
        }
        attributes.push(Attribute { identifier, value });
    }
    Ok(attributes)
}

pub(crate) fn find<'a>(attributes: &[Attribute<'a>], identifier: &[u8]) -> Option<Element<'a>> {
    attributes.iter().find(|attribute| attribute.identifier == identifier).map(|attribute| attribute.value)
}

impl<'a> VerifiedSigner<'a> {
    pub(crate) fn attribute(&self, identifier: &[u8]) -> Option<Element<'a>> {
        find(&self.attributes, identifier)
    }
}

/// What a signature is made of: who signs, and what is signed with it.
pub(crate) struct Signature<'a> {
    pub(crate) certificate_der: &'a [u8],
    pub(crate) key: &'a PKeyRef<Private>,
    /// Further certificates to send along, for instance the chain.
    pub(crate) chain: &'a [&'a [u8]],
    /// Attributes beside content type and digest: object identifier and the value's DER.
    pub(crate) attributes: &'a [(&'a [u8], Vec<u8>)],
}

/// A SignedData in DER over `content`, which it carries if there is any: SHA-256, signed attributes, signer's certificate first.
pub(crate) fn sign(content: Option<&[u8]>, signature: &Signature<'_>) -> Result<Vec<u8>, Error> {
    let digest = hash(MessageDigest::sha256(), content.unwrap_or_default())?;
    let attribute =
        |identifier: &[u8], value: &[u8]| der::sequence(&[&der::object_identifier(identifier), &der::set(&[value])]);
    let mut attributes = vec![
        attribute(oid::CONTENT_TYPE, &der::object_identifier(oid::DATA)),
        attribute(oid::MESSAGE_DIGEST, &der::octet_string(&digest)),
    ];
    attributes.extend(signature.attributes.iter().map(|(identifier, value)| attribute(identifier, value)));
    let attributes = der::sorted(attributes);
    let mut signer = Signer::new(MessageDigest::sha256(), signature.key)?;
    let value = signer.sign_oneshot_to_vec(&der::element(SET, &attributes))?;
    let scheme = match signature.key.id() {
        Id::RSA => der::algorithm_with_null(oid::RSA),
        Id::EC => der::algorithm(oid::ECDSA_SHA256),
        _ => return Err(Error::Unreadable("the signing key (RSA or EC is needed)")),
    };
    let identifier = IssuerAndSerial::of(signature.certificate_der)
        .map_err(|_| Error::Unreadable("the signer's certificate"))?
        .to_der();
    let sha256 = der::algorithm_with_null(oid::SHA256);
    let info = der::sequence(&[
        &der::small_integer(1),
        &identifier,
        &sha256,
        &der::element(context(0), &attributes),
        &scheme,
        &der::octet_string(&value),
    ]);
    let encapsulated = match content {
        Some(content) => {
            der::sequence(&[&der::object_identifier(oid::DATA), &der::element(context(0), &der::octet_string(content))])
        }
        None => der::sequence(&[&der::object_identifier(oid::DATA)]),
    };
    let mut certificates = signature.certificate_der.to_vec();
    for certificate in signature.chain {
        certificates.extend_from_slice(certificate);
    }
    Ok(content_info(&[
        &der::small_integer(1),
        &der::set(&[&sha256]),
        &encapsulated,
        &der::element(context(0), &certificates),
        &der::set(&[&info]),
    ]))
}

/// A SignedData without content and signers that only carries certificates, in the order given (RFC 8894, 3.4).
pub(crate) fn certificates_only(certificates: &[&[u8]]) -> Vec<u8> {
    content_info(&[
        &der::small_integer(1),
        &der::set(&[]),
        &der::sequence(&[&der::object_identifier(oid::DATA)]),
        &der::element(context(0), &certificates.concat()),
        &der::set(&[]),
    ])
}

fn content_info(signed_data: &[&[u8]]) -> Vec<u8> {
    der::sequence(&[&der::object_identifier(oid::SIGNED_DATA), &der::element(context(0), &der::sequence(signed_data))])
}
