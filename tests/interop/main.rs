//! Other people's programs against the real server: two SCEP clients, and a browser at an invitation's page.

mod browser;
mod console;
mod forward;
mod journey;
mod scep;

use std::path::Path;
use std::process::Command;

/// Whether a program is there. Where it is not, the test says so and ends, unless `TEST_SKIP_NOTHING` is set, as in CI.
fn installed(program: &str, probe: &[&str]) -> bool {
    // What it says of itself matters, not how it ends: one client here answers `-version` with a failure.
    let found = Command::new(program).args(probe).output().is_ok();
    if !found {
        left_out(&format!("{program} is not installed"));
    }
    found
}

fn left_out(why: &str) {
    assert!(std::env::var_os("TEST_SKIP_NOTHING").is_none(), "{why}, and nothing may be left out here");
    eprintln!("left out: {why}");
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|problem| panic!("{}: {problem}", file.display()))
}
