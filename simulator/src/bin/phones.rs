//! `beadle-phones`: simulated phones from the command line, for load and kill tests against a server in another process.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beadle_simulator::apple::cms::{SignatureStyle, sign_detached};
use beadle_simulator::apple::keys::KeyPool;
use beadle_simulator::apple::phone::{Phone, PhoneOptions, SavedPhone};
use beadle_simulator::{Clock, Error};
use clap::{Parser, Subcommand, ValueEnum};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use plist::{Dictionary, Value};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(
    name = "beadle-phones",
    about = "Simulated iPhones for load and kill tests"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Enrols phones through invitation links and writes their identities down.
    Enrol(Enrol),
    /// Polls as enrolled phones and reports operations per second.
    Load(Load),
}

#[derive(clap::Args, Clone)]
struct Enrol {
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

#[derive(clap::Args, Clone)]
struct Load {
    /// Identities written by `enrol`
    #[arg(long)]
    identities: PathBuf,
    /// What the phones do
    #[arg(long, value_enum, default_value = "idle")]
    mode: Mode,
    /// For how long
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many connections, each with its share of the phones
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Root certificate of the server, PEM
    #[arg(long)]
    root_ca: Option<PathBuf>,
    /// How messages are signed
    #[arg(long, value_enum, default_value = "sha1")]
    signature: Signature,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Idle polls only; the signature is made once per phone.
    Idle,
    /// Fetches commands and answers them while there are any; each answer is signed.
    Pairs,
}

#[derive(ValueEnum, Clone, Copy)]
enum Signature {
    /// SHA-1 without signed attributes.
    Sha1,
    /// SHA-256 with signed attributes.
    Sha256,
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let done = match Arguments::parse().command {
        Command::Enrol(arguments) => enrol(arguments).await,
        Command::Load(arguments) => load(arguments).await,
    };
    match done {
        Ok(true) => std::process::ExitCode::SUCCESS,
        Ok(false) => std::process::ExitCode::FAILURE,
        Err(error) => {
            eprintln!("beadle-phones: {error}");
            std::process::ExitCode::FAILURE
        }
    }
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
        links.push(if link.contains("://") {
            link.to_owned()
        } else {
            format!("{}{link}", arguments.url)
        });
    }
    links.truncate(arguments.count.unwrap_or(usize::MAX));
    Ok(links)
}

async fn enrol(arguments: Enrol) -> Outcome<bool> {
    let links = read_links(&arguments)?;
    if links.is_empty() {
        return Err("there are no invitation links".into());
    }
    let root_certificate_pem = arguments
        .root_ca
        .as_ref()
        .map(std::fs::read_to_string)
        .transpose()?;
    let keys = KeyPool::generate(arguments.keys)?;
    let out = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&arguments.identities)?;
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
    out.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .write_all(&line)?;
    Ok(())
}

/// What one phone needs under load.
struct Poller {
    url: String,
    udid: String,
    key: PKey<Private>,
    certificate: X509,
    idle: Vec<u8>,
    idle_signature: String,
}

/// What one connection counted.
#[derive(Default)]
struct Count {
    idle: u64,
    answers: u64,
    commands: u64,
    failed: u64,
    statuses: BTreeMap<u16, u64>,
    times: Vec<Duration>,
    signing: Duration,
    signatures: u64,
}

impl Poller {
    fn new(saved: SavedPhone, style: SignatureStyle) -> Outcome<Self> {
        let mut poller = Self {
            url: saved.management.server_url,
            udid: saved.udid,
            key: PKey::private_key_from_pem(saved.private_key_pem.as_bytes())?,
            certificate: X509::from_pem(saved.certificate_pem.as_bytes())?,
            idle: Vec::new(),
            idle_signature: String::new(),
        };
        poller.idle = poller.message("Idle", None)?;
        poller.idle_signature = poller.sign(&poller.idle, style)?;
        Ok(poller)
    }

