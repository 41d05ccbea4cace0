//! Faults in SQLite's writer: whatever breaks, no acknowledged write is lost and no unacknowledged one shows.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use beadle_server::clock::Clock;
use beadle_server::keys::{ApprovalKeys, Keys, MacKey};
use beadle_server::model::Actor;
use beadle_server::operations::{Context, audit};
use beadle_server::sealing::Sealer;
use beadle_server::store::Database;
use beadle_server::{Error, Result};
use zeroize::Zeroizing;

/// Failpoints belong to the process, so one test at a time.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

struct Notebook {
    database: Database,
    keys: Arc<Keys>,
}

impl Notebook {
    fn open(folder: &Path) -> Self {
        let key = |id: &str| MacKey::new(id.to_owned(), Zeroizing::new(vec![7; 32])).expect("long enough");
        let keys = Keys {
            sealer: Sealer::from_text(&format!("00000000 {}", "00".repeat(32))).expect("a key"),
            audit: key("audit"),
            approval: ApprovalKeys::new("approval".to_owned(), [key("approval")]).expect("present"),
            token: key("token"),
        };
        let database = Database::open(&format!("sqlite:{}", folder.join("beadle.db").display())).expect("opens");
        database.migrate().expect("migrates");
        Self { database, keys: Arc::new(keys) }
    }

    async fn start(&self) {
        let context = self.context();
        self.database
            .write("start", move |tx| audit::start(tx, &context, audit::INSTALLATION))
            .await
            .expect("starts the chain");
    }

    fn context(&self) -> Context {
        Context { actor: Actor::System, now: Clock::default().now(), keys: Arc::clone(&self.keys) }
    }

    async fn note(&self, number: usize, behave: impl Fn() -> Result<()> + Send + 'static) -> Result<usize> {
        let context = self.context();
        self.database
            .write("note", move |tx| {
                let padding = "x".repeat(2_000);
                audit::record_installation(tx, &context, "note", &number.to_string(), serde_json::json!(padding))?;
                behave()?;
                Ok(number)
            })
            .await
    }

    /// What is really there, read by a chain verification and the subjects of its rows.
    async fn noted(&self) -> BTreeSet<usize> {
        let keys = Arc::clone(&self.keys);
        self.database
            .read("verify", move |tx| {
                let found = audit::verify(tx, &keys.audit, audit::INSTALLATION, None)?;
                assert_eq!(found.problems, Vec::<String>::new());
                let mut numbers = BTreeSet::new();
                let mut after = 0;
                loop {
                    let page = beadle_server::store::audit::page(tx, audit::INSTALLATION, after, 500)?;
                    let Some((last, _)) = page.last() else { return Ok(numbers) };
                    after = last.seq;
                    numbers.extend(page.iter().filter_map(|(row, _)| row.subject.parse::<usize>().ok()));
                }
            })
            .await
            .expect("verifies")
    }
}

/// Runs many writers at once while `fault` is armed; what was acknowledged must be exactly what is there.
async fn under_fault(name: &'static str, actions: &str, misbehave: fn(usize) -> Result<()>) {
    let _guard = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let notebook = Arc::new(Notebook::open(folder.path()));
    notebook.start().await;
    fail::cfg(name, actions).expect("a failpoint");
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..300 {
        let notebook = Arc::clone(&notebook);
        writers.spawn(async move { notebook.note(number, move || misbehave(number)).await });
    }
    let acknowledged: BTreeSet<usize> = writers.join_all().await.into_iter().filter_map(Result::ok).collect();
    fail::remove(name);
    assert!(acknowledged.len() < 300, "the fault never struck");
    assert_eq!(notebook.noted().await, acknowledged);
    // And the writer works again.
    assert!(notebook.note(1_000, || Ok(())).await.is_ok());
    notebook.database.close().await;
    let again = Notebook::open(folder.path());
    assert_eq!(again.noted().await, acknowledged.into_iter().chain([1_000]).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_commit_is_told_to_everyone_in_the_batch() {
    under_fault("sqlite-commit", "3*off->2*return->5*off->1*return", |_| Ok(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_the_middle_of_a_batch_undoes_that_write_alone() {
    under_fault("sqlite-closure", "20*off->7*return->30*off->1*return", |_| Ok(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_middle_of_a_batch_loses_no_acknowledged_write() {
    under_fault("sqlite-none", "off", |number| {
        assert!(number % 41 != 0, "panics on purpose");
        if number % 7 == 0 { Err(Error::conflict("refused on purpose")) } else { Ok(()) }
    })
    .await;
}

/// The name of the variable that tells a second process of this very test where to write.
const CHILD: &str = "BEADLE_TEST_FULL_DISK";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_loudly_and_loses_nothing() {
    let _guard = ONE_AT_A_TIME.lock().await;
    if let Ok(folder) = std::env::var(CHILD) {
        return fill_the_disk(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    Notebook::open(folder.path()).start().await;
    // A file-size limit stands in for the full disk: from then on every write to the log fails.
    let program = std::env::current_exe().expect("this test");
    let output = Command::new("bash")
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 1200; exec \"$0\" --exact a_full_disk_refuses_loudly_and_loses_nothing --nocapture")
        .arg(&program)
        .env(CHILD, folder.path())
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = |word: &str| -> BTreeSet<usize> {
        said.lines().filter_map(|line| line.trim().strip_prefix(word)?.trim().parse().ok()).collect()
    };
    let (acknowledged, refused) = (told("acknowledged"), told("refused"));
    assert!(!acknowledged.is_empty() && !refused.is_empty(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(Notebook::open(folder.path()).noted().await, acknowledged);
}

async fn fill_the_disk(folder: &Path) {
    let notebook = Notebook::open(folder);
    for number in 0..2_000 {
        match notebook.note(number, || Ok(())).await {
            Ok(number) => println!("\nacknowledged {number}"),
            Err(Error::Unavailable(_)) => println!("\nrefused {number}"),
            Err(other) => panic!("a full disk must be Unavailable, not {other:?}"),
        }
    }
}
