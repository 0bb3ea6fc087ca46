//! The tree as text, for popups, terminals and copying: lists, quotes and links as people write them by hand.

use tidings_api::{Block, Span};

use crate::read::{Document, same_place};

/// How a part of a text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Strong, or a heading.
    pub bold: bool,
    /// Emphasised.
    pub italic: bool,
    /// A link.
    pub underlined: bool,
}

/// A part of a text; never empty.
pub type Piece = (String, Style);

pub(crate) fn pieces(document: &Document, address: usize) -> Vec<Piece> {
    let mut writer =
        Writer { out: Vec::new(), leads: Vec::new(), begins: true, address, links: &document.links };
    writer.blocks(&document.blocks, "\n\n");
    writer.out
}

/// What stands before each line of a quote or an item.
enum Lead {
    Quote,
    /// Before its first line the marker, before the others as many spaces.
    Item {
        marker: String,
        width: usize,
    },
}

struct Writer<'a> {
    out: Vec<Piece>,
    leads: Vec<Lead>,
    /// Nothing stands in the line yet.
    begins: bool,
    address: usize,
    links: &'a [url::Url],
}

impl Writer<'_> {
    /// Nested no more deeply than the tree, which has few levels.
    fn blocks(&mut self, blocks: &[Block], between: &str) {
        for (index, block) in blocks.iter().enumerate() {
            if index > 0 {
                self.write(between, Style::default());
            }
            match block {
                Block::Paragraph { spans } => self.spans(spans, false),
                Block::Heading { spans, .. } => self.spans(spans, true),
                Block::Code { text } => self.write(text, Style::default()),
                Block::Quote { blocks } => {
                    self.leads.push(Lead::Quote);
                    self.blocks(blocks, "\n");
                    self.leads.pop();
                }
                Block::List { start, items } => self.items(*start, items),
                Block::Rule => self.write("———", Style::default()),
            }
        }
    }

    fn items(&mut self, start: Option<u32>, items: &[Vec<Block>]) {
        let numbers = u64::from(start.unwrap_or(0))..;
        for (index, (item, number)) in items.iter().zip(numbers).enumerate() {
            if index > 0 {
                self.write("\n", Style::default());
            }
            let marker = if start.is_some() { format!("{number}. ") } else { "• ".to_owned() };
            let width = marker.chars().count();
            self.leads.push(Lead::Item { marker, width });
            self.blocks(item, "\n");
            if item.is_empty() {
                self.lead();
            }
            self.leads.pop();
        }
    }

    fn spans(&mut self, spans: &[Span], bold: bool) {
        for (index, span) in spans.iter().enumerate() {
            let following = spans.get(index + 1);
            let style =
                Style { bold: bold || span.bold, italic: span.italic, underlined: span.link.is_some() };
            let begins = |mark: fn(&Span) -> bool| {
                mark(span) && !index.checked_sub(1).and_then(|before| spans.get(before)).is_some_and(mark)
            };
            let ends = |mark: fn(&Span) -> bool| mark(span) && !following.is_some_and(mark);
            if begins(|span| span.image) {
                self.write("[", style);
            }
            if begins(|span| span.struck) {
                self.write("~", style);
            }
            self.write(&span.text, style);
            if ends(|span| span.struck) {
                self.write("~", style);
            }
            if ends(|span| span.image) {
                self.write("]", style);
            }
            let number = span.link.filter(|_| following.and_then(|next| next.link) != span.link);
            let url = number.and_then(|number| self.links.get(usize::try_from(number).ok()?));
            if let Some(url) = url {
                let text: String =
                    spans.iter().filter(|part| part.link == number).map(|part| part.text.as_str()).collect();
                if !same_place(&text, url.as_str()) {
                    self.address(url.as_str());
                }
            }
        }
    }

    fn address(&mut self, address: &str) {
        let mut short: String = address.chars().take(self.address).collect();
        if short.len() < address.len() {
            short.push('…');
        }
        self.write(&format!(" ({short})"), Style::default());
    }

    fn write(&mut self, text: &str, style: Style) {
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.push("\n", Style::default());
                self.begins = true;
            }
            if !line.is_empty() {
                self.lead();
                self.push(line, style);
            }
        }
    }

    fn lead(&mut self) {
        if !std::mem::take(&mut self.begins) {
            return;
        }
        let mut lead = String::new();
        for part in &mut self.leads {
            match part {
                Lead::Quote => lead.push_str("> "),
                Lead::Item { marker, .. } if !marker.is_empty() => lead.push_str(&std::mem::take(marker)),
                Lead::Item { width, .. } => lead.extend(std::iter::repeat_n(' ', *width)),
            }
        }
        self.push(&lead, Style::default());
    }

    fn push(&mut self, text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        match self.out.last_mut().filter(|(_, last)| *last == style) {
            Some((last, _)) => last.push_str(text),
            None => self.out.push((text.to_owned(), style)),
        }
    }
}
