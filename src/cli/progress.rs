//! What is seen of builds while they run: a moving line for each on a terminal, plain lines elsewhere.
//!
//! ```text
//! train: STEP 5/12: RUN uv pip install pandas
//! ```

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::image::build::{Outcome, Reporter};

/// How often the lines move.
const TICK: Duration = Duration::from_millis(120);

/// Shows progress on standard error.
pub(super) struct Progress {
    labels: Vec<String>,
    /// The moving lines, where there is a terminal.
    lines: Option<Vec<ProgressBar>>,
}

impl Progress {
    /// Progress of builds with these names.
    pub(super) fn new(labels: Vec<String>) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let lines = is_terminal.then(|| {
            let all = MultiProgress::new();
            labels.iter().map(|label| line(&all, label)).collect()
        });
        Self { labels, lines }
    }

    fn say(&self, request: usize, text: &str) {
        // That nobody reads it is no reason to stop.
        drop(writeln!(std::io::stderr(), "{}: {text}", self.labels[request]));
    }
}

fn line(all: &MultiProgress, label: &str) -> ProgressBar {
    // A line that is not yet one of all would be shown on its own, and stay.
    let line = all.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg}") {
        line.set_style(style);
    }
    line.set_prefix(label.to_owned());
    line.set_message("waiting");
    line
}

impl Reporter for Progress {
    fn begin(&self, request: usize) {
        match &self.lines {
            Some(lines) => {
                lines[request].enable_steady_tick(TICK);
                lines[request].set_message("building");
            }
            None => self.say(request, "building"),
        }
    }

    fn line(&self, request: usize, line: &str) {
        match &self.lines {
            Some(lines) => lines[request].set_message(line.to_owned()),
            None => self.say(request, line),
        }
    }

    fn end(&self, request: usize, outcome: &Outcome) {
        let text = match outcome {
            Outcome::Built => "built".to_owned(),
            Outcome::Skipped(reason) => format!("skipped: {reason}"),
            Outcome::Failed { .. } => "failed".to_owned(),
        };
        match &self.lines {
            Some(lines) => lines[request].finish_with_message(text),
            None => self.say(request, &text),
        }
    }
}
