//! Three servers of NATS, three nodes, nginx before them and a client, on loopback: for those who want to see it.
//!
//! All are in the terminal's group, so that Ctrl-C reaches each of them, and each ends at it by itself.

use std::env;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::packages::{self, Purpose};
use crate::run::{beside_us, cargo, program, run, say};

/// Where it all is. What an earlier one left is deleted.
const FOLDER: &str = "target/cluster";
/// The user whose messages are shown.
const USER: &str = "ann";
/// How long each may take to be there: NATS has to elect a leader first.
const STARTUP: Duration = Duration::from_secs(30);
/// How often it is tried.
const LOOK: Duration = Duration::from_millis(50);
/// Names another program than Debian's `nats-server`, as for the tests.
const PROGRAM: &str = "TIDINGS_NATS_SERVER";

/// Those that were started. They end with it.
struct Running(Vec<(String, Child)>);

impl Drop for Running {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            // One that has ended already is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Running {
    /// Starts a program that writes into a log of its own; returns its process's number.
    fn start(&mut self, name: &str, command: &mut Command) -> anyhow::Result<u32> {
        let log = File::create(Path::new(FOLDER).join(format!("{name}.log")))?;
        let errors = log.try_clone()?;
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        let child = child.with_context(|| format!("cannot start {name}"))?;
        let id = child.id();
        self.0.push((name.to_owned(), child));
        Ok(id)
    }

    /// Waits until something is so.
    fn until(&mut self, name: &str, is_so: impl Fn() -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + STARTUP;
        while !is_so() {
            let ended = self.0.iter_mut().find(|(known, _)| known == name).map(|(_, child)| child.try_wait());
            if matches!(ended, Some(Ok(Some(_)))) || Instant::now() > deadline {
                bail!("{name} did not start: see {FOLDER}/{name}.log");
            }
            sleep(LOOK);
        }
        Ok(())
    }
}

/// Shows it until Ctrl-C.
pub(crate) fn show() -> anyhow::Result<()> {
    packages::install(&[Purpose::Build, Purpose::Cluster])?;
    run(cargo(&["build", "--locked", "-p", "tidings", "-p", "tidings-server", "--no-default-features"])
        .arg("--bins"))?;
    let _ = fs::remove_dir_all(FOLDER);
    fs::create_dir_all(FOLDER).with_context(|| format!("cannot make {FOLDER}"))?;
    let folder = fs::canonicalize(FOLDER)?;
    let mut running = Running(Vec::new());
    let mut told = Vec::new();

    let ports = Ports::new()?;
    let routes: Vec<_> = ports.routes.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
    let urls: Vec<_> = ports.nats.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
    for (number, (port, route)) in ports.nats.iter().zip(ports.routes).enumerate() {
        let name = format!("nats-{}", number + 1);
        let store = folder.join(&name);
        let settings = format!(
            "listen: \"127.0.0.1:{port}\"\nserver_name: {name}\njetstream {{ store_dir: \"{}\" }}\n\
             cluster {{ name: tidings, listen: \"127.0.0.1:{route}\", routes: [{}] }}\n",
            store.display(),
            routes.join(", ")
        );
        let file = folder.join(format!("{name}.conf"));
        fs::write(&file, settings)?;
        let id = running.start(&name, program(nats_server()).arg("-c").arg(file))?;
        told.push((format!("{name} (process {id})"), format!("nats://127.0.0.1:{port}")));
    }

    for (number, port) in ports.nodes.iter().enumerate() {
        let name = format!("node-{}", number + 1);
        let addr = format!("127.0.0.1:{port}");
        let mut node = program(beside_us("tidings-server")?);
        let id = running.start(&name, node.args(["--listen", &addr, "--nats", &urls.join(",")]))?;
        // It listens before it has found NATS, and answers once it has.
        running.until(&name, || is_ready(&addr))?;
        told.push((format!("{name} (process {id})"), format!("http://{addr}")));
    }

    let mut front = format!("127.0.0.1:{}", ports.nodes[0]);
    if let Some(nginx) = nginx() {
        front = format!("127.0.0.1:{}", ports.front);
        let file = folder.join("nginx.conf");
        fs::write(&file, nginx_settings(&front, &ports.nodes))?;
        let id = running.start("nginx", program(nginx).arg("-p").arg(&folder).arg("-c").arg(file))?;
        running.until("nginx", || TcpStream::connect(&front).is_ok())?;
        told.push((format!("nginx (process {id})"), format!("http://{front}, before all three")));
    } else {
        say("There is no nginx (Debian package: nginx-light): each node is reached by its own address.");
    }
    let url = format!("ws://{front}/ws/user-channel?user={USER}");
    let mut client = program(beside_us("tidings")?);
    client.args(["listen", "--url", &url]).stdin(Stdio::null());

    say("");
    for (name, place) in &told {
        say(&format!("  {name:28} {place}"));
    }
    say(&format!(
        "\nLogs and settings are in {FOLDER}. A client listens as {USER}; what it hears comes below. In another terminal:\n\n\
         \x20 curl -d 'Tea is ready' http://{front}/push/{USER}              # by whichever node\n\
         \x20 curl -d 'Tea is ready' http://127.0.0.1:{}/push/{USER}              # by the third\n\
         \x20 kill -9 PROCESS                                             # a node, or a server of NATS; then push again\n\
         \x20 curl http://127.0.0.1:{}/readyz                                # what a node says of itself\n\n\
         An answer's `links` are those of the node that took the push; the client hears it at whichever it is. What was killed stays \
         away: two nodes may, and one server of NATS, since a single one of three keeps nothing.\n\n\
         Ctrl-C ends it all.\n",
        ports.nodes[2], ports.nodes[0]
    ));
    let client = client.status().context("cannot start the client")?;
    ensure!(client.success(), "the client ended ({client})");
    Ok(())
}

