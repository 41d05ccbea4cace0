//! One connection: command by command, each in its order, each line ended by CR and LF and not too long.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Fault, Inner, Line, Privacy, Received, Stage, encrypted};

/// The longest command, and the longest line of a message, with its end (RFC 5321, 4.5.3.1).
const COMMAND: usize = 512;
const TEXT_LINE: usize = 1000;
/// The longest message.
const MESSAGE: usize = 1_000_000;

/// What a client may say next.
#[derive(Debug, Default)]
struct Session {
    hello: bool,
    encrypted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

struct Talk<'a> {
    inner: &'a Inner,
    stream: Box<dyn Line>,
    read: Vec<u8>,
    session: Session,
}

/// The connection is over.
struct Over;

type Go<T> = Result<T, Over>;

/// Holds a conversation to its end.
pub(super) async fn hold(inner: &Inner, stream: Box<dyn Line>) {
    let session = Session { encrypted: inner.privacy == Privacy::Tls, ..Session::default() };
    let mut talk = Talk { inner, stream, read: Vec::new(), session };
    if talk.run().await.is_err() {
        tracing::trace!("a mail connection ended");
    }
}

impl Talk<'_> {
    fn breach(&self, what: impl Into<String>) {
        self.inner.state().breaches.push(what.into());
    }

    async fn say(&mut self, code: u16, text: &str) -> Go<()> {
        self.stream.write_all(format!("{code} {text}\r\n").as_bytes()).await.map_err(|_| Over)?;
        self.stream.flush().await.map_err(|_| Over)
    }

    /// Does what was ordered for this stage; true when the answer was given already.
    async fn fault(&mut self, stage: Stage) -> Go<bool> {
        let fault = self.inner.state().faults.get(&stage).cloned();
        match fault {
            None | Some(Fault::KeepAndDrop) => Ok(false),
            Some(Fault::Answer(code, text)) => self.say(code, &text).await.map(|()| true),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Drop) => Err(Over),
        }
    }

    /// A line without its end, which must be CR LF.
    async fn line(&mut self, most: usize) -> Go<Vec<u8>> {
        loop {
            if let Some(at) = self.read.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.read.drain(..=at).collect();
                if line.len() > most {
                    self.breach(format!("a line of {} bytes", line.len()));
                    self.say(500, "line too long").await?;
                    return Err(Over);
                }
                line.pop();
                if line.pop() != Some(b'\r') || line.contains(&b'\r') {
                    self.breach("a bare CR or LF");
                    self.say(500, "bare CR or LF").await?;
                    return Err(Over);
                }
                return Ok(line);
            }
            if self.read.len() > most {
                self.breach("a line without end");
                return Err(Over);
            }
            let mut buffer = [0; 4096];
            let count = self.stream.read(&mut buffer).await.map_err(|_| Over)?;
            if count == 0 {
                return Err(Over);
            }
            self.read.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
    }

    async fn run(&mut self) -> Go<()> {
        if !self.fault(Stage::Greeting).await? {
            self.say(220, "mail.example ESMTP").await?;
        }
        loop {
            let line = self.line(COMMAND).await?;
            let Ok(line) = String::from_utf8(line) else {
                self.breach("a command that is no text");
                return Err(Over);
            };
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.hello(rest).await?,
                "STARTTLS" => self.starttls().await?,
                "AUTH" => self.sign_in(rest).await?,
                "MAIL" => self.sender(rest).await?,
                "RCPT" => self.recipient(rest).await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    (self.session.from, self.session.to) = (None, Vec::new());
                    self.say(250, "OK").await?;
                }
                "NOOP" => self.say(250, "OK").await?,
                "QUIT" => {
                    self.say(221, "bye").await?;
                    return Ok(());
                }
                other => {
                    self.breach(format!("an unknown command {other}"));
                    self.say(500, "unknown command").await?;
                }
            }
        }
    }

    async fn out_of_order(&mut self, what: &str) -> Go<()> {
        self.breach(what);
        self.say(503, "bad sequence of commands").await
    }

    async fn hello(&mut self, name: &str) -> Go<()> {
        if name.trim().is_empty() {
            return self.out_of_order("EHLO without a name").await;
        }
        if self.fault(Stage::Hello).await? {
            return Ok(());
        }
        self.session = Session { hello: true, encrypted: self.session.encrypted, ..Session::default() };
        let mut lines = vec!["mail.example".to_owned(), format!("SIZE {MESSAGE}")];
        let private = self.session.encrypted || self.inner.privacy == Privacy::None;
        if !private {
            lines.push("STARTTLS".to_owned());
        }
        if private && self.inner.user.is_some() {
            lines.push("AUTH PLAIN LOGIN".to_owned());
        }
        let last = lines.len() - 1;
        let answer: String = lines
            .iter()
            .enumerate()
            .map(|(number, line)| format!("250{}{line}\r\n", if number == last { ' ' } else { '-' }))
            .collect();
        self.stream.write_all(answer.as_bytes()).await.map_err(|_| Over)?;
        self.stream.flush().await.map_err(|_| Over)
    }

    async fn starttls(&mut self) -> Go<()> {
        if !self.session.hello || self.session.encrypted || self.inner.privacy != Privacy::Starttls {
            return self.out_of_order("STARTTLS where it was not offered").await;
        }
        if !self.read.is_empty() {
            self.breach("something was said before the answer to STARTTLS");
            return Err(Over);
        }
        self.say(220, "go ahead").await?;
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        self.stream = encrypted(plain, &self.inner.acceptor).await.ok_or(Over)?;
        self.session = Session { encrypted: true, ..Session::default() };
        Ok(())
    }

    async fn sign_in(&mut self, rest: &str) -> Go<()> {
        if !self.session.hello || self.session.user.is_some() || self.session.from.is_some() {
            return self.out_of_order("AUTH at the wrong time").await;
        }
        if !self.session.encrypted && self.inner.privacy != Privacy::None {
            return self.out_of_order("AUTH in plain text").await;
        }
        if self.fault(Stage::SignIn).await? {
            return Ok(());
        }
        let shown = match rest.split_once(' ') {
            Some((how, given)) if how.eq_ignore_ascii_case("PLAIN") => given.to_owned(),
            _ => {
                self.say(504, "unknown mechanism").await?;
                return Ok(());
            }
        };
        let bytes = STANDARD.decode(shown).unwrap_or_default();
        let parts: Vec<String> =
            bytes.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        let right = match (&self.inner.user, parts.as_slice()) {
            (Some((name, password)), [_, user, secret]) => user == name && secret == password,
            _ => false,
        };
        if !right {
            return self.say(535, "5.7.8 Authentication credentials invalid").await;
        }
        self.session.user = self.inner.user.as_ref().map(|(name, _)| name.clone());
        self.say(235, "2.7.0 accepted").await
    }

    async fn sender(&mut self, rest: &str) -> Go<()> {
        if !self.session.hello || self.session.from.is_some() {
            return self.out_of_order("MAIL at the wrong time").await;
        }
        if self.inner.privacy == Privacy::Starttls && !self.session.encrypted {
            self.breach("MAIL in plain text");
            return self.say(530, "Must issue a STARTTLS command first").await;
        }
        if self.inner.user.is_some() && self.session.user.is_none() {
            return self.say(530, "5.7.0 Authentication required").await;
        }
        if self.fault(Stage::Sender).await? {
            return Ok(());
        }
        match address(rest, "FROM:") {
            Some(from) => {
                self.session.from = Some(from);
                self.say(250, "OK").await
            }
            None => self.out_of_order("MAIL without an address").await,
        }
    }

    async fn recipient(&mut self, rest: &str) -> Go<()> {
        if self.session.from.is_none() {
            return self.out_of_order("RCPT without MAIL").await;
        }
        if self.fault(Stage::Recipient).await? {
            return Ok(());
        }
        let Some(to) = address(rest, "TO:").filter(|to| !to.is_empty()) else {
            return self.out_of_order("RCPT without an address").await;
        };
        let refused = self.inner.state().refused.get(&to).cloned();
        match refused {
            Some((code, text)) => self.say(code, &text).await,
            None => {
                self.session.to.push(to);
                self.say(250, "OK").await
            }
        }
    }

    async fn data(&mut self) -> Go<()> {
        if self.session.to.is_empty() {
            return self.out_of_order("DATA without a recipient").await;
        }
        if self.fault(Stage::Data).await? {
            return Ok(());
        }
        self.say(354, "go on, end with a dot").await?;
        let mut text = Vec::new();
        loop {
            let line = self.line(TEXT_LINE).await?;
            if line == b"." {
                break;
            }
            // A dot at the beginning was doubled by whoever sent it (RFC 5321, 4.5.2).
            let line = match line.strip_prefix(b".") {
                Some(rest) if rest.first() == Some(&b'.') => rest,
                Some(_) => {
                    self.breach("a dot that was not doubled");
                    &line
                }
                None => &line,
            };
            text.extend_from_slice(line);
            text.extend_from_slice(b"\r\n");
            if text.len() > MESSAGE {
                self.say(552, "message too large").await?;
                return Err(Over);
            }
        }
        if !text.is_ascii() {
            self.breach("eight bits without having asked");
        }
        if self.fault(Stage::End).await? {
            (self.session.from, self.session.to) = (None, Vec::new());
            return Ok(());
        }
        let received = Received {
            from: self.session.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.session.to),
            text: String::from_utf8_lossy(&text).into_owned(),
            encrypted: self.session.encrypted,
            user: self.session.user.clone(),
        };
        let number = {
            let mut state = self.inner.state();
            state.received.push(received);
            if state.faults.get(&Stage::End) == Some(&Fault::KeepAndDrop) {
                return Err(Over);
            }
            state.received.len()
        };
        self.say(250, &format!("2.0.0 queued as {number}")).await
    }
}

/// The address in `<…>` after `before`; nothing where there is none.
fn address(rest: &str, before: &str) -> Option<String> {
    let head = rest.get(..before.len()).filter(|head| head.eq_ignore_ascii_case(before))?;
    let rest = rest.get(head.len()..)?.trim_start().strip_prefix('<')?;
    let (address, _) = rest.split_once('>')?;
    (!address.contains(char::is_whitespace)).then(|| address.to_owned())
}
