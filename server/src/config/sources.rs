//! Lays defaults, file, environment and flags over each other, and finds everything wrong at once.

use std::path::{Path, PathBuf};

use super::{Config, KEYS, check};

/// Variables that begin with `BEADLE_` and are not settings.
const NOT_SETTINGS: [&str; 5] = ["BEADLE_CONFIG", "BEADLE_SERVER", "BEADLE_SESSION", "BEADLE_CA", "BEADLE_COUNCIL"];

/// Where settings come from, weakest first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The settings file; one that is named must exist.
    pub file: Option<PathBuf>,
    /// The environment's variables.
    pub environment: Vec<(String, String)>,
    /// `key=value` pairs from the command line.
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// The sources of this process: `file`, or `beadle.toml` where one is in the folder; its environment; `flags`.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        let in_folder = PathBuf::from("beadle.toml");
        Self {
            file: file.or_else(|| in_folder.exists().then_some(in_folder)),
            // A variable that is no text cannot be a setting.
            environment: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            flags,
        }
    }
}

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, or the file that cannot be read.
    pub key: String,
    /// The value as it was given, if one was.
    pub value: Option<String>,
    /// Where it was given.
    pub origin: String,
    /// What would be right.
    pub remedy: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Some(value) => write!(formatter, "{} = {:?} ({}): {}", self.key, value, self.origin, self.remedy),
            None => write!(formatter, "{} ({}): {}", self.key, self.origin, self.remedy),
        }
    }
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl std::fmt::Display for Problems {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "the settings are wrong:")?;
        for problem in &self.0 {
            writeln!(formatter, "  {problem}")?;
        }
        write!(formatter, "Every key is explained by `beadle check-config --reference`.")
    }
}

/// A value as a source gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    One(String),
    Many(Vec<String>),
}

impl Given {
    /// The values of a list: in a variable or flag they are separated by commas.
    pub(super) fn list(&self) -> Vec<String> {
        match self {
            Self::One(text) => {
                text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
            }
            Self::Many(parts) => parts.clone(),
        }
    }

    /// The one value; a list of several is none.
    pub(super) fn one(&self) -> Option<&str> {
        match self {
            Self::One(text) => Some(text),
            Self::Many(_) => None,
        }
    }

    fn shown(&self, key: &str) -> String {
        let text = match self {
            Self::One(text) => text.clone(),
            Self::Many(parts) => format!("[{}]", parts.join(", ")),
        };
        if key == "database.url" { without_password(&text) } else { text }
    }
}

/// A database address as it may be shown and logged. libpq takes a password behind the question mark as well.
#[must_use]
fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(parsed) if parsed.query_pairs().any(|(name, _)| name.to_ascii_lowercase().contains("password")) => {
            "(not shown)".to_owned()
        }
        Ok(mut parsed) if parsed.password().is_some() => match parsed.set_password(Some("…")) {
            Ok(()) => parsed.to_string(),
            Err(()) => "(not shown)".to_owned(),
        },
        // Not an address with a host: whatever it is, it may hold a password.
        Ok(parsed) if !parsed.has_authority() && url.contains('@') => "(not shown)".to_owned(),
        Ok(_) => url.to_owned(),
        Err(_) if url.contains('@') => "(not shown)".to_owned(),
        Err(_) => url.to_owned(),
    }
}

/// Reads, overlays and checks all settings.
///
/// # Errors
/// Every wrong setting, not only the first.
pub fn load(sources: &Sources) -> Result<Config, Problems> {
    let mut given = Vec::new();
    let mut problems = Vec::new();
    if let Some(file) = &sources.file {
        match read_file(file) {
            Ok(found) => given.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    for (name, value) in &sources.environment {
        if let Some(rest) = name.strip_prefix("BEADLE_")
            && !NOT_SETTINGS.contains(&name.as_str())
        {
            let key = rest.to_lowercase().replace("__", ".");
            given.push((key, Given::One(value.clone()), format!("variable {name}")));
        }
    }
    for (key, value) in &sources.flags {
        given.push((key.clone(), Given::One(value.clone()), "command line".to_owned()));
    }
    let mut config = Config::default();
    let mut origins: Vec<(&'static str, String)> = Vec::new();
    for (name, value, origin) in given {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            problems.push(unknown(name, &value, origin));
            continue;
        };
        match (key.set)(&mut config, &value) {
            Ok(()) => origins.push((key.name, origin)),
            Err(remedy) => {
                problems.push(Problem { value: Some(value.shown(key.name)), key: name, origin, remedy });
            }
        }
    }
    // What belongs together is judged only once each value by itself is right: otherwise one slip is told twice.
    if problems.is_empty() {
        problems.extend(check::together(&config).into_iter().map(|(key, value, remedy)| {
            Problem {
                key: key.to_owned(),
                value,
                origin: origins
                    .iter()
                    .rev()
                    .find(|(name, _)| *name == key)
                    .map_or_else(|| "default".to_owned(), |(_, origin)| origin.clone()),
                remedy,
            }
        }));
    }
    if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
}

fn unknown(name: String, value: &Given, origin: String) -> Problem {
    let nearest = KEYS.iter().map(|key| (distance(key.name, &name), key.name)).min();
    let remedy = match nearest {
        Some((distance, nearest)) if distance <= 3 => format!("there is no such key; did you mean {nearest}?"),
        _ => "there is no such key".to_owned(),
    };
    Problem { value: Some(value.shown("database.url")), key: name, origin, remedy }
}

/// How many letters differ (Levenshtein), for "did you mean".
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut previous = line + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(right.chars()) {
            let next = (diagonal + usize::from(a != b)).min(previous + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, next);
            previous = next;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

type Found = Vec<(String, Given, String)>;

fn read_file(file: &Path) -> Result<Found, Problem> {
    let origin = file.display().to_string();
    let wrong =
        |remedy: String| Problem { key: "settings file".to_owned(), value: None, origin: origin.clone(), remedy };
    let text = std::fs::read_to_string(file).map_err(|problem| wrong(format!("cannot be read: {problem}")))?;
    let table: toml::Table =
        text.parse().map_err(|problem: toml::de::Error| wrong(format!("is not TOML: {}", problem.message())))?;
    let mut found = Vec::new();
    flatten("", &table, &origin, &mut found);
    Ok(found)
}

fn flatten(prefix: &str, table: &toml::Table, origin: &str, found: &mut Found) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(table) => flatten(&key, table, origin, found),
            toml::Value::Array(values) => {
                found.push((key, Given::Many(values.iter().map(as_text).collect()), origin.to_owned()));
            }
            other => found.push((key, Given::One(as_text(other)), origin.to_owned())),
        }
    }
}

