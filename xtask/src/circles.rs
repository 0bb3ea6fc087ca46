//! No circle of files: within a crate, too, arrows point one way. Between crates the compiler sees to it; inside one it
//! lets any file name any other.
//!
//! An arrow leads from a file that names something to the file that has it, behind all that hands it on: a module's root
//! may re-export what its files define. Tests belong to the file that they test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use serde_json::Value;
use syn::{Attribute, Item, ItemMod, UseTree, Visibility};

use crate::arrows::{Arrows, circle, told};
use crate::run::{cargo, output, say};

/// Names from the crate's root: the way to a module, or to what is in one.
type Way = Vec<String>;

/// The files of one crate, and who names whom.
#[derive(Debug, Default)]
struct Crate {
    modules: BTreeMap<Way, Module>,
}

#[derive(Debug, Default)]
struct Module {
    file: PathBuf,
    /// What a name of this module stands for: imports, whether handed on or not.
    names: BTreeMap<String, Way>,
    /// Those of the imports that are not handed on.
    used: BTreeSet<Way>,
    /// Of `use way::*`.
    globs: Vec<Way>,
    /// What is defined here.
    defined: BTreeSet<String>,
    /// All that is named here, as it is written.
    named: BTreeSet<Way>,
}

/// Fails with the first circle of each crate.
pub(crate) fn check() -> anyhow::Result<()> {
    let metadata = output(&mut cargo(&["metadata", "--locked", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo's metadata")?;
    let targets = metadata["packages"].as_array().into_iter().flatten();
    let targets = targets.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let roots: BTreeSet<&str> = targets.filter_map(|target| target["src_path"].as_str()).collect();
    let (mut files, mut circles) = (0, Vec::new());
    for root in roots {
        let read = Crate::read(Path::new(root))?;
        let arrows = read.arrows();
        files += read.modules.values().map(|module| &module.file).collect::<BTreeSet<_>>().len();
        circles.extend(circle(&arrows).map(|circle| told(&circle)));
    }
    ensure!(circles.is_empty(), "files that name each other in a circle:\n  {}", circles.join("\n  "));
    say(&format!("{files} files, no circle among them"));
    Ok(())
}

impl Crate {
    fn read(root: &Path) -> anyhow::Result<Self> {
        let mut read = Self::default();
        let folder = root.parent().context("a file is in a folder")?;
        read.file(root, folder, Way::new())?;
        Ok(read)
    }

    /// `folder`: where the files of its modules are.
    fn file(&mut self, file: &Path, folder: &Path, way: Way) -> anyhow::Result<()> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let parsed = syn::parse_file(&text).with_context(|| file.display().to_string())?;
        self.items(&parsed.items, file, folder, way)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the list of what code holds is open")]
    fn items(&mut self, items: &[Item], file: &Path, folder: &Path, way: Way) -> anyhow::Result<()> {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items {
            match item {
                Item::Mod(inner) if is_test(&inner.attrs) => {}
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    module.defined.insert(name.clone());
                    self.module(inner, file, folder, [&way[..], &[name]].concat())?;
                }
                Item::Use(import) if is_test(&import.attrs) => {}
                Item::Use(import) => {
                    let mut ways = Vec::new();
                    module.import(&import.tree, &mut Way::new(), &mut ways);
                    // Handing on is no use of one's own.
                    if matches!(import.vis, Visibility::Inherited) {
                        module.used.extend(ways);
                    }
                }
                other => {
                    if let Some(name) = name_of(other) {
                        module.defined.insert(name);
                    }
                    paths(other.to_token_stream(), &mut module.named);
                }
            }
        }
        self.modules.insert(way, module);
        Ok(())
    }

    fn module(&mut self, inner: &ItemMod, file: &Path, folder: &Path, way: Way) -> anyhow::Result<()> {
        let name = inner.ident.to_string();
        if let Some((_, items)) = &inner.content {
            return self.items(items, file, &folder.join(name), way);
        }
        if let Some(path) = path_of(&inner.attrs) {
            let elsewhere = file.parent().context("a file is in a folder")?.join(path);
            let beside = elsewhere.parent().context("a file is in a folder")?.to_owned();
            return self.file(&elsewhere, &beside, way);
        }
        let (flat, deep) = (folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs"));
        self.file(if flat.is_file() { &flat } else { &deep }, &folder.join(name), way)
    }

    /// From each file to those that have what it names.
    fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (way, module) in &self.modules {
            let to = arrows.entry(module.file.clone()).or_default();
            for named in module.named.iter().chain(&module.used) {
                to.extend(self.file_of(way, named, 0).filter(|file| *file != module.file));
            }
        }
        arrows
    }

    /// Where that is which is named so in the module `from`; `None`: in no file of this crate, or it is a module itself.
    fn file_of(&self, from: &[String], named: &[String], depth: usize) -> Option<PathBuf> {
        /// Names that stand for names that stand for … : rustc has refused more.
        const DEEP: usize = 16;
        let (first, rest) = named.split_first()?;
        let (mut at, mut rest) = match first.as_str() {
            "crate" => (Way::new(), rest),
            "self" => (from.to_owned(), rest),
            "super" => (from.split_last()?.1.to_owned(), rest),
            _ => (from.to_owned(), named),
        };
        loop {
            let (next, after) = rest.split_first()?;
            if next == "super" {
                at.pop()?;
                rest = after;
                continue;
            }
            let inner = [&at[..], std::slice::from_ref(next)].concat();
            if self.modules.contains_key(&inner) {
                (at, rest) = (inner, after);
                continue;
            }
            let module = self.modules.get(&at)?;
            if module.defined.contains(next) {
                return Some(module.file.clone());
            }
            if depth == DEEP {
                return None;
            }
            if let Some(stands_for) = module.names.get(next) {
                // A name of its own, such as that of another crate, leads nowhere.
                let way = [stands_for, after].concat();
                return if way == named { None } else { self.file_of(&at, &way, depth + 1) };
            }
            let globs = module.globs.iter().map(|glob| [&glob[..], rest].concat());
            return globs.filter(|way| way != named).find_map(|way| self.file_of(&at, &way, depth + 1));
        }
    }
}

impl Module {
    /// `ways`: all that this imports.
    fn import(&mut self, tree: &UseTree, way: &mut Way, ways: &mut Vec<Way>) {
        let (name, named) = match tree {
            UseTree::Path(path) => {
                way.push(path.ident.to_string());
                self.import(&path.tree, way, ways);
                way.pop();
                return;
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(tree, way, ways));
                return;
            }
            UseTree::Glob(_) => {
                self.globs.push(way.clone());
                return;
            }
            UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(renamed) => (renamed.rename.to_string(), renamed.ident.to_string()),
        };
        let (name, way) = match way.last() {
            Some(last) if named == "self" => (if name == "self" { last.clone() } else { name }, way.clone()),
            _ => (name, [&way[..], &[named]].concat()),
        };
        self.names.insert(name, way.clone());
        ways.push(way);
    }
}

/// All ways of more than one name in a piece of code, those in macros too.
#[expect(clippy::wildcard_enum_match_arm, reason = "the list of what code holds is open")]
fn paths(code: TokenStream, found: &mut BTreeSet<Way>) {
    let mut way = Way::new();
    let mut colons = 0;
    for token in code {
        match token {
            TokenTree::Ident(name) => {
                if colons != 2 {
                    found.extend((way.len() > 1).then(|| std::mem::take(&mut way)));
                    way.clear();
                }
                way.push(name.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            other => {
                found.extend((way.len() > 1).then(|| std::mem::take(&mut way)));
                way.clear();
                colons = 0;
                if let TokenTree::Group(group) = other {
                    paths(group.stream(), found);
                }
            }
        }
    }
    found.extend((way.len() > 1).then_some(way));
}

fn is_test(attributes: &[Attribute]) -> bool {
    let is_test =
        |attribute: &Attribute| attribute.to_token_stream().to_string().replace(' ', "") == "#[cfg(test)]";
    attributes.iter().any(is_test)
}

fn path_of(attributes: &[Attribute]) -> Option<String> {
    let path = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let text = path.meta.to_token_stream().to_string();
    Some(text.split('"').nth(1)?.to_owned())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the list of what code holds is open")]
fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arrows of a crate whose modules have these names and texts; the root has none.
    fn arrows(modules: &[(&str, &str)]) -> Vec<String> {
        let mut read = Crate::default();
        for (name, text) in modules {
            let way: Way = name.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            let file = PathBuf::from(if name.is_empty() { "lib" } else { name });
            let items = syn::parse_file(text).expect("Rust").items;
            read.items(&items, &file, Path::new(""), way).expect("no other file is needed");
        }
        let all = read.arrows().into_iter();
        all.flat_map(|(from, to)| {
            to.into_iter().map(move |to| format!("{} {}", from.display(), to.display()))
        })
        .collect()
    }

    #[test]
    fn an_arrow_leads_to_who_has_what_is_named_however_it_is_named() {
        const B: (&str, &str) = ("b", "pub struct B; pub fn b() {}");
        for (root, a) in [
            ("", "use crate::b::B;"),
            ("", "use super::b; fn a() { b::b() }"),
            ("", "use crate::b::{self as other}; fn a() { other::b() }"),
            ("", "fn a() { println!(\"{}\", crate::b::b()) }"),
            ("", "fn a() { select! { x = crate::b::b() => {} } }"),
            ("pub use b::B;", "use crate::B;"),
            ("pub use b::*;", "use crate::B as Other;"),
            ("", "use crate::b::*; fn a() -> self::B { todo!() }"),
        ] {
            assert_eq!(arrows(&[("", root), ("a", a), B]), ["a b"], "{root} {a}");
        }
    }

    #[test]
    fn who_only_declares_hands_on_or_tests_names_nobody() {
        for a in [
            "#[cfg(test)] mod tests { use crate::b::B; }",
            "#[cfg(test)] use crate::b::B;",
            "pub use crate::b::B;",
            "use std::b::B; fn b() {} fn a() { b() }",
            "use crate::b;",
        ] {
            assert_eq!(arrows(&[("", ""), ("a", a), ("b", "pub struct B;")]), [""; 0], "{a}");
        }
    }

    #[test]
    fn two_files_that_name_each_other_are_a_circle() {
        let mut read = Crate::default();
        for (name, text) in [("a", "use super::b::B; pub struct A;"), ("b", "use crate::a::A; pub struct B;")]
        {
            let items = syn::parse_file(text).expect("Rust").items;
            read.items(&items, Path::new(name), Path::new(""), vec![name.to_owned()]).expect("read");
        }
        assert_eq!(circle(&read.arrows()).map(|found| told(&found)).as_deref(), Some("a -> b -> a"));
    }
}
