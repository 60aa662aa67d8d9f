//! A `pixi.toml`: what an image gets from conda channels and from PyPI, solved together by pixi.
//!
//! ```toml
//! [dependencies]
//! python = "3.11.*"
//! gdal = "3.8.*"
//!
//! [pypi-dependencies]
//! flyte = "*"
//! ```
//!
//! The forms are those that flyte itself writes (`flyte/_utils/pixi_script_parser.py`, 2.12.1).

use toml::Value;

/// One package with what is asked of it: `version`, `build`, `channel`, `extras`, `git`, `rev`, `url`.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// The keys, in order.
    pub keys: Vec<(&'static str, Value)>,
}

impl Entry {
    /// A package in a version.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), keys: vec![("version", Value::String(version.into()))] }
    }
}

/// The content of a `pixi.toml`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// What the file is made from, for the comment on its first line.
    pub origin: String,
    /// The channels, the first one first.
    pub channels: Vec<String>,
    /// The platforms in conda's words.
    pub platforms: Vec<String>,
    /// The conda packages.
    pub conda: Vec<Entry>,
    /// The packages from PyPI.
    pub pypi: Vec<Entry>,
    /// The package index in place of PyPI.
    pub index_url: Option<String>,
    /// More indexes.
    pub extra_index_urls: Vec<String>,
}

impl Manifest {
    /// Writes the file.
    pub fn render(&self) -> String {
        let strings = |values: &[String]| {
            let quoted: Vec<String> = values.iter().map(|value| quote(value)).collect();
            format!("[{}]", quoted.join(", "))
        };
        let mut text = format!(
            "# {}\n\n[workspace]\nchannels = {}\nplatforms = {}\n",
            self.origin,
            strings(&self.channels),
            strings(&self.platforms)
        );
        text.push_str(&table("dependencies", &self.conda));
        text.push_str(&table("pypi-dependencies", &self.pypi));
        if self.index_url.is_some() || !self.extra_index_urls.is_empty() {
            text.push_str("\n[pypi-options]\n");
            if let Some(url) = &self.index_url {
                text.push_str(&format!("index-url = {}\n", quote(url)));
            }
            if !self.extra_index_urls.is_empty() {
                text.push_str(&format!("extra-index-urls = {}\n", strings(&self.extra_index_urls)));
            }
        }
        text
    }

    /// A name that is listed twice; TOML has no such tables.
    pub fn duplicate(&self) -> Option<&str> {
        let first_twice = |entries: &'_ [Entry]| {
            entries
                .iter()
                .enumerate()
                .find(|(index, entry)| entries[..*index].iter().any(|other| other.name == entry.name))
                .map(|(index, _)| index)
        };
        let conda = first_twice(&self.conda).map(|index| self.conda[index].name.as_str());
        conda.or_else(|| first_twice(&self.pypi).map(|index| self.pypi[index].name.as_str()))
    }
}

fn table(name: &str, entries: &[Entry]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let rows: String = entries.iter().map(row).collect();
    format!("\n[{name}]\n{rows}")
}

fn row(entry: &Entry) -> String {
    let is_bare = entry.name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let key = if is_bare { entry.name.clone() } else { quote(&entry.name) };
    match entry.keys.as_slice() {
        [("version", version)] => format!("{key} = {version}\n"),
        keys => {
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            format!("{key} = {{ {} }}\n", keys.join(", "))
        }
    }
}

fn quote(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// The package that conda's words name: `gdal=3.8`, `numpy>=1.2,<2`, `nvidia::cuda-nvcc`, `x=1.0=py311_0`.
///
/// `None` if they cannot be read for certain.
pub fn conda_entry(text: &str) -> Option<Entry> {
    let (channel, text) = match text.split_once("::") {
        Some((channel, rest)) => (Some(channel), rest),
        None => (None, text),
    };
    let (name, rest) = split_name(text)?;
    let mut entry = Entry::new(name.to_ascii_lowercase(), "*");
    if let Some(rest) = rest.strip_prefix('=').filter(|rest| !rest.starts_with('=')) {
        let (version, build) =
            rest.split_once('=').map_or((rest, None), |(version, build)| (version, Some(build)));
        if !is_version(version) || build.is_some_and(|build| !is_version(build)) {
            return None;
        }
        // `=1.2` is any 1.2; with a build it is 1.2 itself.
        let wanted = match build {
            Some(_) => format!("=={version}"),
            None if version.ends_with('*') => version.to_owned(),
            None => format!("{version}.*"),
        };
        entry = Entry::new(entry.name, wanted);
        entry.keys.extend(build.map(|build| ("build", Value::String(build.to_owned()))));
    } else if !rest.is_empty() {
        let is_range = rest.starts_with(['<', '>', '=', '!', '~'])
            && rest.chars().all(|c| is_version_character(c) || "<>=!~,|".contains(c));
        if !is_range {
            return None;
        }
        entry = Entry::new(entry.name, rest);
    }
    entry.keys.extend(channel.map(|channel| ("channel", Value::String(channel.to_owned()))));
    Some(entry)
}

/// The package that a requirement names: `pandas>=2`, `dask[array]`, `x @ git+https://…@main`.
///
/// `None` for markers, for which pixi has no counterpart, and for what cannot be read for certain.
pub fn pypi_entry(text: &str) -> Option<Entry> {
    if text.contains(';') {
        return None;
    }
    let (name, rest) = split_name(text.trim())?;
    let (extras, rest) = match rest.trim_start().strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(extras, rest)| (Some(extras), rest))?,
        None => (None, rest),
    };
    let rest = rest.trim();
    let mut keys: Vec<(&'static str, Value)> = Vec::new();
    if let Some(url) = rest.strip_prefix('@').map(str::trim) {
        match url.strip_prefix("git+") {
            Some(url) if !url.contains('#') => {
                let (scheme, path) = url.split_once("://")?;
                let (path, revision) =
                    path.rsplit_once('@').map_or((path, None), |(path, revision)| (path, Some(revision)));
                keys.push(("git", Value::String(format!("{scheme}://{path}"))));
                keys.extend(revision.map(|revision| ("rev", Value::String(revision.to_owned()))));
            }
            None if url.contains("://") => keys.push(("url", Value::String(url.to_owned()))),
            _ => return None,
        }
    } else {
        let version: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
        let is_range = version.starts_with(['<', '>', '=', '!', '~'])
            && version.chars().all(|c| is_version_character(c) || "<>=!~,".contains(c));
        if !version.is_empty() && !is_range {
            return None;
        }
        let version = if version.is_empty() { "*".to_owned() } else { version };
        keys.push(("version", Value::String(version)));
    }
    if let Some(extras) = extras {
        let extras = extras.split(',').map(|extra| Value::String(extra.trim().to_owned())).collect();
        keys.push(("extras", Value::Array(extras)));
    }
    Some(Entry { name: name.to_owned(), keys })
}

