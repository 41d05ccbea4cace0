//! The first start, who may own the folder, the right key, and an end that loses nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;
use crate::model::Actor;
use crate::operations::{audit, installation};

fn config(folder: &Path) -> Config {
    let mut config = Config { data_folder: folder.join("data"), workers: 1, ..Config::default() };
    config.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    config
}

async fn begin(folder: &Path) -> Result<Running> {
    start(config(folder), Clock::default()).await
}

fn client(folder: &Path) -> reqwest::Client {
    let pem = std::fs::read(folder.join("data/tls/certificate.pem")).expect("made at the first start");
    reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).expect("PEM")])
        .build()
        .expect("a client")
}

#[tokio::test]
async fn the_first_start_makes_a_private_folder_and_serves_over_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = begin(folder.path()).await.expect("starts");
    assert!(running.set_up_code.as_ref().is_some_and(|code| code.len() == 23));
    let data = folder.path().join("data");
    for (name, mode) in
        [("", 0o700), ("sealing.key", 0o600), ("beadle.db", 0o600), ("control.sock", 0o600), ("anchor", 0o600)]
    {
        let found = std::fs::metadata(data.join(name)).expect(name).permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    let answer = client(folder.path()).get(format!("{}/readyz", running.url())).send().await.expect("answers");
    assert_eq!((answer.status().as_u16(), answer.text().await.expect("text").as_str()), (200, "ready\n"));
    let local = reqwest::Client::builder().unix_socket(data.join("control.sock")).build().expect("a client");
    let answer = local.get("http://localhost/healthz").send().await.expect("answers");
    assert_eq!(answer.status().as_u16(), 200);
    let refused = begin(folder.path()).await.expect_err("one owner").to_string();
    assert!(refused.contains("another Beadle is running"), "{refused}");
    running.stop().await.expect("stops");
    assert!(!data.join("control.sock").exists());
    let again = begin(folder.path()).await.expect("starts again");
    assert_eq!(again.set_up_code, None);
    again.stop().await.expect("stops");
}

#[tokio::test]
async fn not_ready_while_the_database_is_down_or_the_server_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = begin(folder.path()).await.expect("starts");
    let address = format!("{}/readyz", running.url());
    running.app.database.set_broken(true);
    let answer = client(folder.path()).get(&address).send().await.expect("answers");
    assert_eq!(answer.status().as_u16(), 503);
    running.app.database.set_broken(false);
    running.health.shut_down();
    let answer = client(folder.path()).get(&address).send().await.expect("answers");
    assert_eq!(answer.text().await.expect("text"), "shutting down\n");
    let idle = client(folder.path());
    idle.get(&address).send().await.expect("answers").bytes().await.expect("whole");
    let asked = std::time::Instant::now();
    running.stop().await.expect("stops");
    assert!(asked.elapsed() < Duration::from_secs(10), "an idle connection does not hold up the end");
    drop(idle);
}

#[tokio::test]
async fn another_sealing_key_is_refused_and_a_missing_one_not_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    begin(folder.path()).await.expect("starts").stop().await.expect("stops");
    let key = folder.path().join("data/sealing.key");
    let right = std::fs::read(&key).expect("the key");
    std::fs::write(&key, crate::sealing::Sealer::new_key_line().expect("random").as_bytes()).expect("written");
    let refused = begin(folder.path()).await.expect_err("wrong key").to_string();
    assert!(refused.contains("is not the one that this database was sealed with"), "{refused}");
    std::fs::remove_file(&key).expect("removed");
    let refused = begin(folder.path()).await.expect_err("no key").to_string();
    assert!(refused.contains("is missing"), "{refused}");
    assert!(!key.exists());
    std::fs::write(&key, right).expect("written");
    begin(folder.path()).await.expect("starts").stop().await.expect("stops");
}

/// Sends the head of a request and the beginning of its body, and waits for what is answered.
async fn stall(running: &Running, method: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut socket = tokio::net::UnixStream::connect(running.app.config.control_socket()).await.expect("connects");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{{"
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut answer)).await.expect("in time");
    answer.truncate(read.expect("read"));
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_must_arrive_within_the_time_that_the_settings_give() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    config.limits.request_seconds = 1;
    let running = start(config, Clock::default()).await.expect("starts");
    for (method, path) in [("POST", "/api/v1/set-up"), ("PUT", "/mdm/x/check-in"), ("PUT", "/mdm/x/command")] {
        let answer = stall(&running, method, path).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
        assert!(!path.contains("api") || answer.contains("within 1 seconds"), "{answer}");
    }
    running.stop().await.expect("stops");
}

async fn note(running: &Running, text: &'static str) {
    let context = running.app.context(Actor::System);
    let write = running.app.database.write("note", move |tx| {
        audit::record_installation(tx, &context, text, installation::OWNER, serde_json::json!({}))
    });
    write.await.expect("acknowledged");
}

