//! What all pages have in common, and the page that asks one thing.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::dates::Zone;
use super::failure::Failure;
use super::files::{SCRIPT_URL, STYLE_URL};
use super::form::{Errors, Form};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CouncilId, Permission, Role};
use crate::store::councils::Council;
use crate::store::{self, Transaction};

/// Who is signed in, for the top of the page.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) name: String,
    pub(super) role: &'static str,
    /// A provider sees every council, which the page says.
    pub(super) provider: bool,
    /// Whether he may set the council up.
    pub(super) sets: bool,
    pub(super) sign_out: String,
}

/// The council that a page is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: CouncilId,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) zone: Zone,
}

impl Place {
    /// The council of something that the caller was allowed to see.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub(super) fn of(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Self> {
        store::councils::find(tx, council)?.map(Self::from).ok_or(Error::NotFound("council"))
    }

    /// The council's first page.
    pub(super) fn home(&self) -> String {
        format!("/console/councils/{}", self.slug)
    }
}

impl From<Council> for Place {
    fn from(council: Council) -> Self {
        Self { zone: Zone::named(&council.time_zone), id: council.id, slug: council.slug, name: council.name }
    }
}

/// The top and bottom of every page.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) style: &'static str,
    pub(super) script: &'static str,
    pub(super) who: Option<Who>,
    pub(super) council: Option<Place>,
    pub(super) errors: Errors,
}

impl Frame {
    /// For a page without sign-in.
    pub(super) fn open(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            style: &STYLE_URL,
            script: &SCRIPT_URL,
            who: None,
            council: None,
            errors: Errors::default(),
        }
    }

    /// For someone signed in.
    ///
    /// # Errors
    /// `Internal` when there is no randomness.
    pub(super) fn new(app: &App, visitor: &Visitor, title: impl Into<String>, council: Option<&Place>) -> Result<Self> {
        let role = match visitor.signed_in.role {
            Role::Provider => "provider",
            Role::Clerk => "clerk",
            Role::Approver => "approver",
            Role::Auditor => "auditor",
        };
        let who = Who {
            name: visitor.signed_in.name.clone(),
            role,
            provider: visitor.signed_in.role == Role::Provider,
            sets: council.is_some_and(|council| visitor.may(Permission::Settings, &council.id)),
            sign_out: visitor.token(app, super::sign_in::SIGN_OUT)?,
        };
        Ok(Self { who: Some(who), council: council.cloned(), ..Self::open(title) })
    }

    pub(super) fn with(self, errors: &Errors) -> Self {
        Self { errors: errors.clone(), ..self }
    }
}

/// A page that asks or says one thing: paragraphs, facts in a list, a warning, a form, links.
#[derive(Clone, Debug, Template)]
#[template(path = "console/question.html")]
pub(super) struct Question {
    pub(super) frame: Frame,
    /// Where a step back leads, with its words.
    pub(super) back: Option<(String, String)>,
    pub(super) lead: Vec<String>,
    pub(super) facts: Vec<(String, String)>,
    pub(super) warning: Option<String>,
    pub(super) passkey: Option<super::passkeys::Part>,
    /// What is said until the script has found that the browser has passkeys.
    pub(super) scriptless: Option<&'static str>,
    pub(super) form: Option<Form>,
    pub(super) links: Vec<(String, String)>,
}

impl Question {
    pub(super) fn new(frame: Frame, form: Form) -> Self {
        let form = Some(form.marked(&frame.errors));
        Self { form, ..Self::plain(frame) }
    }

    /// A page that asks nothing.
    pub(super) fn plain(frame: Frame) -> Self {
        Self {
            frame,
            back: None,
            lead: Vec::new(),
            facts: Vec::new(),
            warning: None,
            passkey: None,
            scriptless: None,
            form: None,
            links: Vec::new(),
        }
    }

    /// Asks for a passkey first.
    pub(super) fn passkey(self, part: super::passkeys::Part) -> Self {
        Self { passkey: Some(part), ..self }
    }

    /// Says this where no scripts run.
    pub(super) fn without_scripts(self, words: &'static str) -> Self {
        Self { scriptless: Some(words), ..self }
    }

    pub(super) fn lead(mut self, words: impl Into<String>) -> Self {
        self.lead.push(words.into());
        self
    }

    pub(super) fn fact(mut self, label: &str, value: impl Into<String>) -> Self {
        self.facts.push((label.to_owned(), value.into()));
        self
    }

    pub(super) fn warning(self, words: impl Into<String>) -> Self {
        Self { warning: Some(words.into()), ..self }
    }

    pub(super) fn back(self, place: impl Into<String>, words: &str) -> Self {
        Self { back: Some((place.into(), words.to_owned())), ..self }
    }

    pub(super) fn link(mut self, place: impl Into<String>, words: &str) -> Self {
        self.links.push((place.into(), words.to_owned()));
        self
    }

    /// The page with its form as it was filled in.
    pub(super) fn filled(self, sent: &super::form::Sent) -> Self {
        let form = self.form.map(|form| form.filled(sent));
        Self { form, ..self }
    }

    /// The page: 200, or 422 where something is wrong with what was sent.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub(super) fn answer(&self) -> Result<HttpResponse, Failure> {
        let status = if self.frame.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        draw(status, self)
    }
}

/// A page as an answer.
///
/// # Errors
/// When it cannot be drawn.
pub(super) fn draw(status: StatusCode, page: &impl Template) -> Result<HttpResponse, Failure> {
    let html = page.render().map_err(Error::internal)?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html))
}

/// What is shown where nothing is known.
pub(super) fn or_unknown(value: Option<&str>) -> String {
    value.filter(|value| !value.trim().is_empty()).unwrap_or("Not known").to_owned()
}
