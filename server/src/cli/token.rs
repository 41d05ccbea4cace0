//! Tokens for programs, at the command line.

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::Answer;
use super::api::Api;
use super::duration::Length;
use super::endpoints as to;
use super::output::{say, word};

/// What a token may do. None of these touches an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeOption {
    /// Read everything of the council.
    Read,
    /// Report a loss, which locks.
    Report,
    /// Lock a device.
    Lock,
    /// Keep the register, people and invitations.
    Register,
}

impl ScopeOption {
    fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Report => "report",
            Self::Lock => "lock",
            Self::Register => "register",
        }
    }
}

/// Short-lived tokens for programs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Issues a token and prints it once.
    Issue {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may do; may be given several times.
        #[arg(long = "scope", value_enum, required = true)]
        scopes: Vec<ScopeOption>,
        /// How long it is good: 30m, 12h.
        #[arg(long, value_name = "TIME", default_value = "1h")]
        expires: Length,
    },
    /// Lists the tokens.
    List,
    /// Revokes a token.
    Revoke {
        /// Its id.
        token: String,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Issue { name, scopes, expires } => {
                let scopes: Vec<&str> = scopes.into_iter().map(ScopeOption::word).collect();
                let body = json!({ "name": name, "scopes": scopes, "minutes": expires.minutes() });
                let issued = api.call(&to::TOKEN_ISSUE, &[], body).await?;
                api.print(&issued, |issued| {
                    say(word(issued, "token"));
                    eprintln!("Good until {}. It is shown this once.", word(issued, "expires_at"));
                })
            }
            Self::List => api.list(&to::TOKENS, &[], &[]).await,
            Self::Revoke { token } => {
                let answer = api.get(&to::TOKEN_REVOKE, &[&token]).await?;
                api.print(&answer, |_| say("Revoked: it is refused from now on."))
            }
        }
    }
}
