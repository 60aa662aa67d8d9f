//! Words of shells and of Dockerfiles: whatever the code holds stays a value, wherever it is written.
//!
//! ```python
//! image.with_pip_packages("x; rm -rf /")     # one argument of uv, no second command
//! ```
//!
//! `$NAME` and `${NAME}` are kept where SDK 2.12.1 lets them be expanded; nothing else of the shell's syntax is.

use std::fmt::Write as _;

use super::line::{continued, is_left_out};

/// A part of a text: characters, or a variable that is to be expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Characters as they are.
    Literal(&'a str),
    /// What follows `$`, without braces: `NAME`, `NAME:-default`.
    Reference(&'a str),
}

/// Splits a text at its references to variables; `\$` is a dollar sign.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("\\$") {
            push_literal(&mut parts, &text[start..at]);
            (start, at) = (at + 1, at + 2);
        } else if let Some((name, length)) = reference(rest) {
            push_literal(&mut parts, &text[start..at]);
            parts.push(Part::Reference(name));
            at += length;
            start = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    push_literal(&mut parts, &text[start..]);
    parts
}

fn push_literal<'a>(parts: &mut Vec<Part<'a>>, text: &'a str) {
    if !text.is_empty() {
        parts.push(Part::Literal(text));
    }
}

/// The reference that a text begins with, and its length.
fn reference(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix('$')?;
    if let Some(braced) = rest.strip_prefix('{') {
        let end = braced.find('}')?;
        let inside = &braced[..end];
        let name = name_length(inside);
        let is_plain = name == inside.len() || is_default(&inside[name..]);
        return (name > 0 && is_plain).then_some((inside, end + 3));
    }
    let name = name_length(rest);
    (name > 0).then_some((&rest[..name], name + 1))
}

/// `:-word` and `:+word`, which Dockerfiles and shells read alike.
fn is_default(text: &str) -> bool {
    text.strip_prefix(":-").or_else(|| text.strip_prefix(":+")).is_some_and(is_harmless)
}

fn name_length(text: &str) -> usize {
    let is_start = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let end = text.find(|other: char| !other.is_ascii_alphanumeric() && other != '_').unwrap_or(text.len());
    if is_start { end } else { 0 }
}

/// Whether every character means itself in a shell, in a Dockerfile and in an option of `RUN`.
pub fn is_harmless(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-:@+".contains(&byte))
}

/// A word of a shell that is nothing but this text; `None` if it holds a NUL byte.
pub fn word(text: &str) -> Option<String> {
    shlex::try_quote(text).ok().map(std::borrow::Cow::into_owned)
}

/// A word of a shell in which variables are expanded, without being split.
pub fn expanding_word(text: &str) -> Option<String> {
    let mut out = String::new();
    for part in parts(text) {
        match part {
            Part::Literal(literal) => out.push_str(&word(literal)?),
            Part::Reference(name) => {
                let _ = write!(out, "\"${{{name}}}\"");
            }
        }
    }
    if out.is_empty() { word(text) } else { Some(out) }
}

/// A script as it stands behind `RUN`, on one line: the parser of Dockerfiles finds nothing in it.
pub fn run_script(script: &str) -> String {
    if is_one_plain_line(script) {
        return script.to_owned();
    }
    let encoded: String = script
        .chars()
        .map(|character| match character {
            '\\' | '\'' | '\u{0}'..='\u{1f}' | '\u{7f}' => format!("\\0{:03o}", u32::from(character)),
            other => other.to_string(),
        })
        .collect();
    // The shell of the image runs it, as it would run the lines themselves.
    format!("eval \"$(printf '%b' '{encoded}')\"")
}

fn is_one_plain_line(script: &str) -> bool {
    let has_control = script.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f);
    !has_control
        && !script.starts_with(['[', '-', '#', ' ', '\t'])
        && !script.trim_end().ends_with('\\')
        && !script.contains("<<")
}

/// A command of the user as one script: lines that end in `\` go on in the next, as in a Dockerfile.
///
/// Dockerfiles leave comments and empty lines between such lines out, which a shell would not.
pub fn joined_lines(command: &str) -> String {
    let mut joined = String::new();
    let mut lines = command.lines().peekable();
    while let Some(line) = lines.next() {
        // A backslash in front of it makes it one of the line.
        let continued = continued(line);
        joined.push_str(continued.unwrap_or(line));
        while lines.peek().is_some_and(|next| continued.is_some() && is_left_out(next)) {
            lines.next();
        }
        if continued.is_none() && lines.peek().is_some() {
            // Several commands: the shell reads them as they are.
            return command.to_owned();
        }
    }
    joined
}

