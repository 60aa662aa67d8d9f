//! The items between two brackets (arguments of a call, elements of a display) with the comments around them.
//!
//! ```python
//! ImageSpec(
//!     # above
//!     name="a",  # behind
//!     # below the last
//! )
//! ```

use rustpython_text_size::Ranged;

use super::{TokenKind, Tokens};
use crate::source::{TextRange, TextSize};

/// One item between brackets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// From its first token to its last, parentheses around it included.
    pub range: TextRange,
    /// Its text, later lines indented relative to the line that it begins on; see [`dedented`].
    pub text: String,
    /// For `name=value` the text of the value, else the same as `text`.
    pub value_text: String,
    /// The items of the value, if the value is a list, tuple or dict display.
    pub nested: Option<Box<Items>>,
    /// Comments on lines of their own above it.
    pub leading: Vec<String>,
    /// The comment behind it on its last line.
    pub trailing: Option<String>,
}

impl Item {
    /// Its text with parts replaced, given by their places in `source`, the text of the file, in order.
    pub fn replaced(&self, source: &str, parts: &[(TextRange, String)]) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut position = 0;
        for (range, content) in parts {
            let start = self.offset(source, range.start());
            out.push_str(self.text.get(position..start).unwrap_or_default());
            out.push_str(content);
            position = self.offset(source, range.end());
        }
        out.push_str(self.text.get(position..).unwrap_or_default());
        out
    }

    /// Where in its text stands what stands at `offset` of `source`. Only the beginnings of lines differ.
    pub fn offset(&self, source: &str, offset: TextSize) -> usize {
        let item = &source[self.range];
        let at = usize::from(offset - self.range.start());
        let mut begin = 0;
        for (number, line) in split_lines(item).enumerate() {
            if at < begin + line.len() || begin + line.len() == item.len() {
                let end = begin + line.trim_end_matches(['\n', '\r']).len();
                let mut own = self.text.split('\n').map(|own| own.len() + 1);
                let own_end: usize = own.by_ref().take(number + 1).sum();
                return (own_end - 1).saturating_sub(end.saturating_sub(at));
            }
            begin += line.len();
        }
        self.text.len()
    }
}

/// All items between two brackets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Items {
    /// The items in order.
    pub items: Vec<Item>,
    /// Comments below the last item.
    pub dangling: Vec<String>,
    /// Whether a comma follows the last item.
    pub has_trailing_comma: bool,
    /// Whether the brackets stand on different lines.
    pub is_multiline: bool,
}

impl Items {
    /// Puts comments above the first item, or between the brackets if there is none.
    pub fn put_above(&mut self, comments: Vec<String>) {
        match self.items.first_mut() {
            Some(item) => drop(item.leading.splice(0..0, comments)),
            None => drop(self.dangling.splice(0..0, comments)),
        }
    }

    /// All comments between the brackets, outside the items, from top to bottom.
    pub fn comments(&self) -> Vec<String> {
        let of_items = self.items.iter().flat_map(|item| item.leading.iter().chain(&item.trailing));
        of_items.chain(&self.dangling).cloned().collect()
    }
}

/// Reads the items between the brackets that `range` begins and ends with.
pub fn items_between(tokens: &Tokens, range: TextRange, text: &str) -> Items {
    let mut reader =
        Reader { tokens, text, out: Items::default(), current: None, pending: Vec::new(), depth: 0 };
    let inner = TextRange::new(range.start() + TextSize::from(1), range.end() - TextSize::from(1));
    reader.out.is_multiline = has_line_end(&text[range]);
    let mut line_has_item = false;
    for token in tokens.in_range(inner) {
        match token.kind() {
            TokenKind::NonLogicalNewline | TokenKind::Newline => line_has_item = false,
            TokenKind::Comment => {
                let comment = text[token.range()].trim_end().to_owned();
                if reader.depth == 0 {
                    reader.comment(comment, line_has_item);
                }
            }
            TokenKind::Comma if reader.depth == 0 => {
                reader.close_item();
                reader.out.has_trailing_comma = true;
                line_has_item = true;
            }
            kind => {
                line_has_item = true;
                reader.token(kind, token.range());
            }
        }
    }
    reader.close_item();
    reader.out.dangling = reader.pending;
    reader.out
}

