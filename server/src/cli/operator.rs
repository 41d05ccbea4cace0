//! Operators and named approvers at the command line.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::Answer;
use super::api::Api;
use super::endpoints as to;
use super::output::{record, say, word};

/// What an operator of a council may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleOption {
    /// Runs the office: register, policy, reports, requests for orders.
    Clerk,
    /// The second person for what destroys data.
    Approver,
    /// Reads everything, changes nothing.
    Auditor,
    /// Runs the installation for all councils.
    Provider,
}

impl RoleOption {
    fn word(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Provider => "provider",
        }
    }
}

/// Whose operators are meant.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Whose {
    /// The providers, who work for every council, instead of a council's operators.
    #[arg(long)]
    provider: bool,
}

impl Whose {
    fn list(self) -> &'static to::Endpoint {
        if self.provider { &to::PROVIDERS } else { &to::OPERATORS }
    }

    async fn id(self, api: &Api, login: &str) -> Answer<String> {
        api.id(self.list(), login, "login", "operator").await
    }
}

/// Operators: people who may sign in.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Adds an operator and prints the initial password once.
    Add {
        /// The name to sign in with.
        #[arg(long)]
        login: String,
        /// The person's name.
        #[arg(long)]
        name: String,
        /// What the operator may do.
        #[arg(long, value_enum)]
        role: RoleOption,
    },
    /// Lists the operators of the council.
    List {
        #[command(flatten)]
        whose: Whose,
    },
    /// Ends an account, with its sign-ins and tokens.
    End {
        /// The login or id.
        operator: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Shows an operator.
    Show {
        /// The login or id.
        operator: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Changes login, name, role or mail address. A new login, role or address makes the account wait 72 hours before it approves.
    Change {
        /// The login or id.
        operator: String,
        #[command(flatten)]
        whose: Whose,
        /// A new login.
        #[arg(long)]
        login: Option<String>,
        /// A new name.
        #[arg(long)]
        name: Option<String>,
        /// Another role within the council.
        #[arg(long, value_enum)]
        role: Option<RoleOption>,
        /// Another mail address; empty for none.
        #[arg(long)]
        mail: Option<String>,
    },
    /// Gives an account a new initial password and takes its second factor away. It waits 72 hours before it approves.
    Reset {
        /// The login or id.
        operator: String,
        /// Leave the second factor as it is.
        #[arg(long)]
        keep_second_factor: bool,
        #[command(flatten)]
        whose: Whose,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Add { login, name, role: RoleOption::Provider } => {
                let added = api.call(&to::PROVIDER_ADD, &[], json!({ "login": login, "name": name })).await?;
                api.print(&added, initial_password)
            }
            Self::Add { login, name, role } => {
                let body = json!({ "login": login, "name": name, "role": role.word() });
                let added = api.call(&to::OPERATOR_ADD, &[], body).await?;
                api.print(&added, initial_password)
            }
            Self::List { whose } => api.list(whose.list(), &[], &[]).await,
            Self::End { operator, whose } => {
                let id = whose.id(api, &operator).await?;
                let ended = api.get(&to::OPERATOR_END, &[&id]).await?;
                api.print(&ended, |_| say("The account has ended, and its sign-ins and tokens with it."))
            }
            Self::Show { operator, whose } => {
                let id = whose.id(api, &operator).await?;
                api.show(&to::OPERATOR_SHOW, &[&id]).await
            }
            Self::Change { operator, whose, login, name, role, mail } => {
                let id = whose.id(api, &operator).await?;
                let body = json!({ "login": login, "name": name, "role": role.map(RoleOption::word), "mail": mail });
                let changed = api.call(&to::OPERATOR_CHANGE, &[&id], body).await?;
                api.print(&changed, record)
            }
            Self::Reset { operator, keep_second_factor, whose } => {
                let id = whose.id(api, &operator).await?;
                let body = json!({ "second_factor": !keep_second_factor });
                let reset = api.call(&to::OPERATOR_RESET, &[&id], body).await?;
                api.print(&reset, initial_password)
            }
        }
    }
}

/// Tells the password that is shown once.
pub(super) fn initial_password(answer: &serde_json::Value) {
    say(format!("Initial password: {}", word(answer, "initial_password")));
    say("It is shown this once. Hand it over in person; it must be changed at the first `beadle login`.");
}

/// Approvers: who may be the second person for an order.
#[derive(Debug, Subcommand)]
pub(crate) enum Approver {
    /// Lists the clerks and providers whom the council named.
    List,
    /// Names a clerk or provider as approver of the council. Another operator of the council itself does so, signed in.
    Name {
        /// The login or id.
        operator: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Takes that back.
    Unname {
        /// The login or id.
        operator: String,
        #[command(flatten)]
        whose: Whose,
    },
}

impl Approver {
    pub(super) async fn run(self, api: &Api) -> Answer {
        let (operator, whose, endpoint, sentence) = match self {
            Self::List => return api.list(&to::APPROVERS, &[], &[]).await,
            Self::Name { operator, whose } => (
                operator,
                whose,
                &to::APPROVER_NAME,
                "Named. The account may approve once it is established, and never its own request.",
            ),
            Self::Unname { operator, whose } => {
                (operator, whose, &to::APPROVER_UNNAME, "The account is no longer named as approver of this council.")
            }
        };
        let id = whose.id(api, &operator).await?;
        let answer = api.get(endpoint, &[&id]).await?;
        api.print(&answer, |_| say(sentence))
    }
}
