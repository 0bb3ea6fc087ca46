//! How each is set up.

use std::net::SocketAddr;

use anyhow::Context;
use tidings_tests::nginx::free_address;
use tidings_tests::peer::{Peer, own_server};

/// The token or the password that each wants.
pub(crate) const SECRET: &str = "s3cret";

/// Both versions of ntfy.
pub(crate) const NTFY: [&str; 2] = ["ntfy-old", "ntfy"];

/// An ntfy where all topics are everybody's, but `ann` alone may read `private`, and nobody may read `closed`.
pub(crate) async fn ntfy(name: &str) -> anyhow::Result<Option<Peer>> {
    ntfy_with(name, "visitor-request-limit-exempt-hosts: 127.0.0.1\n").await
}

/// The same, with these settings more.
pub(crate) async fn ntfy_with(name: &str, more: &str) -> anyhow::Result<Option<Peer>> {
    let ntfy = Peer::start(name, |addr, folder| {
        let settings = format!(
            "base-url: http://{addr}\nlisten-http: {addr}\ncache-file: /tmp/cache.db\n\
             attachment-cache-dir: /tmp/attachments\nauth-file: /tmp/users.db\nauth-default-access: read-write\n\
             log-level: warn\n{more}"
        );
        Ok(["ntfy", "serve", "--config", &folder.write("server.yml", &settings)?].map(str::to_owned).to_vec())
    });
    let Some(ntfy) = ntfy.await? else { return Ok(None) };
    // The file with the users is there only once the server is.
    for words in [
        &["ntfy", "user", "--config", "/tmp/server.yml", "add", "ann"][..],
        &["ntfy", "access", "--config", "/tmp/server.yml", "ann", "private", "rw"],
        &["ntfy", "access", "--config", "/tmp/server.yml", "ann", "closed", "deny"],
        &["ntfy", "access", "--config", "/tmp/server.yml", "everyone", "private", "deny"],
        &["ntfy", "access", "--config", "/tmp/server.yml", "everyone", "closed", "deny"],
    ] {
        ntfy.run(words, &[("NTFY_PASSWORD", SECRET)]).await?;
    }
    Ok(Some(ntfy))
}

/// A new token of `ann` there.
pub(crate) async fn ntfy_token(ntfy: &Peer) -> anyhow::Result<String> {
    // The word goes to stderr in old versions, so the list is asked.
    ntfy.run(&["sh", "-c", "ntfy token --config /tmp/server.yml add ann 2>&1"], &[])
        .await?
        .split_whitespace()
        .find(|word| word.starts_with("tk_"))
        .map(str::to_owned)
        .context("no token")
}

/// RabbitMQ with web-stomp, at `/ws`; `guest` signs in with `guest`.
pub(crate) async fn rabbitmq() -> anyhow::Result<Option<Peer>> {
    rabbitmq_with("rabbitmq", "rabbitmq_web_stomp", |addr| {
        let (ip, port) = (addr.ip(), addr.port());
        format!("stomp.listeners.tcp = none\nweb_stomp.tcp.ip = {ip}\nweb_stomp.tcp.port = {port}\n")
    })
    .await
}

/// The same with MQTT.
async fn rabbitmq_mqtt() -> anyhow::Result<Option<Peer>> {
    let settings = |addr| format!("mqtt.listeners.tcp.1 = {addr}\n");
    rabbitmq_with("rabbitmq-mqtt", "rabbitmq_mqtt", settings).await
}

async fn rabbitmq_with(
    name: &str,
    plugin: &str,
    settings: impl FnOnce(SocketAddr) -> String,
) -> anyhow::Result<Option<Peer>> {
    Peer::start(name, |addr, folder| {
        let ip = addr.ip();
        let settings = settings(addr);
        folder.write("rabbitmq.conf", &format!("listeners.tcp = none\nloopback_users = none\n{settings}"))?;
        folder.write("plugins", &format!("[{plugin}].\n"))?;
        // The port mapper would outlive the server: as a child of its own it doesn't. Two more ports, whatever the address.
        let (mapper, nodes) = (free_address()?.port(), free_address()?.port());
        let mapped = ip.to_string().replace('.', ",");
        let script = format!(
            "export ERL_EPMD_ADDRESS={ip} ERL_EPMD_PORT={mapper} RABBITMQ_DIST_PORT={nodes}\n\
             export RABBITMQ_NODENAME=peer@localhost RABBITMQ_CONFIG_FILE=/tmp/rabbitmq.conf\n\
             export RABBITMQ_ENABLED_PLUGINS_FILE=/tmp/plugins RABBITMQ_MNESIA_BASE=/tmp/db\n\
             export RABBITMQ_LOG_BASE=/tmp/log RABBITMQ_LOGS=-\n\
             export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 1:1 -kernel inet_dist_use_interface {{{mapped}}}'\n\
             setpriv --pdeathsig TERM -- epmd &\n\
             exec /usr/lib/rabbitmq/bin/rabbitmq-server\n"
        );
        Ok(vec!["sh".to_owned(), folder.write("start", &script)?])
    })
    .await
}

