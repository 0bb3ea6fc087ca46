//! From the source to the tree. The parser gives a stream of events and the tree is built on a stack of our own, of few levels:
//! no source makes anything recurse deeply.

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use tidings_api::{Block, Span};
use url::Url;

/// Bytes of a source that is read as Markdown. Too low: a long report is shown as it was sent; too high: a hostile text holds
/// its reader up (64 KiB take up to 0.4 s, unoptimised).
pub const LONGEST: usize = 64 << 10;

/// Spans and blocks of a text that is read as Markdown; each is an element or two of the page. Too low: a long report is shown
/// as it was sent; too high: a hostile text makes the page slow.
pub const MOST: usize = 5_000;

/// Quotes and lists within each other; what is nested more deeply stands in the deepest of them. Too low: a list loses its
/// shape; too high: no room is left for the text.
const DEEPEST: usize = 6;

/// Bytes of an address that is a link. Servers take some KiB; a longer one is told as text.
const LONGEST_LINK: usize = 2 << 10;

/// What a text says.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) blocks: Vec<Block>,
    pub(crate) links: Vec<Url>,
}

/// `None` if it is too long, or has too many parts.
pub(crate) fn read(source: &str) -> Option<Document> {
    if source.len() > LONGEST {
        return None;
    }
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let parser = || Parser::new_ext(source, options);
    let defined: Vec<(Range<usize>, String)> = parser()
        .reference_definitions()
        .iter()
        .map(|(_, definition)| (definition.span.clone(), definition.dest.to_string()))
        .collect();
    let used: BTreeSet<String> =
        if defined.is_empty() { BTreeSet::new() } else { parser().filter_map(referred).collect() };
    let told = defined.into_iter().filter(|(_, address)| used.contains(address));
    let mut reader = Reader {
        source,
        told: told.map(|(span, _)| span).collect(),
        seen: 0,
        top: Vec::new(),
        open: Vec::new(),
        too_deep: 0,
        inlines: Inlines::default(),
        heading: None,
        code: None,
        links: Vec::new(),
        count: 0,
    };
    for (event, range) in parser().into_offset_iter() {
        reader.take(event, range);
        if reader.count > MOST {
            return None;
        }
    }
    reader.gap(source.len());
    reader.end_line();
    (reader.count <= MOST).then_some(Document { blocks: reader.top, links: reader.links })
}

/// Where a link leads that names a definition.
fn referred(event: Event<'_>) -> Option<String> {
    let Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. }) = event
    else {
        return None;
    };
    let named = matches!(link_type, LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut);
    named.then(|| dest_url.into_string())
}

/// A link that may be opened by a click: nothing that runs a program or reads a file.
fn link(address: &str) -> Option<Url> {
    let url = Url::parse(address.trim()).ok()?;
    let fits = url.as_str().len() <= LONGEST_LINK;
    (fits && matches!(url.scheme(), "http" | "https" | "mailto")).then_some(url)
}

/// What is begun and not ended.
enum Open {
    Quote {
        blocks: Vec<Block>,
    },
    /// Its last item is the one that is being read.
    List {
        start: Option<u32>,
        items: Vec<Vec<Block>>,
    },
}

/// The text that is being read.
#[derive(Default)]
struct Inlines {
    spans: Vec<Span>,
    bold: usize,
    italic: usize,
    struck: usize,
    /// The link or picture that it is in.
    link: Option<Opened>,
    images: usize,
}

struct Opened {
    number: Option<u32>,
    address: String,
    title: String,
    /// Spans that there were before.
    before: usize,
    /// Links and pictures in it that are begun: the click is its own, and what they lead to isn't told.
    nested: usize,
}

struct Reader<'a> {
    source: &'a str,
    /// Definitions of links that are used: what they say is told there.
    told: Vec<Range<usize>>,
    /// All before this is in the tree.
    seen: usize,
    /// The document's own blocks.
    top: Vec<Block>,
    /// From the outermost to the innermost.
    open: Vec<Open>,
    /// Quotes, lists and items that are begun within them and too deep: what is in those goes into what is around them.
    too_deep: usize,
    inlines: Inlines,
    heading: Option<u8>,
    code: Option<Code>,
    links: Vec<Url>,
    /// Spans and blocks.
    count: usize,
}

