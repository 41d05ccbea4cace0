//! The real program, killed and started again, and how to talk to something that dies now and then.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use beadle_server::demo::Api;
use serde_json::Value;

/// The real program, which dies and comes back at the same addresses.
pub(crate) struct Program {
    settings: PathBuf,
    child: Child,
    pub(crate) deaths: usize,
}

impl Program {
    pub(crate) fn start(settings: &Path) -> (Self, Option<String>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_beadle"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BEADLE_")) {
            command.env_remove(name);
        }
        let mut child = command
            .arg("--config")
            .arg(settings)
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut code = None;
        let output = child.stdout.take().expect("piped");
        let (lines, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        // Only a first start says something; every later one is ready without a word.
        if !settings.with_file_name("data").join("tls").exists() {
            while let Ok(line) = said.recv_timeout(Duration::from_secs(30)) {
                if let Some(found) = line.strip_prefix("Set-up code, good once: ") {
                    code = Some(found.trim().to_owned());
                    break;
                }
            }
        }
        (Self { settings: settings.to_owned(), child, deaths: 0 }, code)
    }

    pub(crate) fn kill_and_restart(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("it died");
        let (next, _) = Self::start(&self.settings);
        let deaths = self.deaths + 1;
        *self = next;
        self.deaths = deaths;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Does it once, however often the server dies in between.
pub(crate) async fn insist(api: &Api, path: &str, body: Value) -> Value {
    let key = format!("{path}-{:?}", Instant::now());
    let started = Instant::now();
    loop {
        match api.post_once(path, &body, &key).await {
            Ok(answer) => return answer,
            Err(refusal) if matches!(refusal.status, 0 | 503) && started.elapsed() < Duration::from_secs(60) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(refusal) => panic!("{path}: {refusal}"),
        }
    }
}

pub(crate) async fn read(api: &Api, path: &str) -> Value {
    for _ in 0..600 {
        match api.get(path).await {
            Ok(answer) => return answer,
            Err(refusal) if matches!(refusal.status, 0 | 503) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(refusal) => panic!("{path}: {refusal}"),
        }
    }
    panic!("{path}: the server stayed away");
}

pub(crate) fn random(below: u64) -> u64 {
    let mut bytes = [0; 8];
    openssl::rand::rand_bytes(&mut bytes).expect("random");
    u64::from_le_bytes(bytes) % below
}
