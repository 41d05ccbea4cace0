//! Signing in with password and code, or with a recovery code on the day the phone with the codes is lost; and out again.

use actix_web::http::header::{SET_COOKIE, USER_AGENT};
use actix_web::web::{Data, Query};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::cookie;
use super::failure::{Failure, go};
use super::first_run;
use super::form::{Errors, Field, Form, Sent};
use super::form_token;
use super::guard::Stranger;
use super::page::{Frame, Question};
use super::passkeys;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::sign_in::{self, Shown};
use crate::web::sign_in as door;

/// Where one comes in who asked for no other page.
const FIRST: &str = "/console";

const HERE: &str = "/console/sign-in";
/// Where the form goes that signs out.
pub(super) const SIGN_OUT: &str = "/console/sign-out";

/// Where to go afterwards, and with what one signs in.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    then: Option<String>,
    with: Option<String>,
    out: Option<String>,
}

impl Asked {
    fn parts(&self) -> (Option<&str>, bool, bool) {
        (self.then.as_deref(), self.with.as_deref() == Some("recovery"), self.out.is_some())
    }
}

/// An address of the console's own; anything else leads to the first page.
pub(super) fn own_place(place: Option<&str>) -> Option<String> {
    let place = place?;
    let own = place.strip_prefix("/console").is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let plain = place.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_?=&.%+~".contains(&byte));
    (own && plain && place.len() <= 500).then(|| place.to_owned())
}

/// A link to the same page with other parameters.
fn link(page: &str, with: Option<&str>, then: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(with) = with {
        query.append_pair("with", with);
    }
    if let Some(then) = then {
        query.append_pair("then", then);
    }
    let query = query.finish();
    if query.is_empty() { page.to_owned() } else { format!("{page}?{query}") }
}

/// The field for the second factor, and the link to the other way.
pub(super) fn second_factor(
    page: &str,
    with_recovery: bool,
    then: Option<&str>,
    first_time: bool,
) -> (Field, (String, String)) {
    if with_recovery {
        let field = Field::line("recovery_code", "Recovery code")
            .hint("One of the ten codes that you printed when you set up your app. Each works once.")
            .most(40)
            .short();
        return (field, (link(page, None, then), "Use a code from your authenticator app instead".to_owned()));
    }
    let hint = if first_time {
        "The 6 digits that your authenticator app shows now. Leave this empty if you have not set up an app yet."
    } else {
        "The 6 digits that your authenticator app shows now. Each code works once."
    };
    let other = link(page, Some("recovery"), then);
    (Field::code("totp", "Code").hint(hint), (other, "I cannot get a code: use a recovery code".to_owned()))
}

/// What was entered as password and second factor.
pub(super) fn shown(sent: &Sent) -> Shown {
    Shown {
        password: Zeroizing::new(sent.text("password")),
        totp: sent.given("totp"),
        recovery_code: sent.given("recovery_code").map(Zeroizing::new),
    }
}

/// The form: where to go afterwards, whether a recovery code is asked for, and whether somebody just signed out.
pub(super) async fn page(
    app: &App,
    request: &HttpRequest,
    stranger: &Stranger,
    (then, recovery, out): (Option<&str>, bool, bool),
    errors: &Errors,
    login: &str,
) -> Result<Question> {
    let then = own_place(then);
    let token = form_token::issue(&app.keys, &stranger.binding, HERE, app.clock.now())?;
    let (second, other) = second_factor(HERE, recovery, then.as_deref(), true);
    let fields = vec![
        Field::line("login", "Your sign-in name").value(login).autocomplete("username").most(100),
        Field::password("password", "Password", "current-password"),
        second,
    ];
    let mut form = Form::new(HERE, token, "Sign in").fields(fields);
    if let Some(then) = &then {
        form = form.hidden("then", then);
    }
    if recovery {
        form = form.hidden("with", "recovery");
    }
    let mut question = Question::new(Frame::open("Sign in").with(errors), form).link(other.0, &other.1);
    if recovery {
        question = question.link("/console/break-glass", "Nobody who can sign in is here: use the break-glass code");
    }
    if !recovery && passkeys::address(app, request).await?.is_some() {
        question = question.passkey(passkeys::sign_in_part(app, &stranger.binding, then.as_deref())?);
    }
    if out {
        question = question.lead("You have signed out.");
    } else if then.is_some() {
        question = question.lead("Sign in to go on. For safety you are signed out after 20 minutes without use.");
    }
    Ok(question)
}

/// GET: the form.
pub(super) async fn show(app: Data<App>, request: HttpRequest, asked: Query<Asked>) -> Result<HttpResponse, Failure> {
    let stranger = stranger(&request)?;
    if !first_run::is_set_up(&app).await? {
        return Ok(go(first_run::HERE));
    }
    page(&app, &request, &stranger, asked.parts(), &Errors::default(), "").await?.answer()
}

pub(super) fn stranger(request: &HttpRequest) -> Result<Stranger, Failure> {
    request.extensions().get::<Stranger>().cloned().ok_or(Failure::SignIn(None))
}

/// POST: signs in.
pub(super) async fn send(app: Data<App>, request: HttpRequest, sent: Sent) -> Result<HttpResponse, Failure> {
    let stranger = stranger(&request)?;
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let login = sent.text("login");
    match door::sign_in(&app, &login, &shown(&sent), &stranger.address, agent).await {
        Ok(opened) => {
            // Whoever has no code has often lost the phone with the app. The first page is where everybody is led who did not
            // ask for another.
            let lost = sent.given("recovery_code").is_some();
            let first = if lost { super::own_phone::HERE } else { FIRST };
            let then = own_place(sent.given("then").as_deref()).filter(|then| then != FIRST);
            let then = then.unwrap_or_else(|| first.to_owned());
            let mut answer = go(&then);
            answer.headers_mut().append(SET_COOKIE, cookie::set(cookie::SESSION, &opened.token)?);
            Ok(answer)
        }
        Err(error) => {
            let errors = match error {
                Error::Unauthenticated(_) => {
                    Errors::one("login", "The sign-in name, the password or the code is wrong")
                }
                Error::Invalid { field, .. } if field == "totp" => {
                    Errors::one("totp", "Enter the code of your authenticator app, and your password once more")
                }
                other => Errors::of(other)?,
            };
            let asked = Asked { then: sent.given("then"), with: sent.given("with"), out: None };
            page(&app, &request, &stranger, asked.parts(), &errors, &login).await?.answer()
        }
    }
}

/// POST: signs out, here and on the server.
pub(super) async fn out(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let session = visitor.signed_in.session.clone();
    visitor.change(&app, &sent, "sign out", move |tx, context| sign_in::revoke(tx, context, &session)).await?;
    let mut answer = go("/console/sign-in?out=1");
    answer.headers_mut().append(SET_COOKIE, cookie::clear(cookie::SESSION)?);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::own_place;

    #[test]
    fn a_sign_in_leads_nowhere_but_to_the_console() {
        for own in ["/console", "/console/losses/1?x=y", "/console?x=1"] {
            assert_eq!(own_place(Some(own)).as_deref(), Some(own));
        }
        for other in
            ["", "/", "//evil.example", "https://evil.example", "/consoles", "/console\\..", "/console/\r\nX: y"]
        {
            assert_eq!(own_place(Some(other)), None, "{other}");
        }
    }
}
