//! The mail server: how it is set, and what it said last; changing it; taking it away.

use actix_web::HttpResponse;
use actix_web::web::Data;
use zeroize::Zeroizing;

use super::super::confirm;
use super::super::dates::Zone;
use super::super::failure::{Failure, go};
use super::super::form::{Errors, Field, Form, Sent};
use super::super::page::{Frame, Question};
use super::super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::mail::seal_password;
use crate::model::{CONFIRM_FIRST, MailSecurity};
use crate::operations::mail::{self, NewServer, ServerView};

pub(super) const HERE: &str = "/console/settings/mail";
const CHANGE: &str = "/console/settings/mail/change";
const REMOVE: &str = "/console/settings/mail/remove";

const SECURITY: [(&str, &str); 3] = [
    ("starttls", "STARTTLS, most often on port 587"),
    ("tls", "TLS from the start, most often on port 465"),
    ("none", "None: only for a mail server on this same machine"),
];

/// How the way to the server is kept private, in words.
fn security_words(security: MailSecurity) -> &'static str {
    match security {
        MailSecurity::Starttls => "STARTTLS",
        MailSecurity::Tls => "TLS from the start",
        MailSecurity::None => "None, to this same machine",
    }
}

fn described(mut question: Question, server: &ServerView) -> Question {
    let zone = Zone::default();
    question = question
        .fact("Mail server", format!("{}, port {}", server.host, server.port))
        .fact("Encryption", security_words(server.security))
        .fact("User name", server.username.clone().unwrap_or_else(|| "None: it sends without signing in".to_owned()))
        .fact("Password", if server.has_password { "Kept, and never shown" } else { "None" })
        .fact("Sent from", server.sender.clone())
        .fact("Accepted a message last", zone.when_or(&server.accepted_at, "Not yet, as it is set now"));
    if let (Some(problem), Some(at)) = (&server.problem, &server.problem_at) {
        question = question.fact("What went wrong last", format!("{problem} ({})", zone.when(at)));
    }
    question
}

/// GET: how it is set.
pub(in super::super) async fn show(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    let server = visitor.read(&app, "show mail server", mail::show).await?;
    let frame = Frame::new(&app, &visitor, "Mail", None)?;
    let page = Question::plain(frame).back("/console", "Councils");
    match server {
        Some(server) => described(page, &server)
            .link("/console/settings/mail/test", "Send a test message")
            .link(CHANGE, "Change the mail server")
            .link(REMOVE, "Send no mail any more"),
        None => page
            .lead("No mail server is set. Nobody is told by mail what happens, for instance when a phone is lost.")
            .link(CHANGE, "Set a mail server"),
    }
    .answer()
}

async fn page(app: &App, visitor: &Visitor, sent: Option<&Sent>, errors: &Errors) -> Result<HttpResponse, Failure> {
    let now = visitor.read(app, "show mail server", mail::show).await?;
    let value = |text: fn(&ServerView) -> String| now.as_ref().map(text).unwrap_or_default();
    let keeps = now.as_ref().is_some_and(|server| server.has_password);
    let hint = if keeps {
        "Leave it empty to keep the password. It must be given again for another server or user name."
    } else {
        "It is kept sealed and never shown again."
    };
    let fields = vec![
        Field::line("host", "Mail server")
            .hint("For instance smtp.example.org")
            .value(value(|server| server.host.clone())),
        Field::choice("security", "Encryption", &SECURITY)
            .value(now.as_ref().map_or("starttls", |server| server.security.as_str())),
        Field::line("port", "Port")
            .short()
            .most(5)
            .value(now.as_ref().map_or("587".to_owned(), |at| at.port.to_string())),
        Field::line("username", "User name (optional)")
            .hint("Leave it empty if the server asks for none.")
            .value(value(|server| server.username.clone().unwrap_or_default())),
        Field::password("password", "Password", "off").hint(hint),
        Field::line("sender", "Address to send from")
            .hint("For instance beadle@example.org. The mail server must allow it.")
            .most(254)
            .value(value(|server| server.sender.clone())),
    ];
    let mut form = Form::new(CHANGE, visitor.token(app, CHANGE)?, "Save").fields(fields);
    if let Some(sent) = sent {
        form = form.filled(sent);
    }
    let title = if now.is_some() { "Change the mail server" } else { "Set a mail server" };
    let frame = Frame::new(app, visitor, title, None)?.with(errors);
    Question::new(frame, form)
        .back(HERE, "Mail")
        .lead("It sends for every council of this installation. Send a test message afterwards.")
        .answer()
}

/// GET: the form.
pub(in super::super) async fn form(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(CHANGE));
    }
    page(&app, &visitor, None, &Errors::default()).await
}

fn entered(app: &App, sent: &Sent) -> Result<NewServer> {
    let number = sent.text("port").trim().parse().unwrap_or(0);
    let security =
        sent.text("security").parse().map_err(|_| Error::invalid("security", "must be one of the three ways"))?;
    let password = Zeroizing::new(sent.text("password"));
    Ok(NewServer {
        host: sent.text("host"),
        port: number,
        security,
        username: sent.text("username"),
        sealed_password: if password.is_empty() { None } else { Some(seal_password(app, &password)?) },
        sender: sent.text("sender"),
    })
}

/// POST: takes it.
pub(in super::super) async fn send(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let done = match entered(&app, &sent) {
        Ok(new) => {
            visitor
                .change(&app, &sent, "set mail server", move |tx, context| mail::put(tx, context, &new).map(drop))
                .await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(go(HERE)),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(CHANGE)),
        Err(Error::Invalid { field, problem }) => {
            let name = match field.as_str() {
                "host" => "The mail server",
                "port" => "The port",
                "security" => "The connection",
                "username" => "The user name",
                "password" => "The password",
                _ => "The address to send from",
            };
            page(&app, &visitor, Some(&sent), &Errors::one(&field, &format!("{name} {problem}"))).await
        }
        Err(error) => page(&app, &visitor, Some(&sent), &Errors::of(error)?).await,
    }
}

/// GET: what taking it away means.
pub(in super::super) async fn remove(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    if visitor.read(&app, "show mail server", mail::show).await?.is_none() {
        return Ok(go(HERE));
    }
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(REMOVE));
    }
    let form = Form::new(REMOVE, visitor.token(&app, REMOVE)?, "Send no mail any more").danger();
    Question::new(Frame::new(&app, &visitor, "Send no mail any more?", None)?, form)
        .back(HERE, "Mail")
        .lead("The settings and the password are deleted. Messages that wait are not sent, and nobody is told by mail what happens.")
        .answer()
}

/// POST: takes it away.
pub(in super::super) async fn send_remove(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    match visitor.change(&app, &sent, "remove mail server", mail::remove).await {
        Ok(()) => Ok(go(HERE)),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(REMOVE)),
        Err(error) => Err(error.into()),
    }
}
