//! The header of a script that says what it needs, as `from_uv_script` and `from_pixi_script` read it.
//!
//! ```python
//! # /// script
//! # requires-python = ">=3.12"
//! # dependencies = ["httpx"]
//! # ///
//! ```

use std::path::Path;

use thiserror::Error;
use toml::{Table, Value};

use super::disk::Disk;
use super::python_text::{repr, repr_list, repr_option};
use super::requirement::Requirement;

/// Why the header of a script cannot be used.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// The script cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// There is no header.
    #[error("there is no `# /// script` block in it")]
    NoHeader,
    /// The header is no TOML.
    #[error("its `# /// script` block is no TOML: {0}")]
    Toml(String),
    /// A dependency that pixi cannot have.
    #[error("its dependency `{requirement}` cannot be given to pixi: {reason}")]
    Dependency {
        /// The dependency.
        requirement: String,
        /// What is wrong.
        reason: String,
    },
    /// A dependency with a marker, of which pixi knows none.
    #[error("its dependency `{0}` cannot be given to pixi: it has a condition")]
    Condition(String),
    /// The platforms that the image is built for, and the script does not name.
    #[error("its `platforms` leave out {0}, for which the image is built")]
    Platforms(String),
    /// A value whose text in the generated manifest is not known.
    #[error("its header holds `{0}`, a value whose text in the manifest is not known")]
    Value(String),
}

impl ScriptError {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "Save the script as UTF-8, where it can be read",
            Self::Toml(_) => "Write the block as TOML, each line behind `# `",
            Self::Condition(_) => {
                "Write it without the condition, or into a table of `[tool.pixi.target.linux-64.pypi-dependencies]`"
            }
            Self::Dependency { .. } => "Write it as PEP 508 has it, such as `httpx>=0.27`",
            Self::Platforms(_) => {
                "Add them to `platforms` of `[tool.pixi.workspace]`, or give `from_pixi_script` a `platform`"
            }
            Self::NoHeader | Self::Value(_) => "Write what it needs into a `# /// script` block",
        }
    }
}

/// What the SDK reads from the header of a uv script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UvHeader {
    /// `requires-python`
    pub requires_python: Option<String>,
    /// The dependencies that are packages.
    pub dependencies: Vec<String>,
    /// The folders of the dependencies with `file://`.
    pub pyprojects: Vec<String>,
    /// `[tool.uv]`, if there is anything in it; its `exclude-newer`.
    pub tool: Option<Option<String>>,
}

impl UvHeader {
    /// `repr` of the SDK's class.
    pub(super) fn repr(&self) -> String {
        let tool = self.tool.as_ref().map_or_else(
            || "None".to_owned(),
            |newer| format!("{{'uv': ToolUVConfig(exclude_newer={})}}", repr_option(newer.as_deref())),
        );
        format!(
            "UVScriptMetadata(requires_python={}, dependencies={}, pyprojects={}, tool={tool})",
            repr_option(self.requires_python.as_deref()),
            repr_list(&self.dependencies),
            repr_list(&self.pyprojects),
        )
    }
}

/// Reads the header of a uv script.
///
/// # Errors
/// [`ScriptError`] where the SDK refuses it.
pub fn uv_header(script: &Path, disk: &Disk) -> Result<UvHeader, ScriptError> {
    let text = universal_newlines(&disk.read_text(script)?);
    let (_, rest) = text.split_once("# /// script").ok_or(ScriptError::NoHeader)?;
    let (inside, _) = rest.trim_start().split_once("# ///").ok_or(ScriptError::NoHeader)?;
    let lines: Vec<&str> =
        inside.lines().map(|line| line.trim_start_matches(['#', ' ']).trim_end()).collect();
    let table = parse(&lines.join("\n"))?;
    let dependencies = strings(table.get("dependencies"))?;
    let (projects, dependencies): (Vec<String>, Vec<String>) =
        dependencies.into_iter().partition(|dependency| dependency.contains("file://"));
    let tool = table.get("tool").and_then(|tool| tool.get("uv")).and_then(Value::as_table);
    let tool = tool.filter(|tool| !tool.is_empty());
    Ok(UvHeader {
        requires_python: string(table.get("requires-python"))?,
        dependencies,
        pyprojects: projects
            .iter()
            .map(|project| project.rsplit("file://").next().unwrap_or_default().to_owned())
            .collect(),
        tool: tool.map(|tool| string(tool.get("exclude-newer"))).transpose()?,
    })
}

fn universal_newlines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn parse(text: &str) -> Result<Table, ScriptError> {
    text.parse().map_err(|error: toml::de::Error| ScriptError::Toml(error.message().to_owned()))
}

fn string(value: Option<&Value>) -> Result<Option<String>, ScriptError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(ScriptError::Value(other.to_string())),
    }
}

