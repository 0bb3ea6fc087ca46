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

/// A network with the server's machine (this process) at one end, and a desk at the other.
#[derive(Debug)]
pub struct Network {
    desk: Process,
    folder: TempDir,
}

impl Network {
    /// Runs the test of this name (its modules and its function) once more inside; there the answer is the network.
    /// `None`: that is done, or can't be done here, which is printed.
    ///
    /// # Errors
    /// When the test fails inside.
    pub async fn inside(test: &str) -> anyhow::Result<Option<Self>> {
        let probe = "ip link add name probe type bridge && ip link add name one type veth peer name other \
                     && tc qdisc add dev one root blackhole";
        let lacking = "`unshare` gives no network namespace here, or `ip` and `tc` can't make bridge, cable and black hole in it";
        if namespace::inside(test, &["--net", "--mount"], probe, lacking)? {
            return Self::build().await.map(Some);
        }
        Ok(None)
    }

    async fn build() -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let mut hold = Command::new("unshare");
        hold.args(["--net", "sleep", "600"]).env("PATH", "/usr/bin:/bin");
        let desk = Process::spawn("desk", &hold, folder.path())?;
        let network = Self { desk, folder };
        ip("link set lo up")?;
        ip("link add name switch type bridge")?;
        ip("link set switch address 02:00:00:00:00:01")?;
        ip("addr add 10.77.0.1/24 dev switch")?;
        ip("link set switch up")?;
        ip("link add name port type veth peer name net0")?;
        ip("link set port master switch up")?;
        // Its namespace is there a moment after its process.
        let own = fs::read_link("/proc/self/ns/net")?;
        let there = format!("/proc/{}/ns/net", network.desk.id());
        eventually("the desk's namespace", || fs::read_link(&there).ok().filter(|desk| *desk != own)).await?;
        ip(&format!("link set net0 netns {}", network.desk.id()))?;
        network.desk("link set lo up")?;
        network.desk("addr add 10.77.0.2/24 dev net0")?;
        network.desk("link set net0 up")?;
        Ok(network)
    }

    /// Runs `ip` with these words at the desk.
    pub fn desk(&self, words: &str) -> anyhow::Result<()> {
        self.at_desk("ip", words)
    }

    fn at_desk(&self, program: &str, words: &str) -> anyhow::Result<()> {
        let mut launcher = self.launcher().into_iter();
        let mut command = Command::new(launcher.next().context("nsenter")?);
        succeed(command.args(launcher).arg(program).args(words.split(' ')))
    }

    /// From now on all packets between the two are lost in silence; the cable stays in, and no route changes.
    pub fn drop_all(&self) -> anyhow::Result<()> {
        self.at_desk("tc", "qdisc add dev net0 root blackhole")?;
        run("tc", "qdisc add dev port root blackhole")
    }

    /// … and no longer.
    pub fn drop_none(&self) -> anyhow::Result<()> {
        run("tc", "qdisc del dev port root")?;
        self.at_desk("tc", "qdisc del dev net0 root")
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
        let namespace = format!("--net=/proc/{}/ns/net", self.desk.id());
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
