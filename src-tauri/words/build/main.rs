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
    let mut functions = String::from("impl Words {\n");
    for (language, messages) in Catalogue::read(locales).languages {
        let agents: Vec<Message> = messages.into_iter().filter(|message| message.file != PAGE).collect();
        let source: String = agents.iter().map(source).collect();
        fs::write(out.join(format!("{language}.ftl")), source).expect("cargo's own folder");
        if language == catalogue::FIRST {
            agents.iter().for_each(|message| function(&mut functions, message));
        }
    }
    functions.push_str("}\n");
    fs::write(out.join("messages.rs"), functions).expect("cargo's own folder");
}

fn function(code: &mut String, message: &Message) {
    let Message { file, entry, variables } = message;
    let id = message.id();
    let name = id.replace('-', "_");
    let comment = match &entry.comment {
        Some(comment) => comment.content.join(" "),
        None => format!("`{id}`, in `{file}`."),
    };
    let _ = writeln!(code, "    /// {comment}\n    ///\n    /// ```text");
    source(message).trim_end().lines().for_each(|line| {
        let _ = writeln!(code, "    /// {line}");
    });
    let (mut takes, mut hands) = (String::new(), String::new());
    for (variable, kind) in variables {
        let argument = variable.replace('-', "_");
        let (of_type, value) = match kind {
            Kind::Number => ("impl Into<FluentNumber>", format!("FluentValue::Number({argument}.into())")),
            Kind::Text => ("&dyn Display", format!("FluentValue::from({argument}.to_string())")),
        };
        let _ = write!(takes, ", {argument}: {of_type}");
        let _ = write!(hands, "({variable:?}, {value}), ");
    }
    let _ = write!(
        code,
        "    /// ```\n    #[must_use]\n    pub fn {name}(self{takes}) -> String {{\n        self.say({id:?}, [{hands}])\n    }}\n\n"
    );
}

/// As Fluent writes it, without its comment.
fn source(message: &Message) -> String {
    let entry = ast::Message { comment: None, ..message.entry.clone() };
    serializer::serialize(&ast::Resource { body: vec![ast::Entry::Message(entry)] })
}
