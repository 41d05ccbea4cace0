//! A council's server in a hundred lines, just enough for a phone to enrol, be commanded and be failed.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::ssl::{Ssl, SslAcceptor, SslMethod};
use openssl::x509::{X509, X509Req};
use plist::{Dictionary, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_openssl::SslStream;

use crate::Clock;
use crate::apple::certificate::{DAY, Issuer, Purpose, elliptic_key, issue, name};
use crate::apple::cms::{self, ContentCipher, Digest};
use crate::apple::{ber, keys::rsa_key};

pub(super) const TOPIC: &str = "com.apple.mgmt.External.3f6e1f0e-7f2f-4a53-9a0b-2d3f4f6a7b8c";

#[derive(Default)]
pub(super) struct Book {
    pub(super) check_ins: Vec<Dictionary>,
    pub(super) answers: Vec<Dictionary>,
    pub(super) queue: VecDeque<Value>,
    /// Statuses to answer on the MDM address instead of doing anything.
    pub(super) failures: VecDeque<u16>,
    pub(super) issued: Vec<X509>,
    pub(super) undecodable: usize,
    /// Whether a wrong nonce is answered.
    pub(super) wrong_nonce: bool,
    pub(super) challenge: String,
    /// Whether enrolment profiles carry a key that Apple does not know.
    pub(super) invented_key: bool,
}

#[derive(Clone)]
pub(super) struct Council {
    pub(super) url: String,
    authority: Arc<Issuer>,
    pub(super) book: Arc<Mutex<Book>>,
}

impl Council {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let key = rsa_key(2048).unwrap();
        let subject = name(&[("CN", "Council CA")]).unwrap();
        let now = Clock::system().unix();
        let valid = (now - DAY, now + 100 * DAY);
        let certificate = issue(&subject, &key, None, Some(&key), Purpose::Authority, valid).unwrap();
        let council = Self {
            url: format!("https://{}", listener.local_addr().unwrap()),
            authority: Arc::new(Issuer { certificate, key }),
            book: Arc::default(),
        };
        council.book.lock().unwrap().challenge = "first".into();
        let acceptor = council.acceptor();
        let server = council.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = SslStream::new(Ssl::new(acceptor.context()).unwrap(), stream).unwrap();
                let server = server.clone();
                tokio::spawn(async move {
                    if Pin::new(&mut stream).accept().await.is_ok() {
                        server.serve(stream).await;
                    }
                });
            }
        });
        council
    }

    fn acceptor(&self) -> SslAcceptor {
        let key = elliptic_key().unwrap();
        let now = Clock::system().unix();
        let subject = name(&[("CN", "localhost")]).unwrap();
        let purpose = Purpose::LoopbackServer;
        let certificate = issue(&subject, &key, Some(&self.authority), None, purpose, (now - DAY, now + DAY)).unwrap();
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        builder.set_private_key(&key).unwrap();
        builder.set_certificate(&certificate).unwrap();
        builder.build()
    }

    pub(super) fn root_certificate_pem(&self) -> String {
        String::from_utf8(self.authority.certificate.to_pem().unwrap()).unwrap()
    }

    pub(super) fn invitation(&self) -> String {
        format!("{}/invite/abc", self.url)
    }

    pub(super) fn queue(&self, request_type: &str, fields: &[(&str, Value)]) -> String {
        let uuid = uuid::Uuid::new_v4().to_string();
        let mut command = Dictionary::new();
        command.insert("RequestType".into(), request_type.into());
        for (key, value) in fields {
            command.insert((*key).into(), value.clone());
        }
        let mut envelope = Dictionary::new();
        envelope.insert("CommandUUID".into(), uuid.clone().into());
        envelope.insert("Command".into(), Value::Dictionary(command));
        self.book.lock().unwrap().queue.push_back(Value::Dictionary(envelope));
        uuid
    }

    pub(super) fn answers(&self) -> Vec<Dictionary> {
        self.book.lock().unwrap().answers.clone()
    }

    pub(super) fn profile(&self, rights: i64, topic: &str) -> Vec<u8> {
        let fingerprint = self.authority.certificate.digest(MessageDigest::sha256()).unwrap().to_vec();
        let challenge = self.book.lock().unwrap().challenge.clone();
        let payload = |kind: &str, uuid: &str, more: Vec<(&str, Value)>| {
            let mut payload = Dictionary::new();
            payload.insert("PayloadType".into(), kind.into());
            payload.insert("PayloadVersion".into(), 1.into());
            payload.insert("PayloadIdentifier".into(), format!("uk.example.{kind}").into());
            payload.insert("PayloadUUID".into(), uuid.into());
            for (key, value) in more {
                payload.insert(key.into(), value);
            }
            Value::Dictionary(payload)
        };
        let pair = Value::Array(vec!["CN".into(), "phone".into()]);
        let scep: Dictionary = [
            ("URL", format!("{}/scep", self.url).into()),
            ("Name", "council".into()),
            ("Challenge", challenge.into()),
            ("Keysize", 2048.into()),
            ("CAFingerprint", Value::Data(fingerprint)),
            ("Subject", Value::Array(vec![Value::Array(vec![pair])])),
        ]
        .into_iter()
        .map(|(key, value): (&str, Value)| (key.to_owned(), value))
        .collect();
        let identity = "7B1C2A0E-3F44-4E9E-8A55-000000000001";
        let mut mdm = vec![
            ("IdentityCertificateUUID", identity.into()),
            ("Topic", topic.into()),
            ("ServerURL", format!("{}/mdm", self.url).into()),
            ("CheckInURL", format!("{}/checkin", self.url).into()),
            ("SignMessage", true.into()),
            ("CheckOutWhenRemoved", true.into()),
            ("AccessRights", rights.into()),
        ];
        if self.book.lock().unwrap().invented_key {
            mdm.push(("Invented", true.into()));
        }
        let content = Value::Array(vec![
            payload("com.apple.security.scep", identity, vec![("PayloadContent", Value::Dictionary(scep))]),
            payload("com.apple.mdm", "7B1C2A0E-3F44-4E9E-8A55-000000000002", mdm),
        ]);
        let id = "7B1C2A0E-3F44-4E9E-8A55-000000000003";
        let mut xml = Vec::new();
        payload("Configuration", id, vec![("PayloadContent", content)]).to_writer_xml(&mut xml).unwrap();
        let Issuer { key, certificate } = &*self.authority;
        cms::sign_enclosing(Digest::Sha256, key, certificate, &xml, Vec::new()).unwrap()
    }

    async fn serve(self, mut stream: SslStream<TcpStream>) {
        let mut buffer = Vec::new();
        loop {
            let head_end = loop {
                if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    break at + 4;
                }
                if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                    return;
                }
            };
            let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
            let header = |name: &str| {
                let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")));
                line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
            };
            let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
            while buffer.len() < head_end + length {
                if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            let body = buffer[head_end..head_end + length].to_vec();
            buffer.drain(..head_end + length);
            let mut first = head.lines().next().unwrap().split(' ');
            let (method, path) = (first.next().unwrap(), first.next().unwrap());
            let (status, kind, answer) = self.answer(method, path, header("mdm-signature"), &body);
            let head =
                format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", answer.len());
            if stream.write_all(&[head.into_bytes(), answer].concat()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, method: &str, path: &str, signature: Option<String>, body: &[u8]) -> (u16, &'static str, Vec<u8>) {
        match (method, path.split('?').next().unwrap()) {
            ("GET", "/invite/abc") => {
                let page = r#"<form method="post" action="/invite/abc/accept"><input type="hidden" name="notice" value="1"><button>Accept</button></form>"#;
                (200, "text/html; charset=utf-8", page.into())
            }
            ("POST", "/invite/abc/accept") => {
                assert_eq!(body, b"notice=1");
                (200, "text/html", br#"<a href="/invite/abc/apple.mobileconfig">Download</a>"#.to_vec())
            }
            ("GET", "/invite/abc/apple.mobileconfig") => {
                (200, "application/x-apple-aspen-config", self.profile(8191, TOPIC))
            }
            ("GET", "/scep") if path.contains("GetCACaps") => {
                (200, "text/plain", b"POSTPKIOperation\nSHA-256\nAES\nSCEPStandard\nRenewal\n".to_vec())
            }
            ("GET", "/scep") if path.contains("PKIOperation") => {
                let url = reqwest::Url::parse(&format!("http://host{path}")).unwrap();
                let message = url.query_pairs().find(|(key, _)| key == "message").unwrap().1.into_owned();
                (200, "application/x-pki-message", self.scep(&STANDARD.decode(message).unwrap()))
            }
            ("GET", "/scep") => (200, "application/x-x509-ca-cert", self.authority.certificate.to_der().unwrap()),
            ("POST", "/scep") => (200, "application/x-pki-message", self.scep(body)),
            ("PUT", "/checkin") => {
                self.verify(signature, body);
                let message: Dictionary = plist::from_bytes(body).unwrap();
                self.book.lock().unwrap().check_ins.push(message);
                (200, "text/plain", Vec::new())
            }
            ("PUT", "/mdm") => {
                self.verify(signature, body);
                self.command(body)
            }
            _ => (404, "text/plain", Vec::new()),
        }
    }

    fn verify(&self, signature: Option<String>, body: &[u8]) {
        let signature = STANDARD.decode(signature.expect("a signature")).unwrap();
        cms::openssl_verify_detached(&signature, body).expect("a good signature");
    }

    fn command(&self, body: &[u8]) -> (u16, &'static str, Vec<u8>) {
        let mut book = self.book.lock().unwrap();
        if let Some(status) = book.failures.pop_front() {
            return (status, "text/plain", Vec::new());
        }
        match plist::from_bytes::<Dictionary>(body) {
            Ok(message) if message.get("Status").and_then(Value::as_string) != Some("Idle") => {
                book.answers.push(message)
            }
            Ok(_) => {}
            Err(_) => book.undecodable += 1,
        }
        let Some(next) = book.queue.pop_front() else {
            return (200, "text/plain", Vec::new());
        };
        let mut xml = Vec::new();
        next.to_writer_xml(&mut xml).unwrap();
        (200, "application/xml", xml)
    }

    fn scep(&self, message: &[u8]) -> Vec<u8> {
        const VERISIGN: &str = "2.16.840.1.113733.1.9";
        let Issuer { key, certificate } = &*self.authority;
        let request = cms::read_signed(message).unwrap();
        let csr = cms::open_envelope(&request.content, key, certificate).unwrap();
        let challenge = self.book.lock().unwrap().challenge.clone();
        let right = csr.windows(challenge.len()).any(|window| window == challenge.as_bytes());
        let printable = |text: &str| ber::definite(ber::PRINTABLE_STRING, text);
        let mut nonce = request.attribute(&format!("{VERISIGN}.5")).unwrap().to_vec();
        if self.book.lock().unwrap().wrong_nonce {
            nonce[0] ^= 1;
        }
        let transaction = request.attribute(&format!("{VERISIGN}.7")).unwrap();
        let mut attributes = vec![
            cms::attribute(&format!("{VERISIGN}.2"), &printable("3")),
            cms::attribute(&format!("{VERISIGN}.3"), &printable(if right { "0" } else { "2" })),
            cms::attribute(&format!("{VERISIGN}.5"), &ber::definite(ber::OCTET_STRING, [1; 16])),
            cms::attribute(&format!("{VERISIGN}.6"), &ber::definite(ber::OCTET_STRING, nonce)),
            cms::attribute(&format!("{VERISIGN}.7"), &ber::definite(ber::PRINTABLE_STRING, transaction)),
        ];
        let mut content = Vec::new();
        if right {
            let csr = X509Req::from_der(&csr).unwrap();
            let public = csr.public_key().unwrap();
            assert!(csr.verify(&public).unwrap());
            let now = Clock::system().unix();
            let valid = (now - DAY, now + 90 * DAY);
            let issued =
                issue(csr.subject_name(), &public, Some(&self.authority), None, Purpose::Client, valid).unwrap();
            let signed = ber::sequence(&[
                &ber::small_integer(1),
                &ber::definite(ber::SET, []),
                &ber::sequence(&[&ber::object_identifier(cms::DATA)]),
                &ber::definite(ber::CONTEXT_0, issued.to_der().unwrap()),
                &ber::definite(ber::SET, []),
            ]);
            let explicit = ber::definite(ber::CONTEXT_0, signed);
            let degenerate = ber::sequence(&[&ber::object_identifier(cms::SIGNED_DATA), &explicit]);
            content = cms::envelop(ContentCipher::Aes128, &[request.signer.unwrap()], &degenerate).unwrap();
            self.book.lock().unwrap().issued.push(issued);
        } else {
            attributes.push(cms::attribute(&format!("{VERISIGN}.4"), &printable("2")));
        }
        cms::sign_enclosing(Digest::Sha256, key, certificate, &content, attributes).unwrap()
    }
}