fn strings(value: Option<&Value>) -> Result<Vec<String>, ScriptError> {
    let items = match value {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(other) => return Err(ScriptError::Value(other.to_string())),
    };
    items.iter().map(|item| string(Some(item)).map(Option::unwrap_or_default)).collect()
}

/// The header of a pixi script.
///
/// # Errors
/// [`ScriptError`] where the SDK refuses it.
pub fn pixi_header(script: &Path, disk: &Disk) -> Result<Table, ScriptError> {
    let text = universal_newlines(&disk.read_text(script)?);
    let mut lines = text.lines();
    loop {
        let line = lines.next().ok_or(ScriptError::NoHeader)?;
        if line.trim_end() != "# /// script" || !line.starts_with("# /// script") {
            continue;
        }
        let mut inside = Vec::new();
        for line in lines.by_ref() {
            if line.trim_end() == "# ///" {
                return parse(&inside.join("\n"));
            }
            match line.strip_prefix("# ").or_else(|| line.strip_prefix('#').filter(|rest| rest.is_empty())) {
                Some(content) => inside.push(content),
                None => break,
            }
        }
    }
}

/// The `pixi.toml` that a pixi script stands for, as the SDK writes it.
///
/// # Errors
/// [`ScriptError`] where the SDK refuses it, and for values that are not known to be written alike.
pub fn pixi_manifest(script: &Path, platforms: &[String], disk: &Disk) -> Result<String, ScriptError> {
    let header = pixi_header(script, disk)?;
    let empty = Table::new();
    let pixi =
        header.get("tool").and_then(|tool| tool.get("pixi")).and_then(Value::as_table).unwrap_or(&empty);
    let table = |name: &str| pixi.get(name).and_then(Value::as_table).cloned().unwrap_or_default();
    let mut workspace = table("workspace");
    if !workspace.contains_key("channels") {
        workspace.insert("channels".to_owned(), Value::Array(vec!["conda-forge".into()]));
    }
    let declared =
        workspace.get("platforms").and_then(Value::as_array).filter(|declared| !declared.is_empty());
    let platforms =
        declared.cloned().unwrap_or_else(|| platforms.iter().map(|name| name.as_str().into()).collect());
    workspace.insert("platforms".to_owned(), Value::Array(platforms));
    let mut dependencies = table("dependencies");
    if let Some(python) = string(header.get("requires-python"))?.filter(|python| !python.is_empty())
        && !dependencies.contains_key("python")
    {
        dependencies.insert("python".to_owned(), python.into());
    }
    let mut packages = table("pypi-dependencies");
    for requirement in strings(header.get("dependencies"))? {
        let (name, entry) = pixi_dependency(&requirement)?;
        if !packages.contains_key(&name) {
            packages.insert(name, entry);
        }
    }
    let mut manifest = Table::new();
    manifest.insert("workspace".to_owned(), Value::Table(workspace));
    for (name, table) in [("dependencies", dependencies), ("pypi-dependencies", packages)] {
        if !table.is_empty() {
            manifest.insert(name.to_owned(), Value::Table(table));
        }
    }
    for (name, value) in pixi {
        if !["workspace", "dependencies", "pypi-dependencies"].contains(&name.as_str()) {
            manifest.insert(name.clone(), value.clone());
        }
    }
    let head = "# Generated by flyte from the PEP 723 metadata of a pixi script.\n\
                # Edit the script's `# /// script` block rather than this file.\n";
    Ok(format!("{head}{}", write_toml(&manifest)?))
}

/// Looks whether a pixi script names the platforms that its image is built for.
///
/// # Errors
/// [`ScriptError`] where the SDK refuses to build it.
pub fn check_platforms(script: &Path, platforms: &[String], disk: &Disk) -> Result<(), ScriptError> {
    let header = pixi_header(script, disk)?;
    let pixi = header.get("tool").and_then(|tool| tool.get("pixi"));
    let declared = pixi.and_then(|pixi| pixi.get("workspace")?.get("platforms")?.as_array());
    let Some(declared) = declared.filter(|declared| !declared.is_empty()) else { return Ok(()) };
    let is_missing = |name: &&String| !declared.iter().any(|known| known.as_str() == Some(name.as_str()));
    let missing: Vec<String> = platforms.iter().filter(is_missing).map(|name| format!("`{name}`")).collect();
    if missing.is_empty() { Ok(()) } else { Err(ScriptError::Platforms(missing.join(" and "))) }
}

