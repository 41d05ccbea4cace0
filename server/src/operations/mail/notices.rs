//! What operators are told by mail: for each event a subject and a sentence, in plain words and without anybody's name.

/// Which page the message's link leads to; all of them stand behind the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The council's first page.
    Home,
    /// The loss that the event is about.
    Loss,
    /// The order that the event is about.
    Order,
}

/// What is said of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    pub(super) subject: &'static str,
    pub(super) text: &'static str,
    pub(super) page: Page,
    /// Whether providers whom the council named as approvers are told too.
    pub(super) named_approvers: bool,
    /// Whether all providers and auditors are told too.
    pub(super) everyone: bool,
}

const fn notice(subject: &'static str, text: &'static str, page: Page) -> Notice {
    Notice { subject, text, page, named_approvers: false, everyone: false }
}

/// What is said of an event of this kind (an alert's kind, or one of `tell.rs`); nothing of most kinds.
#[expect(clippy::too_many_lines, reason = "one line of words for each event")]
pub(super) fn of(kind: &str) -> Option<Notice> {
    Some(match kind {
        "loss_reported" => notice(
            "A phone was reported lost",
            "A phone or tablet of the council was reported lost. Beadle has sent the lock to what can be locked.",
            Page::Loss,
        ),
        "order_waits" => Notice {
            named_approvers: true,
            ..notice(
                "An order to erase waits for a decision",
                "Somebody asked to erase a phone or tablet of the council. Another person must approve or refuse it within \
                 72 hours of when it was asked for; otherwise it lapses.",
                Page::Order,
            )
        },
        "order_cooled_off" => notice(
            "An order to erase goes on",
            "Nobody stopped the order to erase a phone or tablet within its 30 minutes. It goes to the phone now.",
            Page::Order,
        ),
        "one_operator_stopped" => notice(
            "One-operator working was stopped",
            "Somebody who was told of it by mail does not want that one operator works alone. Two people must agree before a \
             phone is erased.",
            Page::Home,
        ),
        "order_refused" => notice(
            "An order to erase was refused",
            "A second person refused the order. Nothing is erased.",
            Page::Order,
        ),
        "order_lapsed" => notice(
            "An order to erase lapsed",
            "Nobody approved the order within 72 hours. Nothing is erased.",
            Page::Order,
        ),
        "order_cancelled" => {
            notice("An order to erase was cancelled", "Somebody took the order to erase back.", Page::Order)
        }
        "order_confirmed" => notice(
            "A phone confirmed that it erases itself",
            "The phone or tablet confirmed the order to erase it.",
            Page::Order,
        ),
        "order_presumed_erased" => notice(
            "A phone is presumed erased",
            "The phone or tablet fetched the order to erase it and has not been heard from for 24 hours. It did not confirm \
             that it was erased.",
            Page::Order,
        ),
        "order_failed" => {
            notice("A phone could not be erased", "The order to erase a phone or tablet failed.", Page::Order)
        }
        "order_left_management" => notice(
            "A phone to be erased left management",
            "The phone or tablet is no longer managed, so the order to erase it cannot be carried out.",
            Page::Order,
        ),
        "order_held" | "order_distrusted" => notice(
            "An order to erase is held",
            "The order to erase a phone or tablet waits until somebody decides. Nothing is sent to the phone until then.",
            Page::Order,
        ),
        "order_reopened" => notice(
            "A phone that was presumed erased was heard from again",
            "It was not erased. The order is offered to it once more.",
            Page::Order,
        ),
        "order_unreachable" => notice(
            "A phone to be erased has been silent for a week",
            "The order still stands, and is delivered when the phone is heard from.",
            Page::Order,
        ),
        "orders_frozen" => notice(
            "Orders to erase are frozen",
            "More orders were approved than the cap allows. None goes on until two people have looked at it.",
            Page::Home,
        ),
        "push_certificate_ends" => notice(
            "The certificate for Apple phones is running out",
            "The council's push certificate must be renewed in time, with the same Apple Account. Without it iPhones and \
             iPads can no longer be woken.",
            Page::Home,
        ),
        "tls_ends" => notice(
            "The server's own certificate is running out",
            "The TLS certificate of this Beadle server is running out, or has run out. Phones and browsers refuse an expired one: \
             renew it now.",
            Page::Home,
        ),
        "authority_ends" => notice(
            "The authority for the phones' identities is running out",
            "The council's phones must be enrolled again before it ends.",
            Page::Home,
        ),
        "own_phone_lost" => notice(
            "An operator's own phone is lost",
            "Somebody who signs in to Beadle said that the lost phone is the one used for signing in. The account's other \
             sign-ins and its passkeys were ended. If its owner did not do that, end the account now.",
            Page::Home,
        ),
        "passkey_copied" => notice(
            "A passkey may have been copied",
            "A passkey was used in a way that only a copy of it can be. Ask its owner, and have it removed.",
            Page::Home,
        ),
        "break_glass_used" => Notice {
            everyone: true,
            ..notice(
                "The break-glass code was used",
                "Somebody opened the envelope and made a clerk's account with the break-glass code. If nobody should have done \
                 that, end the account now.",
                Page::Home,
            )
        },
        "break_glass_made" => notice(
            "A break-glass code was printed",
            "Somebody printed a new break-glass code. What lies in the envelope from before is useless now. If nobody should have \
             done that, look at who did, and print a new one.",
            Page::Home,
        ),
        "approver_unnamed" => notice(
            "Somebody may not approve any more",
            "A council took back that somebody approves orders to erase. If nobody meant that, look at it now.",
            Page::Home,
        ),
        "operator_added" => notice(
            "An account was added",
            "Somebody was given an account in Beadle. If nobody meant that, end the account now.",
            Page::Home,
        ),
        "operator_reset" => notice(
            "An account's password was reset",
            "Somebody reset the password of an account in Beadle. If its owner did not ask for it, end the account of \
             whoever did it.",
            Page::Home,
        ),
        "operator_role_changed" => notice(
            "An account's role was changed",
            "Somebody changed what an account in Beadle may do. If nobody meant that, look at it now.",
            Page::Home,
        ),
        "operator_mail_changed" => notice(
            "An account's mail address was changed",
            "Mail for an account in Beadle no longer goes to the address that it had. If its owner did not mean that, look at \
             it now.",
            Page::Home,
        ),
        "operator_ended" => {
            notice("An account was ended", "Somebody ended an account in Beadle. It can no longer sign in.", Page::Home)
        }
        "sign_in_failures" => notice(
            "Sign-ins failed again and again",
            "Five or more sign-ins to one account failed within a quarter of an hour. If it was not its owner, somebody is \
             guessing.",
            Page::Home,
        ),
        "recovery_code_used" => notice(
            "A recovery code was used",
            "Somebody signed in with a recovery code instead of an authenticator app. If it was not the account's owner, \
             end the account now.",
            Page::Home,
        ),
        _ => return None,
    })
}
