//! Asks for certificates and does nothing else, on connections that are open already: for measuring PKIOperation alone.

use std::io::BufRead as _;
use std::path::PathBuf;

use beadle_simulator::apple::keys::KeyPool;
use beadle_simulator::apple::phone::{Phone, PhoneOptions, ScepAttempt, SentScep};
use tokio::task::JoinSet;

use super::{Outcome, client, say, shares};

#[derive(clap::Args, Clone)]
pub(crate) struct Scep {
    /// File with one invitation link per line
    #[arg(long)]
    links: PathBuf,
    /// How many connections, each with its share of the requests
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Root certificate of the server, PEM
    #[arg(long)]
    root_ca: Option<PathBuf>,
    /// How many RSA keys to share out
    #[arg(long, default_value_t = 32)]
    keys: usize,
}

pub(crate) async fn scep(arguments: Scep) -> Outcome<bool> {
    let root_certificate_pem = arguments.root_ca.as_ref().map(std::fs::read_to_string).transpose()?;
    let keys = KeyPool::generate(arguments.keys)?;
    let mut requests = Vec::new();
    for link in std::fs::read_to_string(&arguments.links)?.lines() {
        let options = PhoneOptions {
            keys: Some(keys.clone()),
            root_certificate_pem: root_certificate_pem.clone(),
            check_schema: false,
            ..PhoneOptions::iphone("certificate")
        };
        let mut phone = Phone::new(options)?;
        let profile = phone.fetch_profile(link).await?;
        requests.push(phone.prepare_scep(&profile, &ScepAttempt::default()).await?);
    }
    let total = requests.len();
    let mut lines = Vec::new();
    for share in shares(requests, arguments.connections) {
        let client = client(arguments.root_ca.as_deref())?;
        // Opens the connection.
        if let Some(first) = share.first() {
            client.get(format!("{}?operation=GetCACaps", first.url)).send().await?.bytes().await?;
        }
        lines.push((client, share));
    }
    say(&format!("ready {total}"))?;
    std::io::stdin().lock().read_line(&mut String::new())?;
    let mut asking = JoinSet::new();
    for (client, share) in lines {
        asking.spawn(async move {
            let mut answers = Vec::new();
            for sent in &share {
                answers.push(ask(&client, sent).await?);
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((share, answers))
        });
    }
    let mut certificates = 0;
    for done in asking.join_all().await {
        let (share, answers) = done?;
        for (sent, answer) in share.iter().zip(&answers) {
            sent.request.read_reply("application/x-pki-message", answer, &sent.authority)?;
            certificates += 1;
        }
    }
    say(&format!("certificates {certificates}"))?;
    Ok(certificates == total)
}

async fn ask(client: &reqwest::Client, sent: &SentScep) -> Outcome<Vec<u8>> {
    let request = client
        .post(format!("{}?operation=PKIOperation", sent.url))
        .header("Content-Type", "application/x-pki-message")
        .body(sent.request.message.clone());
    Ok(request.send().await?.error_for_status()?.bytes().await?.to_vec())
}