/// A requirement as pixi writes it.
fn pixi_dependency(text: &str) -> Result<(String, Value), ScriptError> {
    let refused =
        |reason: &str| ScriptError::Dependency { requirement: text.to_owned(), reason: reason.to_owned() };
    let requirement = Requirement::parse(text).map_err(|error| refused(&error.to_string()))?;
    if requirement.marker.is_some() {
        return Err(ScriptError::Condition(text.to_owned()));
    }
    let mut entry = Table::new();
    if let Some(git) = requirement.url.as_deref().and_then(|url| url.strip_prefix("git+")) {
        let (url, revision) = git.split_once('@').unwrap_or((git, ""));
        entry.insert("git".to_owned(), url.into());
        if !revision.is_empty() {
            entry.insert("rev".to_owned(), revision.into());
        }
    } else if let Some(url) = &requirement.url {
        entry.insert("url".to_owned(), url.as_str().into());
    } else {
        let versions = requirement.specifier();
        let versions = if versions.is_empty() { "*".to_owned() } else { versions };
        entry.insert("version".to_owned(), versions.into());
    }
    if !requirement.extras.is_empty() {
        let extras = requirement.extras.iter().map(|extra| extra.as_str().into()).collect();
        entry.insert("extras".to_owned(), Value::Array(extras));
    }
    let entry = match entry.get("version") {
        Some(version) if entry.len() == 1 => version.clone(),
        _ => Value::Table(entry),
    };
    Ok((requirement.name, entry))
}

/// TOML in the form of Python's `toml.dumps`: level by level, tables behind all values of their level.
fn write_toml(table: &Table) -> Result<String, ScriptError> {
    let (mut written, mut sections) = write_section(table, "")?;
    while !sections.is_empty() {
        let mut deeper = Vec::new();
        for (name, table) in sections {
            let (values, inner) = write_section(table, &name)?;
            if !values.is_empty() || inner.is_empty() {
                if !written.is_empty() && !written.ends_with("\n\n") {
                    written.push('\n');
                }
                written.push_str(&format!("[{name}]\n{values}"));
            }
            deeper.extend(inner.into_iter().map(|(inner, table)| (format!("{name}.{inner}"), table)));
        }
        sections = deeper;
    }
    Ok(written)
}

/// The values of a table as text, and the tables in it.
type Section<'t> = (String, Vec<(String, &'t Table)>);

/// Writes the values of a table.
fn write_section<'t>(table: &'t Table, name: &str) -> Result<Section<'t>, ScriptError> {
    let mut values = String::new();
    let mut tables_in_rows = String::new();
    let mut sections = Vec::new();
    for (key, value) in table {
        let is_plain =
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        let key = if is_plain { key.clone() } else { write_text(key)? };
        match value {
            Value::Table(table) => sections.push((key, table)),
            Value::Array(items) if items.iter().any(Value::is_table) => {
                let path = if name.is_empty() { key } else { format!("{name}.{key}") };
                for item in items {
                    let Value::Table(item) = item else { return Err(ScriptError::Value(value.to_string())) };
                    let (inner, deeper) = write_section(item, &path)?;
                    if !deeper.is_empty() || inner.starts_with('[') {
                        return Err(ScriptError::Value(value.to_string()));
                    }
                    tables_in_rows.push_str(&format!("[[{path}]]\n{inner}\n"));
                }
            }
            value => values.push_str(&format!("{key} = {}\n", write_value(value)?)),
        }
    }
    Ok((values + &tables_in_rows, sections))
}

fn write_value(value: &Value) -> Result<String, ScriptError> {
    Ok(match value {
        Value::String(text) => write_text(text)?,
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Array(items) => {
            let mut written = String::from("[");
            for item in items {
                written.push_str(&format!(" {},", write_value(item)?));
            }
            written + "]"
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => {
            return Err(ScriptError::Value(value.to_string()));
        }
    })
}

/// A text between double quotes, made from Python's `repr` of it.
fn write_text(text: &str) -> Result<String, ScriptError> {
    let written = repr(text);
    if written.contains("\\x") {
        return Err(ScriptError::Value(text.to_owned()));
    }
    let inside = &written[1..written.len() - 1];
    if written.starts_with('\'') {
        Ok(format!("\"{}\"", inside.replace("\\'", "'").replace('"', "\\\"")))
    } else {
        Ok(format!("\"{inside}\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_follow_the_values_of_their_level() {
        let table: Table =
            "[a]\nx = [1, 2]\n[a.b]\ny = \"it's \\\"q\\\"\"\n[c.d]\nz = true\n[e]".parse().unwrap();
        let written = "[a]\nx = [ 1, 2,]\n\n[e]\n\n[a.b]\ny = \"it's \\\"q\\\"\"\n\n[c.d]\nz = true\n";
        assert_eq!(write_toml(&table).unwrap(), written);
    }

    #[test]
    fn requirements_become_entries_of_pixi() {
        let entry = |text: &str| pixi_dependency(text).map(|(name, entry)| format!("{name} {entry}"));
        assert_eq!(entry("flyte").unwrap(), "flyte \"*\"");
        assert_eq!(entry("a>=1,<2").unwrap(), "a \"<2,>=1\"");
        assert!(entry("a; python_version > '3'").is_err());
    }
}
