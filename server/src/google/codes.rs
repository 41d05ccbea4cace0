//! The code or link by which one Android phone enrols, made at the moment when somebody looks at it.

use beadle_enrollment::android::{Binding, TokenRequest, Wifi, code_text, personal_link};
use zeroize::Zeroizing;

use super::{client, policies};
use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::random_bytes;
use crate::model::{Actor, InvitationId, Mode, Moment};
use crate::operations::Context;
use crate::operations::android::pace::Urgency;
use crate::operations::android::tokens::{self, Asked};
use crate::operations::policies as council_policies;

/// What a phone enrols by. `Debug` shows neither.
pub enum Code {
    /// A council phone in factory state scans this text as a code.
    Scan {
        /// The text.
        text: Zeroizing<String>,
        /// Until when.
        expires_at: Moment,
    },
    /// A personal phone opens this link.
    Link {
        /// The link.
        link: Zeroizing<String>,
        /// Until when.
        expires_at: Moment,
    },
}

impl std::fmt::Debug for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Scan { .. } => "Code::Scan",
            Self::Link { .. } => "Code::Link",
        })
    }
}

/// For whoever has the invitation's link open and has accepted.
///
/// # Errors
/// As [`tokens::ask_by_code`], and where Google cannot or will not.
pub async fn code_by_link(app: &App, context: Context, code_hash: String) -> Result<Code> {
    let binding = binding()?;
    let hash = binding.hash();
    let (at, link) = (context.clone(), code_hash.clone());
    let asked = app.database.write("ask for a code", move |tx| tokens::ask_by_code(tx, &at, &link, &hash)).await?;
    make(app, asked, &binding).await
}

/// For an operator who shows it to the holder, on a screen or in the terminal.
///
/// # Errors
/// As [`tokens::ask_as_operator`], and where Google cannot or will not.
pub async fn code_as_operator(app: &App, context: Context, invitation: InvitationId) -> Result<Code> {
    let binding = binding()?;
    let hash = binding.hash();
    let asked = app
        .database
        .write("ask for a code", move |tx| tokens::ask_as_operator(tx, &context, &invitation, &hash))
        .await?;
    make(app, asked, &binding).await
}

fn binding() -> Result<Binding> {
    Ok(Binding::from_random(&random_bytes::<32>()?))
}

async fn make(app: &App, asked: Asked, binding: &Binding) -> Result<Code> {
    let token = &asked.token;
    // A phone that arrives before its policy would obey Google's defaults, which wipe after ten days.
    policies::put(app, &token.council_id, Some(token.mode), Urgency::Urgent).await?;
    let (council, mode) = (token.council_id.clone(), token.mode);
    let there = app
        .database
        .read("policy at Google", move |tx| {
            Ok(crate::store::android_policies::find(tx, &council, mode, crate::model::Posture::Everyday)?
                .is_some_and(|row| row.sent_version.is_some()))
        })
        .await?;
    if !there {
        return Err(Error::conflict(
            "Google has not accepted the council's policy for this kind of phone yet; the alerts say why",
        ));
    }
    let request = TokenRequest::new(&asked.enterprise, token.mode.try_into()?, asked.stands, binding);
    let made = client(app, Urgency::Urgent)
        .await?
        .create_enrollment_token(&asked.enterprise, &request)
        .await
        .map_err(Error::from)?;
    let (context, row, name) = (app.context(Actor::System), token.clone(), made.name.clone());
    if !app.database.write("code made", move |tx| tokens::made(tx, &context, &row, &name)).await? {
        return Err(Error::conflict("the invitation was withdrawn meanwhile; make a new one"));
    }
    let expires_at = token.expires_at;
    if token.mode == Mode::PersonalWorkProfile {
        return Ok(Code::Link { link: personal_link(&made.value), expires_at });
    }
    let wifi = wifi(app, &asked).await?;
    let text = code_text(&made.qr_code, wifi.as_ref()).map_err(Error::internal)?;
    Ok(Code::Scan { text, expires_at })
}

/// The network that the phone joins while it is set up, with its password opened.
async fn wifi(app: &App, asked: &Asked) -> Result<Option<Wifi>> {
    let Some(ssid) = asked.wifi.clone() else { return Ok(None) };
    let council = asked.token.council_id.clone();
    let network =
        app.database.read("wi-fi for a code", move |tx| council_policies::wifi_network(tx, &council, &ssid)).await?;
    network.map(|network| council_policies::open_wifi(&app.keys, &network)).transpose()
}
