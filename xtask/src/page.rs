//! The page's checks: that the arrows between its modules point one way, that it asks for its first modules at once, and its
//! types by TypeScript, which it is neither written in nor built with. What they need comes from npm into the build folder,
//! and nothing of it into the page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, ensure};

use crate::arrows::{Arrows, circle, told};
use crate::run::{left_out, program, run, say, works};

/// Where the page is.
const PAGE: &str = "ui";

/// TypeScript, and the checker of accessibility that the tests of the page look for in this folder.
const FROM_NPM: [&str; 2] = ["typescript@7.0.2", "axe-core@4.14.1"];

/// The module that the page begins with.
const FIRST: &str = "main.js";

/// Checks arrows, what is asked for at once, and types. Without npm the types are left out.
pub(crate) fn check() -> anyhow::Result<()> {
    let modules = arrows(Path::new(PAGE))?;
    for (what, arrows) in [("modules", &modules), ("rooms", &rooms(&modules))] {
        let found = circle(arrows).map(|circle| told(&circle));
        ensure!(
            found.is_none(),
            "the page's {what} name each other in a circle: {}",
            found.unwrap_or_default()
        );
    }
    let (imported, at_once) = (imported(Path::new(PAGE))?, at_once(Path::new(PAGE))?);
    let differ: Vec<_> = imported.symmetric_difference(&at_once).collect();
    ensure!(
        differ.is_empty(),
        "`modulepreload` in index.html names what {FIRST} imports, no more and no less: {differ:?}"
    );
    say(&format!("{} modules of the page, no circle among them nor among their folders", modules.len()));
    types()
}

fn types() -> anyhow::Result<()> {
    let folder = Path::new("target/page-tools");
    let typescript = folder.join("node_modules/.bin/tsc");
    let there = folder.join("node_modules/axe-core").is_dir() && works(program(&typescript).arg("--version"));
    if !there {
        if !works(program("npm").arg("--version")) {
            left_out("the check of the page's types: there is no npm to fetch TypeScript with");
            return Ok(());
        }
        let npm = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix"];
        run(program("npm").args(npm).arg(folder).args(FROM_NPM))?;
    }
    run(program(&typescript).args(["--project", "ui/jsconfig.json"]))
}

/// Which module of the page names which: what it imports, now or later, and whose types it uses.
fn arrows(page: &Path) -> anyhow::Result<Arrows> {
    let mut modules = Vec::new();
    let mut folders = vec![page.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "js" || extension == "ts") {
                modules.push(path);
            }
        }
    }
    let mut arrows = Arrows::new();
    for module in modules {
        let text = fs::read_to_string(&module).with_context(|| format!("{}", module.display()))?;
        let folder = module.parent().context("a module is in a folder")?;
        let named = text.split(['"', '\'']).filter(|text| text.starts_with("./") || text.starts_with("../"));
        let to =
            named.filter_map(|named| file(&folder.join(named))).map(|file| within(page, &file)).collect();
        arrows.insert(within(page, &module), to);
    }
    Ok(arrows)
}

/// What the first module imports, and what that imports. What is imported later is not among it.
fn imported(page: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let (mut found, mut todo) = (BTreeSet::new(), vec![page.join(FIRST)]);
    while let Some(module) = todo.pop() {
        let text = fs::read_to_string(&module).with_context(|| format!("{}", module.display()))?;
        let folder = module.parent().context("a module is in a folder")?;
        let named = text.split(" from \"").skip(1).filter_map(|rest| rest.split('"').next());
        for file in named.filter_map(|named| file(&folder.join(named))) {
            if found.insert(within(page, &file)) {
                todo.push(file);
            }
        }
    }
    Ok(found)
}

/// What the page asks for before it has read the first module: else it would learn of each only by the one that imports
/// it, one after the other.
fn at_once(page: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let text = fs::read_to_string(page.join("index.html")).context("the page")?;
    let named = text.split("rel=\"modulepreload\" href=\"").skip(1);
    Ok(named.filter_map(|rest| rest.split('"').next()).map(PathBuf::from).collect())
}

