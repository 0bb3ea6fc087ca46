//! What the user may write into the settings over a server's words: templates and conditions (the language of `minijinja`), and
//! JSON Pointers. The program is the user's own, the data is not: whatever a message holds, neither time nor space is without bounds.

mod mistake;
mod pointer;
mod template;

pub use minijinja::Value;
pub use mistake::Mistake;
pub use pointer::Pointer;
pub use template::{Condition, SyntaxError, Template, TemplateFailed, json};