/// `spec.name = value`, read as the item `name=value`.
///
/// `before` is the end of the statement before it.
pub fn assignment(
    tokens: &Tokens,
    before: TextSize,
    statement: TextRange,
    value: TextRange,
    name: &str,
    text: &str,
) -> Item {
    let (leading, trailing) = comments_around(tokens, before, statement, text);
    let value_text = dedented(tokens, value, text);
    Item {
        range: statement,
        text: format!("{name}={value_text}"),
        value_text,
        nested: display(tokens, value, text).map(Box::new),
        leading,
        trailing,
    }
}

/// The comments above a statement and behind it on its line; `before` is the end of the statement before it.
pub fn comments_around(
    tokens: &Tokens,
    before: TextSize,
    statement: TextRange,
    text: &str,
) -> (Vec<String>, Option<String>) {
    let comments = |start, end| comments_in(tokens, TextRange::new(start, end), text);
    // The rest of its line belongs to the statement before.
    let leading = comments(next_line_start(text, before), statement.start()).collect();
    (leading, comments(statement.end(), next_line_start(text, statement.end())).next())
}

/// The comments in a range, from top to bottom.
pub fn comments_in(tokens: &Tokens, range: TextRange, text: &str) -> impl Iterator<Item = String> {
    let comments = tokens.in_range(range).iter().filter(|token| token.kind() == TokenKind::Comment);
    comments.map(|comment| text[comment.range()].trim_end().to_owned())
}

struct Reader<'a> {
    tokens: &'a Tokens,
    text: &'a str,
    out: Items,
    /// The item being read, and where its value begins if it is `name=value`.
    current: Option<(Item, Option<TextSize>)>,
    pending: Vec<String>,
    depth: usize,
}

impl Reader<'_> {
    fn token(&mut self, kind: TokenKind, range: TextRange) {
        match kind {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => self.depth += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
        let depth = self.depth;
        if let Some((item, value_start)) = &mut self.current {
            let is_first_equal = kind == TokenKind::Equal && depth == 0 && value_start.is_none();
            if is_first_equal && is_identifier(&self.text[item.range]) {
                *value_start = Some(range.end());
            }
            item.range = TextRange::new(item.range.start(), range.end());
            // What was taken for a comment behind the item stands inside it, and so in its text.
            item.trailing = None;
            self.pending.clear();
        } else {
            self.out.has_trailing_comma = false;
            let leading = std::mem::take(&mut self.pending);
            self.current = Some((Item { range, leading, ..Item::default() }, None));
        }
    }

    fn comment(&mut self, comment: String, line_has_item: bool) {
        let owner = match &mut self.current {
            Some((item, _)) => Some(item),
            None => self.out.items.last_mut(),
        };
        match owner {
            Some(item) if line_has_item && item.trailing.is_none() => item.trailing = Some(comment),
            _ => self.pending.push(comment),
        }
    }

    fn close_item(&mut self) {
        let Some((mut item, value_start)) = self.current.take() else { return };
        let value = match value_start {
            Some(start) => {
                let gap = &self.text[TextRange::new(start, item.range.end())];
                let space = TextSize::of(gap) - TextSize::of(gap.trim_start());
                TextRange::new(start + space, item.range.end())
            }
            None => item.range,
        };
        item.text = dedented(self.tokens, item.range, self.text);
        item.value_text = if value == item.range {
            item.text.clone()
        } else {
            dedented_end(self.tokens, value, &item, self.text)
        };
        item.nested = display(self.tokens, value, self.text).map(Box::new);
        self.out.items.push(item);
    }
}

/// What stands in the text of an item for `value`, its end.
fn dedented_end(tokens: &Tokens, value: TextRange, item: &Item, text: &str) -> String {
    let head = TextRange::new(item.range.start(), value.start());
    let length =
        if has_line_end(&text[head]) { dedented(tokens, head, text).len() } else { usize::from(head.len()) };
    item.text[length..].to_owned()
}

fn has_line_end(text: &str) -> bool {
    memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some()
}

