//! Who may import whom inside the server: the rules of docs/ARCHITECTURE.md that Cargo cannot enforce.

use std::path::{Path, PathBuf};

/// A room of the server, what it must not mention of the server's other rooms, and of other crates.
struct Room {
    folder: &'static str,
    not_rooms: &'static [&'static str],
    not_crates: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room {
        folder: "model",
        not_rooms: &["store", "operations", "platform", "web", "jobs", "cli", "app", "google", "config"],
        not_crates: &["actix_web", "reqwest", "plist", "tokio"],
    },
    Room {
        folder: "store",
        not_rooms: &["operations", "platform", "web", "jobs", "cli", "app", "google", "config"],
        not_crates: &["actix_web", "reqwest", "plist"],
    },
    Room {
        folder: "operations",
        not_rooms: &["platform", "web", "jobs", "cli", "app", "google", "config"],
        not_crates: &["actix_web", "reqwest", "diesel"],
    },
    Room {
        folder: "platform",
        not_rooms: &["store", "operations", "web", "jobs", "cli", "google"],
        not_crates: &["actix_web", "diesel"],
    },
    Room { folder: "google", not_rooms: &["web", "jobs", "cli"], not_crates: &["actix_web", "reqwest", "diesel"] },
    Room { folder: "web", not_rooms: &["jobs", "cli"], not_crates: &["reqwest", "diesel"] },
    Room { folder: "jobs", not_rooms: &["web", "cli"], not_crates: &["actix_web", "diesel"] },
    Room { folder: "cli", not_rooms: &["store", "operations"], not_crates: &["diesel"] },
];

fn server() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the server") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The lines of `text` without comments and without its unit tests, which may look into every room.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("mod tests") && !line.starts_with("#[cfg(test)]\nmod"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn offences(room: &Room) -> Vec<String> {
    let mut files = Vec::new();
    rust_files(&server().join(room.folder), &mut files);
    assert!(!files.is_empty(), "there is no {}", room.folder);
    let mut found = Vec::new();
    for file in files {
        // Tests may look into every room: a file or a folder that bears the word.
        if file.strip_prefix(server()).is_ok_and(|file| file.to_string_lossy().contains("test")) {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("readable");
        for (number, line) in code(&text) {
            let bad_room = room
                .not_rooms
                .iter()
                .any(|other| line.contains(&format!("crate::{other}::")) || line.contains(&format!("crate::{other};")));
            let bad_crate = room.not_crates.iter().any(|other| line.contains(&format!("{other}::")));
            if bad_room || bad_crate {
                found.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn every_room_keeps_to_its_imports() {
    let found: Vec<String> = ROOMS.iter().flat_map(offences).collect();
    assert!(found.is_empty(), "forbidden imports:\n{}", found.join("\n"));
}

#[test]
fn the_rules_can_be_broken() {
    let planted = "use crate::store::Database;\n// use crate::web::x;\nlet x = crate::web::y();";
    let lines: Vec<usize> =
        code(planted).filter(|(_, line)| line.contains("crate::web::")).map(|(number, _)| number).collect();
    assert_eq!(lines, [2], "paths anywhere count, comments do not");
}

#[test]
fn nothing_in_the_server_hashes_passwords_cheaply() {
    let mut files = Vec::new();
    rust_files(&server(), &mut files);
    let callers: Vec<_> = files
        .into_iter()
        .filter(|file| std::fs::read_to_string(file).expect("readable").contains("hash_cheaply"))
        .collect();
    assert_eq!(callers, [server().join("operations/passwords.rs")], "only where it is defined");
    let text = std::fs::read_to_string(&callers[0]).expect("readable");
    assert_eq!(text.matches("hash_cheaply").count(), 1, "and nobody calls it there");
}
