//! What Flyte 2 code of a project finds around it: the version of the SDK, of Python, the configured registry.
//!
//! ```toml
//! dependencies = ["flyte==2.12.1"]    # in pyproject.toml, or as a package of uv.lock
//! ```

use std::path::Path;

use super::args::ImageArgs;
use crate::flyte2::evaluate::Settings;
use crate::image::config::{Config, ConfigError, Surroundings};
use crate::image::disk::Disk;
use crate::image::requirement::Requirement;

/// The newest version of the SDK that the images are known of.
pub(super) const NEWEST_FLYTE: &str = "2.12.1";

/// What was typed decides, then what the project says, then what is usual.
pub(super) fn settings(
    args: &ImageArgs,
    root: &Path,
    (config, found): (&Config, &Config),
    disk: &Disk,
) -> Settings {
    let flyte_version = args.flyte_version.clone().or_else(|| project_flyte_version(root, disk));
    Settings {
        flyte_version: flyte_version.unwrap_or_else(|| NEWEST_FLYTE.to_owned()),
        python_version: args.python_version.or_else(|| project_python_version(root)),
        config: config.clone(),
        found_config: found.clone(),
        environment: std::env::vars().collect(),
        needs_uris: true,
    }
}

/// The Flyte 2 configuration: the one that is named, else the one that the SDK would find.
///
/// # Errors
/// A file that is not readable, or no YAML.
pub(super) fn config(named: Option<&Path>, cwd: &Path) -> Result<Config, ConfigError> {
    let home = std::env::home_dir();
    let variable = |name: &str| std::env::var(name).ok();
    Config::load(named, Surroundings { cwd, home: home.as_deref(), variable: &variable })
}

/// What a look at the code needs to know: findings depend on neither the environment nor the Python of whoever looks.
pub(super) fn surroundings_of(root: &Path, disk: &Disk) -> Settings {
    let flyte_version = project_flyte_version(root, disk).unwrap_or_else(|| NEWEST_FLYTE.to_owned());
    Settings { flyte_version, ..Settings::default() }
}

/// The version of flyte in a lock file, or the exact one in the dependencies.
fn project_flyte_version(root: &Path, disk: &Disk) -> Option<String> {
    let read = |name: &str| disk.read_text(&root.join(name)).ok();
    let locks = ["uv.lock", "poetry.lock", "pdm.lock"];
    let locked = locks.iter().find_map(|lock| locked_version(&read(lock)?));
    locked
        .or_else(|| pinned_version(&read("pyproject.toml")?))
        .or_else(|| read("requirements.txt")?.lines().find_map(pin_of_flyte))
}

fn read(root: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(root.join(name)).ok()
}

fn locked_version(lock: &str) -> Option<String> {
    let table: toml::Table = lock.parse().ok()?;
    let packages = table.get("package")?.as_array()?;
    let flyte =
        packages.iter().find(|package| package.get("name").and_then(toml::Value::as_str) == Some("flyte"))?;
    Some(flyte.get("version")?.as_str()?.to_owned()).filter(|version| version.starts_with("2."))
}

fn pinned_version(pyproject: &str) -> Option<String> {
    let table: toml::Table = pyproject.parse().ok()?;
    let dependencies = table.get("project")?.get("dependencies")?.as_array()?;
    dependencies.iter().filter_map(toml::Value::as_str).find_map(pin_of_flyte)
}

/// `flyte==2.12.1`
fn pin_of_flyte(line: &str) -> Option<String> {
    let requirement = Requirement::parse(line.split('#').next()?).ok()?;
    match &requirement.versions[..] {
        [(operator, version)] if requirement.canonical_name() == "flyte" && operator == "==" => {
            Some(version.clone()).filter(|version| !version.ends_with(".*") && version.starts_with("2."))
        }
        _ => None,
    }
}

/// The version of Python in the project's virtual environment, or the one that `.python-version` asks for.
fn project_python_version(root: &Path) -> Option<(u32, u32)> {
    let active = std::env::var_os("VIRTUAL_ENV").map(std::path::PathBuf::from);
    let environments = active.into_iter().chain([root.join(".venv")]);
    let version = environments.filter_map(|folder| read(&folder, "pyvenv.cfg")).find_map(|text| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            matches!(key.trim(), "version" | "version_info").then(|| value.trim().to_owned())
        })
    });
    let version =
        version.or_else(|| Some(read(root, ".python-version")?.lines().next()?.trim().to_owned()))?;
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_decides_before_a_pin() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let version = || project_flyte_version(folder.path(), &Disk::new(folder.path().to_path_buf()));
        assert_eq!(version(), None);
        write(
            "pyproject.toml",
            "[project]\ndependencies = [\"flyte[tui] == 2.4.0 ; python_version > '3'\", \"x\"]\n",
        );
        assert_eq!(version().as_deref(), Some("2.4.0"));
        write("uv.lock", "[[package]]\nname = \"flyte\"\nversion = \"2.5.1\"\n");
        assert_eq!(version().as_deref(), Some("2.5.1"));
    }

    #[test]
    fn a_range_decides_nothing() {
        for line in ["flyte>=2.1", "flyte==2.*", "flytekit==1.16.0", "flyte"] {
            assert_eq!(pin_of_flyte(line), None, "{line}");
        }
        assert_eq!(pin_of_flyte("flyte==2.1.0  # pinned").as_deref(), Some("2.1.0"));
    }
}
