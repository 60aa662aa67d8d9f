//! A Python source file as bytes, read and written back without loss.
//!
//! The byte order mark is kept apart from the text; line endings stay in the text as they are.
//! A line ends where Python says that it ends: at `\n`, `\r\n` or a lone `\r`, never at a form feed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use memchr::{memchr2, memchr2_iter};
pub use rustpython_text_size::{TextRange, TextSize};
use thiserror::Error;

/// The UTF-8 byte order mark.
const BOM: &str = "\u{feff}";

/// A line and column, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Location {
    /// The line, from 1.
    pub row: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl Location {
    /// The first character of a file: where a finding about the file as a whole stands.
    pub const START: Self = Self { row: 1, column: 1 };
}

/// Why a file could not be read as source text.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file could not be opened or read.
    #[error("could not read the file: {0}")]
    Io(#[from] io::Error),
    /// The bytes are not UTF-8.
    #[error("the file is not UTF-8 (byte {offset} does not fit)")]
    NotUtf8 {
        /// The first byte that does not fit, from the start of the file.
        offset: usize,
    },
    /// The file is longer than positions can count.
    #[error("the file is longer than 4 GiB")]
    TooLong,
}

/// The text of one file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path to open, absolute.
    pub path: PathBuf,
    /// The path as it is shown: relative to the working directory where that is possible.
    pub display: String,
    /// The text, without a byte order mark.
    pub text: String,
    /// Whether the file began with a UTF-8 byte order mark.
    pub has_bom: bool,
}

impl SourceFile {
    /// Reads the file at `path`. NUL bytes are text like any other; the parser will speak of them.
    ///
    /// # Errors
    /// [`ReadError`] if the file cannot be read, is not UTF-8, or is too long.
    pub fn read(path: &Path, display: String) -> Result<Self, ReadError> {
        Self::from_bytes(path.to_path_buf(), display, fs::read(path)?)
    }

    /// Takes the bytes of a file that was read already.
    ///
    /// # Errors
    /// [`ReadError`] if the bytes are not UTF-8, or too many.
    pub fn from_bytes(path: PathBuf, display: String, bytes: Vec<u8>) -> Result<Self, ReadError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(ReadError::TooLong);
        }
        let mut text = String::from_utf8(bytes)
            .map_err(|error| ReadError::NotUtf8 { offset: error.utf8_error().valid_up_to() })?;
        let has_bom = text.starts_with(BOM);
        if has_bom {
            text.drain(..BOM.len());
        }
        Ok(Self { path, display, text, has_bom })
    }

    /// The bytes of the file with `text` in place of its own: the byte order mark comes back.
    pub fn to_bytes(&self, text: &str) -> Vec<u8> {
        self.with_bom(text).into_bytes()
    }

    /// `text` as it stands in the file, byte order mark included.
    pub fn with_bom(&self, text: &str) -> String {
        let mark = if self.has_bom { BOM } else { "" };
        format!("{mark}{text}")
    }

    /// The first line ending of the file, or `\n` where it has none.
    pub fn newline(&self) -> &'static str {
        let bytes = self.text.as_bytes();
        match memchr2(b'\n', b'\r', bytes) {
            Some(index) if bytes[index] == b'\r' => {
                if bytes.get(index + 1) == Some(&b'\n') {
                    "\r\n"
                } else {
                    "\r"
                }
            }
            _ => "\n",
        }
    }

    /// The starts of the lines; worth keeping when several positions of one file are wanted.
    pub fn line_index(&self) -> LineIndex {
        LineIndex::new(&self.text)
    }

    /// The line and column of the byte at `offset`.
    pub fn location(&self, offset: TextSize) -> Location {
        self.line_index().location(&self.text, offset)
    }
}

/// Where each line of a text begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineIndex {
    /// The byte offset of each line's first character; never empty.
    starts: Vec<usize>,
}

