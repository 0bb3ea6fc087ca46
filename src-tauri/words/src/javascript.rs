//! The page's words, written as JavaScript into `ui/words/made/`: a text, or a function of its variables.
//!
//! The files are committed; this test fails when they have fallen behind, and `UPDATE=1 cargo test -p tidings-words`
//! writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement, VariantKey};

use crate::catalogue::{Catalogue, Kind, Message, PAGE};

/// The files whose messages the page says.
const FILES: [&str; 2] = ["shared.ftl", PAGE];

#[test]
fn the_pages_words_are_those_of_the_catalogue() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (language, messages) in Catalogue::read(&here.join("locales")).languages {
        let of_page = messages.iter().filter(|message| FILES.contains(&message.file.as_str()));
        let now = module(&language, of_page);
        let file = here.join(format!("../../ui/words/made/{language}.js"));
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &now).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == now,
            "ui/words/made/{language}.js is not up to date: UPDATE=1 cargo test -p tidings-words"
        );
    }
}

fn module<'m>(language: &str, messages: impl Iterator<Item = &'m Message>) -> String {
    let mut texts = String::new();
    for message in messages {
        let name = name(message.id());
        if message.variables.is_empty() {
            let _ = writeln!(texts, "  {name}: {},", text(pattern(message), message));
            continue;
        }
        let names: Vec<String> = message.variables.keys().map(|variable| self::name(variable)).collect();
        let types: Vec<String> = message
            .variables
            .iter()
            .map(|(variable, kind)| match kind {
                Kind::Number => format!("{}: number", self::name(variable)),
                Kind::Text | Kind::Message => format!("{}: string", self::name(variable)),
            })
            .collect();
        let _ = writeln!(texts, "  /** @param {{{{ {} }}}} variables */", types.join(", "));
        let _ =
            writeln!(texts, "  {name}: ({{ {} }}) => {},", names.join(", "), text(pattern(message), message));
    }
    format!(
        "// What the page says. Made from src-tauri/words/locales/{language}: UPDATE=1 cargo test -p tidings-words

const plurals = new Intl.PluralRules(\"{language}\");
const numbers = new Intl.NumberFormat(\"{language}\");

/** The variant of the first of these names that there is, or else the last one.
 * @param {{Record<string, string>}} variants @param {{string[]}} names */
function byName(variants, ...names) {{
  const all = Object.entries(variants);
  const found = names.map((name) => all.find(([known]) => known === name)).find((entry) => entry !== undefined);
  return (found ?? all.at(-1))?.[1] ?? \"\";
}}

/** The variant for this many: of the number itself, or of its plural category.
 * @param {{number}} count @param {{Record<string, string>}} variants */
const byCount = (count, variants) => byName(variants, String(count), plurals.select(count));

export default {{
{texts}}};
"
    )
}

fn pattern(message: &Message) -> &Pattern<String> {
    message.entry.value.as_ref().expect("each message has a text")
}

/// `take-over` is `takeOver`.
pub(crate) fn name(id: &str) -> String {
    let mut parts = id.split('-');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (first, rest) = part.split_at(1);
        name.push_str(&first.to_uppercase());
        name.push_str(rest);
    }
    name
}

/// A template literal, or a plain one where nothing is put in.
fn text(pattern: &Pattern<String>, message: &Message) -> String {
    if let [PatternElement::TextElement { value }] = pattern.elements.as_slice() {
        return format!("{value:?}");
    }
    let mut code = "`".to_owned();
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => code.push_str(&escaped(value)),
            PatternElement::Placeable { expression: Expression::Inline(inline) } => match inline {
                InlineExpression::StringLiteral { value } | InlineExpression::NumberLiteral { value } => {
                    code.push_str(&escaped(value));
                }
                InlineExpression::FunctionReference { .. }
                | InlineExpression::MessageReference { .. }
                | InlineExpression::TermReference { .. }
                | InlineExpression::VariableReference { .. }
                | InlineExpression::Placeable { .. } => {
                    let _ = write!(code, "${{{}}}", variable(inline, message, true));
                }
            },
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                let (last, others): (Vec<_>, Vec<_>) = variants.iter().partition(|variant| variant.default);
                let variants = others.into_iter().chain(last).map(|variant| {
                    let (VariantKey::Identifier { name: key } | VariantKey::NumberLiteral { value: key }) =
                        &variant.key;
                    format!("{key:?}: {}", text(&variant.value, message))
                });
                let variants = variants.collect::<Vec<_>>().join(", ");
                let by = variable(selector, message, false);
                let _ = match kind(selector, message) {
                    Kind::Number => write!(code, "${{byCount({by}, {{ {variants} }})}}"),
                    Kind::Text | Kind::Message => write!(code, "${{byName({{ {variants} }}, {by})}}"),
                };
            }
        }
    }
    code.push('`');
    code
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('`', "\\`").replace("${", "\\${")
}

fn variable(inline: &InlineExpression<String>, message: &Message, told: bool) -> String {
    match kind(inline, message) {
        Kind::Number if told => format!("numbers.format({})", name(id(inline, message))),
        Kind::Number | Kind::Text | Kind::Message => name(id(inline, message)),
    }
}

fn kind(inline: &InlineExpression<String>, message: &Message) -> Kind {
    message.variables[id(inline, message)]
}

/// The name of the variable, be it alone or in `NUMBER()`.
fn id<'m>(inline: &'m InlineExpression<String>, message: &Message) -> &'m str {
    match inline {
        InlineExpression::VariableReference { id } => &id.name,
        InlineExpression::FunctionReference { arguments, .. } if arguments.positional.len() == 1 => {
            id(&arguments.positional[0], message)
        }
        InlineExpression::FunctionReference { .. }
        | InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. }
        | InlineExpression::Placeable { .. } => panic!("{}: {inline:?} is no variable", message.id()),
    }
}