/// Whether a node takes links and pushes.
fn is_ready(addr: &str) -> bool {
    let asked = || {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(LOOK * 20))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    asked().is_ok_and(|answer: String| answer.starts_with("HTTP/1.1 200 "))
}

/// Addresses that were free a moment ago.
struct Ports {
    nats: [u16; 3],
    routes: [u16; 3],
    nodes: [u16; 3],
    front: u16,
}

impl Ports {
    fn new() -> anyhow::Result<Self> {
        // Held until all are had, so that none is had twice.
        let listeners = (0..10).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
        let ports =
            listeners.iter().map(|one| Ok(one.local_addr()?.port())).collect::<std::io::Result<Vec<_>>>()?;
        let three = |from: usize| [ports[from], ports[from + 1], ports[from + 2]];
        Ok(Self { nats: three(0), routes: three(3), nodes: three(6), front: ports[9] })
    }
}

fn nats_server() -> PathBuf {
    let debian = PathBuf::from("/usr/sbin/nats-server");
    match env::var_os(PROGRAM) {
        Some(named) => named.into(),
        None if debian.is_file() => debian,
        None => "nats-server".into(),
    }
}

/// Debian's place is not on every user's path.
fn nginx() -> Option<PathBuf> {
    ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].into_iter().map(PathBuf::from).find(|path| path.is_file())
}

/// As docs/server.md has it.
fn nginx_settings(front: &str, nodes: &[u16; 3]) -> String {
    let servers: Vec<_> =
        nodes.iter().map(|port| format!("server 127.0.0.1:{port} max_fails=2 fail_timeout=5s;")).collect();
    let temporary: Vec<_> = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("{what}_temp_path temporary-{what};"))
        .collect();
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr notice;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\naccess_log off;\n{}\nupstream tidings {{\n{}\nkeepalive 16;\n}}\n\
         server {{\nlisten {front};\n\
         location = /ws/user-channel {{\nproxy_pass http://tidings;\nproxy_http_version 1.1;\n\
         proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;\n\
         proxy_connect_timeout 2s;\nproxy_next_upstream error timeout http_503;\nproxy_read_timeout 90s;\nproxy_send_timeout 90s;\n\
         proxy_buffering off;\n}}\n\
         location / {{\nproxy_pass http://tidings;\nproxy_http_version 1.1;\nproxy_set_header Connection \"\";\n\
         client_max_body_size 2m;\n}}\n}}\n}}\n",
        temporary.join("\n"),
        servers.join("\n")
    )
}
