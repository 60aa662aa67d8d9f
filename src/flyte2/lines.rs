//! Tells code from strings and comments in a piece of Python text.
//!
//! This is no tokenizer: it knows quotes, prefixes, escapes, comments and the fields of f-strings, which is enough
//! to move lines without touching what a string holds. It accepts any text; a string that never ends takes the rest.

use std::borrow::Cow;

/// What a character belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Everything outside strings and comments.
    Code,
    /// A string with its quotes; of an f-string also the fields.
    Text,
    /// A comment without its line break.
    Comment,
}

/// What stands open at a position.
#[derive(Debug, Clone, Copy)]
enum Open {
    /// A string.
    Text(Quote),
    /// A field of an f-string, with the number of brackets open in its expression.
    Field(usize),
    /// The format behind the colon of a field.
    Format,
}

/// How a string was opened.
#[derive(Debug, Clone, Copy)]
struct Quote {
    mark: char,
    is_triple: bool,
    has_fields: bool,
}

impl Quote {
    /// The number of quotation marks at each end.
    fn width(self) -> usize {
        if self.is_triple { 3 } else { 1 }
    }
}

/// Puts `indent` in front of every line of `text` but the first, except where the line begins inside a string.
/// Lines without content stay as they are.
pub fn indent_code(text: &str, indent: &str) -> String {
    later_lines(text, |line| {
        let indent = if line.trim().is_empty() { "" } else { indent };
        format!("{indent}{line}")
    })
}

/// Takes `indent` off every line of `text` but the first, except where the line begins inside a string.
pub fn dedent_code(text: &str, indent: &str) -> String {
    later_lines(text, |line| line.strip_prefix(indent).unwrap_or(line).to_owned())
}

/// Writes every line of `text` but the first anew, except where the line begins inside a string.
fn later_lines(text: &str, write: impl Fn(&str) -> String) -> String {
    let kinds = Scanner::scan(text);
    let mut written = String::with_capacity(text.len());
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        let is_code = position > 0 && kinds.get(position - 1) != Some(&Kind::Text);
        written.push_str(&if is_code { Cow::Owned(write(line)) } else { Cow::Borrowed(line) });
        position += line.chars().count();
    }
    written
}

/// Whether `text` is a generator expression without parentheses of its own, behind which no comma may stand.
pub(super) fn is_bare_generator(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut outside = String::new();
    for (character, kind) in text.chars().zip(Scanner::scan(text)) {
        match character {
            _ if kind != Kind::Code => outside.push(' '),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                outside.push(' ');
            }
            _ if depth == 0 => outside.push(character),
            _ => {}
        }
    }
    outside.split(|character: char| !is_word(character)).any(|word| word == "for")
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Walks over the characters of a text and notes the kind of each.
struct Scanner {
    characters: Vec<char>,
    kinds: Vec<Kind>,
    /// What stands open, from the outside in.
    open: Vec<Open>,
}

impl Scanner {
    /// The kind of every character of `text`.
    fn scan(text: &str) -> Vec<Kind> {
        let mut scanner = Self { characters: text.chars().collect(), kinds: Vec::new(), open: Vec::new() };
        while let Some(character) = scanner.ahead(0) {
            match scanner.open.last().copied() {
                None => scanner.step_in_code(character),
                Some(Open::Field(brackets)) => scanner.step_in_field(character, brackets),
                Some(Open::Text(quote)) => scanner.step_in_text(character, quote),
                Some(Open::Format) => scanner.step_in_format(character),
            }
        }
        scanner.kinds
    }

    /// The character `distance` behind the current one.
    fn ahead(&self, distance: usize) -> Option<char> {
        self.characters.get(self.kinds.len() + distance).copied()
    }

    /// Notes the kind of the next `count` characters.
    fn take(&mut self, count: usize, kind: Kind) {
        let end = (self.kinds.len() + count).min(self.characters.len());
        self.kinds.resize(end, kind);
    }

    fn step_in_code(&mut self, character: char) {
        match character {
            '"' | '\'' => self.open_text(character),
            '#' => self.take_comment(Kind::Comment),
            _ => self.take(1, Kind::Code),
        }
    }

    fn step_in_field(&mut self, character: char, brackets: usize) {
        match character {
            '"' | '\'' => return self.open_text(character),
            '#' => return self.take_comment(Kind::Text),
            '(' | '[' | '{' => self.replace_top(Open::Field(brackets + 1)),
            '}' if brackets == 0 => self.close(),
            ')' | ']' | '}' => self.replace_top(Open::Field(brackets.saturating_sub(1))),
            ':' if brackets == 0 => self.open.push(Open::Format),
            _ => {}
        }
        self.take(1, Kind::Text);
    }

    fn step_in_text(&mut self, character: char, quote: Quote) {
        if character == '\\' {
            // A backslash also keeps a raw string open, but it does not keep a brace from opening a field.
            let is_pair = matches!(self.ahead(1), Some('\\' | '"' | '\'' | '\n'));
            self.take(if is_pair { 2 } else { 1 }, Kind::Text);
        } else if self.is_at(quote) {
            self.close();
            self.take(quote.width(), Kind::Text);
        } else if quote.has_fields && character == '{' {
            self.open_field();
        } else if character == '\n' && !quote.is_triple {
            self.close();
            self.take(1, Kind::Code);
        } else {
            self.take(1, Kind::Text);
        }
    }

