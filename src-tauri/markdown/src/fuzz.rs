//! Whatever a message's Markdown says. `cargo fuzz` calls it with bytes of its own making, and a test with those that it kept
//! (`fuzz/README.md`). Behind the feature `fuzzing`, and no part of the public surface.

use tidings_api::{Block, Span};
use url::Url;

use crate::{LONGEST, link, pieces, plain, rich};

/// The body of a message. Nothing makes it panic; its tree, its text and its pieces say the same, and no link of it leads where a
/// click could hurt.
pub fn markdown(input: &[u8]) {
    let source = String::from_utf8_lossy(input);
    let rich = rich(&source);
    assert_eq!(
        plain(&source),
        rich.as_ref().map(|rich| rich.text.clone()),
        "told otherwise without the tree"
    );
    let told: Option<String> =
        pieces(&source, usize::MAX).map(|pieces| pieces.into_iter().map(|(text, _)| text).collect());
    assert_eq!(told, rich.as_ref().map(|rich| rich.text.clone()), "told otherwise in pieces");
    let Some(rich) = rich else { return };
    assert!(source.len() <= LONGEST, "too long to be read");
    assert!(!rich.text.trim().is_empty(), "nothing to see");
    for (number, address) in (0..).zip(&rich.links) {
        let url = Url::parse(address).expect("an address");
        assert!(["http", "https", "mailto"].contains(&url.scheme()), "{url}");
        assert_eq!(link(&source, number), Some(url), "another address on a click");
    }
    assert_eq!(link(&source, u32::try_from(rich.links.len()).expect("few links")), None);
    look(&rich.blocks, rich.links.len());
}

/// Each link that the text has is one of the list.
fn look(blocks: &[Block], links: usize) {
    let spans_of = |spans: &[Span]| {
        for span in spans {
            assert!(
                span.link.is_none_or(|link| usize::try_from(link).is_ok_and(|link| link < links)),
                "{span:?}"
            );
        }
    };
    for block in blocks {
        match block {
            Block::Paragraph { spans } | Block::Heading { spans, .. } => spans_of(spans),
            Block::List { items, .. } => items.iter().for_each(|item| look(item, links)),
            Block::Quote { blocks } => look(blocks, links),
            Block::Code { .. } | Block::Rule => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    #[test]
    fn what_fuzzing_kept_holds() {
        let root = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
        let folder = PathBuf::from(root).join("../../fuzz/corpus/markdown");
        let mut kept = 0;
        for file in fs::read_dir(&folder).expect("the corpus") {
            let path = file.expect("a file").path();
            let bytes = fs::read(&path).expect("a file");
            // So that a failure names it.
            let run = std::panic::catch_unwind(|| super::markdown(&bytes));
            assert!(run.is_ok(), "{}", path.display());
            kept += 1;
        }
        assert!(kept > 0, "nothing in {}", folder.display());
    }
}
