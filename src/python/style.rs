//! How the user writes: quotes, indentation, line endings.

use rustpython_text_size::Ranged;

use super::{Parsed, TokenKind};

/// The habits of one file, read from its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The quote of the first string that is not triple-quoted and stands in no other; `"` where there is none.
    pub quote: char,
    /// One level of indentation: four spaces where the file has none.
    pub indent_unit: String,
}

impl Style {
    /// Reads the habits of a file.
    pub fn of(parsed: &Parsed, text: &str) -> Self {
        let mut quote = None;
        let mut indent_unit = None;
        // Strings inside of an f-string have the quotes that it leaves.
        let mut depth = 0_usize;
        for token in parsed.tokens() {
            let is_outer = depth == 0;
            match token.kind() {
                TokenKind::FStringStart => depth += 1,
                TokenKind::FStringEnd => depth = depth.saturating_sub(1),
                _ => {}
            }
            match token.kind() {
                TokenKind::String | TokenKind::FStringStart
                    if is_outer && quote.is_none() && !token.is_triple_quoted_string() =>
                {
                    quote = Some(token.string_quote_style().as_char());
                }
                TokenKind::Indent if indent_unit.is_none() => {
                    indent_unit = Some(text[token.range()].trim_start_matches('\u{c}').to_owned());
                }
                _ => {}
            }
            if quote.is_some() && indent_unit.is_some() {
                break;
            }
        }
        Self { quote: quote.unwrap_or('"'), indent_unit: indent_unit.unwrap_or_else(|| "    ".to_owned()) }
    }

    /// Writes a Python string literal that holds `text`, in the file's quotes unless the other kind needs no escapes.
    pub fn string(&self, text: &str) -> String {
        let other = if self.quote == '"' { '\'' } else { '"' };
        let quote = if text.contains(self.quote) && !text.contains(other) { other } else { self.quote };
        let mut literal = String::with_capacity(text.len() + 2);
        literal.push(quote);
        for character in text.chars() {
            match character {
                '\\' => literal.push_str("\\\\"),
                '\n' => literal.push_str("\\n"),
                '\r' => literal.push_str("\\r"),
                '\t' => literal.push_str("\\t"),
                c if c == quote => {
                    literal.push('\\');
                    literal.push(c);
                }
                c if (c as u32) < 0x20 || c == '\u{7f}' => {
                    literal.push_str(&format!("\\x{:02x}", c as u32));
                }
                c => literal.push(c),
            }
        }
        literal.push(quote);
        literal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::parse;

    fn style(text: &str) -> Style {
        Style::of(&parse(text).unwrap(), text)
    }

    #[test]
    fn a_file_without_evidence_has_the_defaults() {
        assert_eq!(style("x = 1\n"), Style { quote: '"', indent_unit: "    ".to_owned() });
    }

    #[test]
    fn the_first_plain_string_and_the_first_indent_decide() {
        assert_eq!(
            style("\"\"\"doc\"\"\"\nx = 'a'\nif x:\n  y = \"b\"\n"),
            Style { quote: '\'', indent_unit: "  ".to_owned() }
        );
    }

    #[test]
    fn a_formatted_string_is_one_and_what_stands_in_it_is_none() {
        assert_eq!(style("x = f\"{a or ''}\"\ny = 'b'\n").quote, '"');
        assert_eq!(style("x = f\"\"\"{a or 'b'}\"\"\"\ny = \"c\"\n").quote, '"');
        assert_eq!(style("x = f'{a}'\ny = \"b\"\n").quote, '\'');
    }

    #[test]
    fn strings_are_escaped_only_where_they_must_be() {
        let style = Style { quote: '"', indent_unit: String::new() };
        assert_eq!(style.string("it's"), r#""it's""#);
        assert_eq!(style.string(r#"say "a""#), r#"'say "a"'"#);
        assert_eq!(style.string("a\\b\n\u{1}\"'"), r#""a\\b\n\x01\"'""#);
    }
}
