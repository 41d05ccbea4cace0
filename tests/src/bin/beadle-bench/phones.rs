//! The second process: phones that enrol, ask for certificates, and visit, each pass when it is told to.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::sibling;

struct Talk {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    fn start(folder: &Path, mode: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(sibling("beadle-phones"))
            .arg(mode)
            .args(["--root-ca", &folder.join("data/tls/certificate.pem").display().to_string()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the phones start");
        let to = child.stdin.take().expect("piped");
        let from = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, to, from }
    }

    fn go(&mut self) {
        self.to.write_all(b"go\n").and_then(|()| self.to.flush()).expect("the phones listen");
    }

    fn hear(&mut self) -> String {
        self.from.next().expect("the phones met an error").expect("reads")
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Enrols a phone by each link and keeps their identities in the folder.
pub(crate) fn enrol(folder: &Path, links: &Path, count: usize) {
    let output = Command::new(sibling("beadle-phones"))
        .args(["enrol", "--keys", "32", "--no-schema"])
        .args(["--links", &links.display().to_string()])
        .args(["--identities", &folder.join("identities.jsonl").display().to_string()])
        .args(["--root-ca", &folder.join("data/tls/certificate.pem").display().to_string()])
        .output()
        .expect("the phones run");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains(&format!("enrolled {count} of {count}")), "{said}");
    println!("{}", said.lines().next().unwrap_or_default());
}

/// Requests for certificates that lie ready.
pub(crate) struct Scep {
    talk: Talk,
    count: usize,
}

impl Scep {
    pub(crate) fn prepare(folder: &Path, links: &Path, count: usize, connections: usize) -> Self {
        let (links, connections) = (links.display().to_string(), connections.to_string());
        let mut talk = Talk::start(folder, "scep", &["--links", &links, "--connections", &connections]);
        assert_eq!(talk.hear(), format!("ready {count}"));
        Self { talk, count }
    }

    /// Sends them; returns when each has its certificate.
    pub(crate) fn send(mut self) {
        self.talk.go();
        assert_eq!(self.talk.hear(), format!("certificates {}", self.count));
    }
}

/// What came of a pass over all phones.
pub(crate) struct Pass {
    pub(crate) idle: usize,
    pub(crate) answers: usize,
}

/// Enrolled phones on connections that stay open.
pub(crate) struct Visitors(Talk);

impl Visitors {
    pub(crate) fn start(folder: &Path, connections: usize) -> Self {
        let identities = folder.join("identities.jsonl").display().to_string();
        let connections = connections.to_string();
        let arguments = ["--identities", identities.as_str(), "--connections", connections.as_str()];
        Self(Talk::start(folder, "visits", &arguments))
    }

    /// Lets each phone visit once, and answer all that it is asked.
    pub(crate) fn pass(&mut self) -> Pass {
        self.0.go();
        let said = self.0.hear();
        let words: Vec<&str> = said.split(' ').collect();
        let ["idle", idle, "answers", answers] = words[..] else { panic!("the phones say: {said}") };
        Pass { idle: idle.parse().expect("a number"), answers: answers.parse().expect("a number") }
    }
}
