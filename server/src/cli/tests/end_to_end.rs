//! Commands as a person gives them, against a server in this process, and without one.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;

use clap::Parser as _;
use serde_json::Value;
use totp_rs::{Algorithm, Builder};

use crate::cli::{Answer, Cli, Refusal, commands};
use crate::clock::Clock;
use crate::config::Config;
use crate::serve::{Running, start};

/// Someone at a terminal.
#[derive(Default)]
struct Person {
    reads: Vec<String>,
    types: VecDeque<String>,
    seed: Option<String>,
}

tokio::task_local! {
    static PERSON: RefCell<Person>;
}

/// Gives `text` to the person of the test, if there is one.
pub(in crate::cli) fn hear(text: &str) -> bool {
    PERSON
        .try_with(|person| {
            let mut person = person.borrow_mut();
            if let Some(seed) = text.strip_prefix("Secret: ") {
                person.seed = Some(seed.to_owned());
            }
            person.reads.push(text.to_owned());
        })
        .is_ok()
}

/// What the person of the test types when asked `question`.
pub(in crate::cli) fn type_in(question: &str) -> Option<String> {
    PERSON
        .try_with(|person| {
            let mut person = person.borrow_mut();
            match (&person.seed, question) {
                (Some(seed), "The code that the app shows now") => code(seed, 0),
                _ => person.types.pop_front().unwrap_or_else(|| panic!("nothing to type at {question:?}")),
            }
        })
        .ok()
}

/// The code that an authenticator app shows `later` seconds from now (RFC 6238).
fn code(seed: &str, later: u64) -> String {
    let (mut bits, mut held, mut secret) = (0_u32, 0, Vec::new());
    for letter in seed.trim_end_matches('=').bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter).expect("base 32");
        bits = bits << 5 | u32::try_from(value).expect("small");
        held += 5;
        if held >= 8 {
            held -= 8;
            secret.push(u8::try_from(bits >> held & 0xff).expect("a byte"));
        }
    }
    let now = u64::try_from(Clock::default().now().unix()).expect("after 1970");
    let app = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30).with_secret(secret);
    app.build().expect("a seed").generate(now + later).to_string()
}

/// What came of a command: whether it was done, and what it printed.
pub(super) struct Told {
    pub(super) answer: Answer,
    pub(super) text: String,
    seed: Option<String>,
}

impl Told {
    pub(super) fn done(self) -> Self {
        if let Err(refusal) = &self.answer {
            panic!("{refusal}\n{}", self.text);
        }
        self
    }

    pub(super) fn refused(self) -> String {
        self.answer.expect_err("a refusal").to_string()
    }

    pub(super) fn json(self) -> Value {
        serde_json::from_str(&self.done().text).expect("JSON")
    }

    /// What stands after `label` on its line.
    fn after(&self, label: &str) -> String {
        let line = self.text.lines().find_map(|line| line.trim().strip_prefix(label));
        line.unwrap_or_else(|| panic!("no {label:?} in {}", self.text)).trim().to_owned()
    }
}

/// Gives the command `words` to the installation in `folder`, typing `types` when asked.
pub(super) async fn beadle(folder: &Path, words: &[&str], types: &[&str]) -> Told {
    let data = folder.join("data").display().to_string();
    let all = ["beadle", "--data-folder", &data].into_iter().chain(words.iter().copied());
    let cli = Cli::try_parse_from(all).expect("a command");
    let person = Person { types: types.iter().map(|typed| (*typed).to_owned()).collect(), ..Person::default() };
    PERSON
        .scope(RefCell::new(person), async {
            let answer = Box::pin(commands::run(cli)).await;
            PERSON.with(|person| {
                let person = person.borrow();
                Told { answer, text: person.reads.join("\n"), seed: person.seed.clone() }
            })
        })
        .await
}

async fn server(folder: &Path) -> Running {
    let mut config = Config { data_folder: folder.join("data"), workers: 1, ..Config::default() };
    config.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    start(config, Clock::default()).await.expect("starts")
}

