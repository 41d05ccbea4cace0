//! Forms: what was sent, what is shown, and what is wrong with it, on top of the page and beside the field.

use std::collections::HashMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use askama::Template;

use super::failure::{Failure, sentence, wait};
use crate::error::Error;
use crate::model::CONFIRM_FIRST;

/// The name of the hidden field with the form's token.
pub(super) const TOKEN: &str = "form_token";

/// A form that passed the gate: its token was good.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) fields: HashMap<String, String>,
    /// The random part of its token.
    pub(super) nonce: String,
    /// A keyed hash of all that was sent.
    pub(super) hash: String,
}

impl Sent {
    /// The fields of a body; of several with one name the last.
    pub(super) fn parse(body: &[u8]) -> HashMap<String, String> {
        url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), legible(&value))).collect()
    }

    /// What was entered; empty where the field is missing.
    pub(super) fn text(&self, name: &str) -> String {
        self.fields.get(name).cloned().unwrap_or_default()
    }

    /// What was entered, if anything but space was.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name).trim().to_owned()).filter(|text| !text.is_empty())
    }
}

/// What a person can have typed: line ends of one kind, and none of the other control characters, which PostgreSQL or a page
/// could not show.
fn legible(text: &str) -> String {
    text.replace("\r\n", "\n").chars().filter(|letter| *letter == '\n' || !letter.is_control()).collect()
}

impl FromRequest for Sent {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sent = request.extensions().get::<Self>().cloned();
        ready(sent.ok_or(Failure::Stale))
    }
}

/// What is wrong with what was sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Errors(Vec<(String, String)>);

impl Errors {
    /// An error as the page shows it beside its form; any other ends in a page of its own.
    ///
    /// # Errors
    /// What is no fault of whoever filled the form in.
    pub(super) fn of(error: Error) -> Result<Self, Failure> {
        match error {
            Error::Invalid { field, problem } => Ok(Self(vec![(field, sentence(&problem))])),
            Error::Conflict(words) => Ok(Self(vec![(String::new(), sentence(&words))])),
            Error::Forbidden(words) if words != CONFIRM_FIRST => Ok(Self(vec![(String::new(), sentence(&words))])),
            Error::TooMany { retry_after_seconds } => {
                Ok(Self(vec![(String::new(), format!("Too many tries. Try again in {}", wait(retry_after_seconds)))]))
            }
            other => Err(other.into()),
        }
    }

    pub(super) fn one(field: &str, problem: &str) -> Self {
        Self(vec![(field.to_owned(), problem.to_owned())])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same, where what is wrong with a field begins with "must": its label goes before.
    pub(super) fn named(self, labels: &[(&str, &str)]) -> Self {
        let named = |(field, problem): (String, String)| {
            let label = labels.iter().find(|(name, _)| *name == field).map(|(_, label)| *label);
            let problem = match (label, problem.strip_prefix("Must ")) {
                (Some(label), Some(rest)) => format!("{label} must {rest}"),
                _ => problem,
            };
            (field, problem)
        };
        Self(self.0.into_iter().map(named).collect())
    }

    /// The errors, each with the field it is about; empty for one about the whole form.
    pub(super) fn all(&self) -> &[(String, String)] {
        &self.0
    }

    pub(super) fn about(&self, field: &str) -> Option<String> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, problem)| problem.clone())
    }
}

/// How a field is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One line, by the `type` of the input.
    Line(&'static str),
    /// Several lines.
    Lines,
    /// One of the choices.
    Choice,
    /// Any of the choices, each a field of its own that has a value when it is ticked.
    Ticks,
}

/// A field with its label, its hint and what is wrong with it.
#[derive(Clone, Debug, Template)]
#[template(path = "console/field.html")]
pub(super) struct Field {
    name: &'static str,
    label: String,
    hint: String,
    value: String,
    kind: Kind,
    choices: Vec<(&'static str, &'static str)>,
    problem: Option<String>,
    autocomplete: &'static str,
    most: usize,
    short: bool,
    digits: bool,
    direction: bool,
}

impl Field {
    fn new(name: &'static str, label: impl Into<String>, kind: Kind) -> Self {
        Self {
            name,
            label: label.into(),
            hint: String::new(),
            value: String::new(),
            kind,
            choices: Vec::new(),
            problem: None,
            autocomplete: "off",
            most: 200,
            short: false,
            digits: false,
            direction: true,
        }
    }

    pub(super) fn line(name: &'static str, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Line("text"))
    }

    pub(super) fn lines(name: &'static str, label: impl Into<String>) -> Self {
        Self { most: 2000, ..Self::new(name, label, Kind::Lines) }
    }

