//! Runs a program whose standard error is a terminal, and keeps what the terminal shows.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use nix::pty::{Winsize, openpty};

/// How many columns the terminal has.
const WIDTH: u16 = 100;

/// What a program did on a terminal.
pub(crate) struct Seen {
    /// What was shown, after each thing that was written; lines without the spaces at their end.
    pub(crate) screens: Vec<Vec<String>>,
    pub(crate) stdout: String,
    pub(crate) code: Option<i32>,
}

/// Runs a program to its end.
pub(crate) fn on_a_terminal(mut command: Command) -> Seen {
    let size = Winsize { ws_row: 40, ws_col: WIDTH, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(Some(&size), None).unwrap();
    command.env("TERM", "xterm").env_remove("NO_COLOR").stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::from(pty.slave)).spawn().unwrap();
    // The last hold on the other end of the terminal, whose end is the end of the program.
    drop(command);
    let mut screen = Screen::default();
    let mut screens = Vec::new();
    let mut terminal = File::from(pty.master);
    let mut bytes = [0; 4096];
    let mut text = Vec::new();
    // Linux tells the end as an error.
    while let Ok(length @ 1..) = terminal.read(&mut bytes) {
        text.extend_from_slice(&bytes[..length]);
        let whole = text.iter().rposition(u8::is_ascii).map_or(0, |last| last + 1);
        screen.write(std::str::from_utf8(&text[..whole]).unwrap());
        text.drain(..whole);
        screens.push(screen.lines());
    }
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    Seen { screens, stdout, code: child.wait().unwrap().code() }
}

/// As much of a terminal as progress needs.
#[derive(Default)]
struct Screen {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// An escape sequence that is not complete.
    escape: String,
}

impl Screen {
    fn write(&mut self, text: &str) {
        for character in text.chars() {
            if !self.escape.is_empty() || character == '\x1b' {
                self.escape.push(character);
                if self.escape.len() > 2 && character.is_ascii_alphabetic() {
                    self.obey();
                }
            } else {
                self.show(character);
            }
        }
    }

    fn show(&mut self, character: char) {
        match character {
            '\r' => self.column = 0,
            '\n' => self.row += 1,
            _ => {
                // A full row goes on in the next one, but only when there is more to show.
                if self.column == usize::from(WIDTH) {
                    (self.row, self.column) = (self.row + 1, 0);
                }
                self.current()[0] = character;
                self.column += 1;
            }
        }
    }

    /// What stands from the cursor on in its row.
    fn current(&mut self) -> &mut [char] {
        if self.rows.len() <= self.row {
            self.rows.resize(self.row + 1, Vec::new());
        }
        let row = &mut self.rows[self.row];
        if row.len() <= self.column {
            row.resize(self.column + 1, ' ');
        }
        &mut row[self.column..]
    }

    fn obey(&mut self) {
        let escape = std::mem::take(&mut self.escape);
        let argument = escape[2..escape.len() - 1].parse().unwrap_or(1);
        match escape.chars().last() {
            Some('A') => self.row = self.row.saturating_sub(argument),
            Some('B') => self.row += argument,
            Some('K') if argument == 2 => self.rows.get_mut(self.row).map_or((), Vec::clear),
            Some('K') => self.current().fill(' '),
            Some('J') => {
                self.current().fill(' ');
                self.rows.truncate(self.row + 1);
            }
            Some('m') => {}
            _ => panic!("{escape:?} is not known to this terminal"),
        }
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned());
        let mut lines: Vec<String> = lines.collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}
