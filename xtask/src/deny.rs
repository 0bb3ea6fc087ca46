//! The rules for what others wrote: under which licences, from where, in which versions. The program `cargo-deny` asks
//! the same, with the same library for licences; to build it takes a fresh machine four minutes, and these are
//! questions to what cargo tells in seconds.
//!
//! Advisories are left out: their database comes from outside, and a check must not change its mind overnight.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

use crate::run::{cargo, output, say};

/// The licences that a crate may ask for. One that no crate names any more is told.
const LICENCES: [&str; 10] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    // Copyleft by the file: fine, since we use those crates (of the web view and `directories`) unchanged.
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The machines that Tidings is made for; crates for others alone are nobody's concern.
const TARGETS: [&str; 4] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-pc-windows-msvc",
    "aarch64-apple-darwin",
];

/// How the source of a crate begins that comes from a registry. A dependency on another one than cargo's own names it.
const REGISTRY: &str = "registry+";

/// A requirement that takes any version.
const ANY: &str = "*";

/// Fails with all that is against the rules.
pub(crate) fn check() -> anyhow::Result<()> {
    let mut metadata = cargo(&["metadata", "--locked", "--all-features", "--format-version", "1"]);
    metadata.args(TARGETS.iter().flat_map(|target| ["--filter-platform", target]));
    let metadata: Value = serde_json::from_str(&output(&mut metadata)?).context("cargo's metadata")?;
    let packages = metadata["packages"].as_array().context("cargo's metadata lists no packages")?;
    let allowed = LICENCES.map(Licensee::parse).into_iter().collect::<Result<Vec<_>, _>>()?;

    let (mut faults, mut named) = (Vec::new(), BTreeSet::new());
    for package in packages {
        let name = format!(
            "{} {}",
            package["name"].as_str().unwrap_or("?"),
            package["version"].as_str().unwrap_or("?")
        );
        faults.extend(
            faults_of(package, &allowed, &mut named).into_iter().map(|fault| format!("{name}: {fault}")),
        );
    }
    let unnamed = LICENCES.iter().enumerate().filter(|(index, _)| !named.contains(index));
    faults.extend(unnamed.map(|(_, licence)| format!("no crate names {licence} any more")));
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    say(&format!("{} crates: licences, sources and versions are as they must be", packages.len()));
    Ok(())
}

/// What is wrong with one package. Adds those of the allowed licences that it names.
fn faults_of(package: &Value, allowed: &[Licensee], named: &mut BTreeSet<usize>) -> Vec<String> {
    let mut faults = Vec::new();
    match package["license"].as_str() {
        None => faults.push("it names no licence".to_owned()),
        Some(text) => match Expression::parse_mode(text, ParseMode::LAX) {
            Err(error) => faults.push(format!("its licence can't be read: {error}")),
            Ok(licence) => {
                let fine = licence.evaluate(|wanted| {
                    let found = allowed.iter().position(|allowed| allowed.satisfies(wanted));
                    named.extend(found);
                    found.is_some()
                });
                if !fine {
                    faults.push(format!("its licence is {text}"));
                }
            }
        },
    }
    // Ours have no source, and neither has what we depend on by its path.
    if let Some(source) = package["source"].as_str().filter(|source| !source.starts_with(REGISTRY)) {
        faults.push(format!("it comes from {source}"));
    }
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        if dependency["req"] == ANY && dependency["path"].is_null() {
            faults.push(format!("it takes any version of {}", dependency["name"].as_str().unwrap_or("?")));
        }
        if let Some(registry) = dependency["registry"].as_str() {
            let name = dependency["name"].as_str().unwrap_or("?");
            faults.push(format!("it takes {name} from {registry}"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(changed: &Value) -> Vec<String> {
        let mut package = json!({
            "license": "MIT OR Apache-2.0",
            "source": "registry+https://crates.example/index",
            "dependencies": [{ "name": "one", "req": "^1", "path": null }],
        });
        for (key, value) in changed.as_object().expect("some keys") {
            package[key] = value.clone();
        }
        let allowed = LICENCES.map(|licence| Licensee::parse(licence).expect("a licence"));
        faults_of(&package, &allowed, &mut BTreeSet::new())
    }

    #[test]
    fn a_crate_is_fine_whose_licence_is_allowed_one_way() {
        for licence in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
        ] {
            assert_eq!(faults(&json!({ "license": licence })), [""; 0], "{licence}");
        }
        let ours = json!({ "source": null, "dependencies": [{ "name": "two", "req": "*", "path": "/two" }] });
        assert_eq!(faults(&ours), [""; 0]);
    }

    #[test]
    fn a_licence_that_is_not_allowed_is_told() {
        for licence in
            ["GPL-3.0-only", "MIT AND GPL-3.0-only", "Apache-2.0 WITH Classpath-exception-2.0", "MIT-0"]
        {
            assert_eq!(faults(&json!({ "license": licence })), [format!("its licence is {licence}")]);
        }
        assert_eq!(faults(&json!({ "license": null })), ["it names no licence"]);
        assert!(faults(&json!({ "license": "as you like" }))[0].starts_with("its licence can't be read"));
    }

    #[test]
    fn another_source_is_told_and_so_is_a_requirement_that_takes_anything() {
        let source = "git+https://git.example/one#abc";
        assert_eq!(faults(&json!({ "source": source })), [format!("it comes from {source}")]);
        let other = "https://crates.example/other";
        let elsewhere = json!([{ "name": "one", "req": "^1", "path": null, "registry": other }]);
        assert_eq!(faults(&json!({ "dependencies": elsewhere })), [format!("it takes one from {other}")]);
        let any = json!({ "dependencies": [{ "name": "one", "req": "*", "path": null }] });
        assert_eq!(faults(&any), ["it takes any version of one"]);
    }
}
