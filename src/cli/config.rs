//! `[tool.flyte-migrate]` in the nearest pyproject.toml: what the options are where the command line says nothing.
//!
//! ```toml
//! [tool.flyte-migrate]
//! layer-order = "source"
//! conda = "pixi"
//! exclude = ["legacy/"]
//! ```
//!
//! Each key is an option of the command line. A key that is none, and a value that no option takes, is an error: a
//! misspelled setting must not be a silent one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use toml::{Table, Value};

use super::args::Args;

/// The keys, in the order of the documentation.
const KEYS: [&str; 10] = [
    "layer-order",
    "platform",
    "conda",
    "registry-secret",
    "line-length",
    "exclude",
    "unsafe-fixes",
    "partial",
    "include-commands",
    "write-config",
];

/// How alike a key must be to one that exists to be taken for a misspelling of it.
const LIKENESS: f32 = 0.6;

/// The arguments with the configuration below them: the command line wins, and `exclude` of both count.
///
/// # Errors
/// A configuration that cannot be read, is no TOML, or has a key or a value that means nothing.
pub(super) fn with_configuration(args: &Args) -> Result<Args> {
    let mut args = args.clone();
    let Some((table, source)) = find(&args)? else { return Ok(args) };
    for (key, value) in &table {
        set(&mut args, key, value)
            .with_context(|| format!("in `[tool.flyte-migrate]` of {}", source.display()))?;
    }
    Ok(args)
}

/// The table that counts, and where it stands.
fn find(args: &Args) -> Result<Option<(Table, PathBuf)>> {
    if args.isolated {
        return Ok(None);
    }
    if let Some(path) = &args.config {
        let table = read(path)?;
        return match table {
            Some(table) => Ok(Some((table, path.clone()))),
            None => bail!("{} has no `[tool.flyte-migrate]`", path.display()),
        };
    }
    let start = args.project.clone().or_else(|| args.paths.first().cloned()).unwrap_or_default();
    let start = std::path::absolute(if start.as_os_str().is_empty() { Path::new(".") } else { &start })
        .context("cannot tell the working directory")?;
    for folder in start.ancestors().filter(|folder| folder.is_dir()) {
        let path = folder.join("pyproject.toml");
        if path.is_file()
            && let Some(table) = read(&path)?
        {
            return Ok(Some((table, path)));
        }
        // What lies above a repository belongs to another project.
        if folder.join(".git").exists() {
            break;
        }
    }
    Ok(None)
}

/// The table of this program in a pyproject.toml.
fn read(path: &Path) -> Result<Option<Table>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: Table = match text.parse() {
        Ok(table) => table,
        // Others read it too, and say better what is wrong with it; what is ours may be in it all the same.
        Err(error) if text.contains("tool.flyte-migrate") => {
            bail!("{} is no TOML: {}", path.display(), error.to_string().trim_end());
        }
        Err(_) => return Ok(None),
    };
    match table.get("tool").and_then(|tool| tool.get("flyte-migrate")) {
        None => Ok(None),
        Some(Value::Table(table)) => Ok(Some(table.clone())),
        Some(_) => bail!("`tool.flyte-migrate` of {} is no table", path.display()),
    }
}

fn set(args: &mut Args, key: &str, value: &Value) -> Result<()> {
    match key {
        "layer-order" => keep(&mut args.layer_order, choice(key, value)?),
        "platform" => keep(&mut args.platform, choice(key, value)?),
        "conda" => keep(&mut args.conda, choice(key, value)?),
        "registry-secret" => keep(&mut args.registry_secret, text(key, value)?.to_owned()),
        "line-length" => {
            let length = value.as_integer().and_then(|length| u16::try_from(length).ok());
            match length.filter(|length| *length > 0) {
                Some(length) => keep(&mut args.line_length, length),
                None => bail!("`{key}` must be a number of characters, not {value}"),
            }
        }
        "exclude" => {
            let patterns = value.as_array().map(|patterns| patterns.iter().map(Value::as_str));
            match patterns.and_then(Iterator::collect::<Option<Vec<&str>>>) {
                Some(patterns) => args.exclude.extend(patterns.into_iter().map(str::to_owned)),
                None => bail!("`{key}` must be a list of patterns, not {value}"),
            }
        }
        "unsafe-fixes" => args.unsafe_fixes |= flag(key, value)?,
        "partial" => args.partial |= flag(key, value)?,
        "include-commands" => args.include_commands |= flag(key, value)?,
        "write-config" => args.write_config |= flag(key, value)?,
        _ => match nearest(key) {
            Some(known) => bail!("there is no key `{key}`; did you mean `{known}`?"),
            None => bail!("there is no key `{key}`; there are `{}`", KEYS.join("`, `")),
        },
    }
    Ok(())
}

