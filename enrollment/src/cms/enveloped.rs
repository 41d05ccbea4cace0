//! EnvelopedData: opening what was encrypted to the authority, and encrypting to the certificate of a requester.

use super::algorithm::{ContentCipher, algorithm_identifier};
use super::signed::names;
use crate::ber::{self, Element, INTEGER, Malformed, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET};
use crate::certificate::IssuerAndSerial;
use crate::der::{self, context};
use crate::{Error, oid};
use openssl::encrypt::{Decrypter, Encrypter};
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKeyRef, Private};
use openssl::rand::rand_bytes;
use openssl::rsa::Padding;
use openssl::symm;
use openssl::x509::X509;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Why an envelope cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeProblem {
    /// It is not a CMS EnvelopedData.
    #[error("not an envelope")]
    Malformed,
    /// A cipher or key transport that is not accepted.
    #[error("the envelope uses an algorithm that is not accepted")]
    Algorithm,
    /// No recipient is the certificate at hand.
    #[error("the envelope is for somebody else")]
    NotForUs,
    /// It does not decrypt to anything sensible.
    #[error("the envelope cannot be decrypted")]
    Undecipherable,
}

impl From<Malformed> for EnvelopeProblem {
    fn from(_: Malformed) -> EnvelopeProblem {
        EnvelopeProblem::Malformed
    }
}

/// An envelope that was read but not yet opened.
pub struct Envelope<'a> {
    recipients: Vec<Recipient<'a>>,
    cipher: ContentCipher,
    iv: Cow<'a, [u8]>,
    ciphertext: Cow<'a, [u8]>,
}

struct Recipient<'a> {
    identifier: Element<'a>,
    padding: Option<Padding>,
    encrypted_key: Cow<'a, [u8]>,
}

