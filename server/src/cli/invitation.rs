//! Invitations at the command line: the link, and its code for a phone's camera.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::api::Api;
use super::duration::Length;
use super::output::{say, warnings, word};
use super::{Answer, endpoints as to, person, qr};

/// How the device will be managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeOption {
    /// A council device as it comes from the shop.
    Device,
    /// A council device prepared with Apple Configurator: Lost Mode and more restrictions are possible.
    Supervised,
    /// A council Android phone, all of it for work.
    FullyManaged,
    /// A council Android phone with a work profile beside a personal side.
    CompanyWorkProfile,
    /// The holder's own Android phone, with a work profile.
    PersonalWorkProfile,
}

impl ModeOption {
    fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Supervised => "supervised",
            Self::FullyManaged => "fully_managed",
            Self::CompanyWorkProfile => "company_work_profile",
            Self::PersonalWorkProfile => "personal_work_profile",
        }
    }
}

/// Invites a person to enrol an item of the register: prints the link, and a code to scan with the phone.
#[derive(Debug, Args)]
pub(crate) struct Invite {
    /// The tag or id of the item.
    #[arg(long)]
    asset: String,
    /// The name or id of the person who is invited; the item's only holder unless given.
    #[arg(long)]
    person: Option<String>,
    /// How the device will be managed; for an iPhone `device`, for an Android phone what fits whose it is, unless given.
    #[arg(long, value_enum)]
    mode: Option<ModeOption>,
    /// How long the link is good: 24h, 7d.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    expires: Length,
}

impl Invite {
    pub(super) async fn run(self, api: &Api) -> Answer {
        let person = match &self.person {
            Some(person) => Some(person::id(api, person).await?),
            None => None,
        };
        let body = json!({
            "asset": self.asset, "person": person, "mode": self.mode.map(ModeOption::word), "expires_in_hours": self.expires.hours(),
        });
        let invitation = api.call(&to::INVITE, &[], body).await?;
        api.print(&invitation, |invitation| {
            let link = word(invitation, "link");
            qr::show(&link);
            say(&link);
            say(format!("For reading it out: {}", word(invitation, "code")));
            warnings(invitation);
            say(format!(
                "Good once, until {}. It is shown this once: the server keeps only its hash.",
                word(invitation, "expires_at")
            ));
        })
    }
}

/// Invitations that were made.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the invitations.
    List {
        /// Only those that can still be used.
        #[arg(long)]
        usable: bool,
    },
    /// Makes the code by which an invited Android phone enrols, after its holder has accepted: a code for a council phone in
    /// factory state, good for an hour, or the link of a personal phone.
    Code {
        /// The invitation's id.
        invitation: String,
    },
    /// Withdraws an invitation that was not used.
    Withdraw {
        /// Its id.
        invitation: String,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::List { usable } => {
                let query: &[(&str, &str)] = if usable { &[("usable", "true")] } else { &[] };
                api.list(&to::INVITATIONS, &[], query).await
            }
            Self::Code { invitation } => {
                let answer = api.call(&to::INVITATION_CODE, &[&invitation], json!({})).await?;
                api.print(&answer, |answer| {
                    let link = answer.get("link").and_then(serde_json::Value::as_str);
                    match link.or_else(|| answer.get("text").and_then(serde_json::Value::as_str)) {
                        Some(text) => qr::show(text),
                        None => say("Google sent no code."),
                    }
                    match link {
                        Some(link) => say(format!("Open on the holder's own phone: {link}")),
                        None => say("On the new phone's first screen, tap the same spot six times, and scan this."),
                    }
                    say(format!("Good once, until {}.", word(answer, "expires_at")));
                })
            }
            Self::Withdraw { invitation } => {
                let answer = api.get(&to::INVITATION_WITHDRAW, &[&invitation]).await?;
                api.print(&answer, |_| say("Withdrawn: the link is no longer good."))
            }
        }
    }
}