/// What was typed stays.
fn keep<T>(option: &mut Option<T>, configured: T) {
    if option.is_none() {
        *option = Some(configured);
    }
}

fn text<'a>(key: &str, value: &'a Value) -> Result<&'a str> {
    value.as_str().with_context(|| format!("`{key}` must be a string, not {value}"))
}

fn flag(key: &str, value: &Value) -> Result<bool> {
    value.as_bool().with_context(|| format!("`{key}` must be true or false, not {value}"))
}

fn choice<T: ValueEnum>(key: &str, value: &Value) -> Result<T> {
    let chosen = value.as_str().and_then(|text| T::from_str(text, false).ok());
    chosen.with_context(|| {
        let values = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let names: Vec<String> = values.map(|value| format!("\"{}\"", value.get_name())).collect();
        format!("`{key}` must be {}, not {value}", names.join(" or "))
    })
}

/// The key that was most likely meant.
fn nearest(key: &str) -> Option<&'static str> {
    let key = key.replace('_', "-").to_ascii_lowercase();
    let likeness = |known: &str| similar::TextDiff::from_chars(key.as_str(), known).ratio();
    let best = KEYS.into_iter().map(|known| (likeness(known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness >= LIKENESS).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::super::args::{Conda, LayerOrder, Platform};
    use super::*;

    fn args() -> Args {
        clap::Parser::parse_from(["flyte-migrate"])
    }

    fn configured(text: &str) -> Result<Args> {
        let mut args = args();
        for (key, value) in &text.parse::<Table>().unwrap() {
            set(&mut args, key, value)?;
        }
        Ok(args)
    }

    #[test]
    fn every_key_sets_its_option() {
        let text = "layer-order = 'source'\nplatform = 'flyte1'\nconda = 'pixi'\nregistry-secret = 'pull'\n\
                    line-length = 100\nexclude = ['a', 'b']\nunsafe-fixes = true\npartial = true\ninclude-commands = true\n\
                    write-config = true";
        assert_eq!(text.lines().count(), KEYS.len());
        let args = configured(text).unwrap();
        assert_eq!((args.layer_order, args.platform), (Some(LayerOrder::Source), Some(Platform::Flyte1)));
        assert_eq!((args.conda, args.line_length), (Some(Conda::Pixi), Some(100)));
        assert_eq!((args.registry_secret.as_deref(), args.exclude.len()), (Some("pull"), 2));
        assert!(args.unsafe_fixes && args.partial && args.include_commands && args.write_config);
    }

    #[test]
    fn what_was_typed_wins() {
        let mut args: Args = clap::Parser::parse_from(["flyte-migrate", "--layer-order", "flyte1"]);
        set(&mut args, "layer-order", &Value::String("source".to_owned())).unwrap();
        assert_eq!(args.layer_order, Some(LayerOrder::Flyte1));
    }

    #[test]
    fn mistakes_are_told_with_what_was_meant() {
        let message = |text: &str| configured(text).unwrap_err().to_string();
        assert_eq!(
            message("layer_order = 'x'"),
            "there is no key `layer_order`; did you mean `layer-order`?"
        );
        assert_eq!(message("unsafe = true"), "there is no key `unsafe`; did you mean `unsafe-fixes`?");
        assert!(message("colour = 'x'").starts_with("there is no key `colour`; there are `layer-order`, "));
        assert_eq!(message("conda = 'mamba'"), "`conda` must be \"pixi\" or \"micromamba\", not \"mamba\"");
        assert_eq!(message("line-length = 0"), "`line-length` must be a number of characters, not 0");
        assert_eq!(message("exclude = 'x'"), "`exclude` must be a list of patterns, not \"x\"");
        assert_eq!(message("partial = 1"), "`partial` must be true or false, not 1");
    }
}
