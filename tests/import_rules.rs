//! Who may import whom inside the server: the rules of docs/ARCHITECTURE.md that Cargo cannot enforce.

use std::collections::BTreeSet;
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
        not_crates: &["actix_web", "reqwest", "diesel", "lettre"],
    },
    Room {
        folder: "platform",
        not_rooms: &["store", "operations", "web", "jobs", "cli", "google"],
        not_crates: &["actix_web", "diesel"],
    },
    Room { folder: "google", not_rooms: &["web", "jobs", "cli"], not_crates: &["actix_web", "reqwest", "diesel"] },
    Room {
        folder: "mail",
        not_rooms: &["web", "jobs", "cli", "google"],
        not_crates: &["actix_web", "reqwest", "diesel"],
    },
    Room { folder: "web", not_rooms: &["jobs", "cli"], not_crates: &["reqwest", "diesel", "lettre"] },
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

/// The lines of `text` without comments and without the unit tests written in the file itself, which may look into every
/// room. A `mod tests;` only names another file: what follows it is the program.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("mod tests {"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The rooms that each line of the code mentions: `crate::store::x`, `crate::store;`, and each name of `crate::{store, web::x}`.
fn rooms_mentioned<'t>(lines: &[(usize, &'t str)]) -> Vec<(usize, &'t str)> {
    let mut found = Vec::new();
    // How deep inside `crate::{…}` the line stands, and whether a name there is the first of its path.
    let (mut depth, mut first) = (0_usize, false);
    for &(number, line) in lines {
        let mut at = 0;
        while at < line.len() {
            let rest = &line[at..];
            let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            let after_crate =
                at >= "crate::".len() && line[..at].ends_with("crate::") && !line[..at].ends_with("$crate::");
            if length > 0 {
                if after_crate || (depth == 1 && first) {
                    found.push((number, &rest[..length]));
                }
                first = false;
                at += length;
                continue;
            }
            match rest.as_bytes()[0] {
                b'{' if after_crate => (depth, first) = (1, true),
                b'{' if depth > 0 => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                b',' if depth == 1 => first = true,
                _ => {}
            }
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// What of `text`, a file of `room`, must not be there: the line's number and the line.
fn offences_in(room: &Room, text: &str) -> Vec<(usize, String)> {
    let lines: Vec<(usize, &str)> = code(text).collect();
    let rooms = rooms_mentioned(&lines);
    let forbidden = |number: usize, line: &str| {
        rooms.iter().any(|(at, other)| *at == number && room.not_rooms.contains(other))
            || room.not_crates.iter().any(|other| line.contains(&format!("{other}::")))
    };
    lines
        .iter()
        .filter(|(number, line)| forbidden(*number, line))
        .map(|(number, line)| (number + 1, line.trim().to_owned()))
        .collect()
}

/// Tests may look into every room: a file or a folder one of whose words is `test`, `tests` or `testing`.
fn is_of_tests(file: &Path) -> bool {
    file.with_extension("")
        .iter()
        .any(|part| part.to_string_lossy().split('_').any(|word| matches!(word, "test" | "tests" | "testing")))
}

fn offences(room: &Room) -> Vec<String> {
    let mut files = Vec::new();
    rust_files(&server().join(room.folder), &mut files);
    assert!(!files.is_empty(), "there is no {}", room.folder);
    let mut found = Vec::new();
    for file in files {
        if file.strip_prefix(server()).is_ok_and(is_of_tests) {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("readable");
        found.extend(
            offences_in(room, &text).into_iter().map(|(number, line)| format!("{}:{number}: {line}", file.display())),
        );
    }
    found
}

#[test]
fn every_room_keeps_to_its_imports() {
    let found: Vec<String> = ROOMS.iter().flat_map(offences).collect();
    assert!(found.is_empty(), "forbidden imports:\n{}", found.join("\n"));
}

/// The functions of the store that change rows, as `table::function`: those in whose text a statement stands that does.
fn writers() -> BTreeSet<String> {
    // A statement that is kept prepared has its text outside the function that carries it out.
    const CHANGES: [&str; 8] = [
        "diesel::insert_into",
        "diesel::update",
        "diesel::delete",
        "INSERT INTO",
        "UPDATE ",
        "DELETE FROM",
        ".execute(tx.connection)",
        ".run(tx)",
    ];
    let mut files = Vec::new();
    rust_files(&server().join("store"), &mut files);
    let mut found = BTreeSet::new();
    for file in files.iter().filter(|file| !file.strip_prefix(server()).is_ok_and(is_of_tests)) {
        let table = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).expect("readable");
        let lines: Vec<&str> = code(&text).map(|(_, line)| line).collect();
        for function in lines.join("\n").split("\npub fn ").skip(1) {
            let name = function.split(['(', '<']).next().unwrap_or_default();
            let own = function.split("\n}").next().unwrap_or_default();
            if CHANGES.iter().any(|change| own.contains(change)) {
                found.insert(format!("{table}::{name}"));
            }
        }
    }
    found
}

/// The calls in `text` that change rows, without an operation in between.
fn changes_in(writers: &BTreeSet<String>, text: &str) -> Vec<String> {
    code(text)
        .flat_map(|(_, line)| line.split("store::").skip(1))
        .map(|after| after.split('(').next().unwrap_or_default().to_owned())
        .filter(|called| writers.contains(called))
        .collect()
}

/// Pages, the API and the way to Google look at rows themselves; what changes them is an operation, with its rights and its
/// audit row. Jobs change what is theirs alone: the queue, its schedule, what they let go, and marks of what they have done.
#[test]
fn rows_change_in_operations_alone() {
    let of_jobs = [
        "android_tokens::purge",
        "google_enterprises::set_reconciled",
        "google_sign_ups::purge",
        "idempotency_keys::purge",
        "passkey_ceremonies::purge",
        "push_certificates::set_warned",
        "sessions::purge",
        "sign_in_limits::purge",
        "wake::renewal_started",
        "wake::retire_token",
    ];
    let writers = writers();
    for known in of_jobs.into_iter().chain(["orders::insert", "commands::finish"]) {
        assert!(writers.contains(known), "{known} is taken for a reader, or is no more");
    }
    let mut found = Vec::new();
    for room in ["web", "google", "cli", "jobs"] {
        let mut files = Vec::new();
        rust_files(&server().join(room), &mut files);
        for file in files.iter().filter(|file| !file.strip_prefix(server()).is_ok_and(is_of_tests)) {
            let text = std::fs::read_to_string(file).expect("readable");
            for change in changes_in(&writers, &text) {
                if room != "jobs" || !(change.starts_with("jobs::") || of_jobs.contains(&change.as_str())) {
                    found.push(format!("{}: {change}", file.display()));
                }
            }
        }
    }
    assert!(found.is_empty(), "rows are changed outside operations:\n{}", found.join("\n"));
    let planted = "mod tests;\nlet a = store::orders::insert(tx, &order)?;\nstore::orders::find(tx)";
    assert_eq!(changes_in(&writers, planted), ["orders::insert"]);
}

#[test]
fn the_rules_can_be_broken() {
    let operations = ROOMS.iter().find(|room| room.folder == "operations").expect("a room");
    let planted = [
        "mod tests;",
        "// use crate::web::x;",
        "use crate::store::Database;",
        "let x = crate::web::y();",
        "use crate::{model, store::{self, jobs}, jobs};",
        "use crate::{",
        "    model::{google, web},",
        "    platform,",
        "};",
        "use crate::google;",
        "fn a() -> diesel::QueryResult<()> {}",
        "use crate::websites::x;",
        "mod tests {",
        "    use crate::web::z;",
        "}",
    ];
    let lines: Vec<usize> = offences_in(operations, &planted.join("\n")).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [4, 5, 8, 10, 11], "paths anywhere count, comments and a file's own tests do not");
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
