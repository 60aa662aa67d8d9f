//! Texts that break the line of the Dockerfile that the SDK writes them to: it quotes packages, and nothing else.
//!
//! ```python
//! image.with_commands(["make\nmake install"])    # `make install` is read as an instruction
//! ```
//!
//! # FM534
//!
//! ## What it does
//!
//! Speaks of a text that breaks the line of the Dockerfile that it is written to: a command of several lines or of none,
//! a variable whose value holds a space outside quotes, a quote that is not closed or a line break, a path with a space,
//! a folder without a name, no packages; of a command that begins with an option such as `--mount`, and of a value in which
//! `$1` or `$$` stands for nothing.
//!
//! ## Why
//!
//! The SDK writes these texts into its Dockerfile as they are. What stands behind the break is read as another
//! instruction, variable or file, and the build fails, or does something else.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_commands(["make\nmake install"]).with_env_vars({"GREETING": "hello world"})
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_commands(["make", "make install"]).with_env_vars({"GREETING": "'hello world'"})
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Lines that end in a backslash, comments between them, and here-documents are read as docker reads them. `image build`
//! quotes all these texts, and runs a command of several lines as a shell does; its builds do not break. The quotes in a
//! value are part of it there, and it says so.
//!
//! ## References
//!
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.

/// What becomes of a command behind `RUN`, if it is not run as a whole.
pub fn command_fault(command: &str) -> Option<String> {
    let mut lines = command.split('\n');
    let mut own = String::new();
    let mut is_open = true;
    while is_open {
        let Some(line) = lines.next() else { return Some("takes in the instruction behind it".to_owned()) };
        if !own.is_empty() && is_left_out(line) {
            continue;
        }
        is_open = continued(line).is_some();
        own.push_str(continued(line).unwrap_or(line));
    }
    let mut lines = lines.map(str::trim_end);
    if own.trim().is_empty() {
        return Some("begins with an empty line, and `RUN` runs nothing".to_owned());
    }
    for end in own.split_whitespace().filter_map(here_document) {
        // Lines of a document are part of the instruction.
        lines.find(|line| line.trim_start_matches('\t') == end);
    }
    let rest = lines.find(|line| !is_left_out(line))?;
    Some(format!("ends at its line break, and `{}` is read as an instruction of its own", rest.trim()))
}

/// The line without the backslash that makes the next one part of it.
pub fn continued(line: &str) -> Option<&str> {
    line.trim_end().strip_suffix('\\').filter(|line| !line.ends_with('\\'))
}

/// Whether a line of a Dockerfile says nothing.
pub fn is_left_out(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The line that ends the here-document which a word begins.
fn here_document(word: &str) -> Option<&str> {
    let name = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let name = name.strip_prefix('-').unwrap_or(name).trim_matches(['"', '\'']);
    (!name.is_empty() && !name.contains('<')).then_some(name)
}

/// A text with its control characters written out.
pub fn shown(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if character.is_control() {
            out.extend(character.escape_debug());
        } else {
            out.push(character);
        }
    }
    out
}

/// Why `ENV NAME=value` does not set the variable to the value.
pub fn value_fault(value: &str) -> Option<&'static str> {
    let mut quote = None;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (_, '\n') => return Some("holds a line break, at which the value ends"),
            (None | Some('"'), '\\') => match characters.next() {
                None => return Some("ends in a backslash, and takes in the line behind it"),
                Some('\n') => return Some("holds a line break, at which the value ends"),
                Some(_) => {}
            },
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, c) if c.is_whitespace() => {
                return Some("holds a space outside quotes, at which the value ends");
            }
            _ => {}
        }
    }
    quote.map(|_| "holds a quote that is not closed")
}

/// A part of a value as `ENV NAME=value` reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Characters.
    Text(String),
    /// What follows `$`, without braces.
    Variable(String),
}

/// What `ENV NAME=value` reads in a value: quotes and backslashes go, `$1` and `$$` are variables as `$NAME` is.
///
/// The source is `frontend/dockerfile/shell/lex.go` of `BuildKit`.
pub fn value_pieces(value: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut quote = None;
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        let behind = &rest[character.len_utf8()..];
        rest = behind;
        match (quote, character) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None | Some('"'), '$') => match variable(behind) {
                Some((name, length)) => {
                    push_text(&mut pieces, &mut text);
                    pieces.push(Piece::Variable(name.to_owned()));
                    rest = &behind[length..];
                }
                None => text.push('$'),
            },
            (None | Some('"'), '\\') => {
                let next = behind.chars().next();
                let is_escape = quote.is_none() || matches!(next, Some('"' | '$' | '\\'));
                if !is_escape {
                    text.push('\\');
                }
                text.extend(next);
                rest = &behind[next.map_or(0, char::len_utf8)..];
            }
            (_, other) => text.push(other),
        }
    }
    push_text(&mut pieces, &mut text);
    pieces
}

