//! Makes a function of each message of the agent, so that a misspelt message or a forgotten variable doesn't
//! compile. The function's signature is that of the English message; the tests see to it that the other
//! languages agree.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use catalogue::{Catalogue, Kind, Message, PAGE};
use fluent_syntax::{ast, serializer};

mod catalogue;

fn main() {
    let locales = Path::new("locales");
    #[expect(clippy::print_stdout, reason = "how cargo is told")]
    {
        println!("cargo::rerun-if-changed={}", locales.display());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo tells it"));
    let (mut texts, mut words) = (String::from("impl Text {\n"), String::from("impl Words {\n"));
    for (language, messages) in Catalogue::read(locales).languages {
        let agents: Vec<Message> = messages.into_iter().filter(|message| message.file != PAGE).collect();
        // The mark by which each is found.
        let source: String = agents.iter().map(|message| format!("\0{}", source(message))).collect();
        fs::write(out.join(format!("{language}.ftl")), source).expect("cargo's own folder");
        if language == catalogue::FIRST {
            agents.iter().for_each(|message| functions(&mut texts, &mut words, message));
        }
    }
    fs::write(out.join("messages.rs"), format!("{texts}}}\n\n{words}}}\n")).expect("cargo's own folder");
}

/// `Text::MESSAGE(VARIABLES)`, and `Words::MESSAGE(self, VARIABLES)` which says it at once.
fn functions(texts: &mut String, words: &mut String, message: &Message) {
    let Message { file, entry, variables } = message;
    let id = message.id();
    let name = id.replace('-', "_");
    let comment = match &entry.comment {
        Some(comment) => comment.content.join(" "),
        None => format!("`{id}`, in `{file}`."),
    };
    let mut says = format!("    /// {comment}\n    ///\n    /// ```text\n");
    source(message).trim_end().lines().for_each(|line| {
        let _ = writeln!(says, "    /// {line}");
    });
    says.push_str("    /// ```\n    #[must_use]\n");
    let (mut takes, mut names, mut holds) = (String::new(), String::new(), String::new());
    for (variable, kind) in variables {
        let argument = variable.replace('-', "_");
        let (of_type, value) = match kind {
            Kind::Number => ("impl Into<FluentNumber>", format!("Variable::Number({argument}.into())")),
            Kind::Message => ("&Text", format!("Variable::Message({argument}.clone())")),
            Kind::Text => ("&dyn Display", format!("Variable::Text({argument}.to_string())")),
        };
        let _ = write!(takes, "{argument}: {of_type}, ");
        let _ = write!(names, "{argument}, ");
        let _ = write!(holds, "({variable:?}, {value}), ");
    }
    let _ = writeln!(
        texts,
        "{says}    pub fn {name}({takes}) -> Self {{\n        Self(Box::new(Unsaid {{ id: {id:?}, variables: vec![{holds}] }}))\n    }}\n"
    );
    let _ = writeln!(
        words,
        "{says}    pub fn {name}(self, {takes}) -> String {{\n        Text::{name}({names}).said(self)\n    }}\n"
    );
}

/// As Fluent writes it, without its comment.
fn source(message: &Message) -> String {
    let entry = ast::Message { comment: None, ..message.entry.clone() };
    serializer::serialize(&ast::Resource { body: vec![ast::Entry::Message(entry)] })
}
