//! Apple's push certificate at the command line.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::api::{Api, text_of};
use super::endpoints as to;
use super::output::{say, table, word};
use super::{Answer, Refusal};

/// Apple's push certificate of the council, which wakes its phones.
#[expect(clippy::enum_variant_names, reason = "they are the words of the command line")]
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a key and a request for a certificate, also to renew it, and writes the file for Apple's portal.
    PushCsr {
        /// The file to write.
        #[arg(long, value_name = "FILE", default_value = "push-request.plist")]
        out: PathBuf,
    },
    /// Takes the certificate of Apple's portal into use.
    PushImport {
        /// The file that Apple gave: MDM_….pem.
        file: PathBuf,
        /// The Apple Account that made it, which alone can renew it.
        #[arg(long, value_name = "ADDRESS")]
        apple_account: String,
        /// Take a certificate with another topic on purpose: every phone must enrol again.
        #[arg(long)]
        new_topic: bool,
    },
    /// Shows the council's certificates, until when they are good, and how many phones need them.
    PushStatus,
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::PushCsr { out } => {
                if out.exists() {
                    return Err(Refusal::Said(format!(
                        "{} is there already; name another file with --out",
                        out.display()
                    )));
                }
                let request = api.get(&to::PUSH_REQUEST, &[]).await?;
                let signed = request.get("vendor_signed_request").and_then(Value::as_str);
                let content = match signed {
                    Some(signed) => signed.to_owned(),
                    None => text_of(&request, "csr_pem")?,
                };
                write(&out, &content)?;
                api.print(&request, |request| {
                    match signed {
                        Some(_) => say(format!("Wrote the signed request to {}.", out.display())),
                        None => say(format!(
                            "Wrote the request, which is not signed by a vendor yet, to {}.",
                            out.display()
                        )),
                    }
                    say(word(request, "what_next"));
                })
            }
            Self::PushImport { file, apple_account, new_topic } => {
                let body = json!({
                    "certificate": super::read_file(&file)?, "apple_account": apple_account,
                    "new_topic": new_topic.then_some(true),
                });
                let status = api.call(&to::PUSH_IMPORT, &[], body).await?;
                api.print(&status, |status| {
                    say("The certificate is in use. Renew it every year with the same Apple Account.");
                    table(status.as_array().map_or(&[], Vec::as_slice), &to::PUSH_STATUS.columns());
                })
            }
            Self::PushStatus => api.list(&to::PUSH_STATUS, &[], &[]).await,
        }
    }
}

fn write(file: &Path, content: &str) -> Answer {
    std::fs::write(file, content)
        .map_err(|problem| Refusal::Said(format!("cannot write {}: {problem}", file.display())))
}
