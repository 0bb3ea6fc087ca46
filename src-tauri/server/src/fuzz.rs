//! Whatever a client of `tidings.v1` says. `cargo fuzz` calls it with bytes of its own making, and a test with those that it
//! kept (`fuzz/README.md`). Behind the feature `fuzzing`, and no part of the public surface.

use crate::link::v1::Said;

/// Each line is a frame. Nothing makes it panic, and what it means is what JSON makes of it.
pub fn v1(input: &[u8]) {
    for line in String::from_utf8_lossy(input).lines() {
        let said = Said::parse(line);
        let json = serde_json::from_str::<serde_json::Value>(line).ok();
        match (said, json) {
            (Some(Said::Ack(seq)), Some(json)) => {
                assert_eq!(json["type"], "ack");
                let id = &json["id"];
                assert!(id.as_u64() == Some(seq) || id.as_str().and_then(|id| id.parse().ok()) == Some(seq));
            }
            (Some(Said::Read(ids)), Some(json)) => {
                assert_eq!(json["type"], "read");
                assert_eq!(json["ids"].as_array().map(Vec::len), Some(ids.len()));
            }
            (Some(_), None) => panic!("what is no JSON means something"),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    #[test]
    fn what_fuzzing_kept_for_v1_holds() {
        let root = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
        let folder = PathBuf::from(root).join("../../fuzz/corpus/v1");
        for file in fs::read_dir(&folder).expect("the corpus") {
            let path = file.expect("a file").path();
            let bytes = fs::read(&path).expect("a file");
            // So that a failure names it.
            let run = std::panic::catch_unwind(|| super::v1(&bytes));
            assert!(run.is_ok(), "{}", path.display());
        }
    }
}