const COUNCIL: &[&str] = &[
    "council",
    "add",
    "--name",
    "Germoe Parish Council",
    "--slug",
    "germoe",
    "--public-url",
    "https://mdm.germoe.example",
];

#[tokio::test(flavor = "multi_thread")]
async fn setting_up_and_reading_need_no_server_and_the_rest_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let begun = beadle(folder, &["migrate"], &[]).await.done();
    assert_eq!(begun.after("Set-up code, good once:").len(), 23);
    let told = beadle(folder, COUNCIL, &[]).await.done();
    assert!(told.text.contains("Added Germoe Parish Council (germoe)."), "{}", told.text);
    let councils = beadle(folder, &["council", "list", "--json"], &[]).await.json();
    assert_eq!(councils.pointer("/items/0/slug").and_then(Value::as_str), Some("germoe"));
    assert_eq!(councils.get("next"), Some(&Value::Null));
    let person = ["operator", "add", "--login", "clerk", "--name", "C. Clerk", "--role", "clerk"];
    let password = beadle(folder, &person, &[]).await.done().after("Initial password:");
    assert_eq!(password.split(['-', ' ']).count(), 3, "{password}");
    // Where set-up began with a clerk, this is how a provider comes to be, whom the end of a quarantine needs.
    let provider = ["operator", "add", "--login", "provider", "--name", "P", "--role", "provider", "--without-sign-in"];
    beadle(folder, &provider, &[]).await.done();
    let operators = beadle(folder, &["operator", "list"], &[]).await.done().text;
    assert!(operators.contains("clerk") && !operators.contains(&password), "{operators}");
    let order = uuid::Uuid::now_v7().to_string();
    for words in [
        &["order", "approve", &order][..],
        &["cap", "thaw"],
        &["quarantine", "end"],
        &["device", "lock", "P-1"],
        &["loss", "found", "P-1"],
        &["device", "clear-passcode", "P-1", "--recognised-by", "in person"],
    ] {
        let refusal = beadle(folder, words, &[]).await.refused();
        assert!(refusal.starts_with("start the server first"), "{words:?}: {refusal}");
    }
    let refusal = beadle(folder, COUNCIL, &[]).await.refused();
    assert!(refusal.contains("another council has this short name"), "{refusal}");
    let twice = ["council", "show", "nowhere"];
    assert!(beadle(folder, &twice, &[]).await.refused().contains("there is no such council"));
    let backup = folder.join("all.backup").display().to_string();
    assert!(beadle(folder, &["backup", &backup], &[]).await.done().text.contains("rows to"));
    let exported = folder.join("installation").display().to_string();
    beadle(folder, &["audit", "export", "--installation", "--out", &exported], &[]).await.done();
    let rows = std::fs::read_to_string(&exported).expect("written");
    assert!(rows.contains("backup.made") && rows.contains("all.backup"), "a backup leaves a row: {rows}");
    let restored = beadle(folder, &["restore", &backup], &[]).await.refused();
    assert!(restored.contains("--replace"), "{restored}");
    beadle(folder, &["restore", &backup, "--replace"], &[]).await.done();
    let whole = beadle(folder, &["audit", "verify", "--installation"], &[]).await.done().text;
    assert!(whole.contains("whole") && !whole.contains("NOT"), "{whole}");
    beadle(folder, &["seal", "rotate"], &[]).await.done();
    beadle(folder, &["migrate"], &[]).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_in_the_wrong_folder_begins_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let data = folder.join("data");
    let commands: [&[&str]; 6] = [
        COUNCIL,
        &["council", "list"],
        &["set-up-code"],
        &["backup"],
        &["seal", "rotate"],
        &["audit", "verify", "--installation"],
    ];
    for words in commands {
        let refusal = beadle(folder, words, &[]).await.refused();
        assert!(refusal.contains("there is no installation in") && refusal.contains("--data-folder"), "{refusal}");
        assert!(!data.exists(), "{words:?}");
    }
    // Nor in a folder that is there for something else.
    std::fs::create_dir(&data).expect("made");
    std::fs::set_permissions(&data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("private");
    for words in commands {
        let refusal = beadle(folder, words, &[]).await.refused();
        assert!(refusal.contains("there is no installation in"), "{refusal}");
    }
    // Nor where the database is there and empty.
    std::fs::write(data.join("beadle.db"), "").expect("made");
    let refusal = beadle(folder, COUNCIL, &[]).await.refused();
    assert!(refusal.contains("there is no installation in"), "{refusal}");
    for made in ["sealing.key", "anchor", "control.sock"] {
        assert!(!data.join(made).exists(), "{made}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_operator_is_guided_and_then_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let running = server(folder).await;
    let code_of_start = running.set_up_code.clone().expect("a first start");
    let set_up = ["set-up", "--login", "provider", "--name", "P. Provider"];
    assert!(beadle(folder, &set_up, &["WRONG"]).await.answer.is_err());
    let initial = beadle(folder, &set_up, &[&code_of_start]).await.done().after("Initial password:");
    let login = ["login", "--login", "provider", "--password-stdin"];
    let own = "quiet marmalade lantern bridge";
    let told = beadle(folder, &login, &[&initial, own]).await.done();
    assert!(told.text.contains("Signed in as P. Provider (provider)."), "{}", told.text);
    assert!(!told.text.contains("bs_"), "the token is not shown");
    let seed = told.seed.clone().expect("a second factor was set up");
    let token_file = folder.join("data/session");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&token_file).expect("kept").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let account = beadle(folder, &["account", "show", "--json"], &[]).await.json();
    assert_eq!(account.get("login").and_then(Value::as_str), Some("provider"));
    beadle(folder, COUNCIL, &[]).await.done();
    // Lowering and raising caps needs password and code of the last five minutes.
    let raise = ["cap", "raise", "--installation", "--per-hour", "12", "--per-day", "60"];
    let refusal = beadle(folder, &raise, &[]).await.refused();
    assert!(refusal.contains("--confirm"), "{refusal}");
    let code = code(&seed, 30);
    let confirmed: Vec<&str> = raise.into_iter().chain(["--confirm", "--password-stdin", "--totp", &code]).collect();
    let told = beadle(folder, &confirmed, &[own]).await.done();
    assert!(told.text.contains("A second person must agree"), "{}", told.text);
    the_register_goes_by_names(folder).await;
    let sessions = beadle(folder, &["session", "list", "--json"], &[]).await.json();
    assert_eq!(sessions.pointer("/items/0/current"), Some(&Value::Bool(true)));
    beadle(folder, &["logout"], &[]).await.done();
    assert!(!token_file.exists());
    let refusal = beadle(folder, &raise, &[]).await.refused();
    assert!(refusal.contains("person signed in"), "{refusal}");
    // A sign-in that is over gives way to what access to the folder allows.
    std::fs::write(&token_file, "bs_over").expect("written");
    beadle(folder, &["council", "list"], &[]).await.done();
    assert!(!token_file.exists());
    // Signing out of what is over already is no failure.
    std::fs::write(&token_file, "bs_over").expect("written");
    let told = beadle(folder, &["logout"], &[]).await.done();
    assert!(told.text.contains("Signed out."), "{}", told.text);
    assert!(!token_file.exists());
    running.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_is_asked_over_https_alone_and_with_a_sign_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let running = server(folder).await;
    let root = folder.join("data/tls/certificate.pem").display().to_string();
    let url = running.url();
    let refusal = beadle(folder, &["--server", "http://localhost:1", "council", "list"], &[]).await.answer;
    assert!(matches!(refusal, Err(Refusal::Usage(text)) if text.contains("https://")));
    let refusal = beadle(folder, &["--server", &url, "--root-ca", &root, "council", "list"], &[]).await.refused();
    assert!(refusal.contains("beadle login"), "{refusal}");
    let refusal = beadle(folder, &["--server", &url, "council", "list"], &[]).await.refused();
    assert!(refusal.contains("does not answer"), "an unknown certificate: {refusal}");
    let refusal = beadle(folder, &["--server", &url, "backup"], &[]).await.answer;
    assert!(matches!(refusal, Err(Refusal::Usage(_))));
    running.stop().await.expect("stops");
}

/// Items go by their tag, people by their name, cases by the tag of their item.
async fn the_register_goes_by_names(folder: &Path) {
    beadle(folder, &["person", "add", "--name", "Mary Vine"], &[]).await.done();
    let asset = ["asset", "add", "--tag", "P-1", "--make", "Apple", "--platform", "apple", "--holder", "Mary Vine"];
    beadle(folder, &asset, &[]).await.done();
    let invited = beadle(folder, &["invite", "--asset", "P-1", "--expires", "24h"], &[]).await.done().text;
    assert!(invited.contains("https://mdm.germoe.example/") && invited.contains('█'), "{invited}");
    let invitations = beadle(folder, &["invitation", "list"], &[]).await.done().text;
    assert!(invitations.contains("P-1") && invitations.contains("Mary Vine"), "{invitations}");
    let shown = beadle(folder, &["asset", "show", "P-1"], &[]).await.done().text;
    assert!(shown.contains("Mary Vine"), "{shown}");
    let refusal = beadle(folder, &["device", "lock", "P-1"], &[]).await.refused();
    assert!(refusal.contains("no device was ever enrolled as P-1"), "{refusal}");
    let nobody = ["asset", "hand-over", "P-1", "Nobody"];
    assert!(beadle(folder, &nobody, &[]).await.refused().contains("there is no person called"));
    let report = ["loss", "report", "--asset", "P-1", "--reporter", "Mary Vine", "--place", "the train"];
    let told = beadle(folder, &report, &[]).await.done().text;
    assert!(told.contains("The loss is reported.") && told.contains("P-1"), "{told}");
    assert!(beadle(folder, &["loss", "list"], &[]).await.done().text.contains("P-1"));
    let shown = beadle(folder, &["loss", "show", "P-1"], &[]).await.done().text;
    assert!(shown.contains("negligence") && shown.contains("who is told of a loss"), "{shown}");
    beadle(folder, &["loss", "close", "P-1", "--outcome", "given up"], &[]).await.done();
    assert!(beadle(folder, &["loss", "found", "P-1"], &[]).await.refused().contains("no loss case that is open"));
    let set = ["policy", "set", "passcode.minimum_length=9", "--note", "minute 12"];
    assert!(beadle(folder, &set, &[]).await.done().text.contains("The policy is now version"));
    let policy = beadle(folder, &["policy", "show"], &[]).await.done().text;
    assert!(policy.contains("passcode.minimum_length = 9") && policy.contains("minute 12"), "{policy}");
    let gaps = beadle(folder, &["policy", "coverage", "--platform", "apple", "--gaps"], &[]).await.done().text;
    assert!(gaps.contains("gap:") && !gaps.contains("— android"), "{gaps}");
    for words in [&["device", "list"][..], &["order", "list"], &["hold", "list"], &["apple", "push-status"]] {
        assert_eq!(beadle(folder, words, &[]).await.done().text, "There are none.", "{words:?}");
    }
    beadle(folder, &["alert", "list"], &[]).await.done();
    let exported = folder.join("trail").display().to_string();
    beadle(folder, &["audit", "export", "--out", &exported], &[]).await.done();
    let rows = std::fs::read_to_string(&exported).expect("written");
    assert!(rows.lines().all(|row| serde_json::from_str::<Value>(row).is_ok()) && rows.contains("P-1"));
    beadle(folder, &["audit", "verify"], &[]).await.done();
}
