//! The projects that a uv project installs in place, besides itself.
//!
//! ```toml
//! [tool.uv.sources]
//! lib = { path = "libs/lib", editable = true }
//! ```

use std::path::Path;

use toml::{Table, Value};

use super::disk::Disk;
use super::step::Problem;
use crate::rules::codes;

/// The folders, from the project, of what a uv project installs in place besides itself.
///
/// # Errors
/// A lock file or manifest that is no TOML.
pub fn editables(root: &Path, lock: Option<&Path>, disk: &Disk) -> Result<Vec<String>, Problem> {
    let path = lock.map_or_else(|| root.join("pyproject.toml"), Path::to_path_buf);
    let Ok(text) = disk.read_text(&path) else { return Ok(Vec::new()) };
    let table = text.parse::<Table>().map_err(|error: toml::de::Error| {
        let message = format!("`{}` is no TOML: {}", path.display(), error.message());
        Problem::new(&codes::MISSING_FILE, message)
    })?;
    let mut found: Vec<String> =
        if lock.is_some() { locked_editables(&table) } else { declared_editables(&table) };
    found.retain(|path| path != ".");
    found.sort();
    found.dedup();
    Ok(found)
}

fn locked_editables(lock: &Table) -> Vec<String> {
    let packages = lock.get("package").and_then(Value::as_array);
    let editable = |package: &Value| Some(package.get("source")?.get("editable")?.as_str()?.to_owned());
    packages.into_iter().flatten().filter_map(editable).collect()
}

fn declared_editables(manifest: &Table) -> Vec<String> {
    let sources = || manifest.get("tool")?.get("uv")?.get("sources")?.as_table();
    let editable = |source: &Value| {
        let is_editable = source.get("editable")?.as_bool()?;
        is_editable.then(|| source.get("path")?.as_str().map(str::to_owned))?
    };
    sources().into_iter().flat_map(Table::values).filter_map(editable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_in_place_come_from_the_lock_or_the_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "pyproject.toml",
            "[tool.uv.sources]\na = {path = \"libs/a\", editable = true}\nb = {path = \"b\"}\n",
        );
        write(
            "uv.lock",
            "[[package]]\nname = \"root\"\nsource = { editable = \".\" }\n[[package]]\nname = \"a\"\nsource = { editable = \"libs/a\" }\n",
        );
        let disk = Disk::new(folder.path().to_path_buf());
        let here = Path::new("");
        assert_eq!(editables(here, None, &disk).unwrap(), ["libs/a"]);
        assert_eq!(editables(here, Some(Path::new("uv.lock")), &disk).unwrap(), ["libs/a"]);
    }
}
