//! The licences of the libraries that are part of the programs, with their texts, for the packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use crate::run::{cargo, output};

/// How the names of files begin that hold a licence's text or belong to it.
const FILES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];

/// Each library with its licence, and each text once, with those that it is of.
pub(crate) fn of_all() -> anyhow::Result<String> {
    let tree =
        ["tree", "--locked", "-p", "tidings", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let tree = output(&mut cargo(&tree))?;
    let linked: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?.strip_prefix('v')?))
        })
        .collect();
    let metadata = output(&mut cargo(&["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo's metadata")?;

    let mut list = String::new();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().context("cargo's metadata lists no packages")? {
        let text = |field: &str| package[field].as_str();
        let (Some(name), Some(version), Some(manifest)) =
            (text("name"), text("version"), text("manifest_path"))
        else {
            continue;
        };
        // Ours have no source.
        if text("source").is_none() || !linked.contains(&(name, version)) {
            continue;
        }
        let folder = Path::new(manifest).parent().context("a manifest in no folder")?;
        list += &format!("{name} {version}: {}\n", text("license").unwrap_or("see its text below"));
        for licence in licences(folder)? {
            texts.entry(licence).or_default().push(name.to_owned());
        }
    }
    let texts = texts.into_iter().map(|(text, of)| format!("\n\n--- {}\n\n{text}", of.join(", ")));
    Ok(format!("The programs contain these libraries:\n\n{list}{}\n", texts.collect::<String>()))
}

/// The texts in a library's folder.
fn licences(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default();
        if path.is_file() && FILES.iter().any(|begin| name.starts_with(begin)) {
            // The same text ends its lines in two ways.
            let text = fs::read(&path).with_context(|| path.display().to_string())?;
            texts.push(String::from_utf8_lossy(&text).replace('\r', "").trim().to_owned());
        }
    }
    Ok(texts)
}
