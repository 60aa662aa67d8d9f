//! `flyte-migrate rule FM103`: what a code means.

use std::io::Write;

use anyhow::{Result, bail};

use super::Exit;
use super::args::RuleArgs;
use crate::rules::codes::RULES;
use crate::rules::pages::document;

/// Explains one rule, or lists all.
pub(super) fn run(args: &RuleArgs, out: &mut dyn Write) -> Result<Exit> {
    let Some(code) = args.code.as_deref().filter(|_| !args.all) else {
        for rule in RULES {
            writeln!(out, "{} {}\n  {}", rule.code, rule.name, rule.summary)?;
        }
        return Ok(Exit::Clean);
    };
    match RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code) || rule.name == code) {
        Some(rule) => write!(out, "{}", document(rule))?,
        None => bail!("there is no rule `{code}`; `flyte-migrate rule --all` lists them"),
    }
    Ok(Exit::Clean)
}