fn split_name(text: &str) -> Option<(&str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    (end > 0 && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')).then(|| text.split_at(end))
}

fn is_version_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '*' | '+' | '!' | '-')
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_version_character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conda(text: &str) -> Option<String> {
        conda_entry(text).map(|entry| row(&entry).trim().to_owned())
    }

    fn pypi(text: &str) -> Option<String> {
        pypi_entry(text).map(|entry| row(&entry).trim().to_owned())
    }

    #[test]
    fn words_of_conda_are_read_as_conda_does() {
        assert_eq!(conda("gdal").unwrap(), r#"gdal = "*""#);
        assert_eq!(conda("GDAL=3.8").unwrap(), r#"gdal = "3.8.*""#);
        assert_eq!(conda("x=1.*").unwrap(), r#"x = "1.*""#);
        assert_eq!(conda("x==1.2").unwrap(), r#"x = "==1.2""#);
        assert_eq!(conda("numpy>=1.2,<2").unwrap(), r#"numpy = ">=1.2,<2""#);
        assert_eq!(conda("x=1.0=py311_0").unwrap(), r#"x = { version = "==1.0", build = "py311_0" }"#);
        assert_eq!(
            conda("nvidia::cuda-nvcc").unwrap(),
            r#"cuda-nvcc = { version = "*", channel = "nvidia" }"#
        );
        assert_eq!(conda("ruamel.yaml").unwrap(), r#""ruamel.yaml" = "*""#);
        for odd in ["", "-c", "x[version='1']", "x 1.2", "x=>=2", "x= ", "x(1)"] {
            assert_eq!(conda(odd), None, "{odd}");
        }
    }

    #[test]
    fn requirements_are_read_as_flyte_does() {
        assert_eq!(pypi("pandas").unwrap(), r#"pandas = "*""#);
        assert_eq!(pypi("pandas >= 2, <3").unwrap(), r#"pandas = ">=2,<3""#);
        assert_eq!(
            pypi("dask[array, test]==1").unwrap(),
            r#"dask = { version = "==1", extras = ["array", "test"] }"#
        );
        assert_eq!(
            pypi("x @ git+https://example.com/x.git@main").unwrap(),
            r#"x = { git = "https://example.com/x.git", rev = "main" }"#
        );
        assert_eq!(
            pypi("x @ https://example.com/x.whl").unwrap(),
            r#"x = { url = "https://example.com/x.whl" }"#
        );
        for odd in [
            "x; python_version<'3.9'",
            "git+https://example.com/x",
            "./x",
            "x --pre",
            "x @ git+https://e/x#egg=x",
        ] {
            assert_eq!(pypi(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_is_rendered_is_toml_and_means_the_same() {
        let manifest = Manifest {
            origin: "made by a test".to_owned(),
            channels: vec!["conda-forge".to_owned(), "nvidia".to_owned()],
            platforms: vec!["linux-64".to_owned()],
            conda: vec![Entry::new("python", "3.11.*"), conda_entry("nvidia::cuda=12").unwrap()],
            pypi: vec![Entry::new("flyte", "*")],
            index_url: Some("https://example.com/simple".to_owned()),
            extra_index_urls: vec!["https://example.com/\"x\"".to_owned()],
        };
        let table: toml::Table = manifest.render().parse().unwrap();
        assert_eq!(table["workspace"]["channels"][1].as_str(), Some("nvidia"));
        assert_eq!(table["dependencies"]["python"].as_str(), Some("3.11.*"));
        assert_eq!(table["dependencies"]["cuda"]["channel"].as_str(), Some("nvidia"));
        assert_eq!(table["pypi-dependencies"]["flyte"].as_str(), Some("*"));
        assert_eq!(table["pypi-options"]["extra-index-urls"][0].as_str(), Some("https://example.com/\"x\""));
        assert_eq!(manifest.duplicate(), None);
    }
}