struct Code {
    info: String,
    text: String,
}

impl<'a> Reader<'a> {
    fn take(&mut self, event: Event<'a>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, &range),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.text.push_str(&text),
                None => self.text(&text, false, range),
            },
            Event::Code(text) => self.text(&text, true, range),
            Event::Html(text) | Event::InlineHtml(text) => self.text(&text, false, range),
            // A line stays a line: messages are written that way, whatever a page would make of it.
            Event::SoftBreak | Event::HardBreak => self.text("\n", false, range),
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }, false, range),
            Event::Rule => {
                self.leaf(&range);
                self.block(Block::Rule);
            }
            // Not asked for.
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text, false, range);
            }
        }
    }

    fn start(&mut self, tag: Tag<'a>, range: Range<usize>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.leaf(&range),
            Tag::Heading { level, .. } => {
                self.leaf(&range);
                self.heading = Some(level as u8);
            }
            Tag::CodeBlock(kind) => {
                self.leaf(&range);
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some(Code { info, text: String::new() });
            }
            Tag::BlockQuote(_) => {
                self.enter(range.start, || Open::Quote { blocks: Vec::new() });
            }
            Tag::List(start) => {
                let start = start.map(|start| u32::try_from(start).unwrap_or(u32::MAX));
                self.enter(range.start, || Open::List { start, items: Vec::new() });
            }
            Tag::Item => {
                self.gap(range.start);
                self.end_line();
                match self.open.last_mut() {
                    Some(Open::List { items, .. }) if self.too_deep == 0 => items.push(Vec::new()),
                    Some(Open::List { .. } | Open::Quote { .. }) | None => self.too_deep += 1,
                }
            }
            Tag::Strong => self.mark(range, |inlines| inlines.bold += 1),
            Tag::Emphasis => self.mark(range, |inlines| inlines.italic += 1),
            Tag::Strikethrough => self.mark(range, |inlines| inlines.struck += 1),
            Tag::Link { link_type, dest_url, title, .. } => {
                self.inline(range);
                let mail = link_type == LinkType::Email;
                let address = if mail { format!("mailto:{dest_url}") } else { dest_url.to_string() };
                self.open_link(address, &title);
            }
            Tag::Image { dest_url, title, .. } => {
                self.inline(range);
                self.inlines.images += 1;
                self.open_link(dest_url.to_string(), &title);
            }
            // Not asked for.
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Table(_)
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: &Range<usize>) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::Heading(_) => self.end_line(),
            TagEnd::CodeBlock => {
                if let Some(code) = self.code.take() {
                    self.block(Block::Code { text: code.text() });
                }
            }
            TagEnd::Item => {
                self.gap(range.end);
                self.end_line();
                self.too_deep = self.too_deep.saturating_sub(1);
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) => {
                self.gap(range.end);
                self.end_line();
                self.leave();
            }
            TagEnd::Strong => self.inlines.bold = self.inlines.bold.saturating_sub(1),
            TagEnd::Emphasis => self.inlines.italic = self.inlines.italic.saturating_sub(1),
            TagEnd::Strikethrough => self.inlines.struck = self.inlines.struck.saturating_sub(1),
            TagEnd::Link => self.close_link(),
            TagEnd::Image => {
                self.close_link();
                self.inlines.images = self.inlines.images.saturating_sub(1);
            }
            TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Table
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::TableCell
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    /// A block without blocks in it begins.
    fn leaf(&mut self, range: &Range<usize>) {
        self.gap(range.start);
        self.end_line();
        self.seen = self.seen.max(range.end);
    }

    /// A block with blocks in it begins.
    fn enter(&mut self, start: usize, open: impl FnOnce() -> Open) {
        self.gap(start);
        self.end_line();
        if self.too_deep == 0 && self.open.len() < DEEPEST {
            self.open.push(open());
        } else {
            self.too_deep += 1;
        }
    }

    fn leave(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        match self.open.pop() {
            Some(Open::Quote { blocks }) => self.block(Block::Quote { blocks }),
            Some(Open::List { start, items }) => self.block(Block::List { start, items }),
            None => {}
        }
    }

    /// Lines that the parser passed over: definitions of links that nothing uses. They are text, too.
    fn gap(&mut self, end: usize) {
        let start = self.seen;
        let Some(passed) = self.source.get(start..end) else { return };
        self.seen = end;
        let mut at = start;
        for line in passed.split_inclusive('\n') {
            let told =
                self.told.iter().any(|span| span.contains(&at) || span.contains(&(at + line.len() - 1)));
            at += line.len();
            let text = without_markers(line);
            if !told && text.contains(char::is_alphanumeric) {
                self.end_line();
                self.push(text, false);
                self.end_line();
            }
        }
    }

    fn inline(&mut self, range: Range<usize>) {
        // Within a paragraph that is behind what is seen already; the text of an item stands in none.
        if range.start >= self.seen {
            self.gap(range.start);
        }
        self.seen = self.seen.max(range.end);
    }

    fn mark(&mut self, range: Range<usize>, mark: impl FnOnce(&mut Inlines)) {
        self.inline(range);
        mark(&mut self.inlines);
    }

    fn text(&mut self, text: &str, code: bool, range: Range<usize>) {
        self.inline(range);
        self.push(text, code);
    }

    fn push(&mut self, text: &str, code: bool) {
        // An entity may name what no text holds.
        let text = text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', " ");
        if text.is_empty() {
            return;
        }
        let Inlines { spans, bold, italic, struck, link, images } = &mut self.inlines;
        let span = Span {
            text,
            bold: *bold > 0,
            italic: *italic > 0,
            struck: *struck > 0,
            code,
            image: *images > 0,
            link: link.as_ref().and_then(|link| link.number),
        };
        match spans.last_mut() {
            Some(last) if alike(last, &span) => {
                last.text.push_str(&span.text);
            }
            _ => {
                self.count += 1;
                spans.push(span);
            }
        }
    }

    fn open_link(&mut self, address: String, title: &str) {
        if let Some(around) = &mut self.inlines.link {
            around.nested += 1;
            return;
        }
        let number = link(&address).and_then(|url| {
            self.links.push(url);
            u32::try_from(self.links.len() - 1).ok()
        });
        let before = self.inlines.spans.len();
        self.inlines.link = Some(Opened { number, address, title: title.to_owned(), before, nested: 0 });
    }

    fn close_link(&mut self) {
        match &mut self.inlines.link {
            Some(link) if link.nested > 0 => link.nested -= 1,
            Some(link) => {
                let text = self.inlines.spans.iter().skip(link.before);
                let text: String = text.map(|span| span.text.as_str()).collect();
                let (address, title) = (std::mem::take(&mut link.address), std::mem::take(&mut link.title));
                if text.trim().is_empty() {
                    // Nothing to be seen: what it leads to is.
                    self.push(&address, false);
                } else if link.number.is_none() && !same_place(&text, &address) {
                    self.push(&format!(" ({address})"), false);
                }
                self.inlines.link = None;
                if !title.trim().is_empty() {
                    self.push(&format!(" ({})", title.trim()), false);
                }
            }
            None => {}
        }
    }

    /// What was read of a text is a block.
    fn end_line(&mut self) {
        let heading = self.heading.take();
        let mut spans = std::mem::take(&mut self.inlines.spans);
        if let Some(last) = spans.last_mut() {
            last.text.truncate(last.text.trim_end().len());
        }
        spans.retain(|span| !span.text.is_empty());
        if spans.is_empty() {
            return;
        }
        let spans = self.with_addresses(spans);
        self.block(match heading {
            Some(level) => Block::Heading { level, spans },
            None => Block::Paragraph { spans },
        });
    }

    /// Addresses that stand in a text as such are links.
    fn with_addresses(&mut self, spans: Vec<Span>) -> Vec<Span> {
        let mut out = Vec::new();
        for span in spans {
            if span.link.is_some() || span.code || span.image {
                out.push(span);
                continue;
            }
            let mut rest = span.text.as_str();
            while let Some((at, url)) = address(rest) {
                let part = |text: &str, link| Span { text: text.to_owned(), link, ..span.clone() };
                let (before, found) = (&rest[..at.start], &rest[at.clone()]);
                if !before.is_empty() {
                    out.push(part(before, None));
                }
                out.push(part(found, u32::try_from(self.links.len()).ok()));
                self.links.push(url);
                self.count += 2;
                rest = &rest[at.end..];
            }
            if !rest.is_empty() {
                out.push(Span { text: rest.to_owned(), ..span });
            }
        }
        out
    }

    fn block(&mut self, block: Block) {
        self.count += 1;
        match self.open.last_mut() {
            Some(Open::Quote { blocks }) => blocks.push(block),
            Some(Open::List { items, .. }) => match items.last_mut() {
                Some(item) => item.push(block),
                None => items.push(vec![block]),
            },
            None => self.top.push(block),
        }
    }
}