    fn message(&self, status: &str, answered: Option<&Dictionary>) -> Outcome<Vec<u8>> {
        let mut message = Dictionary::new();
        message.insert("Status".into(), status.into());
        message.insert("UDID".into(), self.udid.clone().into());
        if let Some(command) = answered {
            message.insert(
                "CommandUUID".into(),
                command
                    .get("CommandUUID")
                    .cloned()
                    .unwrap_or_else(|| "".into()),
            );
            let body = command.get("Command").and_then(Value::as_dictionary);
            let request_type = body
                .and_then(|body| body.get("RequestType"))
                .and_then(Value::as_string);
            if let Some((key, value)) = small_answer(request_type.unwrap_or_default(), &self.udid) {
                message.insert(key.into(), value);
            }
        }
        let mut xml = Vec::new();
        Value::Dictionary(message).to_writer_xml(&mut xml)?;
        Ok(xml)
    }

    fn sign(&self, body: &[u8], style: SignatureStyle) -> Result<String, Error> {
        Ok(STANDARD.encode(sign_detached(
            style,
            &self.key,
            &self.certificate,
            body,
            Clock::system().unix(),
        )?))
    }
}

/// The least that answers a query; other commands need nothing.
fn small_answer(request_type: &str, udid: &str) -> Option<(&'static str, Value)> {
    let mut inside = Dictionary::new();
    match request_type {
        "DeviceInformation" => {
            inside.insert("UDID".into(), udid.into());
            inside.insert("OSVersion".into(), "17.6.1".into());
            inside.insert("DeviceName".into(), "load".into());
            Some(("QueryResponses", Value::Dictionary(inside)))
        }
        "SecurityInfo" => {
            inside.insert("PasscodePresent".into(), true.into());
            inside.insert("PasscodeCompliant".into(), true.into());
            inside.insert("PasscodeCompliantWithProfiles".into(), true.into());
            Some(("SecurityInfo", Value::Dictionary(inside)))
        }
        "ProfileList" => Some(("ProfileList", Value::Array(Vec::new()))),
        "InstalledApplicationList" => Some(("InstalledApplicationList", Value::Array(Vec::new()))),
        "CertificateList" => Some(("CertificateList", Value::Array(Vec::new()))),
        _ => None,
    }
}

async fn load(arguments: Load) -> Outcome<bool> {
    let style = match arguments.signature {
        Signature::Sha1 => SignatureStyle::Sha1WithoutAttributes,
        Signature::Sha256 => SignatureStyle::Sha256WithAttributes,
    };
    let mut pollers = Vec::new();
    let preparing = Instant::now();
    for line in BufReader::new(std::fs::File::open(&arguments.identities)?).lines() {
        pollers.push(Poller::new(serde_json::from_str(&line?)?, style)?);
    }
    if pollers.is_empty() {
        return Err("there are no identities".into());
    }
    println!(
        "{} phones, prepared in {:.2} s",
        pollers.len(),
        preparing.elapsed().as_secs_f64()
    );
    let connections = arguments.connections.clamp(1, pollers.len());
    let mut shares: Vec<Vec<Poller>> = (0..connections).map(|_| Vec::new()).collect();
    for (index, poller) in pollers.into_iter().enumerate() {
        if let Some(share) = shares.get_mut(index % connections) {
            share.push(poller);
        }
    }
    let root = arguments.root_ca.as_ref().map(std::fs::read).transpose()?;
    let start = Instant::now();
    let until = start + Duration::from_secs(arguments.seconds);
    let mut tasks = JoinSet::new();
    for share in shares {
        // A client of its own makes a connection of its own, kept alive throughout.
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .timeout(Duration::from_secs(30));
        if let Some(pem) = &root {
            builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(pem)?);
        }
        let client = builder.build()?;
        let mode = arguments.mode;
        tasks.spawn(async move { drive(client, share, mode, style, until).await });
    }
    let counts = tasks.join_all().await;
    Ok(report(counts, start.elapsed(), arguments.mode))
}

