//! `.dockerignore` as the SDK reads it when it computes the identity of an image.
//!
//! ```text
//! **/*.pyc
//! data
//! !data/labels.csv
//! ```
//!
//! The rules are those of `PatternMatcher` in `flyte/_internal/imagebuild/docker.py`, flyte 2.12.1, which differ from
//! Docker's: letters of either case match, and a file below an excluded folder is found through the folder's own path.

use std::path::Path;

use super::disk::Disk;
use super::path;

/// The `.dockerignore` of a folder.
#[derive(Debug, Clone)]
pub struct DockerIgnoreFile {
    root: String,
    /// `None` if there is no file, or nothing in it: then nothing is left out.
    patterns: Option<Vec<Pattern>>,
}

#[derive(Debug, Clone)]
struct Pattern {
    is_exception: bool,
    parts: usize,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// `*`: anything but `/`
    Star,
    /// `**`: whole folders, also none
    Folders,
    /// `**` at the end: anything
    Rest,
    /// `?`
    Any,
    /// `[a-z]`
    Class {
        is_negated: bool,
        ranges: Vec<(char, char)>,
    },
    Char(char),
}

impl DockerIgnoreFile {
    /// Reads the `.dockerignore` in `root`.
    pub fn read(root: &str, disk: &Disk) -> Self {
        let text = disk.read_text(Path::new(&path::join(root, ".dockerignore")));
        let patterns = text.ok().map(|text| {
            let lines = python_lines(&text).into_iter().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            lines.map(Pattern::new).collect::<Vec<_>>()
        });
        let patterns = patterns.filter(|patterns| !patterns.is_empty());
        Self { root: path::normalize(root), patterns: patterns.map(complete) }
    }

    /// Whether `place` is left out. What does not lie below the folder, as the paths are written, is not.
    pub fn is_ignored(&self, place: &str) -> bool {
        let Some(patterns) = &self.patterns else { return false };
        relative_to(place, &self.root).is_some_and(|relative| matches(patterns, relative))
    }
}

/// Lines of a text file, as Python gives them.
fn python_lines(text: &str) -> Vec<&str> {
    text.split(['\n', '\r']).collect()
}

fn complete(patterns: Vec<Pattern>) -> Vec<Pattern> {
    let mut patterns: Vec<Pattern> = patterns.into_iter().filter(|pattern| pattern.parts > 0).collect();
    patterns.push(Pattern::new("!.dockerignore"));
    patterns
}

/// `Path(place).relative_to(root)`: by the parts of the paths alone.
fn relative_to<'p>(place: &'p str, root: &str) -> Option<&'p str> {
    match root {
        "." if place == "." => Some("."),
        "." => (!place.starts_with('/')).then_some(place),
        "/" => place.strip_prefix('/'),
        _ => match place.strip_prefix(root)? {
            "" => Some("."),
            rest => rest.strip_prefix('/'),
        },
    }
}

fn matches(patterns: &[Pattern], place: &str) -> bool {
    let folder = place.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folders: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let mut is_ignored = false;
    for pattern in patterns {
        let is_match = pattern.is_match(place)
            || (!folder.is_empty()
                && pattern.parts <= folders.len()
                && pattern.is_match(&folders[..pattern.parts].join("/")));
        if is_match {
            is_ignored = !pattern.is_exception;
        }
    }
    is_ignored
}

