//! A real keyring on a private bus: GNOME Keyring, with a folder of its own.

use std::process::Command;

use anyhow::Context;
use tempfile::TempDir;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, Value};

use crate::desktop::{PrivateBus, Process};
use crate::wait::SOON;

const NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "/org/freedesktop/secrets";
const DEFAULT: &str = "/org/freedesktop/secrets/aliases/default";
const PASSWORD: &str = "of-the-keyring";

/// An unlocked keyring. Ends with this.
#[derive(Debug)]
pub struct Keyring {
    connection: zbus::Connection,
    _daemon: Process,
    folder: TempDir,
}

impl Keyring {
    /// Starts it and waits until it can keep secrets.
    pub async fn start(bus: &PrivateBus) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidings-keyring-").tempdir()?;
        // The password comes over stdin.
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "printf %s \"$1\" | gnome-keyring-daemon --foreground --unlock --components=secrets",
        ]);
        command.args(["sh", PASSWORD]);
        command.env("DBUS_SESSION_BUS_ADDRESS", bus.address()).env("PATH", "/usr/bin:/bin");
        for variable in ["HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(variable, folder.path());
        }
        let daemon = Process::spawn("gnome-keyring-daemon", &command, folder.path())?;
        bus.wait_for_name(NAME, SOON).await.context("Debian package: gnome-keyring")?;
        let connection = bus.connect().await?;
        Ok(Self { connection, _daemon: daemon, folder })
    }

    /// Locks it, as a desktop may do when its user is away.
    pub async fn lock(&self) -> anyhow::Result<()> {
        let all = vec![ObjectPath::try_from(DEFAULT)?];
        let answer = self.call("org.freedesktop.Secret.Service", "Lock", &(all,)).await?;
        let (locked, _): (Vec<OwnedObjectPath>, OwnedObjectPath) = answer.body().deserialize()?;
        anyhow::ensure!(locked.len() == 1, "it was not locked: {locked:?}");
        Ok(())
    }

    /// Unlocks it, as a login does.
    pub async fn unlock(&self) -> anyhow::Result<()> {
        let answer =
            self.call("org.freedesktop.Secret.Service", "OpenSession", &("plain", Value::from(""))).await?;
        let (_, session): (zbus::zvariant::OwnedValue, OwnedObjectPath) = answer.body().deserialize()?;
        let password = (session, Vec::<u8>::new(), PASSWORD.as_bytes().to_vec(), "text/plain");
        let interface = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";
        let asked = (ObjectPath::try_from(DEFAULT)?, password);
        self.call(interface, "UnlockWithMasterPassword", &asked).await?;
        Ok(())
    }

    /// What secrets are kept in.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    async fn call<B>(&self, interface: &str, method: &str, body: &B) -> anyhow::Result<zbus::Message>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let answer = self.connection.call_method(Some(NAME), SERVICE, Some(interface), method, body).await;
        answer.with_context(|| format!("the keyring's {method}"))
    }
}