impl Code {
    /// All of it. What stands behind the fence is a language if it is one word and there is code, and else somebody's text.
    fn text(self) -> String {
        let text = self.text.strip_suffix('\n').unwrap_or(&self.text);
        let info = self.info.trim();
        let language = !info.contains(char::is_whitespace) && !text.trim().is_empty();
        let text = if info.is_empty() || language { text.to_owned() } else { format!("{info}\n{text}") };
        text.trim_end().replace(|c: char| c.is_control() && c != '\n' && c != '\t', " ")
    }
}

/// A line without what makes it a part of quotes and lists.
fn without_markers(line: &str) -> &str {
    let mut rest = line.trim();
    loop {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let marked = rest
            .strip_prefix(['>', '-', '*', '+'])
            .or_else(|| (digits.len() < rest.len()).then(|| digits.strip_prefix(['.', ')'])).flatten());
        match marked {
            Some(after) => rest = after.trim_start(),
            None => return rest,
        }
    }
}

/// The first address that stands in a text, without the sentence around.
fn address(text: &str) -> Option<(Range<usize>, Url)> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find("http") {
        let start = from + found;
        from = start + "http".len();
        let rest = &text[start..];
        if !(rest.starts_with("http://") || rest.starts_with("https://"))
            || text[..start].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric())
        {
            continue;
        }
        let outside = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '<' | '>' | '"' | '`' | '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FFEF}')
        };
        let end = rest.find(outside).unwrap_or(rest.len());
        let mut address = &rest[..end];
        if address.len() > LONGEST_LINK {
            from = start + end;
            continue;
        }
        loop {
            let open = address.matches('(').count() < address.matches(')').count();
            let shorter = address
                .strip_suffix(['.', ',', ':', ';', '!', '?', '\'', '*', '_', '~', ']', '}', '|', '…'])
                .or_else(|| if open { address.strip_suffix(')') } else { None });
            match shorter {
                Some(shorter) => address = shorter,
                None => break,
            }
        }
        if let Some(url) = link(address) {
            return Some((start..start + address.len(), url));
        }
    }
    None
}

/// Whether a link's text says where it leads.
pub(crate) fn same_place(text: &str, address: &str) -> bool {
    fn bare(address: &str) -> &str {
        let address = address.trim();
        let address = ["https://", "http://", "mailto:"]
            .iter()
            .find_map(|scheme| address.strip_prefix(scheme))
            .unwrap_or(address);
        address.strip_suffix('/').unwrap_or(address)
    }
    bare(text) == bare(address)
}

/// Whether two spans are one.
fn alike(a: &Span, b: &Span) -> bool {
    let style = |span: &Span| (span.bold, span.italic, span.struck, span.code, span.image, span.link);
    style(a) == style(b)
}
