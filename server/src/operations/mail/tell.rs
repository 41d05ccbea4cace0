//! Who is told of an event: one job for each recipient, queued in the event's own transaction.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::notices::{self, Notice, Page};
use crate::error::Result;
use crate::model::{AssetId, CaseId, CouncilId, Moment, NoticeId, OperatorId, OrderId, Role};
use crate::operations::{Context, alerts, jobs, one_operator};
use crate::store::alerts::Alert;
use crate::store::councils::Council;
use crate::store::mail_servers::MailServer;
use crate::store::operators::Operator;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// The kind of the job that sends one message to one recipient.
pub const SEND_MAIL: &str = "send_mail";

/// The alert that mail does not get through; one for a council, whatever the number of messages.
const CANNOT_SEND: &str = "mail_not_sent";
/// The alert that one recipient's mail is refused.
const REFUSED: &str = "mail_refused";
/// After so long a message is no news any more.
const STALE: Duration = Duration::days(3);

/// One message to one recipient, as its job keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The council that it is about; none for a provider's account.
    pub council: Option<CouncilId>,
    /// Whose address it is; none for somebody without an account.
    pub operator: Option<OperatorId>,
    /// The notice of one-operator working that it is.
    #[serde(default)]
    pub notice: Option<NoticeId>,
    /// The address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// When it became due.
    pub since: Moment,
    /// How often it was tried in vain.
    #[serde(default)]
    pub tries: i64,
}

impl Letter {
    /// What an alert about this letter's fate is about.
    fn whose(&self) -> &str {
        match (&self.operator, &self.notice) {
            (Some(operator), _) => operator.as_str(),
            (None, Some(notice)) => notice.as_str(),
            (None, None) => "mail",
        }
    }

    /// Whether it is too old to be of use.
    #[must_use]
    pub fn is_stale(&self, now: Moment) -> bool {
        now - self.since > STALE
    }
}

/// What a message is about.
struct Event<'a> {
    /// Tells it from all others, so that nobody is told twice.
    id: String,
    kind: &'a str,
    subject: &'a str,
}

/// Those who act for a council; whoever only reads is not bothered.
const COUNCIL: [Role; 2] = [Role::Clerk, Role::Approver];

/// Tells of an alert that was just raised, if its kind is one that people are told of by mail.
pub(crate) fn tell_of_alert(tx: &mut Transaction<'_>, context: &Context, alert: &Alert) -> Result<()> {
    let event = Event { id: alert.id.to_string(), kind: &alert.kind, subject: &alert.subject };
    tell(tx, context, Some(&alert.council_id), &event)
}

/// Tells the providers of what concerns the installation itself; `id` tells this event from others of its kind.
pub(crate) fn tell_of_installation(tx: &mut Transaction<'_>, context: &Context, kind: &str, id: &str) -> Result<()> {
    tell(tx, context, None, &Event { id: format!("{kind}:{id}"), kind, subject: "" })
}

/// Tells of an order's end that raises no alert.
pub(crate) fn tell_of_order(tx: &mut Transaction<'_>, context: &Context, order: &Order, kind: &str) -> Result<()> {
    let event = Event { id: format!("{kind}:{}", order.id), kind, subject: order.id.as_str() };
    tell(tx, context, Some(&order.council_id), &event)
}

/// Tells of what was done to an account: the others, and the one whose it is or was.
pub(crate) fn tell_of_account(tx: &mut Transaction<'_>, context: &Context, about: &Operator, kind: &str) -> Result<()> {
    let id = format!("{kind}:{}:{}", about.id, context.now.unix_micros());
    tell(tx, context, about.council_id.as_ref(), &Event { id: id.clone(), kind, subject: about.id.as_str() })?;
    let (Some(notice), Some(to)) = (told_by_mail(tx, kind)?, &about.mail) else { return Ok(()) };
    let place = place_of(tx, about.council_id.as_ref())?;
    queue(tx, context, &id, &notice, place.as_ref(), (&about.id, to), about.id.as_str())
}

/// Tells the address that an account no longer has.
pub(crate) fn tell_of_new_address(
    tx: &mut Transaction<'_>,
    context: &Context,
    about: &Operator,
    before: Option<&str>,
) -> Result<()> {
    let before = Operator { mail: before.map(str::to_owned), ..about.clone() };
    tell_of_account(tx, context, &before, "operator_mail_changed")
}

/// What is said of `kind`, where it is told by mail and mail can be sent.
fn told_by_mail(tx: &mut Transaction<'_>, kind: &str) -> Result<Option<Notice>> {
    let Some(notice) = notices::of(kind) else { return Ok(None) };
    Ok(store::mail_servers::find(tx)?.map(|_| notice))
}

