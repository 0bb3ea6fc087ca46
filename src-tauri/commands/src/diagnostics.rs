//! `tidings diagnostics`: all that a report of trouble should hold, as one archive.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Zoned;
use tidings_api::client::ClientError;
use tidings_api::{Reply, Request};
use tidings_ground::paths::Paths;
use tidings_ground::reason::{self, Failed};
use tidings_ground::terminal;
use tidings_state::diagnostics::Diagnostics;
use tidings_state::session::{self, SessionView};
use tidings_words::Text;

use crate::remote;

/// `tidings diagnostics`: works with and without a running agent.
pub(crate) async fn run(paths: &Paths, file: Option<&Path>) -> anyhow::Result<ExitCode> {
    // What the agent tells is of its own session, which need not be this one.
    let text = match remote::answer(paths, &Request::Diagnostics).await {
        Ok(Reply::Diagnostics { text }) => Ok(text),
        Ok(reply) => Err(ClientError::Malformed(format!("{reply:?}")).to_string()),
        Err(error) => Err(error.to_string()),
    };
    let text = text.unwrap_or_else(|why| {
        let here = SessionView { joined: false, environment: session::own(paths) };
        Diagnostics::new(paths).text(Err(&why), &here)
    });
    let name =
        || PathBuf::from(format!("tidings-diagnostics-{}.tar.gz", Zoned::now().strftime("%Y%m%d-%H%M%S")));
    let file = file.map_or_else(name, Path::to_owned);
    let contents = Diagnostics::new(paths).contents(text);
    pack(&file, &contents)
        .map_err(|why| Failed(Text::cli_not_written(&file.display(), &reason::of_io(&why))))?;
    let told = fs::canonicalize(&file).unwrap_or(file);
    terminal::print(&told.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn pack(file: &Path, contents: &[(String, String)]) -> io::Result<()> {
    let mut archive =
        tar::Builder::new(GzEncoder::new(tidings_ground::file::new(file)?, Compression::default()));
    for (name, text) in contents {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default());
        archive.append_data(&mut header, format!("tidings-diagnostics/{name}"), text.as_bytes())?;
    }
    let file: File = archive.into_inner()?.finish()?;
    file.sync_all()
}
