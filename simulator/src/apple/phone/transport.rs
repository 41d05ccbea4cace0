//! How a phone talks HTTP: pages as Safari does, messages as the MDM client does, and now and then a connection cut short.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod};
use openssl::x509::X509;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE, USER_AGENT};
use reqwest::{Client, Method, Url};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::options::PhoneOptions;
use super::state::{Exchange, Shared};
use crate::error::server;
use crate::{Error, Result};

const MDM_AGENT: &str = "MDM/1.0";

/// An HTTP answer as a phone sees it.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Content type without parameters, empty when absent.
    pub content_type: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The address that answered, after redirects.
    pub url: Url,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// This reply when its status is 200.
    ///
    /// # Errors
    /// [`Error::Status`] for any other.
    pub fn ok(self) -> Result<Self> {
        if self.status == 200 {
            return Ok(self);
        }
        let body = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        Err(Error::Status { url: self.url.to_string(), status: self.status, body })
    }
}

#[derive(Clone)]
pub(crate) struct Transport {
    client: Client,
    browser: String,
    root_certificate_pem: Option<String>,
    shared: Arc<Shared>,
}

impl Transport {
    pub(crate) fn new(options: &PhoneOptions, shared: Arc<Shared>) -> Result<Self> {
        let mut builder = Client::builder().no_proxy().timeout(options.timeout);
        if let Some(pem) = &options.root_certificate_pem {
            builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(pem.as_bytes())?);
        }
        Ok(Self {
            client: builder.build()?,
            browser: options.browser(),
            root_certificate_pem: options.root_certificate_pem.clone(),
            shared,
        })
    }

    pub(crate) fn url(address: &str) -> Result<Url> {
        Url::parse(address).map_err(|error| server(format!("{address:?} is no address: {error}")))
    }

    /// A page or file, as Safari fetches it.
    pub(crate) async fn browse(&self, url: Url, cookies: &str) -> Result<Reply> {
        let request = self.client.get(url.clone()).header(USER_AGENT, &self.browser).header("Accept", "*/*");
        self.run("GET", &url, with_cookies(request, cookies)).await
    }

    /// A form sent from a page.
    pub(crate) async fn submit(
        &self,
        url: Url,
        fields: &[(String, String)],
        page: &Url,
        cookies: &str,
    ) -> Result<Reply> {
        let request = self
            .client
            .post(url.clone())
            .header(USER_AGENT, &self.browser)
            .header("Origin", page.origin().ascii_serialization())
            .header("Referer", page.as_str())
            .form(fields);
        self.run("POST", &url, with_cookies(request, cookies)).await
    }

    /// A SCEP request without body.
    pub(crate) async fn get(&self, url: Url) -> Result<Reply> {
        let request = self.client.get(url.clone()).header(USER_AGENT, "mdmclient/1.0");
        self.run("GET", &url, request).await
    }

    /// A SCEP message.
    pub(crate) async fn post(&self, url: Url, content_type: &str, body: &[u8]) -> Result<Reply> {
        let request = self.client.post(url.clone()).header(CONTENT_TYPE, content_type).body(body.to_vec());
        self.run("POST", &url, request).await
    }

    /// A message of the MDM protocol.
    pub(crate) async fn put(
        &self,
        url: Url,
        content_type: &str,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<Reply> {
        let mut request = self
            .client
            .request(Method::PUT, url.clone())
            .header(USER_AGENT, MDM_AGENT)
            .header(CONTENT_TYPE, content_type)
            .body(body.to_vec());
        if let Some(signature) = signature {
            request = request.header("Mdm-Signature", signature);
        }
        self.run("PUT", &url, request).await
    }

    async fn run(&self, method: &'static str, url: &Url, request: reqwest::RequestBuilder) -> Result<Reply> {
        let answered = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let url = response.url().clone();
            let body = response.bytes().await?.to_vec();
            let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            Ok(Reply { status, content_type, headers, url, body })
        }
        .await;
        self.record(method, url, answered.as_ref().ok().map(|reply: &Reply| reply.status));
        answered
    }

    fn record(&self, method: &'static str, url: &Url, status: Option<u16>) {
        let mut address = url.clone();
        address.set_query(None);
        self.shared.change(|state| state.http.push(Exchange { method, url: address.into(), status }));
    }

    /// Sends a message of the MDM protocol on a connection of its own and never takes the answer in: half the message when
    /// `linger` is absent, else all of it, closing when the answer begins to come or after so long.
    pub(crate) async fn put_and_drop(
        &self,
        url: Url,
        content_type: &str,
        signature: Option<&str>,
        body: &[u8],
        linger: Option<Duration>,
    ) -> Result<()> {
        let host = url.host_str().ok_or_else(|| server("an address without host"))?.to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let tcp = TcpStream::connect((host.as_str(), port)).await?;
        let mut request = format!(
            "PUT {}{} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {MDM_AGENT}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n",
            url.path(),
            url.query().map(|query| format!("?{query}")).unwrap_or_default(),
            body.len()
        );
        if let Some(signature) = signature {
            request.push_str(&format!("Mdm-Signature: {signature}\r\n"));
        }
        request.push_str("\r\n");
        let mut message = request.into_bytes();
        let sent = if linger.is_some() { body.len() } else { body.len() / 2 };
        message.extend(body.iter().take(sent));
        self.record("PUT", &url, None);
        if url.scheme() == "https" {
            let mut builder = SslConnector::builder(SslMethod::tls_client())?;
            if let Some(pem) = &self.root_certificate_pem {
                for root in X509::stack_from_pem(pem.as_bytes())? {
                    builder.cert_store_mut().add_cert(root)?;
                }
            }
            let ssl = builder.build().configure()?.into_ssl(&host)?;
            let mut stream = SslStream::new(ssl, tcp)?;
            Pin::new(&mut stream).connect().await.map_err(|error| server(format!("TLS: {error}")))?;
            write_and_drop(stream, &message, linger).await
        } else {
            write_and_drop(tcp, &message, linger).await
        }
    }
}

async fn write_and_drop(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    message: &[u8],
    linger: Option<Duration>,
) -> Result<()> {
    stream.write_all(message).await?;
    stream.flush().await?;
    if let Some(linger) = linger {
        // Whether it came, and what it began with, is lost all the same.
        let _ = tokio::time::timeout(linger, stream.read_u8()).await;
    }
    Ok(())
}

fn with_cookies(request: reqwest::RequestBuilder, cookies: &str) -> reqwest::RequestBuilder {
    if cookies.is_empty() { request } else { request.header(COOKIE, cookies) }
}

/// The cookies a reply sets, as the next request sends them.
pub(crate) fn cookies_of(reply: &Reply) -> String {
    let set = reply.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    set.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}

impl From<Reply> for Error {
    fn from(reply: Reply) -> Self {
        let body = String::from_utf8_lossy(&reply.body).chars().take(300).collect();
        Self::Status { url: reply.url.to_string(), status: reply.status, body }
    }
}
