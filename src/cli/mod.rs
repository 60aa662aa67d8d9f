//! The command line: what was typed, what is done, what is printed, how it ends.

pub mod args;
mod config;
mod environment;
mod image;
mod image_build;
mod migrate;
mod progress;
mod rule;

use std::io::Write;
use std::process::ExitCode;

use args::{Args, ColorChoice, Command};

/// How the process ends, as ruff does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing left to do.
    Clean,
    /// Findings remain, or something would change.
    Findings,
    /// Bad usage, unreadable input, a syntax error, an internal error.
    Error,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Clean => Self::from(0),
            Exit::Findings => Self::from(1),
            Exit::Error => Self::from(2),
        }
    }
}

/// Runs the program.
///
/// # Errors
/// Bad usage, and output that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match args.color {
        ColorChoice::Always => colored::control::set_override(true),
        ColorChoice::Never => colored::control::set_override(false),
        ColorChoice::Auto => {}
    }
    match &args.command {
        Some(Command::Rule(rule)) => rule::run(rule, out),
        Some(Command::Image(command)) => image::run(command, out),
        None => migrate::run(args, out),
    }
}
