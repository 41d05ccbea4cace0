//! The push service's wire: TLS with client certificates and HTTP/2, one task per connection.

use std::io::Cursor;
use std::pin::Pin;
use std::sync::Arc;

use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Request, Response};
use openssl::ssl::{AlpnError, Ssl, SslAcceptor, SslMethod, SslVerifyMode, select_next_proto};
use openssl::x509::X509;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_openssl::SslStream;

use super::faults::{Fault, usual_reason};
use super::portal::Authorities;
use super::rules::{self, PushAnswer, PushRecord};
use super::{Inner, State};
use crate::Result;

/// So much of a body is read before it is called too large.
const READ_AT_MOST: usize = 16 * 1024;

type Body = Cursor<Vec<u8>>;

enum Ending {
    Drop,
    GoAway,
}

pub(super) fn acceptor(authorities: &Authorities) -> Result<SslAcceptor> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_private_key(&authorities.server.key)?;
    builder.set_certificate(&authorities.server.certificate)?;
    builder.check_private_key()?;
    builder.set_alpn_select_callback(|_, offered| select_next_proto(b"\x02h2", offered).ok_or(AlpnError::ALERT_FATAL));
    // The certificate is asked for but judged per request, so that a refusal is logged with a reason.
    builder.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
    builder.set_session_id_context(b"push")?;
    Ok(builder.build())
}

pub(super) async fn accept(inner: Arc<Inner>, listener: TcpListener, acceptor: SslAcceptor) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((tcp, _)) = accepted && let Ok(ssl) = Ssl::new(acceptor.context()) {
                    connections.spawn(connection(Arc::clone(&inner), tcp, ssl));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Counts a connection as open for as long as it lives, however it ends.
struct Open(Arc<Inner>);

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.connections.open = state.connections.open.saturating_sub(1);
    }
}

async fn connection(inner: Arc<Inner>, tcp: TcpStream, ssl: Ssl) {
    let Ok(mut stream) = SslStream::new(ssl, tcp) else {
        return;
    };
    if let Err(error) = Pin::new(&mut stream).accept().await {
        tracing::debug!(%error, "push service: TLS failed");
        return;
    }
    let number = {
        let State { connections, .. } = &mut *inner.state();
        connections.accepted += 1;
        connections.open += 1;
        connections.accepted
    };
    let _open = Open(Arc::clone(&inner));
    let client = stream.ssl().peer_certificate();
    let Ok(mut http) = h2::server::Builder::new().handshake::<_, Body>(stream).await else {
        return;
    };
    let (end, mut ended) = mpsc::channel(1);
    let mut requests = JoinSet::new();
    loop {
        tokio::select! {
            accepted = http.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    let call = Call { inner: Arc::clone(&inner), client: client.clone(), number, end: end.clone() };
                    requests.spawn(call.answer(request, respond));
                }
                _ => return,
            },
            Some(ending) = ended.recv() => match ending {
                Ending::Drop => return,
                Ending::GoAway => http.abrupt_shutdown(Reason::NO_ERROR),
            },
            Some(_) = requests.join_next() => {}
        }
    }
}

struct Call {
    inner: Arc<Inner>,
    client: Option<X509>,
    number: u64,
    end: mpsc::Sender<Ending>,
}

impl Call {
    async fn answer(self, request: Request<RecvStream>, mut respond: SendResponse<Body>) {
        let (head, mut incoming) = request.into_parts();
        let mut body = Vec::new();
        while let Some(Ok(data)) = incoming.data().await {
            let _ = incoming.flow_control().release_capacity(data.len());
            body.extend_from_slice(&data);
            if body.len() > READ_AT_MOST {
                break;
            }
        }
        let path = head.uri.path();
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut record = PushRecord {
            at: self.inner.clock.unix(),
            connection: self.number,
            method: head.method.to_string(),
            token: path.strip_prefix("/3/device/").unwrap_or(path).to_lowercase(),
            certificate_topic: rules::topic_of(self.client.as_ref()),
            topic: header("apns-topic"),
            push_type: header("apns-push-type"),
            priority: header("apns-priority"),
            expiration: header("apns-expiration"),
            body,
            answer: PushAnswer::Status(200, None),
            delivered: false,
            notes: Vec::new(),
        };
        let judged = rules::judge(&self.inner, self.client.as_ref(), &mut record, path);
        let fault = self.inner.state().faults.take(&record.token);
        let (status, reason, since, retry_after) = match (fault, judged) {
            (Some(Fault::Hang), _) => {
                record.answer = PushAnswer::Hung;
                self.log(record);
                // Keeps the stream open without an answer for as long as the connection lives.
                let _kept = respond;
                return std::future::pending().await;
            }
            (Some(Fault::DropConnection), _) => {
                record.answer = PushAnswer::Dropped;
                self.log(record);
                let _ = self.end.send(Ending::Drop).await;
                return;
            }
            (Some(Fault::GoAway), _) => {
                record.answer = PushAnswer::WentAway;
                self.log(record);
                let _ = self.end.send(Ending::GoAway).await;
                let _kept = respond;
                return std::future::pending().await;
            }
            (Some(Fault::Answer { status, reason, retry_after }), _) => {
                let reason = (status != 200).then(|| reason.unwrap_or_else(|| usual_reason(status).to_owned()));
                (status, reason, (status == 410).then_some(record.at), retry_after)
            }
            (delay, judged) => {
                if let Some(Fault::Delay(pause)) = delay {
                    tokio::time::sleep(pause).await;
                }
                match judged {
                    Ok(wake) => {
                        record.delivered = true;
                        wake.notify_one();
                        (200, None, None, None)
                    }
                    Err(refusal) => (refusal.status, Some(refusal.reason.to_owned()), refusal.since, None),
                }
            }
        };
        record.answer = PushAnswer::Status(status, reason.clone());
        self.log(record);
        send(&mut respond, status, reason, since, retry_after);
    }

    fn log(&self, record: PushRecord) {
        tracing::debug!(token = %record.token, answer = ?record.answer, "push");
        self.inner.state().log.push(record);
    }
}

fn send(
    respond: &mut SendResponse<Body>,
    status: u16,
    reason: Option<String>,
    since: Option<i64>,
    retry_after: Option<u64>,
) {
    let mut response = Response::builder().status(status).header("apns-id", uuid::Uuid::new_v4().to_string());
    if let Some(seconds) = retry_after {
        response = response.header("retry-after", seconds);
    }
    let body = reason.map(|reason| match since {
        // Apple gives milliseconds.
        Some(since) => serde_json::json!({ "reason": reason, "timestamp": since * 1000 }),
        None => serde_json::json!({ "reason": reason }),
    });
    let Ok(response) = response.body(()) else {
        return;
    };
    let Ok(mut stream) = respond.send_response(response, body.is_none()) else {
        return;
    };
    if let Some(body) = body {
        let _ = stream.send_data(Cursor::new(body.to_string().into_bytes()), true);
    }
}
