//! Where new imports go in a block of imports that is sorted, so that it stays sorted.
//!
//! ```python
//! import flyte                            # comes above
//! import pandas as pd
//! from flytekit import task, workflow     # goes
//! ```

use std::ops::Range;

use super::imports::{ImportChanges, anchor};
use crate::python::items::{line_start, next_line_start};
use crate::python::scope::{ImportId, ImportStatement, Module};
use crate::source::TextRange;

/// How isort and ruff sort a block of imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// `import …` above `from …`, each by the name of the module: the default.
    KindFirst,
    /// By the name of the module (`force-sort-within-sections`).
    ByName,
}

impl Order {
    /// The order that a block has.
    fn of(block: &[ImportStatement]) -> Option<Self> {
        let is_in = |order: &Self| block.iter().map(|import| order.key(&key(import))).is_sorted();
        [Self::KindFirst, Self::ByName].into_iter().find(is_in)
    }

    fn key(self, (is_from, name): &(bool, String)) -> (bool, String, bool) {
        match self {
            Self::KindFirst => (*is_from, name.clone(), false),
            Self::ByName => (false, name.clone(), *is_from),
        }
    }
}

/// What an import is sorted by.
fn key(import: &ImportStatement) -> (bool, String) {
    match &import.from {
        Some((level, module)) => (true, format!("{}{}", ".".repeat(*level as usize), module.to_lowercase())),
        None => (false, import.aliases.first().map(|alias| alias.name.to_lowercase()).unwrap_or_default()),
    }
}

/// The same of a line.
fn key_of_line(line: &str) -> (bool, String) {
    let name = line.split_whitespace().nth(1).unwrap_or_default();
    (line.starts_with("from "), name.to_lowercase())
}

/// Takes the lines out of what comes in the place of the anchor that a sorted block wants elsewhere.
pub(super) fn spread(text: &str, module: &Module, changes: &mut ImportChanges) {
    let Some(anchor) = anchor(module, changes.removed.keys()) else { return };
    // Other blocks come with blank lines between them.
    if changes.added.iter().any(String::is_empty) || module.imports[anchor].shares_line {
        return;
    }
    let block = block_of(text, module, anchor);
    let Some(order) = Order::of(&module.imports[block.clone()]) else { return };
    for line in std::mem::take(&mut changes.added) {
        let own = order.key(&key_of_line(&line));
        let next = block.clone().find(|&id| order.key(&key(&module.imports[id])) > own);
        let slot = next.unwrap_or(block.end);
        let goes = |id: ImportId| {
            changes.removed.get(&id).is_some_and(|gone| gone.len() == module.imports[id].aliases.len())
        };
        if slot >= anchor && (anchor..slot).all(goes) {
            changes.added.push(line);
        } else if let Some(next) = next {
            changes.above.entry(next).or_default().insert(line);
        } else {
            changes.behind.entry(block.end - 1).or_default().insert(line);
        }
    }
}

/// The imports around one, without anything between them.
fn block_of(text: &str, module: &Module, id: ImportId) -> Range<ImportId> {
    let is_joined = |first: ImportId, second: ImportId| {
        let (Some(above), Some(below)) = (module.imports.get(first), module.imports.get(second)) else {
            return false;
        };
        let end = next_line_start(text, above.range.end());
        let start = line_start(text, below.range.start());
        let is_plain = |import: &ImportStatement| import.is_top_level && !import.shares_line;
        is_plain(above) && is_plain(below) && end <= start && text[TextRange::new(end, start)].is_empty()
    };
    let mut block = id..id + 1;
    while block.start > 0 && is_joined(block.start - 1, block.start) {
        block.start -= 1;
    }
    while is_joined(block.end - 1, block.end) {
        block.end += 1;
    }
    block
}

/// Whether a module is of the standard library of any Python from 3.9 on.
pub(super) fn is_in_standard_library(module: &str) -> bool {
    let root = module.split('.').next().unwrap_or_default();
    STANDARD_LIBRARY.binary_search(&root).is_ok()
}

/// The modules of the standard library, in order.
const STANDARD_LIBRARY: [&str; 215] = [
    "__future__",
    "abc",
    "aifc",
    "argparse",
    "array",
    "ast",
    "asynchat",
    "asyncio",
    "asyncore",
    "atexit",
    "audioop",
    "base64",
    "bdb",
    "binascii",
    "bisect",
    "builtins",
    "bz2",
    "cProfile",
    "calendar",
    "cgi",
    "cgitb",
    "chunk",
    "cmath",
    "cmd",
    "code",
    "codecs",
    "codeop",
    "collections",
    "colorsys",
    "compileall",
    "concurrent",
    "configparser",
    "contextlib",
    "contextvars",
    "copy",
    "copyreg",
    "crypt",
    "csv",
    "ctypes",
    "curses",
    "dataclasses",
    "datetime",
    "dbm",
    "decimal",
    "difflib",
    "dis",
    "distutils",
    "doctest",
    "email",
    "encodings",
    "ensurepip",
    "enum",
    "errno",
    "faulthandler",
    "fcntl",
    "filecmp",
    "fileinput",
    "fnmatch",
    "fractions",
    "ftplib",
    "functools",
    "gc",
    "genericpath",
    "getopt",
    "getpass",
    "gettext",
    "glob",
    "graphlib",
    "grp",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "imaplib",
    "imghdr",
    "imp",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "lib2to3",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "mailbox",
    "mailcap",
    "marshal",
    "math",
    "mimetypes",
    "mmap",
    "modulefinder",
    "msilib",
    "msvcrt",
    "multiprocessing",
    "netrc",
    "nis",
    "nntplib",
    "nt",
    "ntpath",
    "nturl2path",
    "numbers",
    "opcode",
    "operator",
    "optparse",
    "os",
    "ossaudiodev",
    "pathlib",
    "pdb",
    "pickle",
    "pickletools",
    "pipes",
    "pkgutil",
    "platform",
    "plistlib",
    "poplib",
    "posix",
    "posixpath",
    "pprint",
    "profile",
    "pstats",
    "pty",
    "pwd",
    "py_compile",
    "pyclbr",
    "pydoc",
    "pydoc_data",
    "pyexpat",
    "queue",
    "quopri",
    "random",
    "re",
    "readline",
    "reprlib",
    "resource",
    "rlcompleter",
    "runpy",
    "sched",
    "secrets",
    "select",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "site",
    "smtpd",
    "smtplib",
    "sndhdr",
    "socket",
    "socketserver",
    "spwd",
    "sqlite3",
    "sre_compile",
    "sre_constants",
    "sre_parse",
    "ssl",
    "stat",
    "statistics",
    "string",
    "stringprep",
    "struct",
    "subprocess",
    "sunau",
    "symtable",
    "sys",
    "sysconfig",
    "syslog",
    "tabnanny",
    "tarfile",
    "telnetlib",
    "tempfile",
    "termios",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "tkinter",
    "token",
    "tokenize",
    "tomllib",
    "trace",
    "traceback",
    "tracemalloc",
    "tty",
    "turtle",
    "turtledemo",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uu",
    "uuid",
    "venv",
    "warnings",
    "wave",
    "weakref",
    "webbrowser",
    "winreg",
    "winsound",
    "wsgiref",
    "xdrlib",
    "xml",
    "xmlrpc",
    "zipapp",
    "zipfile",
    "zipimport",
    "zlib",
    "zoneinfo",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_of_the_standard_library_are_in_order() {
        assert!(STANDARD_LIBRARY.is_sorted());
        assert!(is_in_standard_library("os.path") && is_in_standard_library("unittest"));
        assert!(!is_in_standard_library("pandas"));
    }
}
