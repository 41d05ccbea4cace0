//! Apple's certificate portal in small: a vendor signs a council's request, and the portal makes the push certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::pkey::{HasPublic, PKeyRef};
use openssl::sign::Verifier;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509Req, X509StoreContext};

use super::{PushService, issuer, new_topic, pem};
use crate::apple::certificate::{self, DAY, Issuer, Purpose, elliptic_key, issue, name};
use crate::apple::keys::rsa_key;
use crate::{Error, Result};

const BEYOND: i64 = 20 * 365 * DAY;

/// The stand-in for Apple's own authorities.
pub(crate) struct Authorities {
    pub(crate) root: Issuer,
    pub(crate) developer_relations: Issuer,
    pub(crate) application_integration: Issuer,
    pub(crate) server: Issuer,
}

impl Authorities {
    pub(crate) fn new(now: i64) -> Result<Self> {
        let valid = (now - DAY, now + BEYOND);
        let root_key = elliptic_key()?;
        let root_name = name(&[("C", "US"), ("O", "Stand-in for Apple"), ("CN", "Stand-in Root CA")])?;
        let root = issue(&root_name, &root_key, None, Some(&root_key), Purpose::Authority, valid)?;
        let root = issuer(root, root_key);
        let below = |common_name: &str, purpose: Purpose| -> Result<Issuer> {
            let key = elliptic_key()?;
            let subject = name(&[("C", "US"), ("O", "Stand-in for Apple"), ("CN", common_name)])?;
            let made = issue(&subject, &key, Some(&root), None, purpose, valid)?;
            Ok(issuer(made, key))
        };
        Ok(Self {
            developer_relations: below("Stand-in Worldwide Developer Relations CA", Purpose::Authority)?,
            application_integration: below("Stand-in Application Integration 2 CA", Purpose::Authority)?,
            server: below("127.0.0.1", Purpose::LoopbackServer)?,
            root,
        })
    }
}

/// A push certificate with its key and topic.
#[derive(Debug, Clone)]
pub struct PushCertificate {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The private key, PKCS #8 PEM; empty when the request came from outside and the key stayed there.
    pub private_key_pem: String,
    /// The topic: the subject's UID.
    pub topic: String,
}

/// A vendor's signing certificate as Apple gives it to MDM vendors.
#[derive(Debug, Clone)]
pub struct VendorCertificate {
    /// The vendor's own certificate, PEM.
    pub certificate_pem: String,
    /// Certificate, intermediate and root, PEM, in that order.
    pub chain_pem: String,
    /// The private key, PKCS #8 PEM.
    pub private_key_pem: String,
}

impl PushService {
    /// A push certificate with a fresh RSA key, a new topic and a year's validity; the service admits it.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when OpenSSL refuses.
    pub fn mint_push_certificate(&self) -> Result<PushCertificate> {
        let now = self.clock().unix();
        self.mint_push_certificate_with(&new_topic(), (now - DAY, now + 365 * DAY))
    }

    /// The same with a chosen topic and validity (seconds since 1970), which may have passed.
    ///
    /// # Errors
    /// As [`PushService::mint_push_certificate`].
    pub fn mint_push_certificate_with(&self, topic: &str, valid: (i64, i64)) -> Result<PushCertificate> {
        let key = rsa_key(2048)?;
        let certificate = self.issue_push_certificate(&key, topic, valid)?;
        let private_key_pem = String::from_utf8_lossy(&key.private_key_to_pem_pkcs8()?).into_owned();
        Ok(PushCertificate { certificate_pem: pem(&certificate)?, private_key_pem, topic: topic.to_owned() })
    }

    /// A push certificate for a request (PEM or DER) whose key stays with the asker.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the request is not signed by its own key.
    pub fn mint_push_certificate_for(&self, request: &[u8], topic: &str, valid: (i64, i64)) -> Result<PushCertificate> {
        let request = X509Req::from_pem(request).or_else(|_| X509Req::from_der(request))?;
        let public = request.public_key()?;
        if !request.verify(&public)? {
            return Err(Error::Malformed("the certificate request is not signed by its own key"));
        }
        let certificate = self.issue_push_certificate(&public, topic, valid)?;
        Ok(PushCertificate {
            certificate_pem: pem(&certificate)?,
            private_key_pem: String::new(),
            topic: topic.to_owned(),
        })
    }

