//! A passkey made of nothing but arithmetic, which can also lie.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use openssl::sign::Signer;
use serde_json::{Value, json};

#[derive(Clone)]
pub(super) struct SoftKey {
    key: PKey<Private>,
    id: Vec<u8>,
    user: String,
    pub(super) origin: String,
    pub(super) name: String,
    pub(super) verifies: bool,
    pub(super) counter: u32,
}

impl SoftKey {
    pub(super) fn new(name: &str) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let key = EcKey::generate(&group).expect("a key");
        Self {
            id: sha256(&key.private_key().to_vec()).to_vec(),
            key: PKey::from_ec_key(key).expect("a key"),
            user: String::new(),
            origin: format!("https://{name}"),
            name: name.to_owned(),
            verifies: true,
            counter: 1,
        }
    }

    fn data(&self, attested: &[u8]) -> Vec<u8> {
        let flags = 0x01 | if self.verifies { 0x04 } else { 0 } | if attested.is_empty() { 0 } else { 0x40 };
        let mut data = sha256(self.name.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data.extend(attested);
        data
    }

    fn client(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["publicKey"]["challenge"];
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    /// What `navigator.credentials.create` would give, as the script writes it.
    pub(super) fn create(&mut self, options: &Value) -> String {
        self.user = options["publicKey"]["user"]["id"].as_str().expect("an id").to_owned();
        let key = self.key.ec_key().expect("a key");
        let (mut x, mut y) = (BigNum::new().expect("x"), BigNum::new().expect("y"));
        let mut context = BigNumContext::new().expect("a context");
        key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context).expect("a point");
        let mut attested = vec![0; 16];
        attested.extend([0, 32]);
        attested.extend(&self.id);
        attested.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        attested.extend(x.to_vec_padded(32).expect("x"));
        attested.extend([0x22, 0x58, 0x20]);
        attested.extend(y.to_vec_padded(32).expect("y"));
        let data = self.data(&attested);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).expect("short"));
        object.extend(data);
        let client = self.client("webauthn.create", options);
        self.written(&json!({
            "attestationObject": URL_SAFE_NO_PAD.encode(object), "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
        }))
    }

    /// What `navigator.credentials.get` would give.
    pub(super) fn get(&mut self, options: &Value) -> String {
        self.counter += 1;
        let (data, client) = (self.data(&[]), self.client("webauthn.get", options));
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).expect("a signer");
        signer.update(&data).expect("signs");
        signer.update(&sha256(&client)).expect("signs");
        self.written(&json!({
            "authenticatorData": URL_SAFE_NO_PAD.encode(data), "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            "signature": URL_SAFE_NO_PAD.encode(signer.sign_to_vec().expect("signs")), "userHandle": self.user,
        }))
    }

    fn written(&self, response: &Value) -> String {
        let id = URL_SAFE_NO_PAD.encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response }).to_string()
    }
}
