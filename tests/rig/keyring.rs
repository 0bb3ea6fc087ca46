//! A real keyring on a private bus: GNOME Keyring, with a folder of its own.

use std::collections::HashMap;
use std::process::Command;

use anyhow::Context;
use tempfile::TempDir;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, Value};

use crate::desktop::{PrivateBus, Process};
use crate::wait::SOON;

const NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "/org/freedesktop/secrets";
const DEFAULT: &str = "/org/freedesktop/secrets/aliases/default";
/// One that is not the default and always open.
const ANOTHER: &str = "/org/freedesktop/secrets/collection/session";
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

    /// Keeps a secret of a channel as another program may do: with one more attribute, and in another collection.
    pub async fn keep_elsewhere(&self, channel: &str, secret: &str) -> anyhow::Result<()> {
        let session = self.session().await?;
        let attributes =
            HashMap::from([("service", "tidings"), ("username", channel), ("from", "elsewhere")]);
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Value::from("elsewhere")),
            ("org.freedesktop.Secret.Item.Attributes", Value::from(attributes)),
        ]);
        let secret = (session, Vec::<u8>::new(), secret.as_bytes().to_vec(), "text/plain");
        let (name, interface) = (Some(NAME), Some("org.freedesktop.Secret.Collection"));
        let body = (properties, secret, false);
        let made = self.connection.call_method(name, ANOTHER, interface, "CreateItem", &body).await;
        made.context("the keyring's CreateItem").map(drop)
    }

    /// How many secrets of a channel it has.
    pub async fn count(&self, channel: &str) -> anyhow::Result<usize> {
        let attributes = HashMap::from([("service", "tidings"), ("username", channel)]);
        let answer = self.call("org.freedesktop.Secret.Service", "SearchItems", &(attributes,)).await?;
        let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = answer.body().deserialize()?;
        Ok(unlocked.len() + locked.len())
    }

    async fn session(&self) -> anyhow::Result<OwnedObjectPath> {
        let plain = ("plain", Value::from(""));
        let answer = self.call("org.freedesktop.Secret.Service", "OpenSession", &plain).await?;
        let (_, session): (zbus::zvariant::OwnedValue, OwnedObjectPath) = answer.body().deserialize()?;
        Ok(session)
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
        let session = self.session().await?;
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