impl Pattern {
    fn new(text: &str) -> Self {
        let (is_exception, text) = text.strip_prefix('!').map_or((false, text), |text| (true, text));
        let mut parts: Vec<&str> = Vec::new();
        for part in text.trim().split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                parts.pop();
            } else {
                parts.push(part);
            }
        }
        Self { is_exception, parts: parts.len(), tokens: tokens(&parts.join("/").to_lowercase()) }
    }

    fn is_match(&self, place: &str) -> bool {
        let place: Vec<char> = place.to_lowercase().chars().collect();
        is_match(&self.tokens, &place)
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '*' if chars.get(at) == Some(&'*') => {
                at += 1;
                if chars.get(at) == Some(&'/') {
                    at += 1;
                }
                tokens.push(if at >= chars.len() { Token::Rest } else { Token::Folders });
            }
            '*' => tokens.push(Token::Star),
            '?' => tokens.push(Token::Any),
            '[' => {
                let mut end = at;
                if chars.get(end) == Some(&'!') {
                    end += 1;
                }
                if chars.get(end) == Some(&']') {
                    end += 1;
                }
                while chars.get(end).is_some_and(|&c| c != ']') {
                    end += 1;
                }
                if end >= chars.len() {
                    tokens.push(Token::Char('['));
                } else {
                    tokens.push(class(&chars[at..end]));
                    at = end + 1;
                }
            }
            c => tokens.push(Token::Char(c)),
        }
    }
    tokens
}

fn class(inside: &[char]) -> Token {
    let (is_negated, inside) = match inside {
        ['!', rest @ ..] => (true, rest),
        _ => (false, inside),
    };
    let mut ranges = Vec::new();
    let mut rest = inside;
    while let [first, tail @ ..] = rest {
        if let ['-', last, tail @ ..] = tail {
            ranges.push((*first, *last));
            rest = tail;
        } else {
            ranges.push((*first, *first));
            rest = tail;
        }
    }
    Token::Class { is_negated, ranges }
}

fn is_match(tokens: &[Token], text: &[char]) -> bool {
    let Some((token, rest)) = tokens.split_first() else { return text.is_empty() };
    match token {
        Token::Rest => true,
        Token::Star => {
            let length = text.iter().take_while(|&&c| c != '/').count();
            (0..=length).any(|taken| is_match(rest, &text[taken..]))
        }
        Token::Folders => {
            let folders = (0..text.len()).filter(|&at| text[at] == '/').map(|at| at + 1);
            std::iter::once(0).chain(folders).any(|taken| is_match(rest, &text[taken..]))
        }
        _ => {
            let Some((&c, text)) = text.split_first() else { return false };
            let is_one = match token {
                Token::Any => c != '/',
                Token::Char(expected) => c == *expected,
                Token::Class { is_negated, ranges } => {
                    ranges.iter().any(|&(first, last)| (first..=last).contains(&c)) != *is_negated
                }
                Token::Star | Token::Folders | Token::Rest => false,
            };
            is_one && is_match(rest, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignores(lines: &[&str], place: &str) -> bool {
        matches(&complete(lines.iter().map(|line| Pattern::new(line)).collect()), place)
    }

    #[test]
    fn a_pattern_begins_at_the_folder_of_the_file() {
        assert!(ignores(&["*.pyc"], "a.pyc"));
        assert!(!ignores(&["*.pyc"], "pkg/a.pyc"));
        assert!(ignores(&["**/*.pyc"], "pkg/deep/a.pyc"));
        assert!(ignores(&["**/*.pyc"], "a.pyc"));
        assert!(ignores(&["/data/"], "data"));
    }

    #[test]
    fn what_lies_below_an_excluded_folder_is_excluded() {
        assert!(ignores(&["data"], "data/x/y.csv"));
        assert!(!ignores(&["data", "!data/labels.csv"], "data/labels.csv"));
        assert!(ignores(&["a/**"], "a/b/c"));
        assert!(!ignores(&["*"], ".dockerignore"));
    }

    #[test]
    fn classes_and_letter_case_are_those_of_the_sdk() {
        assert!(ignores(&["DATA[0-9]"], "data7"));
        assert!(ignores(&["x[!a]"], "xb"));
        assert!(!ignores(&["x[!a]"], "xa"));
        assert!(ignores(&["x[y"], "x[y"));
        assert!(!ignores(&["a?c"], "a/c"));
    }

    #[test]
    fn paths_are_compared_by_their_parts() {
        assert_eq!(relative_to("a/b/c", "a/b"), Some("c"));
        assert_eq!(relative_to("a/bc", "a/b"), None);
        assert_eq!(relative_to("data/x", "."), Some("data/x"));
        assert_eq!(relative_to("data/x", "/p"), None);
    }
}
