//! Facts about packages: what flytekit brought with it, what became of its plugins, and what flyte asks for.
//!
//! The tables are data files; `scripts/brought_packages.py` makes them from the SDKs' own metadata.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

static BROUGHT: LazyLock<FxHashMap<&str, &str>> =
    LazyLock::new(|| rows(include_str!("data/brought_packages.tsv")).into_iter().collect());
static NEEDED: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| rows(include_str!("data/flyte_requirements.tsv")));
static PLUGINS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| rows(include_str!("data/plugins.tsv")));

fn rows(table: &'static str) -> Vec<(&'static str, &'static str)> {
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect()
}

/// The distribution that `import module` needs, if a Flyte 1 image has it only because flytekit depends on it.
///
/// `module` is dotted; the longest listed prefix counts.
pub fn brought_by_flytekit(module: &str) -> Option<&'static str> {
    let mut prefix = module;
    loop {
        if let Some(distribution) = BROUGHT.get(prefix) {
            return Some(distribution);
        }
        prefix = prefix.rsplit_once('.')?.0;
    }
}

/// What to install for `import module`, if a Flyte 1 image has it only because its Python comes with it, as one of conda
/// does below 3.13 (there, pip depends on setuptools and wheel); Flyte 2's environments are made by uv and are empty.
pub fn brought_by_python(module: &str) -> Option<&'static str> {
    match module.split('.').next()? {
        "setuptools" | "distutils" => Some(SETUPTOOLS),
        // Newer ones are without it.
        "pkg_resources" => Some(SETUPTOOLS_WITH_RESOURCES),
        "wheel" => Some(WHEEL),
        _ => None,
    }
}

/// Whether `package` is one of [`brought_by_python`].
pub fn is_of_python(package: &str) -> bool {
    [SETUPTOOLS, SETUPTOOLS_WITH_RESOURCES, WHEEL].contains(&package)
}

/// What builds packages.
pub const SETUPTOOLS: &str = "setuptools";
/// The setuptools that have `pkg_resources`.
pub const SETUPTOOLS_WITH_RESOURCES: &str = "setuptools<81";
/// What builds wheels where setuptools do not do it themselves.
pub const WHEEL: &str = "wheel";

/// The distribution with which pandas, polars and fsspec read an object store, brought by flytekit.
pub fn object_store_package(scheme: &str) -> &'static str {
    match scheme {
        "s3://" => "s3fs",
        "gs://" | "gcs://" => "gcsfs",
        _ => "adlfs",
    }
}

/// The distribution of this name and the versions of it that flyte 2.12.1 asks for; the name normalized.
pub fn flyte_requirement(name: &str) -> Option<(&'static str, &'static str)> {
    NEEDED.iter().find(|(needed, _)| *needed == name).copied()
}

/// What became of a plugin of flytekit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// It has a successor on Flyte 2.
    Successor(&'static str),
    /// It has none, or is not known.
    None,
}

/// What became of `flytekitplugins-*`; the name normalized.
pub fn plugin(name: &str) -> Plugin {
    match PLUGINS.iter().find(|(plugin, _)| *plugin == name) {
        Some((_, successor)) if *successor != "none" => Plugin::Successor(successor),
        _ => Plugin::None,
    }
}

/// The normalized name at the start of a requirement: `Pandas[x]>=2` gives `pandas` (PEP 503).
pub fn distribution_name(requirement: &str) -> String {
    let requirement = requirement.trim();
    if let Some(name) = vcs_name(requirement) {
        return name;
    }
    let end = requirement
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(requirement.len());
    normalize(&requirement[..end])
}

/// The name that the last part of a URL suggests: `git+https://github.com/flyteorg/flytekit.git@master` is `flytekit`.
fn vcs_name(requirement: &str) -> Option<String> {
    let (head, rest) = requirement.split_once("://")?;
    // `name @ https://…` names itself.
    if head.contains('@') {
        return None;
    }
    if let Some((_, egg)) = rest.split_once("#egg=") {
        return Some(distribution_name(egg));
    }
    let path = rest.split(['#', '?']).next().unwrap_or(rest);
    let path = path.split_once('/').map_or(path, |(_, path)| path);
    let path = path.split('@').next().unwrap_or(path);
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    Some(normalize(last.trim_end_matches(".git")))
}

fn normalize(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !out.is_empty() {
            out.push('-');
        }
        out.push_str(&part.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalized_and_cut_from_their_specifiers() {
        assert_eq!(distribution_name("Pandas[excel]>=2.0; python_version<'3.12'"), "pandas");
        assert_eq!(distribution_name("scikit_learn==1.4"), "scikit-learn");
        assert_eq!(distribution_name("git+https://github.com/flyteorg/flytekit.git@master"), "flytekit");
        assert_eq!(
            distribution_name("git+https://github.com/flyteorg/flytekit@abc#subdirectory=plugins/x"),
            "flytekit"
        );
        assert_eq!(distribution_name("flytekit @ git+https://example.com/other.git"), "flytekit");
    }

    #[test]
    fn plugins_are_sorted_and_their_successors_are_those_of_flyte() {
        assert!(PLUGINS.is_sorted() && PLUGINS.windows(2).all(|pair| pair[0].0 != pair[1].0));
        for (plugin, successor) in PLUGINS.iter() {
            assert!(plugin.starts_with("flytekitplugins-"), "{plugin}");
            assert!(*successor == "none" || successor.starts_with("flyteplugins-"), "{plugin}: {successor}");
        }
    }

    #[test]
    fn the_tables_know_the_usual_ones() {
        assert_eq!(brought_by_flytekit("requests"), Some("requests"));
        assert_eq!(brought_by_flytekit("dateutil.parser"), Some("python-dateutil"));
        assert_eq!(brought_by_flytekit("numpy"), None);
        assert_eq!(plugin("flytekitplugins-spark"), Plugin::Successor("flyteplugins-spark"));
        assert_eq!(plugin("flytekitplugins-openai"), Plugin::None);
        assert_eq!(plugin("flytekitplugins-unheard-of"), Plugin::None);
    }
}
