//! Templates and conditions, compiled once when the settings are read. The program is the user's own, the data is not:
//! [`FUEL`] and [`LONGEST`] bound what any message can make of it.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Expression, UndefinedBehavior, Value};

use crate::mistake::Mistake;

/// Steps that a template or condition may take. Too few: an honest loop over a list fails. Too many: a
/// message with a long list holds up the inbox (a million steps take tens of milliseconds).
const FUEL: u64 = 50_000;

/// Bytes that a template may make.
const LONGEST: usize = 256 << 10;

/// The name of the one template in its environment.
const NAME: &str = "template";

/// A template or condition that can't be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{mistake}")]
pub struct SyntaxError {
    /// What is wrong.
    pub mistake: Mistake,
    /// The byte of the text at which it is wrong.
    pub at: usize,
}

impl SyntaxError {
    fn of(error: &Error, text: &str) -> Self {
        tracing::debug!(%error, "a template or condition has a mistake");
        Self {
            mistake: Mistake::of(error, text),
            at: error.range().map_or(0, |range: Range<usize>| range.start),
        }
    }
}

/// Why a template makes nothing of a message, or a condition can't be asked about it. Holds nothing of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateFailed(ErrorKind);

impl From<Error> for TemplateFailed {
    fn from(error: Error) -> Self {
        Self(error.kind())
    }
}

/// Compiled text with `{{ }}`.
#[derive(Clone)]
pub struct Template {
    text: String,
    environment: Arc<Environment<'static>>,
    names: Arc<HashSet<String>>,
}

impl Template {
    /// Over whatever names the caller gives it.
    ///
    /// # Errors
    /// When the text has a mistake.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        // What a message lacks is an error, so that the default mapping gets its turn, but may be asked for.
        Self::of(text, environment(UndefinedBehavior::SemiStrict))
    }

    /// For what is sent as it is: the line feed at its end is part of it.
    ///
    /// # Errors
    /// When the text has a mistake.
    pub fn spoken(text: &str) -> Result<Self, SyntaxError> {
        let mut environment = environment(UndefinedBehavior::SemiStrict);
        let mut syntax = SyntaxConfig::builder();
        // The builder fails for delimiters alone.
        if let Ok(syntax) = syntax.keep_trailing_newline(true).build() {
            environment.set_syntax(syntax);
        }
        Self::of(text, environment)
    }

    /// Makes nothing of what isn't there, and what it can of the rest.
    ///
    /// # Errors
    /// When the text has a mistake.
    pub fn lenient(text: &str) -> Result<Self, SyntaxError> {
        Self::of(text, environment(UndefinedBehavior::Chainable))
    }

    fn of(text: &str, mut environment: Environment<'static>) -> Result<Self, SyntaxError> {
        environment
            .add_template_owned(NAME, text.to_owned())
            .map_err(|error| SyntaxError::of(&error, text))?;
        let names = environment.get_template(NAME).map(|template| template.undeclared_variables(false));
        let names = Arc::new(names.map_err(|error| SyntaxError::of(&error, text))?);
        Ok(Self { text: text.to_owned(), environment: Arc::new(environment), names })
    }

    /// Whether it asks for this name.
    #[must_use]
    pub fn uses(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text made of this message.
    ///
    /// # Errors
    /// When the message doesn't fit, or makes too much of it.
    pub fn render(&self, message: &Value) -> Result<String, TemplateFailed> {
        let mut out = Bounded(Vec::new());
        let template = self.environment.get_template(NAME)?;
        template.render_captured_to(message.clone(), &mut out)?;
        String::from_utf8(out.0).map_err(|_| TemplateFailed(ErrorKind::WriteFailure))
    }
}

/// A compiled expression that is true or false of a message.
#[derive(Clone)]
pub struct Condition {
    text: String,
    expression: Arc<Expression<'static, 'static>>,
    names: Arc<HashSet<String>>,
}

impl Condition {
    /// Over `title`, `body`, `priority`, `channel` (its id), `tag`, `id`, `url`, `silent`, `raw` (the text) and `json` (the
    /// same parsed).
    ///
    /// # Errors
    /// When the expression has a mistake.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        // A rule that looks for what is not there just doesn't match.
        static ENVIRONMENT: LazyLock<Environment<'static>> =
            LazyLock::new(|| environment(UndefinedBehavior::Chainable));
        let compiled = ENVIRONMENT.compile_expression_owned(text.to_owned());
        let expression = compiled.map_err(|error| SyntaxError::of(&error, text))?;
        let names = Arc::new(expression.undeclared_variables(false));
        Ok(Self { text: text.to_owned(), expression: Arc::new(expression), names })
    }

    /// Whether it asks for this name.
    #[must_use]
    pub fn uses(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether it is true of this message.
    ///
    /// # Errors
    /// When it can't be asked about this message.
    pub fn holds(&self, message: &Value) -> Result<bool, TemplateFailed> {
        Ok(self.expression.eval(message.clone())?.is_true())
    }
}

fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(undefined);
    environment.set_fuel(Some(FUEL));
    // What comes out is plain text.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_debug(false);
    // Many a protocol has JSON in strings of its JSON.
    environment.add_filter("fromjson", |text: &str| json(text).unwrap_or_default());
    environment
}

/// Parsed JSON, for templates and conditions; `None` if it is none, or nested too deeply.
#[must_use]
pub fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// Equal if written equal.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Template {}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.text).finish()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

/// Takes no more than [`LONGEST`].
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let error = Template::parse("Order {{ id }}: {{ title ").expect_err("not closed");
        assert!(error.at >= 16, "{error:?}");
        let error = Condition::parse("priority >= 4 und").expect_err("no such operator");
        assert_eq!(error.at, 14, "{error:?}");
        assert!(Condition::parse("priority >=").is_err());
        assert!(Condition::parse("").is_err());
    }

    #[test]
    fn what_is_sent_as_it_is_keeps_its_line_feed() {
        let text =
            |template: Result<Template, SyntaxError>| template.expect("good").render(&Value::UNDEFINED);
        assert_eq!(text(Template::spoken("a\n\n")), Ok("a\n\n".to_owned()));
        assert_eq!(text(Template::parse("a\n")), Ok("a".to_owned()));
        assert_eq!(text(Template::lenient("{{ a.b[0].c or d }}!")), Ok("!".to_owned()));
    }

    #[test]
    fn neither_time_nor_space_is_without_bounds() {
        let long =
            Template::parse("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}");
        assert_eq!(
            long.expect("it compiles").render(&Value::UNDEFINED),
            Err(TemplateFailed(ErrorKind::OutOfFuel))
        );
        let wide = Template::parse("{{ 'x' * 9999 }}".repeat(40).as_str());
        assert!(wide.expect("it compiles").render(&Value::UNDEFINED).is_err());
    }
}
