//! A door that speaks plain HTTP for a client that knows no private authority: octets pass through to the server's TLS.

use std::net::SocketAddr;
use std::pin::Pin;

use openssl::ssl::{SslConnector, SslMethod};
use openssl::x509::X509;
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_openssl::SslStream;

/// Opens the door to the server at `inner`, whose certificate `root_pem` made; gives the door's address.
pub(crate) async fn plain_door(inner: &str, root_pem: &str) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let door = listener.local_addr().expect("bound");
    let (inner, root_pem) = (inner.trim_start_matches("https://").to_owned(), root_pem.to_owned());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (inner, root_pem) = (inner.clone(), root_pem.clone());
            tokio::spawn(async move {
                if let Err(problem) = pass(stream, &inner, &root_pem).await {
                    eprintln!("the plain door: {problem}");
                }
            });
        }
    });
    door
}

async fn pass(mut outer: TcpStream, inner: &str, root_pem: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.cert_store_mut().add_cert(X509::from_pem(root_pem.as_bytes())?)?;
    let host = inner.split(':').next().unwrap_or(inner);
    let ssl = builder.build().configure()?.into_ssl(host)?;
    let mut tls = SslStream::new(ssl, TcpStream::connect(inner).await?)?;
    Pin::new(&mut tls).connect().await?;
    copy_bidirectional(&mut outer, &mut tls).await?;
    tls.shutdown().await?;
    Ok(())
}
