//! A SCEP server of one page, on loopback, for trying other people's clients against this crate.
//!
//! `cargo run -p beadle-enrollment --example scep_server -- 127.0.0.1:8080 CHALLENGE [--legacy]`, then for instance
//! `pki --scep --url http://127.0.0.1:8080/scep --password CHALLENGE …` or `scepclient -server-url http://127.0.0.1:8080/scep -challenge CHALLENGE …`.
//! It keeps nothing: the real server adds one-use challenges, memory and an audit trail.

use beadle_enrollment::authority::{Authority, IssueRequest, Serial};
use beadle_enrollment::scep::{self, FailInfo, MessageType};
use chrono::{DateTime, TimeDelta, Utc};
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, SystemTime};

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Server {
    authority: Authority,
    challenge: String,
    legacy: bool,
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(challenge)) = (arguments.next(), arguments.next()) else {
        return Err("usage: scep_server ADDRESS CHALLENGE [--legacy]".into());
    };
    let now = now();
    let server = Server {
        authority: Authority::create(
            "Trial Council",
            Serial::random()?,
            now - TimeDelta::hours(1),
            now + TimeDelta::days(30),
        )?,
        challenge,
        legacy: arguments.any(|argument| argument == "--legacy"),
    };
    let listener = TcpListener::bind(&address)?;
    println!("listening on http://{}/scep", listener.local_addr()?);
    for stream in listener.incoming() {
        if let Err(problem) = stream.map_err(Into::into).and_then(|stream| server.serve(stream)) {
            eprintln!("{problem}");
        }
    }
    Ok(())
}

fn now() -> DateTime<Utc> {
    DateTime::from(SystemTime::now())
}

impl Server {
    fn serve(&self, stream: TcpStream) -> Outcome<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body)?;
        println!("{}", first.trim().get(..120).unwrap_or(first.trim()));
        let (status, content_type, answer) = self.answer(&first, &body)?;
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            answer.len()
        )?;
        stream.write_all(&answer)?;
        Ok(())
    }

    fn answer(&self, first: &str, body: &[u8]) -> Outcome<(&str, &str, Vec<u8>)> {
        let query =
            first.split_whitespace().nth(1).and_then(|target| target.split_once('?')).map_or("", |(_, query)| query);
        let parameter = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        Ok(match parameter("operation") {
            Some("GetCACaps") => ("200 OK", scep::CONTENT_TYPE_CAPABILITIES, scep::capabilities().into()),
            Some("GetCACert") => ("200 OK", scep::CONTENT_TYPE_CA_CERTIFICATE, scep::ca_certificate(&self.authority)),
            Some("PKIOperation") => {
                // Some clients repeat the message in the address when they POST it: the body wins.
                let message = if body.is_empty() {
                    scep::decode_get_message(parameter("message").unwrap_or_default())?
                } else {
                    body.to_vec()
                };
                match self.operate(&message)? {
                    Some(answer) => ("200 OK", scep::CONTENT_TYPE_MESSAGE, answer),
                    None => ("400 Bad Request", "text/plain", Vec::new()),
                }
            }
            _ => ("404 Not Found", "text/plain", Vec::new()),
        })
    }

    /// The CertRep, or nothing where the message was too broken to be answered.
    fn operate(&self, message: &[u8]) -> Outcome<Option<Vec<u8>>> {
        let mut nonce = [0; 16];
        openssl::rand::rand_bytes(&mut nonce)?;
        let request = match scep::parse_request(message, &self.authority, self.legacy) {
            Ok(request) => request,
            Err(refusal) => {
                println!("{refusal}");
                return Ok(match refusal.header {
                    Some(header) => Some(scep::failure(&self.authority, &header, refusal.fail_info, &nonce)?),
                    None => None,
                });
            }
        };
        println!("{request:?}");
        let authorised = match request.message_type {
            MessageType::PkcsReq => request.csr.challenge.as_deref() == Some(&self.challenge),
            MessageType::RenewalReq => self.authority.verify_identity(&request.signer_certificate_der, now()).is_ok(),
        };
        if !authorised {
            let header = request.header();
            let answer = scep::failure(&self.authority, &header, FailInfo::BadRequest, &nonce)?;
            return Ok(Some(answer));
        }
        let issued = self.authority.issue(&IssueRequest {
            common_name: "trial device",
            organization: Some("Trial Council"),
            serial: Serial::random()?,
            not_before: now() - TimeDelta::minutes(5),
            not_after: now() + TimeDelta::days(7),
            public_key_der: &request.csr.public_key_der,
            uri: None,
        })?;
        Ok(Some(scep::success(&self.authority, &request, &issued.der, &nonce)?))
    }
}
