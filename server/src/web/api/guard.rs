//! The API's gate: whoever calls is known before anything of what he sends is read, and a body has a limit and a deadline.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{HttpMessage as _, HttpRequest};
use futures_util::StreamExt as _;

use super::caller::{self, Address, RequestHash};
use super::problem::{BODY_LIMIT, Problem};
use crate::app::App;
use crate::error::Error;
use crate::web::LocalPeer;

/// What needs no sign-in: signing in, the first set-up, and the description of the API.
const OPEN: &[(Method, &str)] = &[
    (Method::POST, "/api/v1/sessions"),
    (Method::POST, "/api/v1/set-up"),
    (Method::GET, "/api/v1/openapi.json"),
    (Method::GET, "/api/v1/docs"),
];

/// Lets a request through once its caller is known, with its body read.
pub(crate) async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let app = request
        .app_data::<web::Data<App>>()
        .cloned()
        .ok_or_else(|| Problem::from(Error::internal("the web server was started without its App")))?;
    let address = client_address(request.request(), &app.config.proxy.addresses);
    let open = OPEN.iter().any(|(method, path)| method == request.method() && *path == request.path());
    let caller = if open { None } else { Some(caller::authenticate(&app, request.request(), &address).await?) };
    let body = read_body(request.take_payload(), app.config.limits.request_seconds).await?;
    let mut repeated = None;
    if let Some(mut caller) = caller {
        caller.request = RequestHash::of(&app.keys, request.method(), request.uri(), &body).map_err(Problem::from)?;
        if request.method() != Method::GET {
            repeated = caller.answered_before(&app).await?;
        }
        request.extensions_mut().insert(caller);
    }
    request.extensions_mut().insert(address);
    request.set_payload(Payload::from(body));
    let mut answer = match repeated {
        Some(answer) => request.into_response(answer).map_into_right_body(),
        None => next.call(request).await?.map_into_left_body(),
    };
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(answer)
}

/// Reads a body up to the limit and within the deadline.
pub(crate) async fn read_body(mut payload: Payload, seconds: u64) -> Result<Bytes, Problem> {
    let read = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|problem| Error::invalid("body", problem.to_string()))?;
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(Problem::too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    let deadline = Duration::from_secs(seconds);
    tokio::time::timeout(deadline, read).await.unwrap_or_else(|_| Err(Problem::too_slow(seconds)))
}

/// Where the request comes from. A forwarding header is believed only from a listed proxy, and of its addresses only the
/// last one that is not itself a listed proxy: the rest is whatever the client wrote.
pub(crate) fn client_address(request: &HttpRequest, trusted: &[IpAddr]) -> Address {
    if request.conn_data::<LocalPeer>().is_some() {
        return Address("local".to_owned());
    }
    let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else {
        return Address("unknown".to_owned());
    };
    if !trusted.contains(&peer) {
        return Address(peer.to_string());
    }
    let forwarded: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let client = forwarded
        .iter()
        .rev()
        .map_while(|text| text.parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .find(|address| !trusted.contains(address));
    Address(client.unwrap_or(peer).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_forwarding_header_counts_only_from_a_listed_proxy() {
        let proxy: IpAddr = "10.0.0.1".parse().expect("an address");
        let cases = [
            ("192.0.2.9:1", "203.0.113.5", "192.0.2.9"),
            ("10.0.0.1:1", "203.0.113.5", "203.0.113.5"),
            ("10.0.0.1:1", "1.1.1.1, 203.0.113.5", "203.0.113.5"),
            ("10.0.0.1:1", "203.0.113.5, 10.0.0.1", "203.0.113.5"),
            ("10.0.0.1:1", "203.0.113.5, nonsense", "10.0.0.1"),
            ("[::ffff:10.0.0.1]:1", "203.0.113.5", "203.0.113.5"),
        ];
        for (peer, header, expected) in cases {
            let request = TestRequest::default()
                .peer_addr(peer.parse().expect("an address"))
                .insert_header(("x-forwarded-for", header))
                .to_http_request();
            assert_eq!(client_address(&request, &[proxy]).0, expected, "{peer} {header}");
        }
    }
}