fn place_of(tx: &mut Transaction<'_>, council: Option<&CouncilId>) -> Result<Option<Council>> {
    council.map_or(Ok(None), |council| store::councils::find(tx, council))
}

fn tell(tx: &mut Transaction<'_>, context: &Context, council: Option<&CouncilId>, event: &Event<'_>) -> Result<()> {
    let Some(notice) = told_by_mail(tx, event.kind)? else { return Ok(()) };
    let place = place_of(tx, council)?;
    let roles: &[Role] = if council.is_some() { &COUNCIL } else { &[Role::Provider] };
    let mut recipients = store::operators::with_mail(tx, council, roles)?;
    if let Some(council) = council.filter(|_| notice.named_approvers) {
        for named in store::named_approvers::of_council(tx, council)? {
            let operator = store::operators::find(tx, &named.operator_id)?;
            recipients.extend(operator.filter(|one| one.role == Role::Provider && one.ended_at.is_none()));
        }
    }
    if notice.everyone && council.is_some() {
        recipients.extend(store::operators::with_mail(tx, council, &[Role::Auditor])?);
        recipients.extend(store::operators::with_mail(tx, None, &[Role::Provider])?);
    }
    let holders = match council {
        Some(council) => holders(tx, council, notice.page, event.subject)?,
        None => Vec::new(),
    };
    for operator in recipients {
        let Some(to) = &operator.mail else { continue };
        // His mail is on the phone that is lost: the thief would read it first.
        if holders.iter().any(|holder| holder.is(&operator.name, operator.mail.as_deref())) {
            continue;
        }
        queue(tx, context, &event.id, &notice, place.as_ref(), (&operator.id, to), event.subject)?;
    }
    Ok(())
}