async fn drive(
    client: reqwest::Client,
    share: Vec<Poller>,
    mode: Mode,
    style: SignatureStyle,
    until: Instant,
) -> Count {
    let mut count = Count::default();
    'time: while Instant::now() < until {
        for phone in &share {
            let mut reply = count
                .put(&client, phone, phone.idle.clone(), &phone.idle_signature)
                .await;
            count.idle += 1;
            while mode == Mode::Pairs
                && let Some(command) = reply.take().filter(|body| !body.is_empty())
            {
                count.commands += 1;
                let Ok(Value::Dictionary(command)) = plist::from_bytes(&command) else {
                    count.failed += 1;
                    break;
                };
                let Ok(body) = phone.message("Acknowledged", Some(&command)) else {
                    break;
                };
                let signing = Instant::now();
                let Ok(signature) = phone.sign(&body, style) else {
                    break;
                };
                count.signing += signing.elapsed();
                count.signatures += 1;
                reply = count.put(&client, phone, body, &signature).await;
                count.answers += 1;
                if Instant::now() >= until {
                    break 'time;
                }
            }
            if Instant::now() >= until {
                break 'time;
            }
        }
    }
    count
}

impl Count {
    async fn put(
        &mut self,
        client: &reqwest::Client,
        phone: &Poller,
        body: Vec<u8>,
        signature: &str,
    ) -> Option<Vec<u8>> {
        let start = Instant::now();
        let request = client
            .put(&phone.url)
            .header("User-Agent", "MDM/1.0")
            .header(
                "Content-Type",
                "application/x-apple-aspen-mdm; charset=UTF-8",
            )
            .header("Mdm-Signature", signature)
            .body(body);
        let answered = async {
            let response = request.send().await?;
            Ok::<_, reqwest::Error>((response.status().as_u16(), response.bytes().await?))
        }
        .await;
        let Ok((status, body)) = answered else {
            self.failed += 1;
            // A server that is being killed and started again must not be hammered meanwhile.
            tokio::time::sleep(Duration::from_millis(20)).await;
            return None;
        };
        self.times.push(start.elapsed());
        *self.statuses.entry(status).or_default() += 1;
        (status == 200).then(|| body.to_vec())
    }
}

fn report(counts: Vec<Count>, elapsed: Duration, mode: Mode) -> bool {
    let mut sum = Count::default();
    for mut count in counts {
        sum.idle += count.idle;
        sum.answers += count.answers;
        sum.commands += count.commands;
        sum.failed += count.failed;
        sum.signing += count.signing;
        sum.signatures += count.signatures;
        sum.times.append(&mut count.times);
        for (status, number) in count.statuses {
            *sum.statuses.entry(status).or_default() += number;
        }
    }
    let seconds = elapsed.as_secs_f64();
    println!(
        "idle polls {} ({:.1} a second)",
        sum.idle,
        sum.idle as f64 / seconds
    );
    if mode == Mode::Pairs {
        println!(
            "answered commands {} ({:.1} a second), fetched {}",
            sum.answers,
            sum.answers as f64 / seconds,
            sum.commands
        );
        let each = sum.signing.as_secs_f64() * 1e6 / sum.signatures.max(1) as f64;
        println!(
            "our own signing: {:.2} s in all, {each:.0} µs an answer",
            sum.signing.as_secs_f64()
        );
    } else {
        println!("our own signing: made once per phone, outside the measured time");
    }
    let statuses: Vec<String> = sum
        .statuses
        .iter()
        .map(|(status, number)| format!("{status}: {number}"))
        .collect();
    println!(
        "statuses {}; failed connections {}",
        statuses.join(", "),
        sum.failed
    );
    print_latency(&mut sum.times);
    sum.failed == 0 && sum.statuses.keys().all(|status| *status == 200)
}

fn print_latency(times: &mut [Duration]) {
    times.sort_unstable();
    let at =
        |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
    if let (Some(middle), Some(slow), Some(slowest)) = (at(50), at(99), times.last()) {
        println!("latency: median {middle:.2?}, 99th percentile {slow:.2?}, slowest {slowest:.2?}");
    }
}