/// An MQTT broker of this name, and the keys of a channel that signs in there.
pub(crate) async fn broker(name: &str) -> anyhow::Result<Option<(Peer, String)>> {
    let signed_in = |name: &str, password: &str| {
        format!("auth = \"basic\"\nusername = \"{name}\"\ntoken_command = \"printf %s {password}\"\n")
    };
    let (peer, keys) = match name {
        "rabbitmq-mqtt" => (rabbitmq_mqtt().await?, signed_in("guest", "guest")),
        "aedes" => (of_npm("aedes").await?, signed_in("ann", SECRET)),
        "amqtt" => {
            let made = Peer::start("amqtt", |addr, _| {
                Ok(vec![own_server("amqtt.py"), addr.ip().to_string(), addr.port().to_string()])
            });
            (made.await?, String::new())
        }
        name => {
            let made = Peer::start(name, |addr, folder| {
                let (ip, port) = (addr.ip(), addr.port());
                let settings = format!(
                    "listener {port} {ip}\nallow_anonymous true\nmax_queued_messages 10000\n\
                     persistence true\npersistence_location /tmp/\nuser root\n"
                );
                Ok(vec!["mosquitto".to_owned(), "-c".to_owned(), folder.write("mosquitto.conf", &settings)?])
            });
            (made.await?, String::new())
        }
    };
    Ok(peer.map(|peer| {
        let keys = format!("kind = \"mqtt\"\nurl = \"mqtt://{}\"\n{keys}", peer.addr());
        (peer, keys)
    }))
}

/// Action Cable at `/cable`.
pub(crate) async fn action_cable() -> anyhow::Result<Option<Peer>> {
    Peer::start("action-cable", |addr, folder| {
        let rackup = folder.write("config.ru", include_str!("servers/action-cable.ru"))?;
        // Asked to end, it would wait for its clients.
        let settings =
            format!("bind \"tcp://{addr}\"\nthreads 1, 4\nrackup {rackup:?}\nforce_shutdown_after 1\n");
        Ok(vec!["puma".to_owned(), "--config".to_owned(), folder.write("puma.rb", &settings)?])
    })
    .await
}

/// A SignalR hub at `/alerts`, by another implementation than ASP.NET Core's.
pub(crate) async fn signalr() -> anyhow::Result<Option<Peer>> {
    Peer::start("signalr", |addr, _| {
        let (ip, port) = (addr.ip().to_string(), addr.port().to_string());
        Ok(vec![own_server("signalr.py"), ip, port, SECRET.to_owned()])
    })
    .await
}

/// Home Assistant, whose only user is a person by the token that it tells at `/token`.
pub(crate) async fn home_assistant() -> anyhow::Result<Option<Peer>> {
    Peer::start("home-assistant", |addr, folder| {
        let (ip, port) = (addr.ip().to_string(), addr.port().to_string());
        Ok(vec![own_server("home-assistant.py"), ip, port, folder.path()])
    })
    .await
}

/// The webhook of an app that is registered there as a phone's is, for a device called "Desk".
pub(crate) async fn home_assistant_app(peer: &Peer, token: &str) -> anyhow::Result<String> {
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let device = serde_json::json!({
        "app_id": "tidings", "app_name": "Tidings", "app_version": "1", "device_id": "desk", "device_name": "Desk",
        "manufacturer": "x", "model": "x", "os_name": "Linux", "os_version": "6", "supports_encryption": false,
        "app_data": { "push_websocket_channel": true },
    });
    let answer = peer.http("POST", "/api/mobile_app/registrations", &headers, &device.to_string()).await?;
    let registered: serde_json::Value = serde_json::from_str(&answer.body)?;
    registered["webhook_id"].as_str().map(str::to_owned).context("no webhook")
}

/// One of npm's.
pub(crate) async fn of_npm(name: &str) -> anyhow::Result<Option<Peer>> {
    Peer::start(name, |addr, _| {
        let (ip, port) = (addr.ip().to_string(), addr.port().to_string());
        Ok(vec![own_server(&format!("{name}.js")), ip, port, SECRET.to_owned()])
    })
    .await
}
