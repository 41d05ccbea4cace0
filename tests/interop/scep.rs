//! SCEP with clients that were not written with this server in mind: Debian's `scep` and strongSwan's `pki`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beadle_server::demo::{Council, Town};
use beadle_simulator::apple::keys::KeyPool;
use beadle_simulator::apple::phone::{EnrolmentProfile, Phone, ScepAttempt, SentScep};
use beadle_tests::databases;
use chrono::Duration;
use diesel::RunQueryDsl as _;
use diesel::sql_types::BigInt;
use openssl::pkey::PKey;
use openssl::x509::X509;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::forward::plain_door;
use crate::{installed, read};

/// A town with one council, and people who keep accepting invitations.
struct Scene {
    folder: tempfile::TempDir,
    town: Town,
    council: Council,
}

/// Plays in a scene of its own on each database.
async fn on_each(play: impl AsyncFn(&Scene)) {
    for place in databases() {
        let folder = tempfile::tempdir().expect("a folder");
        let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
        let council = town.council("zennor", "Zennor Parish Council", "council-template").await.expect("a council");
        let mut scene = Scene { folder, town, council };
        play(&scene).await;
        scene.town.server.take().expect("runs").stop().await.expect("stops");
    }
}

impl Scene {
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
    on_each(async |scene: &Scene| {
        // It asks libcurl, which trusts the system's authorities alone; so it speaks plainly to a door in front of TLS.
        let door = plain_door(&scene.town.addresses[0], &scene.town.root_pem).await;
        let client = Strongswan::new(scene, scene.url(&format!("http://{door}"))).await;
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
        assert_eq!(
            again.to_der().expect("encodes"),
            certificate.to_der().expect("encodes"),
            "with the same certificate"
        );

        let challenge = scene.challenge("ZPC-002").await;
        scene.a_quarter_of_an_hour_passes();
        client.enrol(&second, &challenge).await.expect_err("an expired challenge");
        assert_eq!(scene.issued(), 1);
    })
    .await;
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
    on_each(async |scene: &Scene| {
        let client = Scepclient::new(scene);
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
        let answer = authority_by(scene).await;
        assert_eq!(&*answer.digest(openssl::hash::MessageDigest::sha1()).expect("digests"), fingerprint);
        assert!(belongs(&certificate, &client.key("first"), &answer));
        assert_eq!(scene.issued(), 1);

        client.enrol("second", &challenge).await.expect_err("a used challenge with another key");
        assert_eq!((scene.issued(), scene.alerts().await), (1, 1), "none is issued, and somebody is told");
        scene.a_quarter_of_an_hour_passes();
        let late = profile.scep.challenge.expect("a challenge");
        client.enrol("second", &late).await.expect_err("an expired challenge");
        assert_eq!(scene.issued(), 1);
    })
    .await;
}

/// GetCACert, over TLS.
async fn authority_by(scene: &Scene) -> X509 {
    let root = reqwest::Certificate::from_pem(scene.town.root_pem.as_bytes()).expect("a root");
    let client = reqwest::Client::builder().tls_certs_merge([root]).build().expect("a client");
    let url = format!("{}?operation=GetCACert", scene.url(&scene.town.addresses[0]));
    let answer = client.get(url).send().await.expect("answers").bytes().await.expect("a certificate");
    X509::from_der(&answer).expect("a certificate")
}

/// Sends one message by eight tasks that wait for each other; the different certificates that come back.
async fn at_once(phone: Arc<Phone>, sent: &SentScep) -> BTreeSet<Vec<u8>> {
    const LINES: usize = 8;
    let start = Arc::new(tokio::sync::Barrier::new(LINES));
    let mut lines = JoinSet::new();
    for line in 0..LINES {
        let (phone, sent, start) = (Arc::clone(&phone), sent.clone(), Arc::clone(&start));
        lines.spawn(async move {
            start.wait().await;
            let certificate = phone.send_scep(&sent, line % 2 == 1).await.expect("a certificate");
            certificate.to_der().expect("encodes")
        });
    }
    lines.join_all().await.into_iter().collect()
}

/// Renewals by the old identity alone, without a challenge: each new key is a new certificate, but not without end.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_renews_itself_near_its_end_five_times_and_no_more() {
    on_each(async |scene: &Scene| {
        let (mut phone, profile) = scene.profile("ZPC-001").await;
        phone.install_enrolment(&profile, &ScepAttempt::default()).await.expect("enrols");
        let identity = phone.identity().expect("an identity").clone();
        let by_itself = |key| ScepAttempt {
            challenge: Some(String::new()),
            key,
            message_type: Some("17".to_owned()),
            signed_by: Some(identity.clone()),
            ..ScepAttempt::default()
        };
        phone.scep_enrol(&profile, &by_itself(None)).await.expect_err("nobody asked, and it is good for a year");
        assert_eq!(scene.issued(), 1);
        scene.town.clock.advance(Duration::days(365 - 45));
        const KEYS: usize = 8;
        let keys = KeyPool::generate(KEYS).expect("keys");
        let mut attempts = Vec::new();
        for _ in 0..KEYS {
            let key = Some(keys.take().expect("a key"));
            attempts.push(phone.scep_enrol(&profile, &by_itself(key)).await);
        }
        let granted = attempts.iter().filter(|attempt| attempt.is_ok()).count();
        assert_eq!(granted, 5, "of {KEYS}");
        assert!(attempts[granted..].iter().all(Result::is_err), "once it is enough, it is enough");
        assert_eq!(scene.issued(), 1 + i64::try_from(granted).expect("a few"));
        // A month later, or with a challenge of the server's own, it goes on.
        scene.town.clock.advance(Duration::days(31));
        phone.scep_enrol(&profile, &by_itself(None)).await.expect("a month later");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_very_same_message_gets_the_very_same_certificate() {
    on_each(async |scene: &Scene| {
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
        let again = at_once(Arc::new(phone), &sent).await;
        assert_eq!(again.into_iter().collect::<Vec<_>>(), [expected], "late and at once, the same");
        assert_eq!(scene.issued(), 1, "and never a second");

        // A message that is sent by several lines at once before any was answered is one certificate, too.
        let (mut phone, profile) = scene.profile("ZPC-002").await;
        let first = phone.prepare_scep(&profile, &ScepAttempt::default()).await.expect("a request");
        assert_eq!(scene.issued(), 1);
        let phone = Arc::new(phone);
        assert_eq!(at_once(Arc::clone(&phone), &first).await.len(), 1, "all get the same");
        assert_eq!(scene.issued(), 2);

        // And so is the same key in another message.
        let mut phone = Arc::into_inner(phone).expect("nobody else has it");
        let attempt = ScepAttempt { key: Some(first.key.clone()), ..ScepAttempt::default() };
        let second = phone.scep_enrol(&profile, &attempt).await.expect("the same key in a new message");
        let first = phone.send_scep(&first, false).await.expect("the same");
        assert_eq!(first.to_der().expect("encodes"), second.certificate.to_der().expect("encodes"));
        assert_eq!(scene.issued(), 2);
    })
    .await;
}
