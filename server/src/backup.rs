//! Backup and restore: one file of JSON lines that fits both databases, and quarantine after every restore.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::anchor::Anchor;
use crate::error::{Error, Result};
use crate::model::Moment;
use crate::operations::installation as operation;
use crate::sealing::Sealer;
use crate::store::{Database, Line};

/// The form of the file; another one is refused.
const FORM: u32 = 1;

/// The first line of a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the file.
    pub beadle_backup: u32,
    /// Which Beadle wrote it.
    pub program: String,
    /// The migrations that its database had.
    pub schema: Vec<String>,
    /// When it was made.
    pub made_at: Moment,
    /// The ends of the audit chains just before.
    pub anchor: Anchor,
    /// The id of the sealing key that it needs.
    pub sealing_key_id: String,
    /// The sealing key's file, if the backup was made with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing_key: Option<String>,
}

/// What a backup or restore did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Done {
    /// How many rows.
    pub rows: u64,
    /// Whether the sealing key is in the file.
    pub with_key: bool,
}

fn io(file: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |problem| Error::Unavailable(format!("{}: {problem}", file.display()))
}

/// Writes lines and keeps their hash, which the last line holds: a file cut short, or changed, is told.
struct Writer {
    out: BufWriter<File>,
    hash: Sha256,
}

impl Writer {
    fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let mut line = Zeroizing::new(serde_json::to_vec(value)?);
        line.push(b'\n');
        self.hash.update(&line);
        self.out.write_all(&line).map_err(|problem| Error::Unavailable(format!("the backup: {problem}")))
    }
}

/// Writes the whole database to a new file that only its owner may read.
pub fn write(database: &Database, manifest: &Manifest, file: &Path) -> Result<Done> {
    let new = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(file)
        .map_err(|problem| Error::invalid("file", format!("cannot make {}: {problem}", file.display())))?;
    let mut writer = Writer { out: BufWriter::new(new), hash: Sha256::new() };
    let mut rows: u64 = 0;
    let written = writer.line(manifest).and_then(|()| {
        database.dump(|line| match line {
            Line::Table { name, columns } => writer.line(&serde_json::json!({ "table": name, "columns": columns })),
            Line::Row(values) => {
                rows += 1;
                writer.line(&values)
            }
        })
    });
    let finished = written.and_then(|()| {
        let Writer { mut out, hash } = writer;
        let end = serde_json::json!({ "end": rows, "sha256": hex::encode(hash.finish()) });
        writeln!(out, "{end}").map_err(io(file))?;
        out.into_inner().map_err(|problem| io(file)(problem.into_error()))?.sync_all().map_err(io(file))
    });
    match finished {
        Ok(()) => Ok(Done { rows, with_key: manifest.sealing_key.is_some() }),
        Err(problem) => {
            // Half a backup is worse than none.
            let _ = std::fs::remove_file(file);
            Err(problem)
        }
    }
}

/// The manifest of a new backup of this database.
pub fn manifest(database: &Database, anchor: Anchor, sealer: &Sealer, key_file: Option<&Path>) -> Result<Manifest> {
    let sealing_key = key_file
        .map(std::fs::read_to_string)
        .transpose()
        .map_err(|problem| Error::Unavailable(format!("cannot read the sealing key: {problem}")))?;
    Ok(Manifest {
        beadle_backup: FORM,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: database.applied_migrations()?,
        made_at: anchor.written_at,
        anchor,
        sealing_key_id: sealer.current_key_id(),
        sealing_key,
    })
}

/// A backup that was read through once: it is whole.
#[derive(Debug)]
pub struct Checked<'a> {
    file: &'a Path,
    /// Its first line.
    pub manifest: Manifest,
    canary: Vec<u8>,
    rows: u64,
}

/// Reads the file through, and refuses one that is cut short, changed or of another form.
pub fn check(file: &Path) -> Result<Checked<'_>> {
    let wrong = |problem: &str| Error::invalid("file", format!("{} {problem}", file.display()));
    let mut lines = BufReader::new(File::open(file).map_err(|problem| wrong(&format!("cannot be read: {problem}")))?);
    let (mut hash, mut line, mut rows) = (Sha256::new(), String::new(), 0);
    lines.read_line(&mut line).map_err(|_| wrong("is no backup of Beadle"))?;
    let manifest: Manifest = serde_json::from_str(&line).map_err(|_| wrong("is no backup of Beadle"))?;
    if manifest.beadle_backup != FORM {
        return Err(wrong("is of a newer form; restore it with the Beadle that made it"));
    }
    let (mut in_installation, mut canary) = (false, None);
    loop {
        hash.update(line.as_bytes());
        line.clear();
        if lines.read_line(&mut line).map_err(io(file))? == 0 {
            return Err(wrong("is cut short"));
        }
        match serde_json::from_str(&line).map_err(|_| wrong("is damaged"))? {
            Value::Array(values) => {
                rows += 1;
                if in_installation && values.first().and_then(Value::as_str) == Some(operation::CANARY) {
                    canary = values.get(1).and_then(Value::as_str).and_then(|text| hex::decode(text).ok());
                }
            }
            Value::Object(object) => match (object.get("table"), object.get("sha256")) {
                (Some(table), _) => in_installation = table == "installation",
                (None, Some(sum)) if *sum == hex::encode(hash.finish()) && object.get("end") == Some(&rows.into()) => {
                    break;
                }
                _ => return Err(wrong("was changed, or is damaged")),
            },
            _ => return Err(wrong("is damaged")),
        }
    }
    let canary = canary.ok_or_else(|| wrong("holds no installation"))?;
    Ok(Checked { file, manifest, canary, rows })
}

impl Checked<'_> {
    /// Refuses unless `sealer` opens what the backup holds.
    pub fn prove(&self, sealer: &Sealer, key_file: &Path) -> Result<()> {
        operation::prove(sealer, &self.canary, key_file)
    }

    /// Replaces all rows of `database` by the backup's; the database's schema must be the one that the backup had.
    pub fn restore<T>(
        &self,
        database: &Database,
        finish: impl FnOnce(&mut crate::store::Transaction<'_>) -> Result<T>,
    ) -> Result<(Done, T)> {
        if database.applied_migrations()? != self.manifest.schema {
            return Err(Error::conflict(format!(
                "this backup was made by Beadle {} with another schema; restore it with that version, then upgrade",
                self.manifest.program
            )));
        }
        let lines = BufReader::new(File::open(self.file).map_err(io(self.file))?).lines();
        let parsed = lines.skip(1).filter_map(|line| match line {
            Ok(line) => parse(&line).transpose(),
            Err(problem) => Some(Err(io(self.file)(problem))),
        });
        let finished = database.fill(parsed, finish)?;
        Ok((Done { rows: self.rows, with_key: self.manifest.sealing_key.is_some() }, finished))
    }
}

fn parse(line: &str) -> Result<Option<Line>> {
    #[derive(Deserialize)]
    struct Header {
        table: String,
        columns: Vec<String>,
    }
    match serde_json::from_str(line)? {
        Value::Array(values) => Ok(Some(Line::Row(values))),
        Value::Object(object) if object.contains_key("end") => Ok(None),
        other => {
            let header: Header = serde_json::from_value(other)?;
            Ok(Some(Line::Table { name: header.table, columns: header.columns }))
        }
    }
}
