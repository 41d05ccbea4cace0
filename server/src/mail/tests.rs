//! One message against a strict mail server: encrypted or not, refused, silent, gone.

use std::time::Instant;

use beadle_simulator::mail_server::{Fault, MailServer, Privacy, Stage};

use super::*;

fn server(at: &MailServer, security: MailSecurity, folder: &tempfile::TempDir) -> Server {
    let root = folder.path().join("root.pem");
    std::fs::write(&root, at.root_certificate_pem()).expect("writes");
    Server {
        host: "127.0.0.1".to_owned(),
        port: at.address().port(),
        security,
        login: Some(("beadle".to_owned(), Zeroizing::new("tin mine".to_owned()))),
        sender: "beadle@germoe.example".to_owned(),
        extra_roots: vec![root],
        patience: Duration::from_secs(5),
    }
}

const LETTER: Outgoing<'_> = Outgoing {
    id: "0190",
    to: "chair@germoe.example",
    subject: "Plwyf Llŷn: a phone\r\nBcc: thief@example.org",
    text: "First line.\r\n.\r\n..two dots, and é\r\n",
};

async fn began(privacy: Privacy) -> MailServer {
    MailServer::start(privacy, Some(("beadle", "tin mine"))).await.expect("starts")
}

#[tokio::test]
async fn a_message_arrives_whole_whichever_way_is_private() {
    for (privacy, security) in [
        (Privacy::Starttls, MailSecurity::Starttls),
        (Privacy::Tls, MailSecurity::Tls),
        (Privacy::None, MailSecurity::None),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let at = began(privacy).await;
        let said = send(&server(&at, security, &folder), &LETTER).await.expect("accepted");
        assert_eq!(said, "250 2.0.0 queued as 1");
        let [one] = <[_; 1]>::try_from(at.received()).expect("one");
        assert_eq!(
            (one.from.as_str(), one.to.as_slice()),
            ("beadle@germoe.example", &["chair@germoe.example".to_owned()][..])
        );
        assert_eq!((one.encrypted, one.user.as_deref()), (security != MailSecurity::None, Some("beadle")));
        assert_eq!(one.header("Message-ID").as_deref(), Some("<0190@germoe.example>"));
        assert_eq!(one.header("Auto-Submitted").as_deref(), Some("auto-generated"));
        assert_eq!(one.header("Bcc"), None, "a line end in the subject begins no header: {}", one.text);
        assert!(one.body().contains("First line.\r\n.\r\n..two dots, and é"), "{}", one.text);
        assert_eq!(at.breaches(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn nothing_is_said_where_the_way_is_not_private() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = began(Privacy::None).await;
    let trouble = send(&server(&plain, MailSecurity::Starttls, &folder), &LETTER).await.expect_err("refused");
    assert_eq!(trouble.words, "The mail server does not offer STARTTLS, and nothing is sent in plain text.");
    assert!(!trouble.for_good);
    for (privacy, security) in [(Privacy::Starttls, MailSecurity::Starttls), (Privacy::Tls, MailSecurity::Tls)] {
        let at = began(privacy).await;
        let mut stranger = server(&at, security, &folder);
        stranger.extra_roots = Vec::new();
        let trouble = send(&stranger, &LETTER).await.expect_err("not trusted");
        assert!(
            trouble.words.starts_with("An encrypted connection to the mail server could not be made: "),
            "{trouble:?}"
        );
        assert!(trouble.words.contains("certificate"), "{trouble:?}");
        assert!(at.received().is_empty());
    }
}

#[tokio::test]
async fn a_refusal_says_what_was_refused_and_whether_it_is_for_good() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = |stage, code, text: &'static str| (stage, Fault::Answer(code, text.to_owned()));
    for ((stage, fault), expected, for_good) in [
        (words(Stage::Greeting, 554, "no"), "The mail server could not be reached: ", false),
        (words(Stage::SignIn, 535, "5.7.8 wrong"), "The mail server refused the user name or password: ", false),
        (words(Stage::Sender, 550, "not yours"), "The mail server refused the sender's address: ", false),
        (words(Stage::Recipient, 550, "5.1.1 nobody"), "The mail server refused the recipient's address: ", true),
        (words(Stage::Recipient, 451, "greylisted"), "The mail server cannot take the message just now: ", false),
        (words(Stage::Data, 452, "full"), "The mail server cannot take the message just now: ", false),
        (words(Stage::End, 554, "spam"), "The mail server refused the message: ", true),
        ((Stage::Data, Fault::Drop), "The connection to the mail server broke: ", false),
        ((Stage::End, Fault::KeepAndDrop), "The connection to the mail server broke: ", false),
    ] {
        let at = began(Privacy::Starttls).await;
        at.at(stage, Some(fault.clone()));
        let trouble = send(&server(&at, MailSecurity::Starttls, &folder), &LETTER).await.expect_err("refused");
        assert!(trouble.words.starts_with(expected), "{stage:?} {fault:?}: {trouble:?}");
        if let Fault::Answer(_, text) = &fault {
            assert!(trouble.words.contains(text), "what the server really said: {trouble:?}");
        }
        assert_eq!(trouble.for_good, for_good, "{stage:?} {fault:?}");
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up_in_time() {
    let folder = tempfile::tempdir().expect("a folder");
    for stage in [Stage::Greeting, Stage::Hello, Stage::SignIn, Stage::Recipient, Stage::End] {
        let at = began(Privacy::Starttls).await;
        at.at(stage, Some(Fault::Hang));
        let mut server = server(&at, MailSecurity::Starttls, &folder);
        server.patience = Duration::from_millis(400);
        let began = Instant::now();
        let trouble = send(&server, &LETTER).await.expect_err("no answer");
        assert!(began.elapsed() < Duration::from_secs(4), "{stage:?}");
        assert!(!trouble.for_good && !trouble.words.is_empty(), "{stage:?}: {trouble:?}");
    }
    let mut nobody = server(&began(Privacy::None).await, MailSecurity::None, &folder);
    nobody.port = 9;
    let trouble = send(&nobody, &LETTER).await.expect_err("nobody");
    assert!(trouble.words.starts_with("The mail server could not be reached: "), "{trouble:?}");
}