    pub(super) fn password(name: &'static str, label: impl Into<String>, autocomplete: &'static str) -> Self {
        Self { autocomplete, most: 256, direction: false, ..Self::new(name, label, Kind::Line("password")) }
    }

    /// Six digits of an authenticator app.
    pub(super) fn code(name: &'static str, label: impl Into<String>) -> Self {
        let line = Self::line(name, label);
        Self { autocomplete: "one-time-code", most: 10, short: true, digits: true, direction: false, ..line }
    }

    pub(super) fn moment(name: &'static str, label: impl Into<String>) -> Self {
        Self { most: 0, direction: false, ..Self::new(name, label, Kind::Line("datetime-local")) }
    }

    pub(super) fn choice(
        name: &'static str,
        label: impl Into<String>,
        choices: &[(&'static str, &'static str)],
    ) -> Self {
        Self { choices: choices.to_vec(), ..Self::new(name, label, Kind::Choice) }
    }

    /// Any of these: the name of each with its words.
    pub(super) fn ticks(name: &'static str, label: impl Into<String>, ticks: &[(&'static str, &'static str)]) -> Self {
        Self { choices: ticks.to_vec(), ..Self::new(name, label, Kind::Ticks) }
    }

    /// Whether this one of the ticks is set.
    fn is_ticked(&self, name: &str) -> bool {
        self.value.split(' ').any(|ticked| ticked == name)
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    pub(super) fn value(self, value: impl Into<String>) -> Self {
        Self { value: value.into(), ..self }
    }

    pub(super) fn most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    pub(super) fn short(self) -> Self {
        Self { short: true, ..self }
    }

    pub(super) fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..self }
    }

    /// The field with what is wrong with it.
    pub(super) fn marked(self, errors: &Errors) -> Self {
        Self { problem: errors.about(self.name), ..self }
    }

    /// The ids that describe the field, for screen readers.
    fn described_by(&self) -> String {
        let hint = if self.hint.is_empty() { String::new() } else { format!("{}-hint", self.name) };
        let problem = if self.problem.is_some() { format!("{}-problem", self.name) } else { String::new() };
        format!("{hint} {problem}").trim().to_owned()
    }
}

/// A form: where it goes, its token, its fields and its one button.
#[derive(Clone, Debug, Template)]
#[template(path = "console/form.html")]
pub(super) struct Form {
    action: String,
    token: String,
    hidden: Vec<(&'static str, String)>,
    /// Whose password is asked for, which password safes and screen readers want to know.
    username: Option<String>,
    fields: Vec<Field>,
    button: String,
    /// Whether the button does what cannot be undone.
    danger: bool,
    /// Whether the button is not what most people come for.
    second: bool,
    /// The heading over fields that may all be left empty; the button then stands before them too.
    optional: Option<&'static str>,
}

impl Form {
    pub(super) fn new(action: &str, token: String, button: &str) -> Self {
        Self {
            action: action.to_owned(),
            token,
            hidden: Vec::new(),
            username: None,
            fields: Vec::new(),
            button: button.to_owned(),
            danger: false,
            second: false,
            optional: None,
        }
    }

    /// Puts the button first: the fields, under `heading`, may all be left empty.
    pub(super) fn optional(self, heading: &'static str) -> Self {
        Self { optional: Some(heading), ..self }
    }

    pub(super) fn fields(self, fields: Vec<Field>) -> Self {
        Self { fields, ..self }
    }

    pub(super) fn hidden(mut self, name: &'static str, value: &str) -> Self {
        self.hidden.push((name, value.to_owned()));
        self
    }

    pub(super) fn username(self, login: &str) -> Self {
        Self { username: Some(login.to_owned()), ..self }
    }

    pub(super) fn second(self) -> Self {
        Self { second: true, ..self }
    }

    pub(super) fn danger(self) -> Self {
        Self { danger: true, ..self }
    }

    /// The form with what is wrong marked beside its fields.
    pub(super) fn marked(mut self, errors: &Errors) -> Self {
        for field in &mut self.fields {
            field.problem = errors.about(field.name);
        }
        self
    }

    /// The form as it was filled in; passwords and codes are not repeated.
    pub(super) fn filled(mut self, sent: &Sent) -> Self {
        for field in &mut self.fields {
            if field.kind == Kind::Ticks {
                let ticked = field.choices.iter().map(|choice| choice.0).filter(|name| sent.given(name).is_some());
                field.value = ticked.collect::<Vec<_>>().join(" ");
            } else if field.kind != Kind::Line("password") && !field.digits {
                field.value = sent.text(field.name);
            }
        }
        self
    }
}
