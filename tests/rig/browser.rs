//! The window's page in a headless Chromium, over its second host: what a page shows can then be tested without
//! the window, the agent or a display. The page's files come from a small server on loopback that sends the very
//! content security policy that the window has. Spoken to over the DevTools protocol.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use base64::Engine;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::chromium;
use crate::desktop::Process;
use crate::wait::{SOON, eventually};

/// In the browser's folder.
const FONTS_FILE: &str = "fonts.conf";

/// The system's font is one that a desktop of today would have, if it is installed.
const FONTS: &str = r#"<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <match target="pattern">
    <test name="family" compare="eq"><string>sans-serif</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit>
  </match>
  <match target="pattern">
    <test name="family" compare="eq"><string>system-ui</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit>
  </match>
</fontconfig>
"#;

/// The repository's root.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A page in a browser of its own. Both end on drop.
#[derive(Debug)]
pub struct Page {
    devtools: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: String,
    address: std::net::SocketAddr,
    commands: u64,
    complaints: Vec<String>,
    files: JoinHandle<()>,
    // Before its folder: it writes there until its end.
    _browser: Process,
    _folder: TempDir,
}

impl Page {
    /// Opens the page with a scenario of the second host, in a viewport of this width and height. The scenario may
    /// be followed by further parameters and a place: `several&language=zh-CN#health/orders`.
    pub async fn open(scenario: &str, size: (u32, u32)) -> anyhow::Result<Self> {
        let (address, files) = serve().await?;
        let folder =
            tempfile::Builder::new().prefix("tidings-browser-").tempdir().context("no temporary folder")?;
        // Pictures look the same wherever this font is.
        fs::write(folder.path().join(FONTS_FILE), FONTS).context("the fonts' settings can't be written")?;
        let browser = Process::spawn("chromium", &headless(folder.path())?, folder.path())?;
        let port_file = folder.path().join("DevToolsActivePort");
        // The port, and the path of the browser's socket.
        let found = eventually("Chromium's port", || {
            let text = fs::read_to_string(&port_file).ok()?;
            let (port, path) = text.trim().split_once('\n')?;
            Some(format!("ws://127.0.0.1:{port}{path}"))
        });
        let url = found.await.with_context(|| format!("Chromium did not start\n{}", browser.log_tail()))?;
        let (devtools, _) = connect_async(url).await.context("Chromium takes no connection")?;
        let mut page = Self {
            devtools,
            session: String::new(),
            address,
            commands: 0,
            complaints: Vec::new(),
            files,
            _browser: browser,
            _folder: folder,
        };
        let target = page.command("Target.createTarget", json!({ "url": "about:blank" })).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = page.command("Target.attachToTarget", attach).await?;
        attached["sessionId"].as_str().context("no session")?.clone_into(&mut page.session);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            page.command(domain, json!({})).await?;
        }
        page.resize(size).await?;
        page.visit(scenario).await?;
        Ok(page)
    }

    /// Goes to another scenario or place, as if the window was opened anew.
    pub async fn visit(&mut self, scenario: &str) -> anyhow::Result<()> {
        // Another place alone would be no new page.
        self.command("Page.navigate", json!({ "url": "about:blank" })).await?;
        let url = format!("http://{}/?scenario={scenario}", self.address);
        self.command("Page.navigate", json!({ "url": url })).await?;
        let there = "document.querySelector('#version')?.textContent || document.querySelector('.banner')";
        self.sees("the page", there).await
    }

    /// From the next visit on it is this time (RFC 3339) whenever a page is opened.
    pub async fn set_clock(&mut self, time: &str) -> anyhow::Result<()> {
        let source = format!(
            "{{ const real = Date, shift = real.parse('{time}') - real.now();
               globalThis.Date = class extends real {{
                 constructor(...parts) {{ super(...(parts.length === 0 ? [real.now() + shift] : parts)); }}
                 static now() {{ return real.now() + shift; }}
               }}; }}"
        );
        self.command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await.map(drop)
    }

    /// Gives the viewport this width and height.
    pub async fn resize(&mut self, (width, height): (u32, u32)) -> anyhow::Result<()> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", size).await.map(drop)
    }

    /// What is to be seen, as a PNG.
    pub async fn screenshot(&mut self) -> anyhow::Result<Vec<u8>> {
        let taken = self.command("Page.captureScreenshot", json!({ "format": "png" })).await?;
        let data = taken["data"].as_str().context("no picture")?;
        base64::engine::general_purpose::STANDARD.decode(data).context("a picture that is no base64")
    }

    /// The value of a JavaScript expression; a promise is waited for.
    pub async fn ask(&mut self, expression: &str) -> anyhow::Result<Value> {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.command("Runtime.evaluate", asked).await?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            bail!("{expression}: {thrown}");
        }
        Ok(answer["result"]["value"].take())
    }

    /// Waits until a JavaScript expression holds. Fails after [`SOON`] with what the page shows.
    pub async fn sees(&mut self, what: &str, expression: &str) -> anyhow::Result<()> {
        let wait = format!(
            "new Promise(done => {{ const look = () => ({expression}) ? done(true) : setTimeout(look, 10); look(); }})"
        );
        let failed = match timeout(SOON, self.ask(&wait)).await {
            Ok(Ok(_)) => return Ok(()),
            // A promise ends with the document that it was made in.
            Ok(Err(error)) if error.to_string().contains("navigated") => {
                return Box::pin(self.sees(what, expression)).await;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("not within {SOON:?}"),
        };
        let shown = self.ask("document.body.innerText.slice(0, 3000)").await?;
        bail!("{what}: {failed}; the page shows:\n{}\n{:?}", shown.as_str().unwrap_or(""), self.complaints)
    }

    /// Presses the first visible button with this label.
    pub async fn press(&mut self, label: &str) -> anyhow::Result<()> {
        let find = format!(
            "[...document.querySelectorAll('button')].find(button => button.checkVisibility() \
             && button.textContent.trim() === {})",
            json!(label)
        );
        self.sees(&format!("a button {label}"), &find).await?;
        self.ask(&format!("void ({find}).click()")).await.map(drop)
    }

    /// Presses a key, named as in JavaScript's `KeyboardEvent.key`.
    pub async fn key(&mut self, key: &str) -> anyhow::Result<()> {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "Tab" => (9, ""),
            "ArrowDown" => (40, ""),
            "ArrowUp" => (38, ""),
            "Delete" => (46, ""),
            " " => (32, " "),
            _ => bail!("no code is known for the key {key}"),
        };
        let event = |kind| json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
        self.command("Input.dispatchKeyEvent", event("keyDown")).await?;
        self.command("Input.dispatchKeyEvent", event("keyUp")).await.map(drop)
    }

    /// Types into what has the focus.
    pub async fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.command("Input.insertText", json!({ "text": text })).await.map(drop)
    }

    /// What the browser complained of so far: errors, and violations of the content security policy.
    pub async fn complaints(&mut self) -> anyhow::Result<&[String]> {
        // Events come in order: all that belong to the past are here before this answer.
        self.ask("null").await?;
        Ok(&self.complaints)
    }

    async fn command(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.commands += 1;
        let id = self.commands;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        self.devtools.send(Message::text(command.to_string())).await.context("Chromium is gone")?;
        loop {
            let Some(Ok(message)) = self.devtools.next().await else { bail!("{method}: Chromium is gone") };
            let Message::Text(text) = message else { continue };
            let mut heard: Value = serde_json::from_str(&text).context("no JSON from Chromium")?;
            if heard["id"] == id {
                if let Some(error) = heard.get("error") {
                    bail!("{method}: {error}");
                }
                return Ok(heard["result"].take());
            }
            let params = &heard["params"];
            match heard["method"].as_str() {
                Some("Runtime.exceptionThrown") => {
                    self.complaints.push(params["exceptionDetails"].to_string());
                }
                Some("Log.entryAdded") if params["entry"]["level"] == "error" => {
                    self.complaints.push(params["entry"]["text"].to_string());
                }
                Some("Runtime.consoleAPICalled") if params["type"] == "error" => {
                    self.complaints.push(params["args"].to_string());
                }
                _ => {}
            }
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.files.abort();
    }
}

