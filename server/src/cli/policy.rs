//! The council's policy at the command line.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::api::Api;
use super::endpoints as to;
use super::output::{self, plain, say, word};
use super::{Answer, Refusal, prompt};

/// The council's policy: settings, versions, and what they become on each kind of phone.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the ready-made policies.
    Presets,
    /// Shows the policy in force, or an earlier version.
    Show {
        /// The version.
        #[arg(long, value_name = "NUMBER")]
        version: Option<i64>,
    },
    /// Changes settings: makes a new version and brings it to every phone.
    Set {
        /// The settings: passcode.minimum_length=8; `none` clears an optional one.
        #[arg(value_name = "SETTING=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
        /// Start from a ready-made policy instead of the one in force.
        #[arg(long, conflicts_with = "version")]
        preset: Option<String>,
        /// Go back to an earlier version.
        #[arg(long, value_name = "NUMBER")]
        version: Option<i64>,
        /// Why: the minute or decision of the council.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Shows what each setting becomes on each kind of phone: enforced, only reported or not possible, and the gap.
    Coverage {
        /// Only this platform: apple, android.
        #[arg(long)]
        platform: Option<String>,
        /// Only this management mode, such as device, supervised, fully_managed.
        #[arg(long)]
        mode: Option<String>,
        /// Only where the phone falls short of the policy.
        #[arg(long)]
        gaps: bool,
    },
    /// Lists who changed what and when, newest first.
    History,
    /// Stores the password of a Wi-Fi network of the policy; asked for, or read with --password-stdin.
    WifiPassword {
        /// The network's name.
        ssid: String,
        /// Forgets the password instead.
        #[arg(long)]
        forget: bool,
    },
    /// Stores a certificate that phones shall trust and the policy can name.
    Certificate {
        /// The name that the policy uses.
        name: String,
        /// The certificate, PEM.
        #[arg(required_unless_present = "forget")]
        file: Option<PathBuf>,
        /// Forgets the certificate instead.
        #[arg(long, conflicts_with = "file")]
        forget: bool,
    },
    /// Lists the stored passwords and certificates, never their values.
    Secrets,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => Ok((path.trim().to_owned(), value.trim().to_owned())),
        _ => Err("must be SETTING=VALUE, such as passcode.minimum_length=8".to_owned()),
    }
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Presets => api.list(&to::PRESETS, &[], &[]).await,
            Self::Show { version } => {
                let version = version.map(|version| version.to_string());
                let query: Vec<(&str, &str)> = version.iter().map(|version| ("version", version.as_str())).collect();
                let policy = api.get_with(&to::POLICY, &[], &query).await?;
                api.print(&policy, show)
            }
            Self::Set { settings, preset, version, note } => {
                if settings.is_empty() && preset.is_none() && version.is_none() {
                    return Err(Refusal::Usage("give at least one SETTING=VALUE, --preset or --version".to_owned()));
                }
                let set: Map<String, Value> =
                    settings.into_iter().map(|(path, value)| (path, Value::String(value))).collect();
                let body = json!({ "set": set, "preset": preset, "version": version, "note": note });
                let policy = api.call(&to::POLICY_SET, &[], body).await?;
                api.print(&policy, |policy| {
                    say(format!("The policy is now version {}.", word(policy, "version")));
                    say("Phones get it when they next answer; what they report: `beadle device show`.");
                })
            }
            Self::Coverage { platform, mode, gaps } => {
                let rows = api.all(&to::COVERAGE, &[], &[]).await?;
                if api.common.json {
                    return output::json(&Value::Array(rows));
                }
                let wanted = |row: &&Value| {
                    let is = |field: &str, wanted: &Option<String>| {
                        wanted.as_ref().is_none_or(|wanted| row.get(field).and_then(Value::as_str) == Some(wanted))
                    };
                    is("platform", &platform)
                        && is("mode", &mode)
                        && (!gaps || row.get("gap").is_some_and(|gap| !gap.is_null()))
                };
                rows.iter().filter(wanted).for_each(coverage);
                Ok(())
            }
            Self::History => history(api).await,
            Self::WifiPassword { ssid, forget } => {
                let password = match forget {
                    true => None,
                    false => Some(prompt::new_secret("Password of the network", api.common.password_stdin)?),
                };
                let body = json!({ "password": password.as_ref().map(|password| password.as_str()) });
                stored(api, &to::WIFI_PASSWORD, &[&ssid], body).await
            }
            Self::Certificate { name, file, forget: _ } => {
                let certificate = file.as_deref().map(super::read_file).transpose()?;
                stored(api, &to::POLICY_CERTIFICATE, &[], json!({ "name": name, "certificate": certificate })).await
            }
            Self::Secrets => api.list(&to::POLICY_SECRETS, &[], &[]).await,
        }
    }
}

async fn stored(api: &Api, endpoint: &to::Endpoint, parts: &[&str], body: Value) -> Answer {
    let answer = api.call(endpoint, parts, body).await?;
    api.print(&answer, |answer| match answer.get("policy_version").and_then(Value::as_i64) {
        Some(version) => say(format!("Stored. The policy uses it, and is now version {version}.")),
        None => say("Stored. The policy does not use it yet."),
    })
}

fn show(policy: &Value) {
    say(format!(
        "Version {}, {} by {}: {}",
        word(policy, "version"),
        word(policy, "changed_at"),
        word(policy, "changed_by"),
        word(policy, "note"),
    ));
    let mut lines = Vec::new();
    paths("", policy.get("policy").unwrap_or(&Value::Null), &mut lines);
    for (path, value) in lines {
        say(format!("{path} = {value}"));
    }
    let questions = policy.get("open_questions").and_then(Value::as_array);
    for question in questions.into_iter().flatten() {
        say(format!("? {}: {}", word(question, "setting"), word(question, "question")));
    }
}

/// Every value with its path, as `policy set` takes it.
fn paths(prefix: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                paths(&path, value, lines);
            }
        }
        Value::Null => lines.push((prefix.to_owned(), "none".to_owned())),
        Value::String(text) => lines.push((prefix.to_owned(), text.clone())),
        other => lines.push((prefix.to_owned(), other.to_string())),
    }
}

fn coverage(row: &Value) {
    say(format!("{} — {} {}: {}", word(row, "setting"), word(row, "platform"), word(row, "mode"), word(row, "status")));
    say(format!("  policy says: {}", word(row, "policy_says")));
    say(format!("  phone does:  {}", word(row, "phone_does")));
    if row.get("gap").is_some_and(|gap| !gap.is_null()) {
        say(format!("  gap:         {}", word(row, "gap")));
    }
}

async fn history(api: &Api) -> Answer {
    if api.common.json {
        return api.list(&to::POLICY_HISTORY, &[], &[]).await;
    }
    for line in api.all(&to::POLICY_HISTORY, &[], &[]).await? {
        say(format!(
            "{}  {} by {}: {}",
            word(&line, "version"),
            word(&line, "changed_at"),
            word(&line, "changed_by"),
            word(&line, "note"),
        ));
        for change in line.get("differences").and_then(Value::as_array).into_iter().flatten() {
            let was = change.get("from").map_or_else(|| "–".to_owned(), plain);
            let is = change.get("to").map_or_else(|| "–".to_owned(), plain);
            say(format!("   {}: {was} → {is}", word(change, "setting")));
        }
    }
    Ok(())
}