/// The file that an import names: types are named without what their file's name ends with.
fn file(named: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in named.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    [plain.clone(), plain.with_extension("d.ts")].into_iter().find(|file| file.is_file())
}

fn within(page: &Path, file: &Path) -> PathBuf {
    file.strip_prefix(page).unwrap_or(file).to_owned()
}

/// The same between the page's folders. What is in none stands for itself.
fn rooms(modules: &Arrows) -> Arrows {
    let room = |module: &PathBuf| module.components().take(1).collect::<PathBuf>();
    let mut rooms = Arrows::new();
    for (from, to) in modules {
        let others: BTreeSet<PathBuf> = to.iter().map(room).filter(|to| *to != room(from)).collect();
        rooms.entry(room(from)).or_default().extend(others);
    }
    rooms
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::{arrows, at_once, imported, rooms};
    use crate::arrows::{circle, told};

    /// A page of these modules.
    fn page(name: &str, modules: &[(&str, &str)]) -> PathBuf {
        let page = std::env::temp_dir().join(format!("tidings-page-{name}-{}", std::process::id()));
        for (module, text) in modules {
            let module = page.join(module);
            fs::create_dir_all(module.parent().expect("a folder")).expect("a folder");
            fs::write(module, text).expect("a module");
        }
        page
    }

    #[test]
    fn a_circle_is_found_through_imports_later_imports_and_types() {
        let page = page(
            "circle",
            &[
                ("main.js", "import { a } from \"./inbox/a.js\";"),
                ("inbox/a.js", "const b = await import(\"../host/b.js\");"),
                ("host/b.js", "/** @typedef {import(\"./c\").C} C */"),
                ("host/c.d.ts", "import type { A } from \"../inbox/a.js\";"),
            ],
        );
        let found = circle(&arrows(&page).expect("read")).map(|circle| told(&circle));
        assert_eq!(found.as_deref(), Some("host/b.js -> host/c.d.ts -> inbox/a.js -> host/b.js"));
        fs::remove_dir_all(&page).expect("it is removed");
    }

    #[test]
    fn rooms_can_be_in_a_circle_whose_modules_are_in_none() {
        let page = page(
            "rooms",
            &[
                ("main.js", "import { a } from \"./inbox/a.js\";"),
                ("inbox/a.js", "import { b } from \"../host/b.js\";"),
                ("inbox/c.js", ""),
                ("host/b.js", "import { c } from \"../inbox/c.js\";"),
            ],
        );
        let modules = arrows(&page).expect("read");
        assert_eq!(circle(&modules), None);
        let found = circle(&rooms(&modules)).map(|circle| told(&circle));
        assert_eq!(found.as_deref(), Some("host -> inbox -> host"));
        fs::remove_dir_all(&page).expect("it is removed");
    }
    #[test]
    fn what_the_first_module_imports_by_others_is_asked_for_at_once_but_not_what_comes_later() {
        let page = page(
            "ahead",
            &[
                ("main.js", "import { a } from \"./inbox/a.js\";\nconst c = () => import(\"./c.js\");"),
                ("inbox/a.js", "import {\n  b,\n} from \"../host/b.js\";"),
                ("host/b.js", "/** @typedef {import(\"./d\").D} D */"),
                ("host/d.d.ts", ""),
                ("c.js", ""),
                ("index.html", "<link rel=\"modulepreload\" href=\"inbox/a.js\">"),
            ],
        );
        let imported = imported(&page).expect("read");
        assert_eq!(Vec::from_iter(imported), ["host/b.js", "inbox/a.js"].map(PathBuf::from));
        let at_once = at_once(&page).expect("read");
        assert_eq!(Vec::from_iter(at_once), [PathBuf::from("inbox/a.js")]);
        fs::remove_dir_all(&page).expect("it is removed");
    }
}
