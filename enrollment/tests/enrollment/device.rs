//! A phone's side of things, written without the crate's own encoders: BER of indefinite lengths, SHA-1 without attributes, and SCEP requests.

use crate::now;
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::Signer;
use openssl::symm::{Cipher, encrypt};
use openssl::x509::{X509, X509Name};
use std::sync::LazyLock;

/// How lengths are written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Style {
    Definite,
    Indefinite,
}

/// An element; constructed ones get the lengths of the style, and octet strings come in pieces.
pub(crate) fn tlv(style: Style, tag: u8, content: &[u8]) -> Vec<u8> {
    if style == Style::Indefinite && tag & 0x20 != 0 {
        return [&[tag, 0x80], content, &[0, 0]].concat();
    }
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

/// The same in DER, for what is signed or compared.
pub(crate) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let header = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [header, content.to_vec()].concat()
}

pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let object = openssl::asn1::Asn1Object::from_str(dotted).unwrap();
    der(6, object.as_slice())
}

/// An octet string under a tag, in two pieces where the style is indefinite.
fn pieces(style: Style, primitive: u8, content: &[u8]) -> Vec<u8> {
    if style == Style::Definite {
        return der(primitive, content);
    }
    let (one, two) = content.split_at(content.len() / 2);
    tlv(style, primitive | 0x20, &[der(4, one), der(4, two)].concat())
}

pub(crate) fn rsa_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

pub(crate) static PHONE_KEY: LazyLock<PKey<Private>> = LazyLock::new(rsa_key);
pub(crate) static OTHER_KEY: LazyLock<PKey<Private>> = LazyLock::new(rsa_key);

pub(crate) fn public_der(key: &PKey<Private>) -> Vec<u8> {
    key.public_key_to_der().unwrap()
}

pub(crate) fn self_signed(key: &PKey<Private>) -> Vec<u8> {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "phone").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = Asn1Integer::from_bn(&BigNum::from_u32(7).unwrap()).unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    let begin = Asn1Time::from_unix(now().timestamp() - 60).unwrap();
    let end = Asn1Time::from_unix(now().timestamp() + 86_400).unwrap();
    builder.set_not_before(&begin).unwrap();
    builder.set_not_after(&end).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build().to_der().unwrap()
}

fn sign_bytes(key: &PKey<Private>, digest: MessageDigest, bytes: &[u8]) -> Vec<u8> {
    Signer::new(digest, key).unwrap().sign_oneshot_to_vec(bytes).unwrap()
}

/// A PKCS#10 request with a challenge, and an extension the server must not copy.
pub(crate) fn csr(key: &PKey<Private>, challenge: Option<&str>) -> Vec<u8> {
    let name = X509::from_der(&self_signed(key)).unwrap();
    let name = name.subject_name().to_der().unwrap();
    let mut attributes = Vec::new();
    if let Some(challenge) = challenge {
        let value = der(0x31, &der(0x13, challenge.as_bytes()));
        attributes = der(0x30, &[oid("1.2.840.113549.1.9.7"), value].concat());
    }
    // extensionRequest: basicConstraints CA:TRUE
    let constraints = der(0x30, &[oid("2.5.29.19"), der(4, &[0x30, 3, 1, 1, 0xff])].concat());
    let wish = der(0x31, &der(0x30, &constraints));
    attributes.extend(der(0x30, &[oid("1.2.840.113549.1.9.14"), wish].concat()));
    let information = der(0x30, &[vec![2, 1, 0], name, public_der(key), der(0xa0, &attributes)].concat());
    let signature = sign_bytes(key, MessageDigest::sha256(), &information);
    let algorithm = der(0x30, &[oid("1.2.840.113549.1.1.11"), vec![5, 0]].concat());
    let bits = der(3, &[vec![0], signature].concat());
    der(0x30, &[information, algorithm, bits].concat())
}

/// A digest, its identifier, and whether the parameters NULL are written.
#[derive(Clone, Copy)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha256,
}