    fn issue_push_certificate<T: HasPublic>(&self, key: &PKeyRef<T>, topic: &str, valid: (i64, i64)) -> Result<X509> {
        let common_name = format!("APSP:{}", topic.rsplit('.').next().unwrap_or(topic));
        let subject = name(&[("UID", topic), ("CN", &common_name), ("C", "US")])?;
        let signer = &self.authorities().application_integration;
        let certificate = issue(&subject, key, Some(signer), None, Purpose::Client, valid)?;
        self.admit_certificate(&certificate)?;
        Ok(certificate)
    }

    /// A vendor certificate under this stand-in's root.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when OpenSSL refuses.
    pub fn mint_vendor_certificate(&self) -> Result<VendorCertificate> {
        let key = rsa_key(2048)?;
        let now = self.clock().unix();
        let subject = name(&[("CN", "MDM Vendor: Stand-in Provider"), ("O", "Stand-in Provider"), ("C", "GB")])?;
        let signer = &self.authorities().developer_relations;
        let made = issue(&subject, &key, Some(signer), None, Purpose::Signer, (now - DAY, now + 365 * DAY))?;
        let certificate_pem = pem(&made)?;
        let root = pem(&self.authorities().root.certificate)?;
        Ok(VendorCertificate {
            chain_pem: format!("{certificate_pem}{}{root}", pem(&signer.certificate)?),
            certificate_pem,
            private_key_pem: String::from_utf8_lossy(&key.private_key_to_pem_pkcs8()?).into_owned(),
        })
    }

    /// Does what Apple's portal does with an uploaded request: base64 of a property list with `PushCertRequestCSR`
    /// (base64 DER), `PushCertCertificateChain` (PEM) and `PushCertSignature` (base64, SHA-256 with RSA over the DER).
    /// Answers a certificate for a new topic, or for `renewing`'s.
    ///
    /// # Errors
    /// [`Error::Malformed`] naming what the portal would refuse.
    pub fn portal_sign(&self, vendor_signed: &str, renewing: Option<&str>) -> Result<PushCertificate> {
        let compact: String = vendor_signed.split_whitespace().collect();
        let list = STANDARD.decode(compact).map_err(|_| Error::Malformed("the upload is not base64"))?;
        let list: plist::Value = plist::from_bytes(&list)?;
        let list = list.as_dictionary().ok_or(Error::Malformed("the upload is not a dictionary"))?;
        let field = |key: &str, what| list.get(key).and_then(plist::Value::as_string).ok_or(Error::Malformed(what));
        let request = STANDARD
            .decode(field("PushCertRequestCSR", "PushCertRequestCSR is missing")?)
            .map_err(|_| Error::Malformed("PushCertRequestCSR is not base64"))?;
        let signature = STANDARD
            .decode(field("PushCertSignature", "PushCertSignature is missing")?)
            .map_err(|_| Error::Malformed("PushCertSignature is not base64"))?;
        let chain = X509::stack_from_pem(field("PushCertCertificateChain", "the chain is missing")?.as_bytes())?;
        let vendor = chain.first().ok_or(Error::Malformed("the chain is empty"))?;
        self.verify_vendor_chain(vendor, &chain)?;
        let key = vendor.public_key()?;
        if key.rsa().is_err() {
            return Err(Error::Malformed("the vendor's key is not RSA"));
        }
        let mut verifier = Verifier::new(MessageDigest::sha256(), &key)?;
        if !verifier.verify_oneshot(&signature, &request)? {
            return Err(Error::Malformed("PushCertSignature is wrong"));
        }
        if X509Req::from_der(&request)?.public_key()?.rsa()?.size() < 256 {
            return Err(Error::Malformed("the request's key is shorter than 2048 bits"));
        }
        let now = self.clock().unix();
        let topic = renewing.map_or_else(new_topic, str::to_owned);
        self.mint_push_certificate_for(&request, &topic, (now - DAY, now + 365 * DAY))
    }

    fn verify_vendor_chain(&self, vendor: &X509, chain: &[X509]) -> Result<()> {
        let mut store = X509StoreBuilder::new()?;
        store.add_cert(self.authorities().root.certificate.clone())?;
        store.set_flags(X509VerifyFlags::CHECK_SS_SIGNATURE)?;
        let store = store.build();
        let mut others = Stack::new()?;
        for other in chain.iter().skip(1) {
            others.push(other.clone())?;
        }
        let mut context = X509StoreContext::new()?;
        let trusted = context.init(&store, vendor, &others, |context| context.verify_cert())?;
        let root = certificate::fingerprint(&self.authorities().root.certificate)?;
        let complete = chain.last().map(|last| certificate::fingerprint(last)).transpose()? == Some(root);
        if trusted && complete { Ok(()) } else { Err(Error::Malformed("the vendor's chain does not end in the root")) }
    }
}
