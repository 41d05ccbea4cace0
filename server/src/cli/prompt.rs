//! Asking the person at the terminal; secrets are never flags, because every user of the machine can read those.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use zeroize::Zeroizing;

use super::{Answer, Refusal};

/// Whether there is a person to ask.
pub(super) fn at_terminal() -> bool {
    std::io::stdin().is_terminal()
}

fn said(problem: std::io::Error) -> Refusal {
    Refusal::Said(format!("cannot read from the terminal: {problem}"))
}

/// One line, shown while typed.
pub(super) fn line(question: &str) -> Answer<String> {
    #[cfg(test)]
    if let Some(answer) = super::tests::type_in(question) {
        return Ok(answer);
    }
    if std::io::stdin().is_terminal() {
        eprint!("{question}: ");
        std::io::stderr().flush().map_err(said)?;
    }
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text).map_err(said)?;
    Ok(text.trim().to_owned())
}

/// One line, not shown; from standard input for scripts.
pub(super) fn secret(question: &str, from_input: bool) -> Answer<Zeroizing<String>> {
    if from_input {
        return line(question).map(Zeroizing::new);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Refusal::Usage(
            "there is no terminal to ask for a password; give it on standard input with --password-stdin".to_owned(),
        ));
    }
    rpassword::prompt_password(format!("{question}: ")).map(Zeroizing::new).map_err(said)
}

/// A new secret, typed twice.
pub(super) fn new_secret(question: &str, from_input: bool) -> Answer<Zeroizing<String>> {
    let first = secret(question, from_input)?;
    if from_input || *first == *secret("Once more", false)? {
        return Ok(first);
    }
    Err(Refusal::Said("the two are not the same".to_owned()))
}

/// What was typed as second factor: six digits are a code of the app, anything else is a recovery code.
pub(super) fn second_factor(typed: &str) -> (Option<&str>, Option<&str>) {
    let typed = typed.trim();
    match typed.len() {
        0 => (None, None),
        6 if typed.bytes().all(|byte| byte.is_ascii_digit()) => (Some(typed), None),
        _ => (None, Some(typed)),
    }
}

#[cfg(test)]
mod tests {
    use super::second_factor;

    #[test]
    fn six_digits_are_a_code_and_the_rest_a_recovery_code() {
        assert_eq!(second_factor(" 123456\n"), (Some("123456"), None));
        assert_eq!(second_factor("ABCD-EFGH"), (None, Some("ABCD-EFGH")));
        assert_eq!(second_factor("  "), (None, None));
    }
}
