//! What an invitation was opened on, as its browser says, and the next step there in plain words. A browser can say anything, so
//! this guides people and decides nothing else.

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;

use crate::model::{Mode, Ownership, Platform};

/// What opened the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// An Android phone or tablet.
    Android,
    /// An iPhone, iPad or iPod. An iPad that asks for a computer's pages cannot be told from a Mac.
    Apple,
    /// A computer, or what does not say.
    Other,
}

impl Visitor {
    /// By the header `User-Agent`.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        Self::of_agent(agent)
    }

    fn of_agent(agent: &str) -> Self {
        // Some browsers of Windows phones called themselves both, and are neither.
        if agent.contains("Windows") {
            Self::Other
        } else if ["iPhone", "iPad", "iPod"].iter().any(|word| agent.contains(word)) {
            Self::Apple
        } else if agent.contains("Android") {
            Self::Android
        } else {
            Self::Other
        }
    }

    /// Why nothing can be done here, where this is the wrong kind of phone for the invitation. Its link stays good.
    pub(crate) fn wrong_kind(self, mode: Mode) -> Option<&'static str> {
        match (self, mode.platform()) {
            (Self::Android, Platform::Apple) => Some(
                "This invitation is for an iPhone or iPad, and you opened it on an Android phone. Nothing was changed. Open the \
                 same link on the iPhone or iPad; if you have none, ask the clerk for an invitation for an Android phone.",
            ),
            // A council's phone scans the code from another screen, and an iPhone's will do.
            (Self::Apple, Platform::Android) if mode.is_personal() => Some(
                "This invitation is for your own Android phone, and you opened it on an iPhone or iPad. Nothing was changed. Open \
                 the same link on the Android phone; if you have none, tell the clerk.",
            ),
            _ => None,
        }
    }

    /// What to do here, before anything was accepted or after.
    pub(crate) fn next_step(self, mode: Mode, ownership: Ownership) -> Option<&'static str> {
        match (self, mode.platform()) {
            (Self::Other, Platform::Apple) => Some(
                "It goes on only on the iPhone or iPad itself: open this same link there, in Safari. You may read the page here \
                 first.",
            ),
            (Self::Android, Platform::Android) if ownership == Ownership::Personal => {
                Some("You are on an Android phone: if it is the one to be enrolled, go on here.")
            }
            (Self::Other, Platform::Android) if ownership == Ownership::Personal => Some(
                "The easiest way is to open this same link on your own Android phone. You may also go on here, and point the \
                 phone's camera at the code that you are shown.",
            ),
            (Self::Android, Platform::Android) => Some(
                "You are on an Android phone. A phone cannot scan its own screen: if this is the council's phone, open this link \
                 on another screen, such as a computer, and have the phone new or reset beside it. If this is another phone, go \
                 on here: the council's phone scans the code from it.",
            ),
            (Self::Apple | Self::Other, Platform::Android) => Some(
                "Go on here, with the council's new or reset Android phone beside you: it will scan a code from this screen.",
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIXEL: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                          Version/26.0 Mobile/15E148 Safari/604.1";
    const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
                           Safari/537.36";
    const OLD_WINDOWS_PHONE: &str = "Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; like iPhone OS 7_0_3 Mac OS X) \
                                     AppleWebKit/537 (KHTML, like Gecko) Mobile Safari/537";

    #[test]
    fn browsers_are_told_apart() {
        for (agent, visitor) in [
            (PIXEL, Visitor::Android),
            ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", Visitor::Android),
            (IPHONE, Visitor::Apple),
            ("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15", Visitor::Apple),
            (WINDOWS, Visitor::Other),
            (OLD_WINDOWS_PHONE, Visitor::Other),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15", Visitor::Other),
            ("", Visitor::Other),
        ] {
            assert_eq!(Visitor::of_agent(agent), visitor, "{agent}");
        }
    }

    #[test]
    fn each_visitor_is_told_the_next_step_or_that_it_is_the_wrong_kind() {
        let mut told = String::new();
        for (mode, ownership) in [
            (Mode::Device, Ownership::Council),
            (Mode::FullyManaged, Ownership::Council),
            (Mode::CompanyWorkProfile, Ownership::Council),
            (Mode::PersonalWorkProfile, Ownership::Personal),
        ] {
            for visitor in [Visitor::Android, Visitor::Apple, Visitor::Other] {
                let (wrong, next) = (visitor.wrong_kind(mode), visitor.next_step(mode, ownership));
                assert!(wrong.is_some() || next.is_some() || (visitor, mode) == (Visitor::Apple, Mode::Device));
                let words = wrong.map(|words| format!("WRONG KIND: {words}")).or(next.map(str::to_owned));
                told.push_str(&format!("{visitor:?} for {mode}: {}\n", words.unwrap_or_default()));
            }
        }
        insta::assert_snapshot!(told);
    }
}
