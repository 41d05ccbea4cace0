//! SCEP with clients that were not written with this server in mind: Debian's `scep` and strongSwan's `pki`.

use std::path::{Path, PathBuf};

use beadle_server::demo::{Council, Town};
use beadle_simulator::apple::phone::{EnrolmentProfile, Phone, ScepAttempt};
use chrono::Duration;
use diesel::RunQueryDsl as _;
use diesel::sql_types::BigInt;
use openssl::pkey::PKey;
use openssl::x509::X509;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::forward::plain_door;
use crate::{installed, read};

/// A town with one council, and people who keep accepting invitations.
struct Scene {
    folder: tempfile::TempDir,
    town: Town,
    council: Council,
}

impl Scene {
    async fn set(slug: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let town = Town::start(folder.path(), |_| {}).await.expect("a town");
        let council = town.council(slug, "Zennor Parish Council", "council-template").await.expect("a council");
        Self { folder, town, council }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new invitation's profile, fetched as a phone does, and the phone.
    async fn profile(&self, tag: &str) -> (Phone, EnrolmentProfile) {
        let options = self.town.phone_options(tag);
        let invited =
            self.town.invite(&self.council, tag, &format!("Holder of {tag}"), &options).await.expect("invites");
        let mut phone = Phone::new(options).expect("a phone");
        let profile = phone.fetch_profile(&invited.link).await.expect("a profile");
        (phone, profile)
    }

    async fn challenge(&self, tag: &str) -> String {
        self.profile(tag).await.1.scep.challenge.expect("a challenge")
    }

    fn url(&self, base: &str) -> String {
        format!("{base}/scep/{}", self.council.id)
    }

    /// How many certificates were ever issued to devices.
    fn issued(&self) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            number: i64,
        }
        let server = self.town.server.as_ref().expect("runs in this process");
        server
            .app
            .database
            .with_own_connection(|connection| {
                Ok(diesel::sql_query("SELECT count(*) AS number FROM certificates").get_result::<Row>(connection)?)
            })
            .expect("counts")
            .number
    }

    async fn alerts(&self) -> usize {
        let path = format!("/councils/{}/alerts", self.council.id);
        let alerts = self.council.clerk.api.get(&path).await.expect("alerts");
        let items = alerts.get("items").and_then(Value::as_array).expect("a list");
        items.iter().filter(|alert| alert.to_string().contains("identity_request_refused")).count()
    }

    /// Makes a challenge run out; what people did before stays valid.
    fn a_quarter_of_an_hour_passes(&self) {
        self.town.clock.advance(Duration::minutes(16));
    }

    async fn end(self) {
        self.town.server.expect("runs").stop().await.expect("stops");
    }
}

/// Whether `certificate` is for the private key in `key` and from the council's authority; both files PEM or DER.
fn belongs(certificate: &X509, key: &Path, authority: &X509) -> bool {
    let bytes = read(key);
    let key = PKey::private_key_from_pem(&bytes).or_else(|_| PKey::private_key_from_der(&bytes)).expect("a key");
    let issuer = authority.public_key().expect("a key");
    certificate.public_key().expect("a key").public_eq(&key) && certificate.verify(&issuer).expect("checks")
}

/// strongSwan's `pki --scep`, with a key of its own in `folder`.
struct Strongswan {
    url: String,
    authority: PathBuf,
    folder: PathBuf,
}

impl Strongswan {
    async fn new(scene: &Scene, url: String) -> Self {
        let folder = scene.path("strongswan");
        std::fs::create_dir(&folder).expect("a folder");
        let authority = folder.join("authority.pem");
        let fetched = Command::new("pki")
            .args(["--scepca", "--outform", "pem", "--url", &url, "--caout"])
            .arg(&authority)
            .output()
            .await
            .expect("runs");
        assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
        // Where the authority is one certificate the file has the name asked for.
        assert!(authority.exists(), "the authority's certificate was written");
        Self { url, authority, folder }
    }

