//! Enrols many phones at once and writes their identities down, one line each.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use beadle_simulator::apple::keys::KeyPool;
use beadle_simulator::apple::phone::{Phone, PhoneOptions};
use tokio::task::JoinSet;

use super::{Outcome, print_latency};

#[derive(clap::Args, Clone)]
pub(crate) struct Enrol {
    /// What to put before links that have no host, such as https://127.0.0.1:8443
    #[arg(long, default_value = "")]
    url: String,
    /// File with one invitation link per line; - is standard input
    #[arg(long, default_value = "-")]
    links: PathBuf,
    /// How many phones at most; all links when absent
    #[arg(long)]
    count: Option<usize>,
    /// How many at once
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
    /// Root certificate of the server, PEM
    #[arg(long)]
    root_ca: Option<PathBuf>,
    /// Where identities go, one JSON object per line
    #[arg(long, default_value = "identities.jsonl")]
    identities: PathBuf,
    /// How many RSA keys to share out
    #[arg(long, default_value_t = 8)]
    keys: usize,
    /// Enrol supervised phones
    #[arg(long)]
    supervised: bool,
    /// Do not judge profiles by Apple's schema (faster)
    #[arg(long)]
    no_schema: bool,
}

fn read_links(arguments: &Enrol) -> Outcome<Vec<String>> {
    let source: Box<dyn Read> = if arguments.links == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(&arguments.links)?)
    };
    let mut links = Vec::new();
    for line in BufReader::new(source).lines() {
        let line = line?;
        let link = line.trim();
        if link.is_empty() || link.starts_with('#') {
            continue;
        }
        links.push(if link.contains("://") { link.to_owned() } else { format!("{}{link}", arguments.url) });
    }
    links.truncate(arguments.count.unwrap_or(usize::MAX));
    Ok(links)
}

pub(crate) async fn enrol(arguments: Enrol) -> Outcome<bool> {
    let links = read_links(&arguments)?;
    if links.is_empty() {
        return Err("there are no invitation links".into());
    }
    let root_certificate_pem = arguments.root_ca.as_ref().map(std::fs::read_to_string).transpose()?;
    let keys = KeyPool::generate(arguments.keys)?;
    let out = std::fs::OpenOptions::new().create(true).append(true).open(&arguments.identities)?;
    let out = Arc::new(Mutex::new(out));
    let total = links.len();
    let queue = Arc::new(Mutex::new(links.into_iter().enumerate()));
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..arguments.concurrency.clamp(1, total) {
        let (queue, out, keys) = (Arc::clone(&queue), Arc::clone(&out), keys.clone());
        let (root, arguments) = (root_certificate_pem.clone(), arguments.clone());
        workers.spawn(async move {
            let mut enrolled = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((index, link)) = next else {
                    return enrolled;
                };
                let options = PhoneOptions {
                    keys: Some(keys.clone()),
                    root_certificate_pem: root.clone(),
                    supervised: arguments.supervised,
                    check_schema: !arguments.no_schema,
                    ..PhoneOptions::iphone(&format!("load {index}"))
                };
                let began = Instant::now();
                match enrol_one(options, &link, &out).await {
                    Ok(()) => enrolled.push(began.elapsed()),
                    Err(error) => eprintln!("phone {index}: {error}"),
                }
            }
        });
    }
    let mut times: Vec<Duration> = workers.join_all().await.into_iter().flatten().collect();
    let elapsed = start.elapsed();
    println!(
        "enrolled {} of {total} in {:.2} s: {:.1} a second",
        times.len(),
        elapsed.as_secs_f64(),
        times.len() as f64 / elapsed.as_secs_f64()
    );
    print_latency(&mut times);
    Ok(times.len() == total)
}

async fn enrol_one(options: PhoneOptions, link: &str, out: &Mutex<std::fs::File>) -> Outcome<()> {
    let mut phone = Phone::new(options)?;
    phone.enrol(link).await?;
    let mut line = serde_json::to_vec(&phone.save()?)?;
    line.push(b'\n');
    // One write per line, so that a killed run leaves whole lines.
    out.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)?;
    Ok(())
}
