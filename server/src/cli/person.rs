//! People who may hold a device, at the command line.

use clap::Subcommand;
use serde_json::json;

use super::Answer;
use super::api::Api;
use super::endpoints as to;
use super::output::{say, word};

/// People who may hold a device.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Adds a person.
    Add {
        /// The name.
        #[arg(long)]
        name: String,
        /// The mail address.
        #[arg(long)]
        email: Option<String>,
        /// A phone number other than the device's, to reach the person when it is lost.
        #[arg(long)]
        phone: Option<String>,
        /// The person may hold council devices only, never enrol one of their own.
        #[arg(long)]
        council_device_only: bool,
    },
    /// Lists the people.
    List {
        /// Also those who left.
        #[arg(long)]
        ended: bool,
    },
    /// Shows a person.
    Show {
        /// The name or id.
        person: String,
    },
    /// Notes that a person has left. Refused while they hold an item or a phone of theirs is under management.
    End {
        /// The name or id.
        person: String,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Add { name, email, phone, council_device_only } => {
                let only = council_device_only.then_some(true);
                let body = json!({ "name": name, "email": email, "phone": phone, "council_device_only": only });
                let person = api.call(&to::PERSON_ADD, &[], body).await?;
                api.print(&person, |person| say(format!("Added {} ({}).", word(person, "name"), word(person, "id"))))
            }
            Self::List { ended } => {
                let query: &[(&str, &str)] = if ended { &[("ended", "true")] } else { &[] };
                api.list(&to::PEOPLE, &[], query).await
            }
            Self::End { person } => {
                let id = id(api, &person).await?;
                let answer = api.get(&to::PERSON_END, &[&id]).await?;
                api.print(&answer, |person| say(format!("{} has left.", word(person, "name"))))
            }
            Self::Show { person } => {
                let id = id(api, &person).await?;
                api.show(&to::PERSON_SHOW, &[&id]).await
            }
        }
    }
}

/// The id of a person.
pub(super) async fn id(api: &Api, person: &str) -> Answer<String> {
    api.id(&to::PEOPLE, person, "name", "person").await
}