async fn quarantined(running: &Running) -> bool {
    running.app.database.read("quarantine", crate::operations::quarantine::is_on).await.expect("reads")
}

#[tokio::test]
async fn an_older_database_put_back_means_quarantine_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = begin(folder.path()).await.expect("starts");
    let copy = folder.path().join("copy.db");
    running.app.database.copy_to(&copy).expect("copies");
    note(&running, "after the copy").await;
    assert!(!quarantined(&running).await);
    running.stop().await.expect("stops");
    std::fs::copy(&copy, folder.path().join("data/beadle.db")).expect("put back");
    let running = begin(folder.path()).await.expect("starts all the same");
    assert!(quarantined(&running).await);
    // Once more while it is on: one reason more.
    running.app.database.copy_to(&folder.path().join("second.db")).expect("copies");
    note(&running, "after the second copy").await;
    running.stop().await.expect("stops");
    std::fs::copy(folder.path().join("second.db"), folder.path().join("data/beadle.db")).expect("put back");
    // Names of what is kept as evidence have the second in them.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let running = begin(folder.path()).await.expect("starts all the same");
    let reasons = running.app.database.read("reasons", crate::store::quarantines::all_open).await.expect("reads");
    assert_eq!(reasons.len(), 2);
    running.stop().await.expect("stops");
    let distrusted = std::fs::read_dir(folder.path().join("data"))
        .expect("a folder")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("anchor.distrusted-"))
        .count();
    assert_eq!(distrusted, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_loses_no_acknowledged_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = begin(folder.path()).await.expect("starts");
    let before = rows(&running).await;
    let acknowledged = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
    let mut writers = Vec::new();
    for _ in 0..8 {
        let (app, count) = (running.app.clone(), std::sync::Arc::clone(&acknowledged));
        writers.push(tokio::spawn(async move {
            for _ in 0..200 {
                let context = app.context(Actor::System);
                let written = app.database.write("note", move |tx| {
                    audit::record_installation(tx, &context, "note", "installation", serde_json::json!({}))
                });
                match written.await {
                    Ok(()) => count.fetch_add(1, std::sync::atomic::Ordering::SeqCst),
                    Err(_) => break,
                };
            }
        }));
    }
    tokio::time::sleep(Duration::from_millis(30)).await;
    running.stop().await.expect("stops");
    for writer in writers {
        writer.await.expect("ends");
    }
    let again = begin(folder.path()).await.expect("starts again");
    assert_eq!(rows(&again).await - before, acknowledged.load(std::sync::atomic::Ordering::SeqCst));
    again.stop().await.expect("stops");
}

async fn rows(running: &Running) -> i64 {
    let keys = std::sync::Arc::clone(&running.app.keys);
    let verified =
        running.app.database.read("verify", move |tx| audit::verify(tx, &keys.audit, audit::INSTALLATION, None));
    let verified = verified.await.expect("reads");
    assert_eq!(verified.problems, Vec::<String>::new());
    verified.rows
}

async fn ask(client: &reqwest::Client, url: String, body: serde_json::Value) -> (u16, serde_json::Value) {
    let answer = client.post(url).json(&body).send().await.expect("answers");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn the_installation_is_kept_through_the_control_socket_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = begin(folder.path()).await.expect("starts");
    let far = client(folder.path());
    let near = reqwest::Client::builder().unix_socket(running.app.config.control_socket()).build().expect("a client");
    for path in ["set-up-code", "backup", "seal/rotate", "audit/verify"] {
        let (status, _) = ask(&far, format!("{}/api/v1/{path}", running.url()), serde_json::json!({})).await;
        assert_eq!(status, 401, "{path}");
        let (status, answer) = ask(&near, format!("http://localhost/api/v1/{path}"), serde_json::json!({})).await;
        assert!((200..300).contains(&status), "{path}: {answer}");
    }
    let anchor: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("data/anchor")).expect("an anchor")).expect("JSON");
    let verify = || "http://localhost/api/v1/audit/verify".to_owned();
    let (_, verified) = ask(&near, verify(), serde_json::json!({ "anchor": anchor })).await;
    assert_eq!(verified["whole"], true, "{verified}");
    let mut later = anchor;
    later["checkpoints"][0]["seq"] = 1000.into();
    let (_, verified) = ask(&near, verify(), serde_json::json!({ "anchor": later })).await;
    assert_eq!(verified["whole"], false, "a cut tail shows: {verified}");
    let exported = near.get("http://localhost/api/v1/audit?limit=1").send().await.expect("answers");
    let exported: serde_json::Value = exported.json().await.expect("JSON");
    assert_eq!((exported["items"][0]["seq"].as_i64(), exported["next"].as_str()), (Some(1), Some("1")));
    running.stop().await.expect("stops");
}
