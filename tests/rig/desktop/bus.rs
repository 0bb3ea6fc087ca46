//! A session bus of one's own. Nothing starts by itself unless the test says so, and so a test that owns
//! `org.freedesktop.Notifications` is the only one that does.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use rustix::process::Signal;
use tempfile::TempDir;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;

use super::process::Process;
use crate::wait::eventually;

/// How long the bus may take to listen; it takes some ms.
const STARTUP: Duration = Duration::from_secs(10);

/// A private `dbus-daemon`, ended on drop.
#[derive(Debug)]
pub struct PrivateBus {
    address: String,
    daemon: Process,
    folder: TempDir,
}

impl PrivateBus {
    /// Starts a bus and waits until it listens.
    pub fn start() -> anyhow::Result<Self> {
        Self::with_services(&[])
    }

    /// The same; these names can be started by a call. The test itself is what starts then: it hears of the call by
    /// [`PrivateBus::wait_for_call`].
    pub fn start_with(services: &[&str]) -> anyhow::Result<Self> {
        let folder = new_folder()?;
        let touch = |name: &&str| format!("/usr/bin/touch {}", called(folder.path(), name).display());
        let commands: Vec<String> = services.iter().map(touch).collect();
        let services: Vec<(&str, &str)> =
            services.iter().copied().zip(commands.iter().map(String::as_str)).collect();
        Self::start_in(folder, &services)
    }

    /// Starts a bus that starts these programs by itself when somebody calls their names: name and command line of
    /// each. [`PrivateBus::lend`] gives them their environment.
    pub fn with_services(services: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_in(new_folder()?, services)
    }

    fn start_in(folder: TempDir, services: &[(&str, &str)]) -> anyhow::Result<Self> {
        let config = folder.path().join("bus.conf");
        let socket = folder.path().join("bus");
        for (name, command) in services {
            let service = format!("[D-BUS Service]\nName={name}\nExec={command}\n");
            fs::write(folder.path().join(format!("{name}.service")), service)
                .with_context(|| format!("cannot write how {name} is started"))?;
        }
        let text = include_str!("bus.conf")
            .replace("@socket@", &socket.to_string_lossy())
            .replace("@services@", &folder.path().to_string_lossy());
        fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;

        let mut command = Command::new("dbus-daemon");
        command.arg("--config-file").arg(&config).args(["--nofork", "--nopidfile", "--print-address=1"]);
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
        let (daemon, address) = Process::spawn_announcing("dbus-daemon", &command, folder.path(), STARTUP)
            .context("the private bus did not start (Debian package: dbus-daemon)")?;
        Ok(Self { address, daemon, folder })
    }

    /// Ends the bus at once: it has no time to tell its clients who leaves.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.daemon.signal(Signal::KILL)
    }

    /// The value for `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Gives what the bus starts by itself these variables.
    pub async fn lend(&self, environment: &[(OsString, OsString)]) -> anyhow::Result<()> {
        let texts = environment.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
        let connection = self.connect().await?;
        let bus = DBusProxy::new(&connection).await?;
        bus.update_activation_environment(texts.collect::<HashMap<_, _>>())
            .await
            .context("the bus takes no variables")
    }

    /// A new connection to this bus.
    pub async fn connect(&self) -> anyhow::Result<zbus::Connection> {
        zbus::connection::Builder::address(self.address())
            .context("the private bus gave a strange address")?
            .build()
            .await
            .context("cannot connect to the private bus")
    }

    /// Waits until `name` is called, which nobody owns. The call waits until somebody does.
    pub async fn wait_for_call(&self, name: &str) -> anyhow::Result<()> {
        let called = called(self.folder.path(), name);
        eventually(&format!("a call of {name}"), || fs::remove_file(&called).ok()).await
    }

    /// Waits until somebody owns `name`. Fails after `deadline`.
    pub async fn wait_for_name(&self, name: &str, deadline: Duration) -> anyhow::Result<()> {
        let connection = self.connect().await?;
        let bus = DBusProxy::new(&connection).await?;
        // Listen first, ask then: an owner that comes in between is not missed.
        let mut changes = bus.receive_name_owner_changed_with_args(&[(0, name)]).await?;
        if bus.name_has_owner(BusName::try_from(name)?).await? {
            return Ok(());
        }
        let owned = async {
            while let Some(change) = changes.next().await {
                if change.args()?.new_owner().is_some() {
                    return Ok(());
                }
            }
            anyhow::bail!("the private bus is gone")
        };
        tokio::time::timeout(deadline, owned)
            .await
            .with_context(|| format!("nobody owned {name} on the private bus within {deadline:?}"))?
    }
}

/// There once a service that isn't there was called.
fn called(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.called"))
}

fn new_folder() -> anyhow::Result<TempDir> {
    tempfile::Builder::new().prefix("tidings-bus-").tempdir().context("no temporary folder")
}