impl Hash {
    fn digest(self) -> MessageDigest {
        match self {
            Hash::Md5 => MessageDigest::md5(),
            Hash::Sha1 => MessageDigest::sha1(),
            Hash::Sha256 => MessageDigest::sha256(),
        }
    }

    fn algorithm(self) -> Vec<u8> {
        match self {
            Hash::Md5 => der(0x30, &oid("1.2.840.113549.2.5")),
            Hash::Sha1 => der(0x30, &[oid("1.3.14.3.2.26"), vec![5, 0]].concat()),
            Hash::Sha256 => der(0x30, &oid("2.16.840.1.101.3.4.2.1")),
        }
    }
}

/// What a signed message is made of.
pub(crate) struct Signed<'a> {
    pub(crate) style: Style,
    pub(crate) hash: Hash,
    pub(crate) key: &'a PKey<Private>,
    pub(crate) certificate: &'a [u8],
    /// The content, carried inside or not.
    pub(crate) content: &'a [u8],
    pub(crate) detached: bool,
    /// Signed attributes beside content type and digest, as (dotted OID, value); `None` signs the content itself.
    pub(crate) attributes: Option<Vec<(&'a str, Vec<u8>)>>,
}

impl Signed<'_> {
    fn signer_info(&self) -> Vec<u8> {
        let style = self.style;
        let certificate = X509::from_der(self.certificate).unwrap();
        let serial = certificate.serial_number().to_bn().unwrap().to_vec();
        let serial = if serial.first().is_some_and(|byte| *byte > 0x7f) { [vec![0], serial].concat() } else { serial };
        let issuer = certificate.issuer_name().to_der().unwrap();
        let identifier = tlv(style, 0x30, &[issuer, der(2, &serial)].concat());
        let (attributes, signature) = match &self.attributes {
            None => (Vec::new(), sign_bytes(self.key, self.hash.digest(), self.content)),
            Some(extra) => {
                let digest = hash(self.hash.digest(), self.content).unwrap();
                let mut all = vec![
                    ("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.7.1")),
                    ("1.2.840.113549.1.9.4", der(4, &digest)),
                ];
                all.extend(extra.iter().cloned());
                let mut all: Vec<Vec<u8>> =
                    all.into_iter().map(|(kind, value)| der(0x30, &[oid(kind), der(0x31, &value)].concat())).collect();
                all.sort();
                let signature = sign_bytes(self.key, self.hash.digest(), &der(0x31, &all.concat()));
                // Sent unsorted and with other lengths than were signed, as BER allows.
                if style == Style::Indefinite {
                    all.reverse();
                }
                (tlv(style, 0xa0, &all.concat()), signature)
            }
        };
        let scheme = match self.key.id() {
            Id::EC => der(0x30, &oid("1.2.840.10045.4.3.2")),
            _ => der(0x30, &[oid("1.2.840.113549.1.1.1"), vec![5, 0]].concat()),
        };
        let parts = [
            vec![2, 1, 1],
            identifier,
            self.hash.algorithm(),
            attributes,
            scheme,
            pieces(Style::Definite, 4, &signature),
        ];
        tlv(style, 0x30, &parts.concat())
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        self.message_with_signers(1)
    }

    pub(crate) fn message_with_signers(&self, signers: usize) -> Vec<u8> {
        let style = self.style;
        let mut encapsulated = oid("1.2.840.113549.1.7.1");
        if !self.detached {
            encapsulated.extend(tlv(style, 0xa0, &pieces(style, 4, self.content)));
        }
        let infos = self.signer_info().repeat(signers);
        let parts = [
            vec![2, 1, 1],
            tlv(style, 0x31, &self.hash.algorithm()),
            tlv(style, 0x30, &encapsulated),
            tlv(style, 0xa0, self.certificate),
            tlv(style, 0x31, &infos),
        ];
        let data = tlv(style, 0x30, &parts.concat());
        let wrapped = [oid("1.2.840.113549.1.7.2"), tlv(style, 0xa0, &data)].concat();
        tlv(style, 0x30, &wrapped)
    }
}

