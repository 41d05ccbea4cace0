//! A real browser, steered over a pipe by the DevTools protocol: no driver program, no open port, no JavaScript on the page.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

/// One browser with one tab. Everything it was told stays in its own folder.
pub(crate) struct Browser {
    process: Child,
    input: ChildStdin,
    answers: Receiver<Value>,
    tab: Option<String>,
    last: u64,
    events: Vec<Value>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn listen(output: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for message in BufReader::new(output).split(0).map_while(Result::ok) {
            let message = serde_json::from_slice(&message).expect("the browser speaks JSON");
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    receiver
}

impl Browser {
    /// Starts it without its sandbox, which needs rights that a container lacks; it sees nothing but pages of our own.
    pub(crate) fn start(profile: &Path) -> Self {
        let mut process = Command::new("sh")
            .args(["-c", "exec 3<&0 4>&1 </dev/null >/dev/null; exec chromium \"$@\"", "sh"])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--ignore-certificate-errors", "--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        let input = process.stdin.take().expect("piped");
        let answers = listen(process.stdout.take().expect("piped"));
        let mut browser = Self { process, input, answers, tab: None, last: 0, events: Vec::new() };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = browser.ask("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }));
        browser.tab = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    fn receive(&self, started: Instant) -> Value {
        let left = PATIENCE.saturating_sub(started.elapsed());
        self.answers.recv_timeout(left).expect("the browser answers in time")
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.try_to_ask(method, parameters).unwrap_or_else(|problem| panic!("{method}: {problem}"))
    }

    fn try_to_ask(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(tab) = &self.tab {
            message["sessionId"] = json!(tab);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).expect("the browser listens");
        let started = Instant::now();
        loop {
            let mut answer = self.receive(started);
            if answer["id"] == json!(self.last) {
                if answer.get("error").is_some() {
                    return Err(answer.to_string());
                }
                return Ok(answer["result"].take());
            }
            self.events.push(answer);
        }
    }

    fn wait_for(&mut self, event: &str) {
        let started = Instant::now();
        while !self.events.iter().any(|seen| seen["method"] == event) {
            let answer = self.receive(started);
            self.events.push(answer);
        }
    }

    /// Makes the window so wide, and says whether pages may run programs.
    pub(crate) fn become_wide(&mut self, width: u32, scripts: bool) {
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600 }),
        );
        self.ask("Emulation.setScriptExecutionDisabled", json!({ "value": !scripts }));
    }

    /// As on a phone that its holder set to dark colours.
    pub(crate) fn become_dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        self.ask(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] }),
        );
    }

    /// Gives the browser a passkey holder of its own, opened by a finger that is always there. Gives its id.
    pub(crate) fn hold_passkeys(&mut self) -> String {
        self.ask("WebAuthn.enable", json!({ "enableUI": false }));
        let options = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserVerified": true, "automaticPresenceSimulation": true,
        });
        let held = self.ask("WebAuthn.addVirtualAuthenticator", json!({ "options": options }));
        held["authenticatorId"].as_str().expect("an id").to_owned()
    }

    /// Whether the finger is the right one.
    pub(crate) fn set_finger(&mut self, holder: &str, right: bool) {
        self.ask("WebAuthn.setUserVerified", json!({ "authenticatorId": holder, "isUserVerified": right }));
    }

    /// How many passkeys the holder has.
    pub(crate) fn passkeys(&mut self, holder: &str) -> usize {
        let held = self.ask("WebAuthn.getCredentials", json!({ "authenticatorId": holder }));
        held["credentials"].as_array().map_or(0, Vec::len)
    }

    /// Clicks what leads to no other page by itself.
    pub(crate) fn press(&mut self, words: &str) {
        let pressed = self.evaluate(&format!(
            "(() => {{ const e = [...document.querySelectorAll('button')].find(e => e.innerText.includes({})); \
             if (!e) return false; e.click(); return true; }})()",
            json!(words)
        ));
        assert_eq!(pressed, json!(true), "{words:?} is not on the page");
    }

    /// Opens an address and waits until the page is there. Gives its status.
    pub(crate) fn open(&mut self, url: &str) -> u16 {
        self.events.clear();
        self.ask("Page.navigate", json!({ "url": url }));
        self.wait_for("Page.loadEventFired");
        self.status()
    }

    fn status(&self) -> u16 {
        let mut documents = self
            .events
            .iter()
            .filter(|event| event["method"] == "Network.responseReceived" && event["params"]["type"] == "Document");
        let status = documents.next_back().and_then(|event| event["params"]["response"]["status"].as_u64());
        status.and_then(|status| u16::try_from(status).ok()).expect("a page was answered")
    }

    /// What an expression comes to on the page; works also where the page itself may run nothing.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let answer = self
            .ask("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true, "awaitPromise": true }));
        assert!(answer.get("exceptionDetails").is_none(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until a person can read `words` on the page, which may be loaded anew meanwhile.
    pub(crate) fn wait_for_words(&mut self, words: &str) {
        let started = Instant::now();
        let mut seen = String::new();
        while started.elapsed() < PATIENCE {
            let asked = json!({ "expression": "document.body.innerText", "returnByValue": true });
            if let Ok(answer) = self.try_to_ask("Runtime.evaluate", asked) {
                seen = answer["result"]["value"].as_str().unwrap_or_default().to_owned();
                if seen.contains(words) {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{words:?} does not come: {seen}");
    }

    /// Types into a field, in place of what is in it.
    pub(crate) fn fill(&mut self, selector: &str, text: &str) {
        let found = self.evaluate(&format!(
            "(() => {{ const e = document.querySelector({}); if (!e) return false; e.focus(); e.value = ''; return true; }})()",
            json!(selector)
        ));
        assert_eq!(found, json!(true), "{selector} is not on the page");
        self.ask("Input.insertText", json!({ "text": text }));
    }

    /// Clicks a link or button by the words on it, and waits for the page it leads to. It is found and located in one go: a page
    /// that shows how things stand may load itself anew at any moment.
    pub(crate) fn follow(&mut self, words: &str) -> u16 {
        let find =
            format!("[...document.querySelectorAll('a,button')].find(e => e.innerText.includes({}))", json!(words));
        let place = self.locate(&find);
        assert!(place.is_array(), "{words:?} is not on the page: {}", self.words());
        self.click_at(&place)
    }

    /// The middle of the element that `find` gives, or of its first line where it has several; null where there is none.
    fn locate(&mut self, find: &str) -> Value {
        self.evaluate(&format!(
            "(() => {{ const e = {find}; if (!e) return null; e.scrollIntoView({{block: 'center'}}); \
             const r = e.getClientRects()[0]; return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        ))
    }

    /// All that a person can read on the page.
    pub(crate) fn words(&mut self) -> String {
        self.evaluate("document.body.innerText").as_str().expect("text").to_owned()
    }

    /// Clicks in the middle of an element with the mouse, and waits for the page it leads to.
    pub(crate) fn click(&mut self, selector: &str) -> u16 {
        let place = self.locate(&format!("document.querySelector({})", json!(selector)));
        assert!(place.is_array(), "{selector} is not on the page: {}", self.words());
        self.click_at(&place)
    }

    fn click_at(&mut self, place: &Value) -> u16 {
        self.events.clear();
        for kind in ["mousePressed", "mouseReleased"] {
            let (x, y) = (place[0].clone(), place[1].clone());
            self.ask(
                "Input.dispatchMouseEvent",
                json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 }),
            );
        }
        self.wait_for("Page.loadEventFired");
        self.status()
    }

    /// What the browser complained of since the last page was asked for: broken policies among others.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.events.iter().filter(|event| event["method"] == "Log.entryAdded");
        // A status such as 404 is noted as a complaint about the network, and is meant.
        entries.filter(|event| event["params"]["entry"]["source"] != "network").map(ToString::to_string).collect()
    }

    /// A picture of the whole page, PNG.
    pub(crate) fn picture(&mut self) -> Vec<u8> {
        let size = self.ask("Page.getLayoutMetrics", json!({}))["cssContentSize"].clone();
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let picture =
            self.ask("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true, "clip": clip }));
        STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("base64")
    }
}