    fn step_in_format(&mut self, character: char) {
        match character {
            '{' => self.open.push(Open::Field(0)),
            '}' => {
                self.close();
                self.close();
            }
            _ => {}
        }
        self.take(1, Kind::Text);
    }

    fn open_text(&mut self, mark: char) {
        let is_triple = self.ahead(1) == Some(mark) && self.ahead(2) == Some(mark);
        let quote = Quote { mark, is_triple, has_fields: self.has_format_prefix() };
        self.open.push(Open::Text(quote));
        self.take(quote.width(), Kind::Text);
    }

    /// Opens a field, or passes over a doubled brace.
    fn open_field(&mut self) {
        if self.ahead(1) == Some('{') {
            self.take(2, Kind::Text);
        } else {
            self.open.push(Open::Field(0));
            self.take(1, Kind::Text);
        }
    }

    fn take_comment(&mut self, kind: Kind) {
        while self.ahead(0).is_some_and(|character| character != '\n') {
            self.take(1, kind);
        }
    }

    fn close(&mut self) {
        self.open.pop();
    }

    fn replace_top(&mut self, open: Open) {
        self.close();
        self.open.push(open);
    }

    /// Whether the quotation marks that end `quote` come next.
    fn is_at(&self, quote: Quote) -> bool {
        (0..quote.width()).all(|distance| self.ahead(distance) == Some(quote.mark))
    }

    /// Whether the letters in front of the current quotation mark make the string one with fields.
    fn has_format_prefix(&self) -> bool {
        let before = self.characters.iter().take(self.kinds.len()).rev();
        let mut prefix = before.take_while(|character| is_word(**character));
        prefix.any(|character| matches!(character, 'f' | 'F' | 't' | 'T'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_lines_of_code_are_indented() {
        assert_eq!(indent_code("{\n    1,\n}", "  "), "{\n      1,\n  }");
    }

    #[test]
    fn blank_lines_stay_blank() {
        assert_eq!(indent_code("[\n\n    1,\n]", "  "), "[\n\n      1,\n  ]");
    }

    #[test]
    fn lines_inside_a_triple_quoted_string_stay() {
        let text = "[\n    \"\"\"a\nb \"quoted\" 'c'\n\"\"\",\n    1,\n]";
        assert_eq!(indent_code(text, "  "), "[\n      \"\"\"a\nb \"quoted\" 'c'\n\"\"\",\n      1,\n  ]");
    }

    #[test]
    fn a_line_after_a_continued_string_line_stays() {
        assert_eq!(indent_code("[\n    'a\\\nb',\n    1,\n]", "  "), "[\n      'a\\\nb',\n      1,\n  ]");
    }

    #[test]
    fn a_quotation_mark_in_a_comment_opens_nothing() {
        assert_eq!(indent_code("[  # it's\n    1,\n]", "  "), "[  # it's\n      1,\n  ]");
    }

    #[test]
    fn a_number_sign_in_a_string_is_no_comment() {
        assert_eq!(indent_code("['#', '''\na''',\n    1,\n]", "  "), "['#', '''\na''',\n      1,\n  ]");
    }

    #[test]
    fn a_raw_string_keeps_its_escaped_quotation_mark() {
        assert_eq!(indent_code("[r'\\', ''' '\n]", "  "), "[r'\\', ''' '\n  ]");
    }

    #[test]
    fn a_field_of_an_f_string_may_hold_the_same_quotation_marks() {
        let text = "[f\"{a[\"b\"]:>{width}} {{'\", rf'\\{x}',\n    1,\n]";
        assert_eq!(indent_code(text, "  "), text.replace('\n', "\n  "));
    }

    #[test]
    fn lines_inside_a_field_stay() {
        assert_eq!(
            indent_code("[f'''{\na  # it's\n}''',\n    1,\n]", "  "),
            "[f'''{\na  # it's\n}''',\n      1,\n  ]"
        );
    }

    #[test]
    fn braces_in_a_plain_string_mean_nothing() {
        assert_eq!(indent_code("['{', b'{',\n    1,\n]", "  "), "['{', b'{',\n      1,\n  ]");
    }

    #[test]
    fn a_string_that_never_ends_takes_the_rest() {
        assert_eq!(indent_code("'''a\nb\n", "  "), "'''a\nb\n");
    }

    #[test]
    fn a_generator_without_parentheses_is_told_from_other_comprehensions() {
        assert!(is_bare_generator("str(p) for p in packages"));
        assert!(is_bare_generator("(p)for p in packages"));
        assert!(!is_bare_generator("[p for p in packages]"));
        assert!(!is_bare_generator("*(p for p in packages)"));
        assert!(!is_bare_generator("\" for \""));
        assert!(!is_bare_generator("for_all"));
    }
}
