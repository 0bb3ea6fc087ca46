//! `tidings discover`: what is at an address, and the channel that would listen there.

use std::process::ExitCode;

use serde_json::json;
use tidings_channel::{Config, ProxyUrl};
use tidings_examination::discover::{self, Place};
use tidings_ground::exit;
use tidings_ground::terminal::{print, tell, usage};
use tidings_settings::reason;
use tidings_words::Words;

use crate::cli;

/// Looks, by the environment's proxy. No Tidings that runs is needed for it.
pub(crate) async fn run(args: &cli::Discover, words: Words) -> anyhow::Result<ExitCode> {
    let place = match Place::read(&args.address, args.allow_plaintext) {
        Ok(place) => place,
        Err(error) => return Ok(usage(&discover::why(&error).said(words))),
    };
    let url = place.server();
    let proxy = match ProxyUrl::from_env(&url, |name| std::env::var(name).ok()) {
        Ok(proxy) => proxy,
        Err(error) => return Ok(usage(&reason::of_proxy(&error).said(words))),
    };
    let discovery = discover::discover(&place, Config { proxy, ..Config::new(url) }, words).await;
    if args.json {
        print(&serde_json::to_string(&discovery)?)?;
    } else {
        tell(&discovery.detail)?;
        if let Some(mend) = &discovery.mend {
            tell(&format!("    {mend}"))?;
        }
        if let Some(channel) = &discovery.channel {
            let settings = toml::to_string(&json!({ "channel": [channel] }))?;
            tell(&format!("{}\n\n{}", words.discover_channel(), settings.trim_end()))?;
        }
    }
    Ok(ExitCode::from(if discovery.found.is_some() { 0 } else { exit::FAILED }))
}
