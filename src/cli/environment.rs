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
use crate::image::version::Range;

/// The newest version of the SDK that the images are known of.
pub(super) const NEWEST_FLYTE: &str = "2.12.1";

/// Requirements files that take in each other end here.
const MAX_FILES: usize = 8;

/// What was typed decides, then what the project says, then what is usual.
pub(super) fn settings(
    args: &ImageArgs,
    root: &Path,
    (config, found): (&Config, &Config),
    disk: &Disk,
) -> Settings {
    let (flyte_version, flyte_limit) = match args.flyte_version.clone() {
        Some(version) => (version, None),
        None => flyte_of_project(root, disk),
    };
    Settings {
        flyte_version,
        flyte_limit,
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
    Settings { flyte_version: flyte_of_project(root, disk).0, ..Settings::default() }
}

/// The version of flyte in a lock file, or the exact one in the dependencies; and what they ask for that is neither that
/// nor the newest one.
fn flyte_of_project(root: &Path, disk: &Disk) -> (String, Option<String>) {
    let read = |name: &str| disk.read_text(&root.join(name)).ok();
    let locks = ["uv.lock", "poetry.lock", "pdm.lock"];
    if let Some(locked) = locks.iter().find_map(|lock| locked_version(&read(lock)?)) {
        return (locked, None);
    }
    let mut asked = read("pyproject.toml").map(|text| dependencies(&text)).unwrap_or_default();
    asked.extend(requirements(root, "requirements.txt", disk, 0));
    let asked: Vec<Requirement> = asked
        .iter()
        .filter_map(|line| Requirement::parse(line.split('#').next()?).ok())
        .filter(|requirement| requirement.canonical_name() == "flyte")
        .collect();
    if let Some(pinned) = asked.iter().find_map(pin) {
        return (pinned, None);
    }
    let limit = asked.iter().find(|requirement| !allows(requirement, NEWEST_FLYTE));
    let limit = limit.map(|requirement| match &requirement.url {
        Some(url) => format!("flyte @ {url}"),
        None => format!("flyte{}", requirement.specifier()),
    });
    (NEWEST_FLYTE.to_owned(), limit)
}

/// Whether a requirement allows a version.
fn allows(requirement: &Requirement, version: &str) -> bool {
    let exact = Range::of(&[("==".to_owned(), version.to_owned())]);
    let is_left_out = requirement.versions.iter().any(|(operator, text)| operator == "!=" && text == version);
    let range = Range::of(&requirement.versions).zip(exact);
    requirement.url.is_none() && !is_left_out && range.is_some_and(|(range, exact)| range.meets(&exact))
}

/// The lines of a requirements file, and of those that it takes in.
fn requirements(folder: &Path, name: &str, disk: &Disk, depth: usize) -> Vec<String> {
    let file = folder.join(name);
    let Some(text) = disk.read_text(&file).ok().filter(|_| depth < MAX_FILES) else { return Vec::new() };
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim) {
        let options = ["-r", "--requirement", "-c", "--constraint"];
        let included = options.iter().find_map(|option| line.strip_prefix(option));
        match (included, file.parent()) {
            (Some(name), Some(folder)) => {
                let name = name.trim_start_matches(['=', ' ']).split(" #").next().unwrap_or_default();
                lines.extend(requirements(folder, name.trim(), disk, depth + 1));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
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

/// The dependencies in a `pyproject.toml`.
fn dependencies(pyproject: &str) -> Vec<String> {
    let table: Option<toml::Table> = pyproject.parse().ok();
    let listed = table.as_ref().and_then(|table| table.get("project")?.get("dependencies")?.as_array());
    listed.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
}

/// `flyte==2.12.1`
fn pin(requirement: &Requirement) -> Option<String> {
    match &requirement.versions[..] {
        [(operator, version)] if operator == "==" => {
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
        let flyte = || flyte_of_project(folder.path(), &Disk::new(folder.path().to_path_buf()));
        let version = || Some(flyte()).filter(|(_, limit)| limit.is_none()).map(|(version, _)| version);
        assert_eq!(version().as_deref(), Some(NEWEST_FLYTE));
        write(
            "pyproject.toml",
            "[project]\ndependencies = [\"flyte[tui] == 2.4.0 ; python_version > '3'\", \"x\"]\n",
        );
        assert_eq!(version().as_deref(), Some("2.4.0"));
        write("uv.lock", "[[package]]\nname = \"flyte\"\nversion = \"2.5.1\"\n");
        assert_eq!(version().as_deref(), Some("2.5.1"));
    }

    #[test]
    fn what_leaves_the_newest_version_out_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let flyte = |line: &str| {
            std::fs::write(folder.path().join("requirements.txt"), "pandas\n-r base.txt  # all\n").unwrap();
            std::fs::write(folder.path().join("base.txt"), line).unwrap();
            flyte_of_project(folder.path(), &Disk::new(folder.path().to_path_buf()))
        };
        for open in ["flyte>=2.1", "flyte==2.*", "flyte", "flytekit==1.16.0", "flyte~=2.12.0"] {
            assert_eq!(flyte(open), (NEWEST_FLYTE.to_owned(), None), "{open}");
        }
        assert_eq!(flyte("flyte==2.1.0  # pinned"), ("2.1.0".to_owned(), None));
        for limit in
            ["flyte~=2.11.0", "flyte<2.12", "flyte==2.11.*", "flyte!=2.12.1", "flyte @ git+https://h/x"]
        {
            assert_eq!(flyte(limit).1.as_deref(), Some(limit));
        }
    }
}