fn as_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, Problems> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("beadle.toml");
        std::fs::write(&path, file).expect("written");
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        load(&Sources { file: Some(path.clone()), environment: pairs(environment), flags: pairs(flags) }).map_err(
            |mut problems| {
                for problem in &mut problems.0 {
                    problem.origin = problem.origin.replace(&path.display().to_string(), "beadle.toml");
                    problem.remedy = problem.remedy.replace(&folder.path().display().to_string(), "FOLDER");
                }
                problems
            },
        )
    }

    #[test]
    fn flags_beat_variables_and_variables_beat_the_file() {
        let file = "workers = 1\n[log]\nlevel = \"warn\"\n[retention]\ncommands = 10\n";
        let config =
            with(file, &[("BEADLE_WORKERS", "2"), ("BEADLE_LOG__LEVEL", "debug")], &[("workers", "3")]).expect("right");
        assert_eq!((config.workers, config.log.level.as_str(), config.retention.commands), (3, "debug", 10));
    }

    #[test]
    fn a_database_address_is_shown_without_its_password_wherever_that_stands() {
        for (url, shown) in [
            ("mysql://root:secret@db/x", "mysql://root:%E2%80%A6@db/x"),
            ("mysql:///x?host=/run&password=secret", "(not shown)"),
            ("mysql:///x?sslpassword=secret", "(not shown)"),
            ("root:secret@db", "(not shown)"),
            ("mysql:///x?host=/run", "mysql:///x?host=/run"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn lists_are_separated_by_commas_in_variables() {
        let config = with("", &[("BEADLE_LISTEN", "127.0.0.1:80, [::1]:443"), ("BEADLE_CONFIG", "ignored")], &[])
            .expect("right");
        assert_eq!(config.listen.len(), 2);
        assert!(config.listen.iter().any(std::net::SocketAddr::is_ipv6));
    }

    #[test]
    fn every_wrong_setting_is_told_with_what_would_be_right() {
        let file = r#"
            listen = ["localhost"]
            workers = 0
            sealing_keys = "x"
            [tls]
            mode = "ssl"
            [apns]
            url = "http://push.example.org"
            [google]
            api_url = "http://google.example.org"
            [log]
            format = "xml"
            level = "info,,=x"
            [retention]
            commands = -1
        "#;
        let variables = [("BEADLE_DATABASE__URL", "mysql://root:secret@db/x"), ("BEADLE_UNKNOWN", "1")];
        let problems = with(file, &variables, &[("limits.request_seconds", "soon")]).expect_err("all wrong");
        insta::assert_snapshot!(problems.to_string());
        assert!(!problems.to_string().contains("secret"));
    }

    #[test]
    fn settings_that_do_not_fit_together_are_told() {
        let wrong = |file: &str| with(file, &[], &[]).expect_err("wrong").to_string();
        insta::assert_snapshot!(
            [
                wrong("listen = \"0.0.0.0:80\"\n[tls]\nmode = \"proxy\"\n"),
                wrong("[tls]\nmode = \"files\"\ncertificate = \"/nowhere/certificate.pem\"\n"),
                wrong("[tls]\ncertificate = \"a.pem\"\n[proxy]\naddresses = [\"127.0.0.1\"]\n"),
                wrong("[tls]\nmode = \"proxy\"\nnames = [\"phones.example\"]\n[proxy]\naddresses = [\"127.0.0.1\"]\n"),
                wrong("[vendor]\ncertificate = \"a.pem\"\n[apns]\nextra_roots = [\"/nowhere/root.pem\"]\n"),
                wrong("not toml"),
            ]
            .join("\n\n")
        );
    }

    #[test]
    fn the_reference_in_the_documentation_is_in_step() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(&file, super::super::reference()).expect("written");
        }
        let written = std::fs::read_to_string(&file).expect("docs/configuration.md");
        assert!(written == super::super::reference(), "run this test once with UPDATE_REFERENCE=1");
    }
}
