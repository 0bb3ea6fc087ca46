//! Arrows between files, which are to point one way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Which file (or folder) names which others.
pub(crate) type Arrows = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// One circle, its first file again at its end.
pub(crate) fn circle(arrows: &Arrows) -> Option<Vec<PathBuf>> {
    let mut left = arrows.clone();
    // Who names nobody that is left is in no circle.
    loop {
        let names: BTreeSet<PathBuf> = left.keys().cloned().collect();
        let before = left.len();
        left.retain(|_, to| to.iter().any(|file| names.contains(file)));
        if left.len() == before {
            break;
        }
    }
    // All that are left name one that is left: following them leads round.
    let mut walked = vec![left.keys().next()?.clone()];
    loop {
        let next = left[walked.last()?].iter().find(|file| left.contains_key(*file))?;
        if let Some(start) = walked.iter().position(|file| file == next) {
            walked.drain(..start);
            walked.push(next.clone());
            return Some(walked);
        }
        walked.push(next.clone());
    }
}

/// A circle for people.
pub(crate) fn told(circle: &[PathBuf]) -> String {
    circle.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" -> ")
}

#[cfg(test)]
mod tests {
    use super::{Arrows, circle, told};

    fn arrows(all: &[(&str, &[&str])]) -> Arrows {
        all.iter().map(|(from, to)| (from.into(), to.iter().map(Into::into).collect())).collect()
    }

    #[test]
    fn arrows_that_point_one_way_are_no_circle() {
        assert_eq!(circle(&arrows(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])), None);
    }

    #[test]
    fn a_circle_is_told_without_the_way_that_leads_to_it() {
        let found = circle(&arrows(&[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &["b"])]));
        assert_eq!(told(&found.expect("a circle")), "b -> c -> d -> b");
    }
}
