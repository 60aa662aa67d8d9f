//! Requirements as PEP 508 writes them.
//!
//! ```text
//! pandas[parquet] >=2, <3 ; python_version < "3.13"
//! tool @ git+https://github.com/x/tool
//! ```

use std::fmt;

/// A requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The name as it is written.
    pub name: String,
    /// The extras, sorted.
    pub extras: Vec<String>,
    /// Operators and versions, such as `>=` and `2`.
    pub versions: Vec<(String, String)>,
    /// Where it comes from, in place of versions.
    pub url: Option<String>,
    /// What stands behind `;`.
    pub marker: Option<String>,
}

/// Why a text is no requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRequirement(String);

impl fmt::Display for InvalidRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The operators of versions, the longer ones first.
const OPERATORS: [&str; 8] = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"];

impl Requirement {
    /// Reads a requirement.
    ///
    /// # Errors
    /// [`InvalidRequirement`] with what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidRequirement> {
        let wrong = |what: &str| Err(InvalidRequirement(what.to_owned()));
        let text = text.trim();
        let end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let is_edge = |c: char| c.is_ascii_alphanumeric();
        if !name.starts_with(is_edge) || !name.ends_with(is_edge) {
            return wrong("it does not begin with the name of a package");
        }
        let (extras, rest) = extras(rest.trim_start())?;
        let mut requirement =
            Self { name: name.to_owned(), extras, versions: Vec::new(), url: None, marker: None };
        let rest = rest.trim_start();
        if let Some(url) = rest.strip_prefix('@') {
            let url = url.trim_start();
            let end = url.find(char::is_whitespace).unwrap_or(url.len());
            if end == 0 {
                return wrong("there is no URL behind `@`");
            }
            requirement.url = Some(url[..end].to_owned());
            let marker = url[end..].trim_start();
            return match marker.strip_prefix(';') {
                Some(marker) => requirement.with_marker(marker),
                None if marker.is_empty() => Ok(requirement),
                None => wrong("something stands behind the URL"),
            };
        }
        let (versions, marker) =
            rest.split_once(';').map_or((rest, None), |(rest, marker)| (rest, Some(marker)));
        requirement.versions = parse_versions(versions)?;
        marker.map_or(Ok(requirement.clone()), |marker| requirement.with_marker(marker))
    }

    fn with_marker(mut self, marker: &str) -> Result<Self, InvalidRequirement> {
        if marker.trim().is_empty() {
            return Err(InvalidRequirement("there is no condition behind `;`".to_owned()));
        }
        self.marker = Some(marker.trim().to_owned());
        Ok(self)
    }

    /// The name in the form in which packages are compared: `Flyte_X` and `flyte-x` are one.
    pub fn canonical_name(&self) -> String {
        canonical(&self.name)
    }

    /// The versions as `packaging` writes them: sorted, separated by commas.
    pub fn specifier(&self) -> String {
        let mut versions: Vec<String> =
            self.versions.iter().map(|(operator, version)| format!("{operator}{version}")).collect();
        versions.sort();
        versions.dedup();
        versions.join(",")
    }
}

/// Whether a requirement keeps newer versions of its package out.
pub fn is_limit(text: &str) -> bool {
    Requirement::parse(text).is_ok_and(|requirement| {
        let mut operators = requirement.versions.iter().map(|(operator, _)| operator.as_str());
        operators.any(|operator| !matches!(operator, ">" | ">="))
    })
}

/// Whether a requirement leaves no choice of a version.
pub fn is_pin(text: &str) -> bool {
    Requirement::parse(text).is_ok_and(|requirement| {
        let mut versions = requirement.versions.iter();
        requirement.url.is_some()
            || versions.any(|(operator, version)| operator.starts_with("==") && !version.ends_with('*'))
    })
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// A name of a package in the form in which names are compared.
pub fn canonical(name: &str) -> String {
    let mut canonical = String::new();
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if canonical.ends_with('-') => {}
            '-' | '_' | '.' => canonical.push('-'),
            c => canonical.extend(c.to_lowercase()),
        }
    }
    canonical
}

fn extras(text: &str) -> Result<(Vec<String>, &str), InvalidRequirement> {
    let Some(inside) = text.strip_prefix('[') else { return Ok((Vec::new(), text)) };
    let Some((inside, rest)) = inside.split_once(']') else {
        return Err(InvalidRequirement("the bracket of its extras is not closed".to_owned()));
    };
    let mut extras: Vec<String> = Vec::new();
    for extra in inside.split(',').map(str::trim).filter(|_| !inside.trim().is_empty()) {
        if extra.is_empty() || !extra.chars().all(is_name) {
            return Err(InvalidRequirement(format!("`{extra}` is no name of an extra")));
        }
        extras.push(extra.to_owned());
    }
    extras.sort();
    extras.dedup();
    Ok((extras, rest))
}

fn parse_versions(text: &str) -> Result<Vec<(String, String)>, InvalidRequirement> {
    let text = text.trim();
    let text = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text).trim();
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(parse_version).collect()
}

fn parse_version(part: &str) -> Result<(String, String), InvalidRequirement> {
    let Some(operator) = OPERATORS.into_iter().find(|operator| part.starts_with(operator)) else {
        return Err(InvalidRequirement(format!("`{part}` is no version with an operator such as `==`")));
    };
    let version = part[operator.len()..].trim();
    let is_version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '*' | '+' | '!' | '-' | '_');
    let is_valid = if operator == "===" {
        !version.is_empty() && !version.contains(char::is_whitespace)
    } else {
        version.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit())
            && version.chars().all(is_version)
    };
    if is_valid {
        Ok((operator.to_owned(), version.to_owned()))
    } else {
        Err(InvalidRequirement(format!("`{version}` is no version")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let read = Requirement::parse("Pandas[b, a] >= 2 ,<3 ; python_version < '3.13'").unwrap();
        assert_eq!((read.canonical_name().as_str(), read.extras.join(" ").as_str()), ("pandas", "a b"));
        assert_eq!(
            (read.specifier().as_str(), read.marker.as_deref()),
            ("<3,>=2", Some("python_version < '3.13'"))
        );
        let url = Requirement::parse("tool @ git+https://host/x/tool@v1").unwrap();
        assert_eq!(url.url.as_deref(), Some("git+https://host/x/tool@v1"));
        assert_eq!(canonical("Flyte__X.y"), "flyte-x-y");
    }

    #[test]
    fn limits_and_pins_are_told_apart() {
        for text in ["a==1", "a<2", "a<=2,>1", "a~=1.4", "a!=1.3", "a==1.*", "a[x]==1; os_name=='nt'"] {
            assert!(is_limit(text), "{text}");
        }
        for text in ["a", "a>=1", "a>1", "-e .", "a @ https://x/a.whl"] {
            assert!(!is_limit(text), "{text}");
        }
        for text in ["a==1", "a===1", "a @ https://x/a.whl"] {
            assert!(is_pin(text), "{text}");
        }
        for text in ["a", "a==1.*", "a<2", "a~=1.4"] {
            assert!(!is_pin(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_requirement_is_told() {
        for text in
            ["", "-r x.txt", "pandas=2", "pandas ==", "pandas numpy", "a[b", "a @", "a;", "_x", "a>=x"]
        {
            assert!(Requirement::parse(text).is_err(), "{text}");
        }
        for text in ["a", "a==1.*", "a~=1.4", "a===foo", "a (>=1)", "a>=1,", "A.b-c_d", "a==v1", "a==1!2+x.1"]
        {
            assert!(Requirement::parse(text).is_ok(), "{text}");
        }
    }
}