impl<'a> Envelope<'a> {
    /// Reads a ContentInfo with EnvelopedData, in DER or BER; bytes after it are ignored.
    ///
    /// # Errors
    /// [`EnvelopeProblem::Malformed`] or [`EnvelopeProblem::Algorithm`].
    pub fn read(bytes: &'a [u8]) -> Result<Envelope<'a>, EnvelopeProblem> {
        let mut outer = ber::first(bytes)?.tagged(SEQUENCE)?.children();
        if outer.expect(OBJECT_IDENTIFIER)?.content != oid::ENVELOPED_DATA {
            return Err(EnvelopeProblem::Malformed);
        }
        let wrapped = outer.expect(context(0))?;
        let mut fields = wrapped.children().expect(SEQUENCE)?.children();
        fields.expect(INTEGER)?;
        fields.take(context(0))?;
        let mut recipients = Vec::new();
        for recipient in fields.expect(SET)?.children().all()? {
            // Other kinds of recipient are context-tagged and never the authority.
            if recipient.tag == SEQUENCE {
                recipients.push(Recipient::read(&recipient)?);
            }
        }
        let mut encrypted = fields.expect(SEQUENCE)?.children();
        encrypted.expect(OBJECT_IDENTIFIER)?;
        let (identifier, parameters) = algorithm_identifier(&encrypted.expect(SEQUENCE)?)?;
        let cipher = ContentCipher::from_oid(identifier).ok_or(EnvelopeProblem::Algorithm)?;
        let iv = parameters.ok_or(Malformed)?.tagged(OCTET_STRING)?.octets()?;
        let content = encrypted.next()?;
        if content.tag & !0x20 != 0x80 || iv.len() != cipher.iv_length() {
            return Err(EnvelopeProblem::Malformed);
        }
        Ok(Envelope { recipients, cipher, iv, ciphertext: content.octets()? })
    }

    /// The cipher of the content, to be judged before the envelope is opened.
    #[must_use]
    pub fn cipher(&self) -> ContentCipher {
        self.cipher
    }

    /// Opens the envelope with the key of the certificate it was encrypted to.
    ///
    /// # Errors
    /// [`EnvelopeProblem`].
    pub fn open(&self, certificate_der: &[u8], key: &PKeyRef<Private>) -> Result<Zeroizing<Vec<u8>>, EnvelopeProblem> {
        let recipient = self
            .recipients
            .iter()
            .find(|recipient| names(&recipient.identifier, certificate_der))
            .ok_or(EnvelopeProblem::NotForUs)?;
        let padding = recipient.padding.ok_or(EnvelopeProblem::Algorithm)?;
        let undecipherable = |_| EnvelopeProblem::Undecipherable;
        // RFC 3218: with a wrong padding go on with a random key, so that every wrong key ends alike.
        let mut content_key = Zeroizing::new(vec![0; self.cipher.key_length()]);
        rand_bytes(&mut content_key).map_err(undecipherable)?;
        if let Ok(transported) = unwrap_key(key, padding, &recipient.encrypted_key)
            && transported.len() == content_key.len()
        {
            content_key = transported;
        }
        symm::decrypt(self.cipher.openssl(), &content_key, Some(&self.iv), &self.ciphertext)
            .map(Zeroizing::new)
            .map_err(undecipherable)
    }
}

impl<'a> Recipient<'a> {
    fn read(recipient: &Element<'a>) -> Result<Recipient<'a>, Malformed> {
        let mut fields = recipient.children();
        fields.expect(INTEGER)?;
        let identifier = fields.next()?;
        let (transport, parameters) = algorithm_identifier(&fields.expect(SEQUENCE)?)?;
        let padding = match transport {
            oid::RSA => Some(Padding::PKCS1),
            // Absent parameters or an empty sequence mean the defaults, SHA-1 with MGF1.
            oid::RSA_OAEP if parameters.is_none_or(|given| given.content.is_empty()) => Some(Padding::PKCS1_OAEP),
            _ => None,
        };
        let encrypted_key = fields.next()?;
        if encrypted_key.tag & !0x20 != OCTET_STRING {
            return Err(Malformed);
        }
        Ok(Recipient { identifier, padding, encrypted_key: encrypted_key.octets()? })
    }
}

fn unwrap_key(key: &PKeyRef<Private>, padding: Padding, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let mut decrypter = Decrypter::new(key)?;
    decrypter.set_rsa_padding(padding)?;
    let mut out = Zeroizing::new(vec![0; decrypter.decrypt_len(encrypted)?]);
    let length = decrypter.decrypt(encrypted, &mut out)?;
    out.truncate(length);
    Ok(out)
}

/// An EnvelopedData in DER with `content` encrypted to an RSA certificate: RSA key transport (PKCS#1 1.5, which every client reads), CBC.
///
/// # Errors
/// [`Error::UnacceptableKey`] when the certificate's key is not RSA.
pub fn encrypt(content: &[u8], recipient_der: &[u8], cipher: ContentCipher) -> Result<Vec<u8>, Error> {
    let unreadable = || Error::Unreadable("the recipient's certificate");
    let key =
        X509::from_der(recipient_der).and_then(|certificate| certificate.public_key()).map_err(|_| unreadable())?;
    if key.id() != Id::RSA {
        return Err(Error::UnacceptableKey);
    }
    let mut content_key = Zeroizing::new(vec![0; cipher.key_length()]);
    rand_bytes(&mut content_key)?;
    let mut iv = vec![0; cipher.iv_length()];
    rand_bytes(&mut iv)?;
    let ciphertext = symm::encrypt(cipher.openssl(), &content_key, Some(&iv), content)?;
    let mut encrypter = Encrypter::new(&key)?;
    encrypter.set_rsa_padding(Padding::PKCS1)?;
    let mut transported = vec![0; encrypter.encrypt_len(&content_key)?];
    let length = encrypter.encrypt(&content_key, &mut transported)?;
    transported.truncate(length);
    let identifier = IssuerAndSerial::of(recipient_der).map_err(|_| unreadable())?.to_der();
    let recipient = der::sequence(&[
        &der::small_integer(0),
        &identifier,
        &der::algorithm_with_null(oid::RSA),
        &der::octet_string(&transported),
    ]);
    let encrypted = der::sequence(&[
        &der::object_identifier(oid::DATA),
        &der::sequence(&[&der::object_identifier(cipher.oid()), &der::octet_string(&iv)]),
        &der::element(0x80, &ciphertext),
    ]);
    let enveloped = der::sequence(&[&der::small_integer(0), &der::set(&[&recipient]), &encrypted]);
    Ok(der::sequence(&[&der::object_identifier(oid::ENVELOPED_DATA), &der::element(context(0), &enveloped)]))
}
