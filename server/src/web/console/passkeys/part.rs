//! The part of a page that asks for a passkey. Without scripts nobody sees it.

use askama::Template;

use crate::app::App;
use crate::error::Result;
use crate::web::console::form::Field;
use crate::web::console::form_token;

/// A form that the script fills in with a passkey's answer.
#[derive(Clone, Debug, Template)]
#[template(path = "console/passkey.html")]
pub(in crate::web::console) struct Part {
    action: String,
    begin: String,
    token: String,
    begin_token: String,
    /// "get" asks a passkey that there is, "create" for a new one.
    call: &'static str,
    button: &'static str,
    then: Option<String>,
    fields: Vec<Field>,
    /// The heading over what can be done instead.
    otherwise: Option<&'static str>,
}

impl Part {
    pub(super) fn new(
        app: &App,
        binding: &str,
        action: &str,
        call: &'static str,
        button: &'static str,
    ) -> Result<Self> {
        let (begin, now) = (format!("{action}/begin"), app.clock.now());
        Ok(Self {
            token: form_token::issue(&app.keys, binding, action, now)?,
            begin_token: form_token::issue(&app.keys, binding, &begin, now)?,
            action: action.to_owned(),
            begin,
            call,
            button,
            then: None,
            fields: Vec::new(),
            otherwise: None,
        })
    }

    pub(super) fn fields(self, fields: Vec<Field>) -> Self {
        Self { fields, ..self }
    }
}

/// Signing in with a passkey.
pub(in crate::web::console) fn sign_in_part(app: &App, binding: &str, then: Option<&str>) -> Result<Part> {
    let part = Part::new(app, binding, super::sign_in::SIGN_IN, "get", "Use your passkey")?;
    Ok(Part { then: then.map(str::to_owned), otherwise: Some("Or with your password and a code"), ..part })
}

/// Confirming with a passkey.
pub(in crate::web::console) fn confirm_part(app: &App, binding: &str, then: Option<&str>) -> Result<Part> {
    let part = Part::new(app, binding, super::sign_in::CONFIRM, "get", "Use your passkey")?;
    Ok(Part { then: then.map(str::to_owned), otherwise: Some("Or with your password and a code"), ..part })
}
