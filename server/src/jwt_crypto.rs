//! The cryptography of JSON Web Tokens on OpenSSL: HS256 for the API's own tokens, RS256 for what Google is asked with.
//!
//! The library has one provider for the process, so both live here; whoever signs or verifies calls [`install`] first.
//! RS256 is for signing only: Beadle verifies no token but its own.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use zeroize::Zeroizing;

/// HMAC-SHA-256 with a key of the caller's.
struct Hs256(Zeroizing<Vec<u8>>);

impl Hs256 {
    fn mac(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let sign = || {
            let key = PKey::hmac(&self.0)?;
            let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &key)?;
            signer.sign_oneshot_to_vec(message)
        };
        sign().map_err(signature::Error::from_source)
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.mac(message)
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], given: &Vec<u8>) -> Result<(), signature::Error> {
        let right = self.mac(message)?;
        if right.len() == given.len() && openssl::memcmp::eq(&right, given) {
            Ok(())
        } else {
            Err(signature::Error::new())
        }
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3).
struct Rs256(PKey<Private>);

impl Rs256 {
    fn from_der(der: &[u8]) -> Result<Self, jsonwebtoken::errors::Error> {
        let key = PKey::private_key_from_der(der).ok().filter(|key| key.rsa().is_ok());
        key.map(Self).ok_or_else(|| ErrorKind::InvalidKeyFormat.into())
    }
}

impl Signer<Vec<u8>> for Rs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let sign = || -> Result<Vec<u8>, ErrorStack> {
            let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &self.0)?;
            signer.sign_oneshot_to_vec(message)
        };
        sign().map_err(signature::Error::from_source)
    }
}

impl JwtSigner for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Hs256(Zeroizing::new(key.as_bytes().to_vec())))),
        (Algorithm::RS256, AlgorithmFamily::Rsa) => Ok(Box::new(Rs256::from_der(key.as_bytes())?)),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => {
            Ok(Box::new(Hs256(Zeroizing::new(key.try_get_as_bytes()?.to_vec()))))
        }
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes this the process's provider; a second installation is refused by the library, which is as good.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if PROVIDER.install_default().is_err() {
            tracing::warn!("another provider of JWT cryptography was installed before");
        }
    });
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
    use openssl::rsa::Rsa;
    use openssl::sign::Verifier;

    use super::*;

    #[test]
    fn a_signature_is_right_for_an_implementation_that_is_not_ours() {
        install();
        let rsa = Rsa::generate(2048).expect("a key");
        let key = EncodingKey::from_rsa_der(&rsa.private_key_to_der().expect("DER"));
        let claims = serde_json::json!({ "iss": "somebody" });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).expect("signs");
        let (message, given) = token.rsplit_once('.').expect("three parts");
        let given = unbase64(given);
        let public = PKey::from_rsa(rsa).expect("a key");
        let mut verifier = Verifier::new(MessageDigest::sha256(), &public).expect("a verifier");
        assert!(verifier.verify_oneshot(&given, message.as_bytes()).expect("verifies"));
    }

    #[test]
    fn other_algorithms_and_keys_of_another_kind_are_refused() {
        install();
        let claims = serde_json::json!({ "exp": 1 });
        let rsa = EncodingKey::from_rsa_der(b"not a key");
        for (algorithm, key) in [
            (Algorithm::HS512, EncodingKey::from_secret(b"secret")),
            (Algorithm::RS512, rsa.clone()),
            (Algorithm::RS256, rsa),
        ] {
            assert!(jsonwebtoken::encode(&Header::new(algorithm), &claims, &key).is_err(), "{algorithm:?}");
        }
        // The classic confusion: a public RSA key offered as the secret of an HMAC, and the other way round.
        let own = jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(b"k")).expect("signs");
        let mut rules = Validation::new(Algorithm::RS256);
        rules.validate_exp = false;
        let public = DecodingKey::from_rsa_der(b"k");
        assert!(jsonwebtoken::decode::<serde_json::Value>(&own, &public, &rules).is_err());
    }

    fn unbase64(text: &str) -> Vec<u8> {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).expect("base64url")
    }
}