/// The items of a display: `range` begins with a bracket that its last token closes.
fn display(tokens: &Tokens, range: TextRange, text: &str) -> Option<Items> {
    if !text[range].starts_with(['(', '[', '{']) {
        return None;
    }
    let inner = tokens.in_range(range);
    let (first, last) = (inner.first()?, inner.last()?);
    let is_display = matches!(
        (first.kind(), last.kind()),
        (TokenKind::Lsqb, TokenKind::Rsqb)
            | (TokenKind::Lbrace, TokenKind::Rbrace)
            | (TokenKind::Lpar, TokenKind::Rpar)
    );
    if !is_display {
        return None;
    }
    let is_in_parentheses = first.kind() == TokenKind::Lpar;
    let mut depth = 0_usize;
    for (index, token) in inner.iter().enumerate() {
        match token.kind() {
            TokenKind::Lsqb | TokenKind::Lbrace | TokenKind::Lpar => depth += 1,
            TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::Rpar => {
                depth = depth.saturating_sub(1);
                if depth == 0 && index + 1 < inner.len() {
                    return None;
                }
            }
            _ => {}
        }
    }
    let items = items_between(tokens, range, text);
    // `(["pandas"])` is no tuple.
    if is_in_parentheses && items.items.len() == 1 && !items.has_trailing_comma {
        return without_parentheses(items);
    }
    Some(items)
}

/// The items of the display that is all there is between parentheses, with the comments around it.
fn without_parentheses(around: Items) -> Option<Items> {
    let only = around.items.into_iter().next()?;
    let mut items = *only.nested?;
    items.put_above(only.leading);
    items.dangling.extend(only.trailing.into_iter().chain(around.dangling));
    Some(items)
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// The text of `range` with the indentation of the line it begins on taken off its later lines.
///
/// Lines that begin inside a string stay as they are.
pub fn dedented(tokens: &Tokens, range: TextRange, text: &str) -> String {
    let slice = &text[range];
    if !has_line_end(slice) {
        return slice.to_owned();
    }
    let base = indentation_at(text, range.start());
    let mut out = String::with_capacity(slice.len());
    let mut offset = range.start();
    for line in split_lines(slice) {
        let body = if offset == range.start() || begins_inside_string(tokens, offset) {
            line
        } else {
            line.strip_prefix(base).unwrap_or_else(|| line.trim_start_matches([' ', '\t']))
        };
        match body.trim_end_matches(['\n', '\r']) {
            "" if !begins_inside_string(tokens, offset) && body.len() < line.len() => out.push('\n'),
            content => {
                out.push_str(content);
                if content.len() < body.len() {
                    out.push('\n');
                }
            }
        }
        offset += TextSize::of(line);
    }
    out
}

/// Lines with their endings; `\n`, `\r\n` and `\r` end a line.
fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = match memchr::memchr2(b'\n', b'\r', rest.as_bytes()) {
            Some(at) if rest[at..].starts_with("\r\n") => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        let (line, tail) = rest.split_at(end);
        rest = tail;
        Some(line)
    })
}

fn begins_inside_string(tokens: &Tokens, offset: TextSize) -> bool {
    let Err(index) = tokens.binary_search_by_start(offset) else { return false };
    index.checked_sub(1).and_then(|index| tokens.get(index)).is_some_and(|token| {
        token.range().start() < offset
            && offset < token.range().end()
            && matches!(token.kind(), TokenKind::String | TokenKind::FStringMiddle | TokenKind::TStringMiddle)
    })
}

/// The white space that the line of `offset` begins with.
pub fn indentation_at(text: &str, offset: TextSize) -> &str {
    let start = line_start(text, offset);
    let line = &text[usize::from(start)..];
    let length = line.find(|c| !matches!(c, ' ' | '\t' | '\u{c}')).unwrap_or(line.len());
    line[..length].trim_start_matches('\u{c}')
}

/// Where the line of `offset` begins.
pub fn line_start(text: &str, offset: TextSize) -> TextSize {
    let before = &text[..usize::from(offset)];
    let line_end = memchr::memrchr2(b'\n', b'\r', before.as_bytes());
    line_end.map_or(TextSize::from(0), |at| TextSize::of(&before[..=at]))
}

/// Where the line of `offset` ends, its line ending included.
pub fn next_line_start(text: &str, offset: TextSize) -> TextSize {
    let rest = &text[usize::from(offset)..];
    offset + split_lines(rest).next().map_or(TextSize::from(0), TextSize::of)
}
