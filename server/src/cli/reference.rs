//! The reference of all commands, as `docs/commands.md` has it; written from the commands themselves.

use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

/// The whole page.
pub(super) fn page() -> String {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut page = String::from(
        "# Commands\n\n\
         Every command asks the server of the data folder through its control socket, or starts its own for one request\n\
         when none runs; with `--server` it asks another one over HTTPS. Access to the data folder suffices to set up and\n\
         read. Orders, and opening a phone, need people who signed in with `beadle login`, whichever way they come, and a\n\
         running server.\n\n\
         Items go by their tag, councils by their short name, operators by their login, people by their name; ids work too.\n\
         `--json` prints the API's JSON as it is.\n\n\
         Exit status: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong usage.\n\n\
         This page is written from the program's own commands.\n",
    );
    page.push_str("\n## Everywhere\n\n");
    program
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .for_each(|argument| describe(argument, &mut page));
    for command in program.get_subcommands() {
        page.push_str(&format!("\n## `beadle {}`\n\n{}\n", command.get_name(), about(command)));
        one(command, command.get_name(), &mut page);
    }
    page
}

fn one(command: &Command, path: &str, page: &mut String) {
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_global_set() && !["help", "version"].contains(&argument.get_id().as_str()))
        .collect();
    if command.get_subcommands().next().is_none() {
        let usage: Vec<String> =
            std::iter::once(format!("beadle {path}")).chain(own.iter().map(|own| form(own))).collect();
        page.push_str(&format!("\n```text\n{}\n```\n", usage.join(" ")));
        if !own.is_empty() {
            page.push('\n');
        }
        own.into_iter().for_each(|argument| describe(argument, page));
    }
    for inner in command.get_subcommands() {
        let path = format!("{path} {}", inner.get_name());
        page.push_str(&format!("\n### `beadle {path}`\n\n{}\n", about(inner)));
        one(inner, &path, page);
    }
}

fn about(command: &Command) -> String {
    let text = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    sentence(&text)
}

/// clap takes the last full stop of an explanation away.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

fn value(argument: &Arg) -> Option<String> {
    if !argument.get_action().takes_values() {
        return None;
    }
    let name = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    Some(name.unwrap_or_else(|| argument.get_id().as_str().to_uppercase()))
}

fn name(argument: &Arg) -> String {
    match (argument.get_long(), value(argument)) {
        (Some(long), Some(value)) => format!("--{long} {value}"),
        (Some(long), None) => format!("--{long}"),
        (None, value) => value.unwrap_or_default(),
    }
}

fn form(argument: &Arg) -> String {
    let name = name(argument);
    let several = argument.get_num_args().is_some_and(|number| number.max_values() > 1)
        || matches!(argument.get_action(), clap::ArgAction::Append);
    let dots = if several { " …" } else { "" };
    if argument.is_required_set() { format!("{name}{dots}") } else { format!("[{name}{dots}]") }
}

fn describe(argument: &Arg, page: &mut String) {
    let text = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    page.push_str(&format!("- `{}`: {}", name(argument), sentence(&text)));
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| argument.get_action().takes_values())
        .map(|choice| match choice.get_help() {
            Some(help) => format!("`{}` ({})", choice.get_name(), help.to_string().trim_end_matches('.')),
            None => format!("`{}`", choice.get_name()),
        })
        .collect();
    if !choices.is_empty() {
        page.push_str(&format!(" One of {}.", choices.join(", ")));
    }
    if let Some(default) = argument.get_default_values().first().filter(|_| argument.get_action().takes_values()) {
        page.push_str(&format!(" `{}` unless given.", default.to_string_lossy()));
    }
    if let Some(variable) = argument.get_env() {
        page.push_str(&format!(" Variable: `{}`.", variable.to_string_lossy()));
    }
    page.push('\n');
}
