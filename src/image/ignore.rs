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

use std::io;
use std::path::Path;

use super::disk::Disk;
use super::path;

/// What the SDK leaves out of projects that are installed in place, besides the patterns of the user.
pub const STANDARD_PATTERNS: [&str; 27] = [
    ".git",
    "*.pyc",
    "**/*.pyc",
    "__pycache__",
    "**/__pycache__",
    ".cache",
    ".cache/*",
    ".ruff_cache",
    "**/.ruff_cache",
    ".mypy_cache",
    "**/.mypy_cache",
    ".pytest_cache",
    "**/.pytest_cache",
    ".venv",
    "**/.venv",
    ".idea",
    "**/.idea",
    "venv",
    "env",
    "*.log",
    ".env",
    "*.egg-info",
    "**/*.egg-info",
    "*.egg",
    "dist",
    "build",
    "*.whl",
];

/// Patterns in the order in which they are given; the last one that matches decides.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    patterns: Vec<Pattern>,
}

impl Patterns {
    /// The patterns of a file: a line each, without comments and empty lines.
    pub fn read(text: &str) -> Self {
        Self::new(lines(text))
    }

    /// The patterns as they are given, and that a `.dockerignore` is kept.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let patterns = patterns.into_iter().map(Pattern::new).filter(|pattern| pattern.parts > 0);
        Self { patterns: patterns.chain([Pattern::new("!.dockerignore")]).collect() }
    }

    /// Whether a path, which counts from the folder that the patterns are for, is left out.
    pub fn is_ignored(&self, place: &str) -> bool {
        matches(&self.patterns, place)
    }

    /// The files below a folder that are not left out, sorted, with paths from it.
    ///
    /// Links to files are files; links to folders are not followed.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn files(&self, root: &Path, disk: &Disk) -> io::Result<Vec<String>> {
        let mut files = Vec::new();
        self.collect(root, "", disk, &mut files)?;
        files.sort();
        Ok(files)
    }

    fn collect(&self, folder: &Path, prefix: &str, disk: &Disk, files: &mut Vec<String>) -> io::Result<()> {
        for entry in disk.list(folder)? {
            let place = folder.join(&entry.name);
            let path = format!("{prefix}{}", entry.name);
            let is_ignored = self.is_ignored(&path);
            if entry.is_folder && !entry.is_link {
                if !is_ignored || self.keeps_something_below(&path) {
                    self.collect(&place, &format!("{path}/"), disk, files)?;
                }
            } else if !is_ignored && disk.is_file(&place) {
                files.push(path);
            }
        }
        Ok(())
    }

    /// Whether a pattern with `!` may bring something in a folder back.
    fn keeps_something_below(&self, path: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_exception && pattern.text.starts_with(path))
    }
}

/// The `.dockerignore` of a folder.
#[derive(Debug, Clone)]
pub struct DockerIgnoreFile {
    root: String,
    /// `None` if there is no file, or nothing in it: then nothing is left out.
    patterns: Option<Patterns>,
}

#[derive(Debug, Clone)]
struct Pattern {
    is_exception: bool,
    /// Without `!`, and without what means nothing in a path.
    text: String,
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
        let patterns = text.ok().map(|text| Patterns::read(&text));
        // One is the pattern that is always there.
        let patterns = patterns.filter(|patterns| patterns.patterns.len() > 1);
        Self { root: path::normalize(root), patterns }
    }

    /// Whether `place` is left out. What does not lie below the folder, as the paths are written, is not.
    pub fn is_ignored(&self, place: &str) -> bool {
        let Some(patterns) = &self.patterns else { return false };
        relative_to(place, &self.root).is_some_and(|relative| patterns.is_ignored(relative))
    }
}

/// The lines of a `.dockerignore` that are patterns.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = python_lines(text).into_iter().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Lines of a text file, as Python gives them.
fn python_lines(text: &str) -> Vec<&str> {
    text.split(['\n', '\r']).collect()
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
        let text = parts.join("/");
        Self { is_exception, parts: parts.len(), tokens: tokens(&text.to_lowercase()), text }
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
        Patterns::new(lines.iter().copied()).is_ignored(place)
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
    fn files_of_ignored_folders_can_be_kept() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["data/keep.csv", "data/x.csv", "a/deep/b.py", "c.pyc", "empty/.x"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let disk = Disk::new(folder.path().to_path_buf());
        let files = |text: &str| Patterns::read(text).files(Path::new("."), &disk).unwrap();
        assert_eq!(files("data\n!data/keep.csv\n*.pyc\nempty"), ["a/deep/b.py", "data/keep.csv"]);
        assert_eq!(files("").len(), 5);
    }

    #[test]
    fn paths_are_compared_by_their_parts() {
        assert_eq!(relative_to("a/b/c", "a/b"), Some("c"));
        assert_eq!(relative_to("a/bc", "a/b"), None);
        assert_eq!(relative_to("data/x", "."), Some("data/x"));
        assert_eq!(relative_to("data/x", "/p"), None);
    }
}