    async fn key(&self, name: &str) -> PathBuf {
        let made = Command::new("pki").args(["--gen", "--type", "rsa", "--size", "2048"]).output().await.expect("runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let file = self.folder.join(name);
        std::fs::write(&file, made.stdout).expect("writes");
        file
    }

    async fn enrol(&self, key: &Path, challenge: &str) -> Result<X509, String> {
        let output = Command::new("pki")
            .args(["--scep", "--dn", "CN=strongSwan", "--maxpolltime", "1", "--outform", "pem"])
            .args(["--url", &self.url, "--password", challenge, "--in"])
            .arg(key)
            .arg("--cacert-enc")
            .arg(&self.authority)
            .arg("--cacert-sig")
            .arg(&self.authority)
            .output()
            .await
            .expect("runs");
        if output.status.success() {
            return X509::from_pem(&output.stdout).map_err(|problem| problem.to_string());
        }
        assert!(output.stdout.is_empty(), "a refusal comes without a certificate");
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strongswan_enrols_once_per_challenge() {
    if !installed("pki", &["--help"]) {
        return;
    }
    let scene = Scene::set("zennor").await;
    // It asks libcurl, which trusts the system's authorities alone; so it speaks plainly to a door in front of TLS.
    let door = plain_door(&scene.town.addresses[0], &scene.town.root_pem).await;
    let client = Strongswan::new(&scene, scene.url(&format!("http://{door}"))).await;
    let authority = X509::from_pem(&read(&client.authority)).expect("the authority");
    let (first, second) = (client.key("first").await, client.key("second").await);

    let challenge = scene.challenge("ZPC-001").await;
    let refused = client.enrol(&first, "not the challenge").await.expect_err("a wrong challenge");
    println!("strongSwan on a wrong challenge: {refused}");
    assert_eq!(scene.issued(), 0);
    let certificate = client.enrol(&first, &challenge).await.expect("a certificate");
    assert!(belongs(&certificate, &first, &authority));
    assert_eq!(scene.issued(), 1);

    client.enrol(&second, &challenge).await.expect_err("a used challenge with another key");
    assert_eq!((scene.issued(), scene.alerts().await), (1, 1), "none is issued, and somebody is told");
    let again = client.enrol(&first, &challenge).await.expect("the same key is answered again");
    assert_eq!(again.to_der().expect("encodes"), certificate.to_der().expect("encodes"), "with the same certificate");

    let challenge = scene.challenge("ZPC-002").await;
    scene.a_quarter_of_an_hour_passes();
    client.enrol(&second, &challenge).await.expect_err("an expired challenge");
    assert_eq!(scene.issued(), 1);
    scene.end().await;
}

/// Debian's `scepclient`, over TLS.
struct Scepclient {
    url: String,
    root: PathBuf,
    folder: PathBuf,
}

impl Scepclient {
    fn new(scene: &Scene) -> Self {
        let (folder, root) = (scene.path("scepclient"), scene.path("root.pem"));
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(&root, &scene.town.root_pem).expect("writes");
        Self { url: scene.url(&scene.town.addresses[0]), root, folder }
    }

    /// Asks for a certificate with the key `name`, which is made when there is none.
    async fn enrol(&self, name: &str, challenge: &str) -> Result<X509, String> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        // It keeps its request and its own certificate beside the key; a fresh start asks with this challenge.
        for old in ["csr.pem", "self.pem", "certificate.pem"] {
            let _ = std::fs::remove_file(folder.join(old));
        }
        let output = Command::new("scepclient")
            .current_dir(&folder)
            .env("SSL_CERT_FILE", &self.root)
            .args(["-server-url", &self.url, "-challenge", challenge, "-cn", name])
            .args(["-private-key", "key.pem", "-certificate", "certificate.pem", "-debug"])
            .output()
            .await
            .expect("runs");
        let file = folder.join("certificate.pem");
        if output.status.success() && file.exists() {
            return X509::from_pem(&read(&file)).map_err(|problem| problem.to_string());
        }
        assert!(!file.exists(), "a refusal comes without a certificate");
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn key(&self, name: &str) -> PathBuf {
        self.folder.join(name).join("key.pem")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn debians_scepclient_enrols_where_old_clients_are_let_in() {
    if !installed("scepclient", &["-version"]) {
        return;
    }
    let scene = Scene::set("zennor").await;
    let client = Scepclient::new(&scene);
    let challenge = scene.challenge("ZPC-001").await;
    let refused = client.enrol("first", &challenge).await.expect_err("it speaks DES, which is not let in unasked");
    println!("scepclient without scep_legacy: {refused}");
    assert_eq!(scene.issued(), 0);

    let provider = &scene.town.provider.api;
    let path = format!("/councils/{}", scene.council.id);
    provider.patch(&path, json!({ "scep_legacy": true })).await.expect("lets old clients in");
    client.enrol("first", "not the challenge").await.expect_err("a wrong challenge");
    assert_eq!(scene.issued(), 0);
    let certificate = client.enrol("first", &challenge).await.expect("a certificate");
    let (_, profile) = scene.profile("ZPC-002").await;
    let fingerprint = profile.scep.fingerprint.as_deref().expect("the profile names the authority");
    let answer = authority_by(&scene).await;
    assert_eq!(&*answer.digest(openssl::hash::MessageDigest::sha1()).expect("digests"), fingerprint);
    assert!(belongs(&certificate, &client.key("first"), &answer));
    assert_eq!(scene.issued(), 1);

    client.enrol("second", &challenge).await.expect_err("a used challenge with another key");
    assert_eq!((scene.issued(), scene.alerts().await), (1, 1), "none is issued, and somebody is told");
    scene.a_quarter_of_an_hour_passes();
    let late = profile.scep.challenge.expect("a challenge");
    client.enrol("second", &late).await.expect_err("an expired challenge");
    assert_eq!(scene.issued(), 1);
    scene.end().await;
}

/// GetCACert, over TLS.
async fn authority_by(scene: &Scene) -> X509 {
    let root = reqwest::Certificate::from_pem(scene.town.root_pem.as_bytes()).expect("a root");
    let client = reqwest::Client::builder().tls_certs_merge([root]).build().expect("a client");
    let url = format!("{}?operation=GetCACert", scene.url(&scene.town.addresses[0]));
    let answer = client.get(url).send().await.expect("answers").bytes().await.expect("a certificate");
    X509::from_der(&answer).expect("a certificate")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_very_same_message_gets_the_very_same_certificate() {
    let scene = Scene::set("zennor").await;
    let (mut phone, profile) = scene.profile("ZPC-001").await;
    let identity = phone.scep_enrol(&profile, &ScepAttempt::default()).await.expect("a certificate");
    let sent = phone.last_scep().expect("sent").clone();
    // By POST and by GET, at once and after the challenge ran out, and many at a time.
    let expected = identity.certificate.to_der().expect("encodes");
    for by_get in [false, true] {
        let again = phone.send_scep(&sent, by_get).await.expect("the same");
        assert_eq!(again.to_der().expect("encodes"), expected);
    }
    scene.a_quarter_of_an_hour_passes();
    let (one, two, three) =
        tokio::join!(phone.send_scep(&sent, false), phone.send_scep(&sent, false), phone.send_scep(&sent, true));
    for again in [one, two, three] {
        assert_eq!(again.expect("the same").to_der().expect("encodes"), expected);
    }
    assert_eq!(scene.issued(), 1, "and never a second");

    // A first message sent by three lines at once is one certificate too.
    let (mut phone, profile) = scene.profile("ZPC-002").await;
    phone
        .scep_enrol(&profile, &ScepAttempt { challenge: Some("wrong".to_owned()), ..ScepAttempt::default() })
        .await
        .expect_err("a wrong challenge");
    assert_eq!(scene.issued(), 1);
    let key = phone.last_scep().expect("sent").key.clone();
    let attempt = ScepAttempt { key: Some(key), ..ScepAttempt::default() };
    let first = phone.scep_enrol(&profile, &attempt).await.expect("a certificate");
    let second = phone.scep_enrol(&profile, &attempt).await.expect("the same key in a new message");
    assert_eq!(first.certificate.to_der().expect("encodes"), second.certificate.to_der().expect("encodes"));
    assert_eq!(scene.issued(), 2);
    scene.end().await;
}