/// Someone who holds the item that an event is about. People on the register and operators are not tied to each other, so
/// either the name or the address gives him away; one told too few is better than the thief told.
pub(crate) struct Holder {
    name: String,
    email: Option<String>,
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Holder {
    pub(crate) fn is(&self, name: &str, mail: Option<&str>) -> bool {
        let mail = mail.map(plain);
        let address = self.email.as_deref().map(plain).is_some_and(|own| Some(&own) == mail.as_ref());
        address || plain(&self.name) == plain(name)
    }
}

/// Who holds the item of the loss, or of the order, that an event is about.
fn holders(tx: &mut Transaction<'_>, council: &CouncilId, page: Page, subject: &str) -> Result<Vec<Holder>> {
    let case = match page {
        Page::Home => None,
        Page::Loss => Some(CaseId::from(subject)),
        Page::Order => store::orders::find(tx, &OrderId::from(subject))?.map(|order| order.case_id),
    };
    case.map_or(Ok(Vec::new()), |case| holders_of_case(tx, council, &case))
}

/// Who holds the item that a case is about.
pub(crate) fn holders_of_case(tx: &mut Transaction<'_>, council: &CouncilId, case: &CaseId) -> Result<Vec<Holder>> {
    let found = store::cases::find(tx, case)?.filter(|case| case.council_id == *council);
    let Some(asset): Option<AssetId> = found.map(|case| case.asset_id) else { return Ok(Vec::new()) };
    let mut holders = Vec::new();
    for custody in store::custody::current_of_assets(tx, council, vec![asset])? {
        if let Some(person) = store::people::find_of_council(tx, council, &custody.person_id)? {
            holders.push(Holder { name: person.name, email: person.email });
        }
    }
    Ok(holders)
}

fn queue(
    tx: &mut Transaction<'_>,
    context: &Context,
    event: &str,
    notice: &Notice,
    place: Option<&Council>,
    (operator, to): (&OperatorId, &str),
    subject: &str,
) -> Result<()> {
    let letter = Letter {
        council: place.map(|council| council.id.clone()),
        operator: Some(operator.clone()),
        notice: None,
        to: to.to_owned(),
        subject: subject_line(notice.subject, place),
        text: text(notice, place, subject),
        since: context.now,
        tries: 0,
    };
    let key = format!("mail:{event}:{to}");
    jobs::queue(tx, context, SEND_MAIL, serde_json::to_value(&letter)?, context.now, Some(&key))
}

/// Queues one mail about one-operator working: its text, with the link, is given whole.
pub(crate) fn write_notice(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &Council,
    notice: &NoticeId,
    to: &str,
    subject: &str,
    text: &str,
) -> Result<Letter> {
    let name = council.name.replace(char::is_control, " ");
    let letter = Letter {
        council: Some(council.id.clone()),
        operator: None,
        notice: Some(notice.clone()),
        to: to.to_owned(),
        subject: subject_line(subject, Some(council)),
        text: format!("{text}Council: {name}\r\n{SIGNED}"),
        since: context.now,
        tries: 0,
    };
    let key = format!("mail:notice:{notice}");
    jobs::queue(tx, context, SEND_MAIL, serde_json::to_value(&letter)?, context.now, Some(&key))?;
    Ok(letter)
}

/// Queues a letter once more, since what took it is not the mail server any more.
pub(crate) fn send_again(tx: &mut Transaction<'_>, context: &Context, letter: &Letter) -> Result<()> {
    let key = format!("mail:again:{}:{}", letter.whose(), context.now.unix_micros());
    jobs::queue(tx, context, SEND_MAIL, serde_json::to_value(letter)?, context.now, Some(&key))
}

/// How every message ends.
const SIGNED: &str =
    "Beadle sent this by itself; an answer reaches nobody. It never asks for a password or a code by mail.\r\n";

fn subject_line(subject: &str, place: Option<&Council>) -> String {
    let name: String = place.map_or("Beadle", |council| council.name.as_str()).chars().take(60).collect();
    format!("{}: {subject}", name.replace(char::is_control, " "))
}

fn text(notice: &Notice, place: Option<&Council>, subject: &str) -> String {
    let mut text = format!("{}\r\n\r\n", notice.text);
    if let Some(council) = place {
        let path = match notice.page {
            Page::Home => format!("/console/councils/{}", council.slug),
            Page::Loss => format!("/console/losses/{subject}"),
            Page::Order => format!("/console/orders/{subject}"),
        };
        let base = council.public_url.trim_end_matches('/');
        text += &format!("Sign in to see it:\r\n{base}{path}\r\n\r\n");
        text += &format!("Council: {}\r\n", council.name.replace(char::is_control, " "));
    }
    text + SIGNED
}

/// A message was accepted by the mail server.
///
/// # Errors
/// When the database fails.
pub fn sent(tx: &mut Transaction<'_>, context: &Context, letter: &Letter, server: &MailServer) -> Result<()> {
    if let Some(notice) = &letter.notice {
        one_operator::accepted(tx, context, notice, letter, server)?;
    }
    super::accepted(tx, context, server.changed_at)?;
    let Some(council) = &letter.council else { return Ok(()) };
    alerts::end(tx, context, council, CANNOT_SEND, "mail")?;
    alerts::end(tx, context, council, REFUSED, letter.whose())
}

/// The mail server cannot be reached or takes nothing; from the second time on the council is told.
///
/// # Errors
/// When the database fails.
pub fn cannot_send(
    tx: &mut Transaction<'_>,
    context: &Context,
    letter: &Letter,
    changed_at: Moment,
    words: &str,
) -> Result<()> {
    super::problem(tx, context, changed_at, words)?;
    let Some(council) = letter.council.as_ref().filter(|_| letter.tries > 1) else { return Ok(()) };
    let message =
        format!("Mail cannot be sent: {words} It is tried again. Until then nobody is told anything by mail.");
    alerts::raise(tx, context, council, CANNOT_SEND, "mail", &message)
}

/// The mail server will not take mail for this recipient: trying again would not help.
///
/// # Errors
/// When the database fails.
pub fn recipient_refused(tx: &mut Transaction<'_>, context: &Context, letter: &Letter, words: &str) -> Result<()> {
    not_delivered(tx, context, letter, words)
}

/// A message that could not be sent for three days is given up.
///
/// # Errors
/// When the database fails.
pub fn given_up(tx: &mut Transaction<'_>, context: &Context, letter: &Letter) -> Result<()> {
    not_delivered(tx, context, letter, "it could not be sent for three days.")
}

fn not_delivered(tx: &mut Transaction<'_>, context: &Context, letter: &Letter, words: &str) -> Result<()> {
    let Some(council) = &letter.council else {
        tracing::error!(operator = letter.whose(), words, "a mail to a provider was not delivered");
        return Ok(());
    };
    let message = match &letter.operator {
        Some(operator) => {
            let name = store::operators::find(tx, operator)?.map(|operator| operator.name).unwrap_or_default();
            format!("Mail to {name} was not delivered: {words} See to the mail address of that account.")
        }
        None => format!(
            "Mail to {} about one-operator working was not delivered: {words} While it is not, nothing begins that waits for it.",
            letter.to
        ),
    };
    alerts::raise(tx, context, council, REFUSED, letter.whose(), &message)
}
