//! The table and the sheet of pictures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tidings_tests::picture::Picture;
use tidings_tests::real::Stage;

use crate::progress::say;

/// What came of one service or host.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    /// What was checked, and what was seen.
    pub(crate) cells: Vec<(&'static str, Cell)>,
}

/// What came of one check.
pub(crate) enum Cell {
    /// It is as it should be; what was seen, if there is more to say than that.
    Well(String),
    /// This desktop has no such thing.
    None(&'static str),
    /// It isn't as it should be.
    Failed(String),
}

/// Pictures as they are taken.
pub(crate) struct Sheet {
    out: PathBuf,
    pictures: Vec<(String, PathBuf)>,
}

pub(crate) struct Report {
    pub(crate) services: Vec<Row>,
    pub(crate) hosts: Vec<Row>,
    pub(crate) sheet: Sheet,
}

impl Row {
    pub(crate) fn of(name: &'static str) -> Self {
        Self { name, version: String::new(), cells: Vec::new() }
    }

    /// Notes and tells what came of a check. An error is what was not seen.
    pub(crate) fn note(&mut self, check: &'static str, came: anyhow::Result<Cell>) {
        let cell = came.unwrap_or_else(|error| Cell::Failed(format!("{error:#}")));
        say(&format!("  {check}: {}", cell.told()));
        self.cells.push((check, cell));
    }

    /// The same, and keeps what was on the screen where it is not as it should be.
    pub(crate) async fn note_seen(
        &mut self,
        check: &'static str,
        came: anyhow::Result<Cell>,
        stage: &Stage,
        sheet: &mut Sheet,
    ) {
        if came.is_err()
            && let Ok(screen) = stage.picture().await
        {
            let kept = sheet.add(&format!("{} {check} failed", self.name), &screen).await;
            if let Err(error) = kept {
                say(&format!("  no picture of it: {error:#}"));
            }
        }
        self.note(check, came);
    }
}

impl Cell {
    pub(crate) fn well() -> Self {
        Self::Well(String::new())
    }

    fn told(&self) -> String {
        // A line of a table, and not more than can be read there.
        let short = |text: &str| {
            let text = text.replace(['\n', '|'], " ");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if text.chars().count() > 160 { text.chars().take(160).chain(['…']).collect() } else { text }
        };
        match self {
            Self::Well(more) if more.is_empty() => "yes".to_owned(),
            Self::Well(more) => format!("yes: {}", short(more)),
            Self::None(why) => format!("– {why}"),
            Self::Failed(error) => format!("**NO**: {}", short(error)),
        }
    }
}

impl Sheet {
    /// Keeps a picture.
    pub(crate) async fn add(&mut self, name: &str, picture: &Picture) -> anyhow::Result<()> {
        let path = self.out.join(format!("{}.png", name.replace(' ', "-")));
        picture.save(&path).await?;
        self.pictures.push((name.to_owned(), path));
        Ok(())
    }
}

impl Report {
    pub(crate) fn into(out: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
        let sheet = Sheet { out, pictures: Vec::new() };
        Ok(Self { services: Vec::new(), hosts: Vec::new(), sheet })
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.sheet.out.join("table.md")
    }

    /// Writes both; returns how many checks failed.
    pub(crate) async fn write(&self) -> anyhow::Result<usize> {
        let text = format!(
            "# Tidings on real desktops\n\n## Notification services\n\n{}\n## Tray hosts\n\n{}",
            table(&self.services),
            table(&self.hosts)
        );
        fs::write(self.table(), text).context("cannot write the table")?;
        if !self.sheet.pictures.is_empty() {
            sheet(&self.sheet.pictures, &self.sheet.out.join("sheet.png")).await?;
        }
        let cells = self.services.iter().chain(&self.hosts).flat_map(|row| &row.cells);
        Ok(cells.filter(|(_, cell)| matches!(cell, Cell::Failed(_))).count())
    }
}

fn table(rows: &[Row]) -> String {
    let mut checks: Vec<&str> = Vec::new();
    for (check, _) in rows.iter().flat_map(|row| &row.cells) {
        if !checks.contains(check) {
            checks.push(check);
        }
    }
    let mut lines = vec![
        format!("| name | version | {} |", checks.join(" | ")),
        format!("| --- | --- |{}", " --- |".repeat(checks.len())),
    ];
    for row in rows {
        let cell = |check: &&str| {
            let found = row.cells.iter().find(|(name, _)| name == check);
            found.map_or_else(|| "not come to".to_owned(), |(_, cell)| cell.told())
        };
        let cells: Vec<String> = checks.iter().map(cell).collect();
        lines.push(format!("| {} | {} | {} |", row.name, row.version, cells.join(" | ")));
    }
    lines.join("\n") + "\n"
}

async fn sheet(pictures: &[(String, PathBuf)], to: &Path) -> anyhow::Result<()> {
    let mut montage = tokio::process::Command::new("montage");
    montage.args(["-background", "#202020", "-fill", "white", "-tile", "4x"]);
    for (name, path) in pictures {
        montage.args(["-label", name]).arg(path);
    }
    let output = montage.args(["-geometry", "480x270>+6+6"]).arg(to).output().await;
    let output = output.context("cannot start montage (Debian package: imagemagick)")?;
    ensure!(output.status.success(), "montage: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
