//! Polls as many enrolled phones as fast as the server answers, and counts.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beadle_simulator::apple::cms::{SignatureStyle, sign_detached};
use beadle_simulator::apple::phone::SavedPhone;
use beadle_simulator::{Clock, Error};
use clap::ValueEnum;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use plist::{Dictionary, Value};
use tokio::task::JoinSet;

use super::{Outcome, client, print_latency, shares};

#[derive(clap::Args, Clone)]
pub(crate) struct Load {
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
pub(crate) enum Mode {
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

/// What one phone needs under load.
pub(crate) struct Poller {
    url: String,
    udid: String,
    key: PKey<Private>,
    certificate: X509,
    idle: Vec<u8>,
    idle_signature: String,
}

/// What one connection counted.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) idle: u64,
    pub(crate) answers: u64,
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
            message.insert("CommandUUID".into(), command.get("CommandUUID").cloned().unwrap_or_else(|| "".into()));
            let body = command.get("Command").and_then(Value::as_dictionary);
            let request_type = body.and_then(|body| body.get("RequestType")).and_then(Value::as_string);
            if let Some((key, value)) = small_answer(request_type.unwrap_or_default(), &self.udid) {
                message.insert(key.into(), value);
            }
        }
        let mut xml = Vec::new();
        Value::Dictionary(message).to_writer_xml(&mut xml)?;
        Ok(xml)
    }

    fn sign(&self, body: &[u8], style: SignatureStyle) -> Result<String, Error> {
        Ok(STANDARD.encode(sign_detached(style, &self.key, &self.certificate, body, Clock::system().unix())?))
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

/// The phones that `enrol` wrote down.
pub(crate) fn pollers(identities: &Path, style: SignatureStyle) -> Outcome<Vec<Poller>> {
    let lines = BufReader::new(std::fs::File::open(identities)?).lines();
    lines.map(|line| Poller::new(serde_json::from_str(&line?)?, style)).collect()
}

pub(crate) async fn load(arguments: Load) -> Outcome<bool> {
    let style = match arguments.signature {
        Signature::Sha1 => SignatureStyle::Sha1WithoutAttributes,
        Signature::Sha256 => SignatureStyle::Sha256WithAttributes,
    };
    let preparing = Instant::now();
    let pollers = pollers(&arguments.identities, style)?;
    if pollers.is_empty() {
        return Err("there are no identities".into());
    }
    println!("{} phones, prepared in {:.2} s", pollers.len(), preparing.elapsed().as_secs_f64());
    let start = Instant::now();
    let until = start + Duration::from_secs(arguments.seconds);
    let mut tasks = JoinSet::new();
    for share in shares(pollers, arguments.connections) {
        let client = client(arguments.root_ca.as_deref())?;
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
            count.visit(&client, phone, mode, style, until).await;
            if Instant::now() >= until {
                break 'time;
            }
        }
    }
    count
}

impl Count {
    /// One visit: Idle, and with [`Mode::Pairs`] an answer to each command until there is none or the time is up.
    pub(crate) async fn visit(
        &mut self,
        client: &reqwest::Client,
        phone: &Poller,
        mode: Mode,
        style: SignatureStyle,
        until: Instant,
    ) {
        let mut reply = self.put(client, phone, phone.idle.clone(), &phone.idle_signature).await;
        self.idle += 1;
        while mode == Mode::Pairs
            && Instant::now() < until
            && let Some(command) = reply.take().filter(|body| !body.is_empty())
        {
            self.commands += 1;
            let Ok(Value::Dictionary(command)) = plist::from_bytes(&command) else {
                self.failed += 1;
                return;
            };
            let signing = Instant::now();
            let signed = phone.message("Acknowledged", Some(&command)).and_then(|body| {
                let signature = phone.sign(&body, style)?;
                Ok((body, signature))
            });
            let Ok((body, signature)) = signed else {
                self.failed += 1;
                return;
            };
            self.signing += signing.elapsed();
            self.signatures += 1;
            reply = self.put(client, phone, body, &signature).await;
            self.answers += 1;
        }
    }

    /// Whether everything was answered 200.
    pub(crate) fn clean(&self) -> bool {
        self.failed == 0 && self.statuses.keys().all(|status| *status == 200)
    }

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
            .header("Content-Type", "application/x-apple-aspen-mdm; charset=UTF-8")
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
    println!("idle polls {} ({:.1} a second)", sum.idle, sum.idle as f64 / seconds);
    if mode == Mode::Pairs {
        println!(
            "answered commands {} ({:.1} a second), fetched {}",
            sum.answers,
            sum.answers as f64 / seconds,
            sum.commands
        );
        let each = sum.signing.as_secs_f64() * 1e6 / sum.signatures.max(1) as f64;
        println!("our own signing: {:.2} s in all, {each:.0} µs an answer", sum.signing.as_secs_f64());
    } else {
        println!("our own signing: made once per phone, outside the measured time");
    }
    let statuses: Vec<String> = sum.statuses.iter().map(|(status, number)| format!("{status}: {number}")).collect();
    println!("statuses {}; failed connections {}", statuses.join(", "), sum.failed);
    print_latency(&mut sum.times);
    sum.clean()
}
