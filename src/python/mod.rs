//! The only facade over the parser: everything that the rest of the crate knows of a Python file.
//!
//! [`parse`] gives a [`Parsed`] tree with its tokens, [`scope`] resolves names, [`value`] reads literals,
//! [`items`] finds the comments around arguments, [`style`] tells how the user writes.

pub mod annotation;
pub mod items;
pub mod module_path;
pub mod module_value;
pub mod possible;
mod quoted;
pub mod scope;
pub mod style;
pub mod value;

pub use rustpython_ast as ast;
pub use rustpython_ast::token::{TokenKind, Tokens};
pub use rustpython_text_size::Ranged;

use std::sync::atomic::{AtomicUsize, Ordering};

use rustpython_parser::{Mode, ParseOptions};

use crate::source::{TextRange, TextSize};

/// The stack that parsing and walking need: 1,000 nested brackets overflow the usual 2 MiB.
pub const STACK_SIZE: usize = 256 << 20;

/// A syntax tree, and the tokens it was made from.
#[derive(Debug)]
pub struct Parsed {
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// What the parser made.
    Plain(rustpython_parser::Parsed<ast::ModModule>),
    /// A tree in which types in quotes stand as if the quotes were not there, and where they stand.
    Unquoted { module: ast::ModModule, tokens: Tokens, types: Vec<TextRange> },
}

impl Parsed {
    fn of(parsed: rustpython_parser::Parsed<ast::ModModule>, text: &str) -> Self {
        if !quoted::may_be_in(parsed.suite(), text) {
            return Self { source: Source::Plain(parsed) };
        }
        let tokens = parsed.tokens().clone();
        let mut module = parsed.into_syntax();
        let types = quoted::unquote(&mut module, text);
        Self { source: Source::Unquoted { module, tokens, types } }
    }

    /// The statements of the module.
    pub fn body(&self) -> &[ast::Stmt] {
        match &self.source {
            Source::Plain(parsed) => parsed.suite(),
            Source::Unquoted { module, .. } => &module.body,
        }
    }

    /// All tokens, comments included.
    pub fn tokens(&self) -> &Tokens {
        match &self.source {
            Source::Plain(parsed) => parsed.tokens(),
            Source::Unquoted { tokens, .. } => tokens,
        }
    }

    /// The types that stand in quotes: `FlyteFile` of `List["FlyteFile"]`. They name what the module has at its end.
    pub fn unquoted(&self) -> &[TextRange] {
        match &self.source {
            Source::Plain(_) => &[],
            Source::Unquoted { types, .. } => types,
        }
    }
}

/// How many bytes of source may still keep their syntax trees: trees are some twenty times as large as their texts.
#[derive(Debug)]
pub struct TreeBudget(AtomicUsize);

impl TreeBudget {
    /// A budget of so many bytes of source.
    pub fn new(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    /// Takes `bytes` off, if as many are left.
    pub fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// A syntax tree that was kept, or one that was made again.
#[derive(Debug)]
pub enum Tree<'f> {
    /// That of the first reading.
    Kept(&'f Parsed),
    /// One that goes with its user.
    Made(Parsed),
}

impl std::ops::Deref for Tree<'_> {
    type Target = Parsed;

    fn deref(&self) -> &Parsed {
        match self {
            Self::Kept(parsed) => parsed,
            Self::Made(parsed) => parsed,
        }
    }
}

/// Why a file has no syntax tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where the parser stopped.
    pub range: TextRange,
    /// What it says.
    pub message: String,
}

/// Parses a module.
///
/// # Errors
/// The first [`SyntaxError`]; a tree recovered from an error is never handed out, because edits in it would be guesses.
pub fn parse(text: &str) -> Result<Parsed, SyntaxError> {
    // Python refuses NUL bytes anywhere; the parser takes them inside comments and strings.
    if let Some(at) = memchr::memchr(0, text.as_bytes()) {
        let range = TextRange::at(TextSize::of(&text[..at]), TextSize::from(1));
        return Err(SyntaxError { range, message: "source code cannot contain null bytes".to_owned() });
    }
    let parsed = rustpython_parser::parse_unchecked(text, ParseOptions::from(Mode::Module));
    if let Some(error) = parsed.errors().first() {
        return Err(SyntaxError { range: error.location, message: error.error.to_string() });
    }
    match parsed.try_into_module() {
        Some(parsed) => Ok(Parsed::of(parsed, text)),
        None => Err(SyntaxError { range: TextRange::default(), message: "not a module".to_owned() }),
    }
}

/// Parses a module as if the statements at `left_out` were comments: what is left has its places, and costs no more
/// than itself.
///
/// # Errors
/// As [`parse`].
pub fn parse_without(text: &str, left_out: impl Iterator<Item = TextRange>) -> Result<Parsed, SyntaxError> {
    let mut rest = String::with_capacity(text.len());
    for range in left_out.filter(|range| !range.is_empty()) {
        rest.push_str(&text[rest.len()..usize::from(range.start())]);
        rest.push('#');
        rest.extend(std::iter::repeat_n(' ', usize::from(range.len()) - 1));
    }
    rest.push_str(&text[rest.len()..]);
    parse(&rest)
}

/// Whether a statement is the `__main__` block of its module.
pub fn is_main_block(statement: &str) -> bool {
    statement
        .strip_prefix("if")
        .is_some_and(|test| test.trim_start_matches([' ', '(']).starts_with("__name__"))
}

/// What a line of a text seems to import: dots, module, and the names behind `import`.
pub type RoughImport = (u32, String, Vec<String>);

/// What the lines of a text seem to import, for files that are not, or cannot be, parsed.
pub fn rough_imports(text: &[u8]) -> Vec<RoughImport> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let lines = lines.filter(|line| line.starts_with(b"from ") || line.starts_with(b"import "));
    lines.filter_map(|line| rough_import(std::str::from_utf8(line).ok()?)).flatten().collect()
}

fn rough_import(line: &str) -> Option<Vec<RoughImport>> {
    let names = |list: &str| -> Vec<String> {
        list.split([',', '(', ')', '#', ';'])
            .filter_map(|name| name.split_whitespace().next())
            .map(str::to_owned)
            .collect()
    };
    if let Some(modules) = line.strip_prefix("import ") {
        return Some(names(modules).into_iter().map(|module| (0, module, Vec::new())).collect());
    }
    let (module, list) = line.strip_prefix("from ")?.split_once(" import")?;
    let module = module.trim();
    let name = module.trim_start_matches('.');
    let level = u32::try_from(module.len() - name.len()).ok()?;
    Some(vec![(level, name.to_owned(), names(list))])
}
