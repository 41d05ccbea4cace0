//! The table of contents of the command line: every command, and what does it.

use clap::Subcommand;

use super::api::Api;
use super::{
    Answer, Cli, account, alert, apple, asset, audit, cap, connect, council, device, google, hold, invitation, keep,
    leaver, loss, operator, order, person, policy, quarantine, token,
};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the server.
    Serve,
    /// Checks the settings without starting, and tells all that is wrong.
    CheckConfig(keep::CheckConfig),
    Demo(keep::Demo),
    SetUp(account::SetUp),
    /// Makes the set-up code again, while nobody can sign in yet.
    SetUpCode,
    /// Brings the database up to date after an upgrade, or begins the installation; `serve` does so too.
    Migrate,
    Backup(keep::Backup),
    Restore(keep::Restore),
    /// The key that seals secrets in the database.
    #[command(subcommand)]
    Seal(keep::Seal),

    Login(account::Login),
    /// Ends the sign-in that is kept.
    Logout,
    #[command(subcommand)]
    Session(account::Session),
    #[command(subcommand)]
    Account(account::Account),

    #[command(subcommand)]
    Council(council::Command),
    #[command(subcommand)]
    Operator(operator::Command),
    #[command(subcommand)]
    Approver(operator::Approver),
    #[command(subcommand)]
    Token(token::Command),

    #[command(subcommand)]
    Person(person::Command),
    #[command(subcommand)]
    Asset(asset::Command),
    Invite(invitation::Invite),
    #[command(subcommand)]
    Invitation(invitation::Command),
    #[command(subcommand)]
    Device(device::Command),
    #[command(subcommand)]
    Policy(policy::Command),

    #[command(subcommand)]
    Loss(loss::Command),
    #[command(subcommand)]
    Leaver(leaver::Command),
    #[command(subcommand)]
    Order(order::Command),
    #[command(subcommand)]
    Hold(hold::Command),
    #[command(subcommand)]
    Cap(cap::Command),
    #[command(subcommand)]
    Quarantine(quarantine::Command),

    #[command(subcommand)]
    Apple(apple::Command),
    #[command(subcommand)]
    Google(google::Command),
    #[command(subcommand)]
    Alert(alert::Command),
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Does what was asked.
pub(super) async fn run(cli: Cli) -> Answer {
    let Cli { common, command } = cli;
    match command {
        Command::Serve => keep::serve(&common).await,
        Command::CheckConfig(command) => command.run(&common),
        Command::Demo(command) => command.run().await,
        Command::Migrate => keep::migrate(&common).await,
        Command::Restore(command) => command.run(&common).await,
        command => {
            let api = connect::connect(&common).await?;
            let done = ask(command, &api).await;
            // What the command says matters more than how its own server ended.
            let closed = api.close().await;
            done.and(closed)
        }
    }
}

/// What is done through the API.
async fn ask(command: Command, api: &Api) -> Answer {
    match command {
        // Done above, before there is a way to the API.
        Command::Serve | Command::CheckConfig(_) | Command::Demo(_) | Command::Migrate | Command::Restore(_) => Ok(()),
        Command::SetUp(command) => command.run(api).await,
        Command::SetUpCode => keep::set_up_code(api).await,
        Command::Backup(command) => command.run(api).await,
        Command::Seal(command) => command.run(api).await,
        Command::Login(command) => command.run(api).await,
        Command::Logout => account::logout(api).await,
        Command::Session(command) => command.run(api).await,
        Command::Account(command) => command.run(api).await,
        Command::Council(command) => command.run(api).await,
        Command::Operator(command) => command.run(api).await,
        Command::Approver(command) => command.run(api).await,
        Command::Token(command) => command.run(api).await,
        Command::Person(command) => command.run(api).await,
        Command::Asset(command) => command.run(api).await,
        Command::Invite(command) => command.run(api).await,
        Command::Invitation(command) => command.run(api).await,
        Command::Device(command) => command.run(api).await,
        Command::Policy(command) => command.run(api).await,
        Command::Loss(command) => command.run(api).await,
        Command::Leaver(command) => command.run(api).await,
        Command::Order(command) => command.run(api).await,
        Command::Hold(command) => command.run(api).await,
        Command::Cap(command) => command.run(api).await,
        Command::Quarantine(command) => command.run(api).await,
        Command::Apple(command) => command.run(api).await,
        Command::Google(command) => command.run(api).await,
        Command::Alert(command) => command.run(api).await,
        Command::Audit(command) => command.run(api).await,
    }
}
