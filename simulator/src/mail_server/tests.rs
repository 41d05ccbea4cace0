//! The mail server against bytes written by hand: it takes what the protocol allows and notes what it forbids.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{MailServer, Privacy};

/// Says `text`, line by line as given, and gives all that was answered until the server is silent or gone.
async fn said(server: &MailServer, text: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.expect("connects");
    stream.write_all(text.as_bytes()).await.expect("writes");
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(500), read).await;
    drop(waited);
    String::from_utf8_lossy(&answer).into_owned()
}

const HEAD: &str = "EHLO me\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n";

#[tokio::test]
async fn a_message_is_kept_with_its_dots_taken_off() {
    let server = MailServer::start(Privacy::None, None).await.expect("starts");
    let answer = said(&server, &format!("{HEAD}Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n")).await;
    assert!(answer.contains("250 2.0.0 queued as 1"), "{answer}");
    let received = server.received();
    assert_eq!(received[0].text, "Subject: x\r\n\r\n.dot\r\n");
    assert_eq!(received[0].header("subject").as_deref(), Some("x"));
    assert_eq!(server.breaches(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_protocol_forbids_is_noted() {
    for (text, breach) in [
        (format!("{HEAD}x\ny\r\n.\r\n"), "a bare CR or LF"),
        (format!("{HEAD}x\ry\r\n.\r\n"), "a bare CR or LF"),
        (format!("{HEAD}.x\r\n.\r\n"), "a dot that was not doubled"),
        (format!("{HEAD}{}\r\n.\r\n", "x".repeat(999)), "a line of 1001 bytes"),
        (format!("EHLO {}\r\n", "x".repeat(600)), "a line of 607 bytes"),
        ("MAIL FROM:<a@b>\r\n".to_owned(), "MAIL at the wrong time"),
        ("EHLO me\r\nRCPT TO:<a@b>\r\n".to_owned(), "RCPT without MAIL"),
        ("EHLO me\r\nMAIL FROM:<a@b>\r\nDATA\r\n".to_owned(), "DATA without a recipient"),
        ("EHLO me\r\nSTARTTLS\r\n".to_owned(), "STARTTLS where it was not offered"),
        (format!("{HEAD}\u{e9}\r\n.\r\n"), "eight bits without having asked"),
        ("HELLO\r\n".to_owned(), "an unknown command HELLO"),
    ] {
        let server = MailServer::start(Privacy::None, None).await.expect("starts");
        said(&server, &text).await;
        assert_eq!(server.breaches(), [breach], "{text:?}");
    }
}

#[tokio::test]
async fn nothing_is_taken_in_plain_text_or_from_strangers() {
    let server = MailServer::start(Privacy::Starttls, Some(("beadle", "secret"))).await.expect("starts");
    let answer = said(&server, "EHLO me\r\nMAIL FROM:<a@b>\r\n").await;
    assert!(answer.contains("530") && !answer.contains("AUTH"), "{answer}");
    let server = MailServer::start(Privacy::None, Some(("beadle", "secret"))).await.expect("starts");
    let answer = said(&server, "EHLO me\r\nMAIL FROM:<a@b>\r\nAUTH PLAIN AGJlYWRsZQB3cm9uZw==\r\n").await;
    assert!(answer.contains("530 5.7.0") && answer.contains("535"), "{answer}");
    let answer = said(&server, "EHLO me\r\nAUTH PLAIN AGJlYWRsZQBzZWNyZXQ=\r\nMAIL FROM:<a@b>\r\n").await;
    assert!(answer.contains("235") && answer.contains("250 OK"), "{answer}");
}
