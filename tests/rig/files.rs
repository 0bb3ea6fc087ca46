//! Looking into the files that programs leave.

use std::io::ErrorKind;
use std::path::Path;

/// The files below `folder` that hold `text`.
pub fn that_hold(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            found.extend(that_hold(&path, text));
        } else if kind.is_file() {
            let bytes = match std::fs::read(&path) {
                // It went meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                read => read.expect("readable"),
            };
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}
