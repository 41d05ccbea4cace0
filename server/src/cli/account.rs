//! Setting up, signing in and staying signed in, at the command line.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::api::{Api, text_of};
use super::endpoints as to;
use super::output::{say, word};
use super::{Answer, operator, prompt, qr, session};

/// Makes the first operator, a provider, with the code that the first start of the server printed.
#[derive(Debug, Args)]
pub(crate) struct SetUp {
    /// The set-up code; asked for unless given.
    #[arg(long)]
    code: Option<String>,
    /// The name to sign in with.
    #[arg(long)]
    login: String,
    /// The person's name.
    #[arg(long)]
    name: String,
    /// Begin with the clerk of the council of --council instead of a provider.
    #[arg(long)]
    clerk: bool,
}

impl SetUp {
    pub(super) async fn run(self, api: &Api) -> Answer {
        let code = match self.code {
            Some(code) => code,
            None => prompt::line("Set-up code")?,
        };
        let council = match self.clerk {
            true => Some(api.council().await?),
            false => None,
        };
        let body = json!({ "code": code, "login": self.login, "name": self.name, "council": council });
        let answer = api.call(&to::SET_UP, &[], body).await?;
        api.print(&answer, operator::initial_password)
    }
}

/// Signs in and keeps the sign-in for the commands after this one; guides through the first sign-in.
///
/// Scripts give the password with --password-stdin and the code with --totp. BEADLE_SESSION, set to what --print-token
/// prints, goes before the sign-in that is kept.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The login; asked for unless given.
    #[arg(long)]
    login: Option<String>,
    /// Print the token of the sign-in instead of keeping it.
    #[arg(long)]
    print_token: bool,
}

impl Login {
    pub(super) async fn run(self, api: &Api) -> Answer {
        api.set_token(None);
        let login = match self.login {
            Some(login) => login,
            None => prompt::line("Login")?,
        };
        let password = prompt::secret("Password", api.common.password_stdin)?;
        let given = match &api.common.totp {
            Some(code) => code.clone(),
            None if prompt::at_terminal() => {
                prompt::line("Code of your authenticator app (empty at your first sign-in)")?
            }
            None => String::new(),
        };
        let (totp, recovery) = prompt::second_factor(&given);
        let body = json!({ "login": login, "password": *password, "totp": totp, "recovery_code": recovery });
        let signed_in = api.call(&to::SIGN_IN, &[], body).await?;
        api.set_token(Some(text_of(&signed_in, "token")?));
        first_steps(api, &password).await?;
        if self.print_token {
            return api.print(&signed_in, |signed_in| say(word(signed_in, "token")));
        }
        api.keep_token()?;
        let account = api.get(&to::ACCOUNT, &[]).await?;
        api.print(&account, |account| {
            say(format!("Signed in as {} ({}).", word(account, "name"), word(account, "role")));
        })
    }
}

/// Before anything else the initial password is changed and a second factor set up.
async fn first_steps(api: &Api, password: &str) -> Answer {
    let account = api.get(&to::ACCOUNT, &[]).await?;
    if account.get("must_change_password").and_then(Value::as_bool) == Some(true) {
        eprintln!("Choose a password of your own; three or four unrelated words make a good one.");
        change_password(api, Some(password)).await?;
    }
    if account.get("mfa").and_then(Value::as_bool) == Some(false) {
        eprintln!("Now your second factor.");
        set_up_totp(api).await?;
    }
    Ok(())
}

async fn change_password(api: &Api, current: Option<&str>) -> Answer {
    let asked;
    let current = match current {
        Some(current) => current,
        None => {
            asked = prompt::secret("Present password", api.common.password_stdin)?;
            asked.as_str()
        }
    };
    let new = prompt::new_secret("New password", api.common.password_stdin)?;
    let body = json!({ "current": current, "new": new.as_str() });
    api.call(&to::PASSWORD, &[], body).await.map(drop)
}

async fn set_up_totp(api: &Api) -> Answer {
    let seed = api.get(&to::TOTP, &[]).await?;
    say("Scan this with an authenticator app on your phone, or type the secret into it:");
    qr::show(&text_of(&seed, "otpauth_url")?);
    say(format!("Secret: {}", word(&seed, "secret")));
    let code = prompt::line("The code that the app shows now")?;
    let confirmed = api.call(&to::TOTP_CONFIRM, &[], json!({ "code": code.trim() })).await?;
    recovery_codes(&confirmed);
    Ok(())
}

fn recovery_codes(answer: &Value) {
    say(
        "Recovery codes, each good once, for the day when your phone is the lost one. Print them; they are shown this once:",
    );
    for code in answer.get("recovery_codes").and_then(Value::as_array).into_iter().flatten() {
        say(format!("  {}", code.as_str().unwrap_or_default()));
    }
}

/// Ends the sign-in that is kept.
pub(super) async fn logout(api: &Api) -> Answer {
    if api.token().is_none() {
        say("You were not signed in.");
        return Ok(());
    }
    let ended = api.sign_out().await;
    api.set_token(None);
    // Forgotten here whatever the server says; it may have ended there before.
    if std::env::var_os(session::VARIABLE).is_none() {
        api.keep_token()?;
    }
    ended?;
    say("Signed out.");
    Ok(())
}

/// Your own account.
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Shows who is signed in.
    Show,
    /// Changes your password.
    Password,
    /// Sets up a new authenticator app and new recovery codes. Your standing as approver starts again.
    Totp,
    /// Makes ten new recovery codes in place of the old ones.
    RecoveryCodes,
}

impl Account {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Show => api.show(&to::ACCOUNT, &[]).await,
            Self::Password => {
                change_password(api, None).await?;
                say("Changed.");
                Ok(())
            }
            Self::Totp => set_up_totp(api).await,
            Self::RecoveryCodes => {
                let codes = api.get(&to::RECOVERY_CODES, &[]).await?;
                api.print(&codes, recovery_codes)
            }
        }
    }
}

/// Sign-ins: where your account is in use.
#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// Lists your sign-ins.
    List,
    /// Ends one of your sign-ins.
    Revoke {
        /// Its id.
        session: String,
    },
}

impl Session {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::List => api.list(&to::SESSIONS, &[], &[]).await,
            Self::Revoke { session } => {
                let answer = api.get(&to::SESSION_END, &[&session]).await?;
                api.print(&answer, |_| say("That sign-in has ended."))
            }
        }
    }
}