fn headless(folder: &Path) -> anyhow::Result<Command> {
    let program = chromium::program().context(
        "there is no Chromium for the tests of the page, but maybe a snap (Debian package: chromium)",
    )?;
    let mut command = Command::new(program);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"])
        .args(["--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"])
        .args(["--remote-debugging-port=0", "--hide-scrollbars", "about:blank"])
        .arg(format!("--user-data-dir={}", folder.display()))
        .env("FONTCONFIG_FILE", folder.join(FONTS_FILE))
        .env("HOME", folder);
    Ok(command)
}

/// The page's files on a port of their own.
async fn serve() -> anyhow::Result<(std::net::SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
    let address = listener.local_addr().context("a listener without an address")?;
    let policy = policy()?;
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let policy = policy.clone();
            // A browser that hangs up misses the rest.
            tokio::spawn(async move { answer(stream, &policy).await });
        }
    });
    Ok((address, task))
}

/// The window's own content security policy.
fn policy() -> anyhow::Result<String> {
    let path = Path::new(ROOT).join("tauri.conf.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let config: Value = serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
    let policy = config["app"]["security"]["csp"].as_str().context("no policy in tauri.conf.json")?;
    Ok(policy.to_owned())
}

async fn answer(stream: TcpStream, policy: &str) -> anyhow::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    stream.read_line(&mut request).await?;
    let mut header = String::new();
    while stream.read_line(&mut header).await? > 2 {
        header.clear();
    }
    let path = request.split([' ', '?']).nth(1).unwrap_or("/");
    let file = page_file(path);
    let (status, kind, body) = match &file {
        Some(file) => ("200 OK", kind(file), fs::read(file)?),
        None if path == "/favicon.ico" => ("204 No Content", "text/plain", Vec::new()),
        None => ("404 Not Found", "text/plain", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nContent-Security-Policy: {policy}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await?;
    Ok(())
}

/// The file of a request, which must be the page's.
fn page_file(path: &str) -> Option<PathBuf> {
    let name = match path.strip_prefix('/')? {
        "" => "index.html",
        name => name,
    };
    let within = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    let file = Path::new(ROOT).join("ui").join(name);
    (within && file.is_file()).then_some(file)
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "application/octet-stream",
    }
}
