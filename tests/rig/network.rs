//! A network of the test's own: a server's machine and a desk, with a switch between them that the test can break.
//!
//! The whole test runs again in new network and mount namespaces, where it may do as it likes; in there is the
//! server's machine, and the desk is one more network namespace. Needs root, or a kernel that lets any user have
//! namespaces.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::desktop::Process;
use crate::namespace;
use crate::wait::eventually;

/// The server's machine.
pub const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));

/// What a shell has to be able to do in namespaces of its own.
pub const PROBE: &str = "ip link add name probe type bridge && ip link add name one type veth peer name other \
     && tc qdisc add dev one root blackhole";

/// A network with the server's machine (this process) at one end, and a desk at the other. More machines may be added.
#[derive(Debug)]
pub struct Network {
    desk: Machine,
    folder: TempDir,
}

/// A machine at the switch, with a cable of its own.
#[derive(Debug)]
pub struct Machine {
    /// Holds its namespace.
    process: Process,
    addr: Ipv4Addr,
    /// Its cable's end at the switch.
    port: String,
}

impl Network {
    /// Runs the test of this name (its modules and its function) once more inside; there the answer is the network.
    /// `None`: that is done, or can't be done here, which is printed.
    ///
    /// # Errors
    /// When the test fails inside.
    pub async fn inside(test: &str) -> anyhow::Result<Option<Self>> {
        let lacking = "`unshare` gives no network namespace here, or `ip` and `tc` can't make bridge, cable and black hole in it";
        if namespace::inside(test, &["--net", "--mount"], PROBE, lacking)? {
            return Self::build().await.map(Some);
        }
        Ok(None)
    }

    /// Builds it in the namespaces that this process is in already, which has to be its own: see [`inside`](Self::inside).
    pub async fn build() -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        ip("link set lo up")?;
        ip("link add name switch type bridge")?;
        ip("link set switch address 02:00:00:00:00:01")?;
        ip("addr add 10.77.0.1/24 dev switch")?;
        ip("link set switch up")?;
        let desk = Machine::join("desk", 2, &folder).await?;
        Ok(Self { desk, folder })
    }

    /// One machine more, whose address ends with this number: 3 or more.
    pub async fn machine(&self, number: u8) -> anyhow::Result<Machine> {
        Machine::join(&format!("machine-{number}"), number, &self.folder).await
    }

    /// Runs `ip` with these words at the desk.
    pub fn desk(&self, words: &str) -> anyhow::Result<()> {
        self.desk.run("ip", words)
    }

    /// From now on all packets between the two are lost in silence; the cable stays in, and no route changes.
    pub fn drop_all(&self) -> anyhow::Result<()> {
        self.desk.drop_all()
    }

    /// … and no longer.
    pub fn drop_none(&self) -> anyhow::Result<()> {
        self.desk.drop_none()
    }

    /// These names have these addresses (the form of `/etc/hosts`), and all other names are asked for at `resolver`.
    pub fn names(&self, hosts: &str, resolver: IpAddr) -> anyhow::Result<()> {
        for (file, text) in [
            ("/etc/hosts", hosts.to_owned()),
            ("/etc/resolv.conf", format!("nameserver {resolver}\n")),
            ("/etc/nsswitch.conf", "hosts: files dns\n".to_owned()),
        ] {
            let ours = self.folder.path().join(Path::new(file).file_name().context("a file")?);
            fs::write(&ours, text)?;
            succeed(Command::new("mount").arg("--bind").arg(&ours).arg(file))?;
        }
        Ok(())
    }

    /// What starts a program at the desk.
    pub(crate) fn launcher(&self) -> Vec<String> {
        self.desk.launcher()
    }
}

impl Machine {
    async fn join(name: &str, number: u8, folder: &TempDir) -> anyhow::Result<Self> {
        let mut hold = Command::new("unshare");
        hold.args(["--net", "sleep", "3600"]).env("PATH", "/usr/bin:/bin");
        let process = Process::spawn(name, &hold, folder.path())?;
        let addr = Ipv4Addr::new(10, 77, 0, number);
        let machine = Self { process, addr, port: format!("port{number}") };
        let port = &machine.port;
        ip(&format!("link add name {port} type veth peer name net0"))?;
        ip(&format!("link set {port} master switch up"))?;
        // Its namespace is there a moment after its process.
        let own = fs::read_link("/proc/self/ns/net")?;
        let there = format!("/proc/{}/ns/net", machine.process.id());
        let of_its_own = || fs::read_link(&there).ok().filter(|its| *its != own);
        eventually("the machine's namespace", of_its_own).await?;
        ip(&format!("link set net0 netns {}", machine.process.id()))?;
        machine.run("ip", "link set lo up")?;
        machine.run("ip", &format!("addr add {addr}/24 dev net0"))?;
        machine.run("ip", "link set net0 up")?;
        Ok(machine)
    }

    /// Where it is.
    pub fn addr(&self) -> IpAddr {
        self.addr.into()
    }

    /// From now on all packets from and to it are lost in silence; its cable stays in, and no route changes.
    pub fn drop_all(&self) -> anyhow::Result<()> {
        self.run("tc", "qdisc add dev net0 root blackhole")?;
        run("tc", &format!("qdisc add dev {} root blackhole", self.port))
    }

    /// … and no longer.
    pub fn drop_none(&self) -> anyhow::Result<()> {
        run("tc", &format!("qdisc del dev {} root", self.port))?;
        self.run("tc", "qdisc del dev net0 root")
    }

    fn run(&self, program: &str, words: &str) -> anyhow::Result<()> {
        let mut launcher = self.launcher().into_iter();
        let mut command = Command::new(launcher.next().context("nsenter")?);
        succeed(command.args(launcher).arg(program).args(words.split(' ')))
    }

    /// What starts a program there.
    pub(crate) fn launcher(&self) -> Vec<String> {
        let namespace = format!("--net=/proc/{}/ns/net", self.process.id());
        ["/usr/bin/nsenter".to_owned(), namespace].into()
    }
}

fn ip(words: &str) -> anyhow::Result<()> {
    run("ip", words)
}

fn run(program: &str, words: &str) -> anyhow::Result<()> {
    succeed(Command::new(program).args(words.split(' ')))
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?} does not start"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// How long after the last byte a link may count as alive, by default settings.
pub const DEAD: Duration = Duration::from_secs(45);