/// A cipher of the envelope.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wrap {
    Des,
    TripleDes,
    Aes128,
    Aes256,
}

impl Wrap {
    fn parts(self) -> (Cipher, &'static str, usize) {
        match self {
            Wrap::Des => (Cipher::des_cbc(), "1.3.14.3.2.7", 8),
            Wrap::TripleDes => (Cipher::des_ede3_cbc(), "1.2.840.113549.3.7", 24),
            Wrap::Aes128 => (Cipher::aes_128_cbc(), "2.16.840.1.101.3.4.1.2", 16),
            Wrap::Aes256 => (Cipher::aes_256_cbc(), "2.16.840.1.101.3.4.1.42", 32),
        }
    }
}

/// An EnvelopedData for the holder of a certificate.
pub(crate) fn envelope(style: Style, wrap: Wrap, recipient: &[u8], content: &[u8]) -> Vec<u8> {
    let (cipher, identifier, key_length) = wrap.parts();
    let key: Vec<u8> = (1u8..).take(key_length).collect();
    let iv = vec![9; cipher.iv_len().unwrap()];
    let certificate = X509::from_der(recipient).unwrap();
    let rsa = certificate.public_key().unwrap().rsa().unwrap();
    let mut transported = vec![0; rsa.size() as usize];
    rsa.public_encrypt(&key, &mut transported, Padding::PKCS1).unwrap();
    let serial = certificate.serial_number().to_bn().unwrap().to_vec();
    let issuer = certificate.issuer_name().to_der().unwrap();
    let info = [
        vec![2, 1, 0],
        tlv(style, 0x30, &[issuer, der(2, &serial)].concat()),
        der(0x30, &[oid("1.2.840.113549.1.1.1"), vec![5, 0]].concat()),
        pieces(style, 4, &transported),
    ];
    let ciphertext = encrypt(cipher, &key, Some(&iv), content).unwrap();
    let encrypted = [
        oid("1.2.840.113549.1.7.1"),
        der(0x30, &[oid(identifier), der(4, &iv)].concat()),
        pieces(style, 0x80, &ciphertext),
    ];
    let data =
        [vec![2, 1, 0], tlv(style, 0x31, &tlv(style, 0x30, &info.concat())), tlv(style, 0x30, &encrypted.concat())];
    let data = tlv(style, 0x30, &data.concat());
    let wrapped = [oid("1.2.840.113549.1.7.3"), tlv(style, 0xa0, &data)].concat();
    tlv(style, 0x30, &wrapped)
}

/// A SCEP request, of which tests change one thing at a time.
pub(crate) struct ScepRequest<'a> {
    pub(crate) style: Style,
    pub(crate) hash: Hash,
    pub(crate) wrap: Wrap,
    pub(crate) message_type: &'a str,
    pub(crate) csr: Vec<u8>,
    pub(crate) signer_key: &'a PKey<Private>,
    pub(crate) signer_certificate: Vec<u8>,
    pub(crate) recipient: Vec<u8>,
}

pub(crate) const TRANSACTION: &str = "0E7A/+=transaction";
pub(crate) const NONCE: [u8; 16] = *b"sixteen bytes it";

impl ScepRequest<'_> {
    pub(crate) fn message(&self) -> Vec<u8> {
        let content = envelope(self.style, self.wrap, &self.recipient, &self.csr);
        let scep = |last: u8| format!("2.16.840.1.113733.1.9.{last}");
        let (kind, nonce, transaction) = (scep(2), scep(5), scep(7));
        Signed {
            style: self.style,
            hash: self.hash,
            key: self.signer_key,
            certificate: &self.signer_certificate,
            content: &content,
            detached: false,
            attributes: Some(vec![
                (&kind, der(0x13, self.message_type.as_bytes())),
                (&nonce, der(4, &NONCE)),
                (&transaction, der(0x13, TRANSACTION.as_bytes())),
            ]),
        }
        .message()
    }
}