/// A value in double quotes, as `ENV` and `WORKDIR` take it: variables are expanded, nothing else means anything.
///
/// `control` writes a control character, which a Dockerfile cannot hold.
pub fn quoted_value(text: &str, mut control: impl FnMut(char) -> String) -> String {
    let mut out = String::from("\"");
    for part in parts(text) {
        match part {
            Part::Reference(name) => {
                let _ = write!(out, "${{{name}}}");
            }
            Part::Literal(literal) => {
                for character in literal.chars() {
                    match character {
                        '"' | '\\' | '$' => out.extend(['\\', character]),
                        '\t' => out.push(character),
                        other if other.is_control() => out.push_str(&control(other)),
                        other => out.push(other),
                    }
                }
            }
        }
    }
    out.push('"');
    out
}

/// An element of the JSON form of `COPY`: variables are expanded, nothing else means anything.
pub fn json_path(text: &str) -> String {
    let mut out = String::new();
    for part in parts(text) {
        match part {
            Part::Reference(name) => {
                let _ = write!(out, "${{{name}}}");
            }
            Part::Literal(literal) => {
                for character in literal.chars() {
                    if matches!(character, '"' | '\'' | '\\' | '$') {
                        out.push('\\');
                    }
                    out.push(character);
                }
            }
        }
    }
    serde_json::Value::String(out).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_dollar_signs() {
        use Part::{Literal, Reference};
        assert_eq!(
            parts("/opt/bin:$PATH:${A}x"),
            [Literal("/opt/bin:"), Reference("PATH"), Literal(":"), Reference("A"), Literal("x")]
        );
        assert_eq!(parts("${A:-b/c}"), [Reference("A:-b/c")]);
        for text in ["$", "$$", "$(rm)", "$1", "${", "${}", "${A", "${A:-$(rm)}", "${A%b}", "${A:?b}"] {
            assert!(parts(text).iter().all(|part| matches!(part, Literal(_))), "{text}");
        }
        assert_eq!(parts("a\\$B"), [Literal("a"), Literal("$B")]);
        assert_eq!(parts("é$Bé"), [Literal("é"), Reference("B"), Literal("é")]);
        assert_eq!(parts(""), []);
    }

    #[test]
    fn words_expand_variables_and_nothing_else() {
        assert_eq!(
            expanding_word("https://$USER:${PASS}@h/s").unwrap(),
            "https://\"${USER}\":\"${PASS}\"@h/s"
        );
        assert_eq!(expanding_word("$(id) $A;").unwrap(), "'$(id) '\"${A}\"';'");
        assert_eq!(expanding_word("").unwrap(), "''");
        assert_eq!(word("a\0b"), None);
    }

    #[test]
    fn scripts_stay_on_one_line() {
        assert_eq!(run_script("echo hi > /a"), "echo hi > /a");
        assert_eq!(run_script("a\n'b\\"), "eval \"$(printf '%b' 'a\\0012\\0047b\\0134')\"");
        for script in ["cat <<EOF", "--mount=x", "[\"a\"]", "# x", "a\rb", "a \\", "a \\ "] {
            assert!(run_script(script).starts_with("eval "), "{script}");
        }
    }

    #[test]
    fn continued_lines_are_joined_as_in_a_dockerfile() {
        assert_eq!(joined_lines("a \\\n  b"), "a   b");
        assert_eq!(joined_lines("a && \\\n# why\n\n  b \\\nc"), "a &&   b c");
        assert_eq!(joined_lines("a \\\nb\nc"), "a \\\nb\nc");
        assert_eq!(joined_lines("a\\\\\nb"), "a\\\\\nb");
        assert_eq!(joined_lines("a"), "a");
    }

    #[test]
    fn values_and_paths_are_quoted() {
        let hex = |character| format!("${{C{:X}}}", u32::from(character));
        assert_eq!(quoted_value("a \"b\" \\c $$ $D\n", hex), "\"a \\\"b\\\" \\\\c \\$\\$ ${D}${CA}\"");
        assert_eq!(json_path("/a b/'$x\"$(y)"), "\"/a b/\\\\'${x}\\\\\\\"\\\\$(y)\"");
    }
}
