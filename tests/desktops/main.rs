//! `cargo xtask desktops`: the real Tidings on every notification service and tray host that Debian has, each alone on a
//! stage without a screen. What is seen is checked, written into a table, and kept as pictures to be looked at.

mod hosts;
mod progress;
mod report;
mod services;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use tidings_tests::debian;
use tidings_tests::real::{HOSTS, Real, SERVICES};

use crate::progress::say;
use crate::report::Report;

const HELP: &str = "\
tidings-desktops --out FOLDER [--only NAME]...

Puts each notification service and tray host on a stage of its own, with Tidings, and writes table.md, sheet.png and
the pictures into FOLDER. `cargo xtask desktops` starts it where all of them are installed.";

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut typed: Vec<String> = std::env::args().skip(1).collect();
    ensure!(typed.len() >= 2 && typed[0] == "--out", "{HELP}");
    let out = PathBuf::from(typed.remove(1));
    typed.remove(0);
    let only = debian::only(&typed).map_err(anyhow::Error::msg)?;
    let wanted = |real: &Real| only.is_empty() || only.iter().any(|one| one == real.name);
    let mut report = Report::into(out)?;
    for service in SERVICES.iter().filter(|real| wanted(real)) {
        say(&format!("service {}", service.name));
        report.services.push(services::on(service, &mut report.sheet).await);
    }
    for host in HOSTS.iter().filter(|real| wanted(real)) {
        say(&format!("tray host {}", host.name));
        report.hosts.push(hosts::on(host, &mut report.sheet).await);
    }
    let failed = report.write().await?;
    say(&format!("{failed} checks failed; {} and the pictures tell the rest", report.table().display()));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