impl LineIndex {
    /// Finds the lines of `text`.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        starts.extend(
            memchr2_iter(b'\n', b'\r', bytes)
                .filter(|&index| bytes[index] == b'\n' || bytes.get(index + 1) != Some(&b'\n'))
                .map(|index| index + 1),
        );
        Self { starts }
    }

    /// The line and column of the byte at `offset` of the text that the index was made from. An offset past the
    /// end counts as the end, one inside a character as that character.
    pub fn location(&self, text: &str, offset: TextSize) -> Location {
        let offset = text.floor_char_boundary(usize::from(offset));
        let row = self.row(offset);
        let before = text.get(self.starts[row - 1]..offset).unwrap_or_default();
        Location { row, column: before.chars().count() + 1 }
    }

    /// The line, from 1, that holds the byte at `offset`.
    pub fn row(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// The text of line `row`, counted from 1, without its line ending; empty for a line that does not exist.
    pub fn line<'a>(&self, text: &'a str, row: usize) -> &'a str {
        text.get(self.line_range(text, row)).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }

    /// The bytes of line `row`, counted from 1, with its line ending; empty for a line that does not exist.
    pub fn line_range(&self, text: &str, row: usize) -> std::ops::Range<usize> {
        let start = |row: usize| row.checked_sub(1).and_then(|index| self.starts.get(index)).copied();
        match start(row) {
            Some(first) => first..start(row + 1).unwrap_or(text.len()),
            None => text.len()..text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(bytes: &[u8]) -> SourceFile {
        SourceFile::from_bytes(PathBuf::from("/a.py"), "a.py".into(), bytes.to_vec()).unwrap()
    }

    fn location(text: &str, offset: u32) -> (usize, usize) {
        let location = source(text.as_bytes()).location(offset.into());
        (location.row, location.column)
    }

    #[test]
    fn a_byte_order_mark_is_kept_apart_and_comes_back() {
        let file = source(b"\xef\xbb\xbfx = 1\r\n");
        assert_eq!((file.text.as_str(), file.has_bom), ("x = 1\r\n", true));
        assert_eq!(file.to_bytes("y\n"), b"\xef\xbb\xbfy\n");
    }

    #[test]
    fn only_the_first_byte_order_mark_is_taken_off() {
        let file = source("\u{feff}\u{feff}x".as_bytes());
        assert_eq!(file.text, "\u{feff}x");
        assert_eq!(file.to_bytes(&file.text), "\u{feff}\u{feff}x".as_bytes());
    }

    #[test]
    fn odd_bytes_survive_reading_and_writing() {
        for bytes in [&b""[..], b"\xef\xbb\xbf", b"a\0b", b"\x0c\tx\r\ry\n\rz\r\n", b"no newline"] {
            let file = source(bytes);
            assert_eq!(file.to_bytes(&file.text), bytes);
        }
    }

    #[test]
    fn the_first_byte_that_is_not_utf8_is_named() {
        let result =
            SourceFile::from_bytes(PathBuf::new(), String::new(), b"\xef\xbb\xbfcaf\xe9 = 1\n".to_vec());
        assert!(matches!(result, Err(ReadError::NotUtf8 { offset: 6 })));
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let result = SourceFile::read(Path::new("/no/such/file.py"), "file.py".into());
        assert!(matches!(result, Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound));
    }

    #[test]
    fn a_folder_is_an_error() {
        assert!(matches!(SourceFile::read(&std::env::temp_dir(), "x".into()), Err(ReadError::Io(_))));
    }

    #[test]
    fn the_first_line_ending_decides() {
        for (text, newline) in [
            ("", "\n"),
            ("x", "\n"),
            ("a\nb\r\n", "\n"),
            ("a\r\nb\n", "\r\n"),
            ("a\rb\n", "\r"),
            ("a\r", "\r"),
        ] {
            assert_eq!(source(text.as_bytes()).newline(), newline, "{text:?}");
        }
    }

    #[test]
    fn lines_end_at_each_kind_of_line_ending() {
        let text = "a\nb\r\nc\rd\n\re";
        assert_eq!(location(text, 0), (1, 1));
        assert_eq!(location(text, 2), (2, 1));
        assert_eq!(location(text, 4), (2, 3));
        assert_eq!(location(text, 5), (3, 1));
        assert_eq!(location(text, 7), (4, 1));
        assert_eq!(location(text, 9), (5, 1));
        assert_eq!(location(text, 10), (6, 1));
    }

    #[test]
    fn a_form_feed_does_not_end_a_line() {
        assert_eq!(location("\u{c}x\u{b}\u{85}\u{2028}y", 8), (1, 6));
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(location("é = '日本'  # x", 14), (1, 10));
    }

    #[test]
    fn an_offset_that_does_not_fit_is_moved_to_one_that_does() {
        assert_eq!(location("é\n", 1), (1, 1));
        assert_eq!(location("é\n", 99), (2, 1));
        assert_eq!(location("", 99), (1, 1));
    }

    #[test]
    fn lines_come_without_their_endings() {
        let text = "a\r\nb\rc\n\nlast";
        let index = LineIndex::new(text);
        let lines: Vec<&str> = (0..=7).map(|row| index.line(text, row)).collect();
        assert_eq!(lines, ["", "a", "b", "c", "", "last", "", ""]);
    }
}