fn push_text(pieces: &mut Vec<Piece>, text: &mut String) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
}

/// The variable that `$` with this behind it stands for, and how much of it is its name.
fn variable(behind: &str) -> Option<(&str, usize)> {
    if let Some(braced) = behind.strip_prefix('{') {
        let end = braced.find('}')?;
        return Some((&braced[..end], end + 2));
    }
    let is_other = |c: char| !c.is_alphanumeric() && c != '_';
    let length = match behind.chars().next()? {
        first if first.is_ascii_digit() => behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len()),
        first if is_special(first) => first.len_utf8(),
        _ => behind.find(is_other).unwrap_or(behind.len()),
    };
    (length > 0).then_some((&behind[..length], length))
}

/// Whether a character alone names a variable of the shell, which a Dockerfile never sets.
fn is_special(character: char) -> bool {
    matches!(character, '@' | '*' | '#' | '?' | '-' | '$' | '!')
}

/// The first `$1` or `$$` of a value, of which nothing remains.
pub fn lost_variable(value: &str) -> Option<String> {
    value_pieces(value).into_iter().find_map(|piece| match piece {
        Piece::Variable(name)
            if name.starts_with(|first: char| first.is_ascii_digit() || is_special(first)) =>
        {
            Some(format!("${name}"))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_where_its_line_does() {
        for whole in [
            "echo a",
            "echo a\n",
            "echo a\n# why\n\n",
            "echo a \\\n echo b",
            "echo a && \\\n# why\n\n echo b",
            "cat <<EOF > /x\nhello\nEOF",
            "cat <<-'E' <<\"F\" 3<<G\na\n\tE\nb\nF\nc\nG\n# end",
            "echo '\\\\n'",
        ] {
            assert_eq!(command_fault(whole), None, "{whole}");
        }
        for (broken, part) in [
            ("echo a\necho b", "`echo b`"),
            ("echo a \\\\\necho b", "`echo b`"),
            ("echo a\nRUN echo b", "`RUN echo b`"),
            ("echo 'a\nb'", "`b'`"),
            ("cat << EOF > /x\nhello\nEOF", "`hello`"),
            ("cat <<EOF\nhello\nEOF\necho b", "`echo b`"),
            ("cat <<<a\nb", "`b`"),
            ("echo a \\", "takes in"),
            ("", "empty"),
            ("\necho a", "empty"),
        ] {
            let fault = command_fault(broken).unwrap_or_default();
            assert!(fault.contains(part), "{broken}: {fault}");
        }
    }

    #[test]
    fn pieces_are_those_of_a_dockerfile() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let variable = |name: &str| Piece::Variable(name.to_owned());
        for (value, pieces) in [
            ("a$B:/x", vec![text("a"), variable("B"), text(":/x")]),
            ("\\$A", vec![text("$A")]),
            ("'$A'\"it's\"", vec![text("$Ait's")]),
            ("\"a\\b\\$\"", vec![text("a\\b$")]),
            ("a\\b", vec![text("ab")]),
            ("$1x", vec![variable("1"), text("x")]),
            ("p$$w$", vec![text("p"), variable("$"), text("w$")]),
            ("${A:-x}y$.", vec![variable("A:-x"), text("y$.")]),
        ] {
            assert_eq!(value_pieces(value), pieces, "{value}");
        }
        assert_eq!(lost_variable("p$$w").as_deref(), Some("$$"));
        assert_eq!(lost_variable("$A1 '$1'"), None);
    }

    #[test]
    fn a_value_ends_at_a_space_outside_quotes() {
        for whole in ["", "a", "'a b'", "\"a b\"c", "a\\ b", "$A:/x", "\"it's\"", "a\\\\", "'\\'"] {
            assert_eq!(value_fault(whole), None, "{whole}");
        }
        for (broken, part) in [
            ("a b", "space"),
            ("a ", "space"),
            ("{\"a\": 1}", "space"),
            ("it's", "not closed"),
            ("a\nb", "line break"),
            ("'a\nb'", "line break"),
            ("a\\\nb", "line break"),
            ("a\\", "backslash"),
        ] {
            assert!(value_fault(broken).is_some_and(|fault| fault.contains(part)), "{broken}");
        }
    }
}
