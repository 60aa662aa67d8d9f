//! Versions and ranges of them, as PEP 440 orders them.
//!
//! ```text
//! >=2.10.6          from 2.10.6 on
//! ==1.10.*          from 1.10, below 1.11
//! ~=1.4.2           from 1.4.2, below 1.5
//! ```

use std::cmp::Ordering;

/// A version: its epoch, its numbers, and where it stands before or behind the release with these numbers.
#[derive(Debug, Clone)]
struct Version {
    epoch: u64,
    release: Vec<u64>,
    /// Below zero before the release, above behind it; the second number counts within.
    phase: (i8, u64),
}

impl Version {
    /// Reads a version; what stands behind `+` names a build and orders nothing here.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.split('+').next()?.trim_start_matches('v');
        let (epoch, text) = match text.split_once('!') {
            Some((epoch, rest)) => (epoch.parse().ok()?, rest),
            None => (0, text),
        };
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let numbers = text[..end].trim_end_matches('.');
        let release: Option<Vec<u64>> = numbers.split('.').map(|number| number.parse().ok()).collect();
        Some(Self { epoch, release: release?, phase: phase(&text[end..])? })
    }

    /// The version with the last number that `length` keeps made one greater.
    fn next(&self, length: usize) -> Option<Self> {
        let mut release: Vec<u64> =
            self.release.iter().copied().chain(std::iter::repeat(0)).take(length).collect();
        *release.last_mut()? += 1;
        Some(Self { release, phase: (0, 0), ..self.clone() })
    }
}

/// What stands behind the numbers: `a1`, `.dev3`, `rc2`, `.post1`.
fn phase(text: &str) -> Option<(i8, u64)> {
    let text = text.trim_start_matches(['.', '-', '_']);
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let digits = text[end..].trim_start_matches(['.', '-', '_']);
    let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    let order = match &text[..end] {
        "" if text.is_empty() => 0,
        "dev" => -4,
        "a" | "alpha" => -3,
        "b" | "beta" => -2,
        "c" | "rc" | "pre" | "preview" => -1,
        "" | "post" | "rev" | "r" => 1,
        _ => return None,
    };
    Some((order, digits.parse().unwrap_or(0)))
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.release.len().max(other.release.len());
        let padded = |version: &Self| -> Vec<u64> {
            version.release.iter().copied().chain(std::iter::repeat(0)).take(length).collect()
        };
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| padded(self).cmp(&padded(other)))
            .then_with(|| self.phase.cmp(&other.phase))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The versions from one end to another; `true` says that the end belongs to them.
#[derive(Debug, Clone, Default)]
pub struct Range {
    from: Option<(Version, bool)>,
    to: Option<(Version, bool)>,
}

impl Range {
    /// The versions that all operators and versions of a requirement allow; `!=` takes nothing away. `None` where one
    /// of them cannot be read.
    pub fn of(versions: &[(String, String)]) -> Option<Self> {
        versions.iter().try_fold(Self::default(), |range, (operator, version)| range.with(operator, version))
    }

    fn with(self, operator: &str, text: &str) -> Option<Self> {
        let stem = text.strip_suffix(".*");
        let version = Version::parse(stem.unwrap_or(text))?;
        let length = version.release.len();
        Some(match operator {
            "==" if stem.is_some() => {
                let end = version.next(length)?;
                self.from((version, true)).to((end, false))
            }
            "==" | "===" => self.from((version.clone(), true)).to((version, true)),
            "~=" => {
                let end = version.next(length.checked_sub(1).filter(|&length| length > 0)?)?;
                self.from((version, true)).to((end, false))
            }
            ">=" | ">" => self.from((version, operator == ">=")),
            "<=" | "<" => self.to((version, operator == "<=")),
            "!=" => self,
            _ => return None,
        })
    }

    fn from(mut self, from: (Version, bool)) -> Self {
        let is_narrower = |own: &(Version, bool)| from.0 > own.0 || from.0 == own.0 && !from.1;
        if self.from.as_ref().is_none_or(is_narrower) {
            self.from = Some(from);
        }
        self
    }

    fn to(mut self, to: (Version, bool)) -> Self {
        let is_narrower = |own: &(Version, bool)| to.0 < own.0 || to.0 == own.0 && !to.1;
        if self.to.as_ref().is_none_or(is_narrower) {
            self.to = Some(to);
        }
        self
    }

    /// Whether a version may lie in both.
    pub fn meets(&self, other: &Self) -> bool {
        let is_open = |from: &Option<(Version, bool)>, to: &Option<(Version, bool)>| match (from, to) {
            (Some((from, has_from)), Some((to, has_to))) => from < to || from == to && *has_from && *has_to,
            _ => true,
        };
        is_open(&self.from, &other.to) && is_open(&other.from, &self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::super::requirement::Requirement;
    use super::*;

    fn range(text: &str) -> Range {
        Range::of(&Requirement::parse(&format!("a{text}")).unwrap().versions).unwrap()
    }

    #[test]
    fn ranges_meet_where_a_version_lies_in_both() {
        for (one, other, meet) in [
            ("==1.10.13", ">=2.10.6", false),
            ("<2", ">=2.10.6", false),
            ("<=2.10.6", ">=2.10.6", true),
            ("<2.10.6", ">=2.10.6", false),
            ("~=2.10.1", ">=2.10.6", true),
            ("~=2.9.1", ">=2.10.6", false),
            ("~=2.9", ">=2.10.6", true),
            ("==2.*", ">=2.10.6", true),
            ("==2.9.*", ">=2.10.6", false),
            ("", ">=2.10.6", true),
            ("!=2.11", ">=2.10.6", true),
            (">=1,<3", ">=2.10.6", true),
            ("==2.10.6+local", ">=2.10.6", true),
            ("==2.10.6rc1", ">=2.10.6", false),
            ("==2.10.6.post1", ">=2.10.6", true),
            ("==2.11.0b1", ">=2.10.6", true),
            (">1", "<0.11,>=0.9.0", false),
            ("==1.8.9.0", "==1.8.9", true),
            (">=1.9", "==1.8.9", false),
            ("==1!1.0", "<2", false),
            ("==v2.11", ">=2.10.6", true),
        ] {
            assert_eq!(range(one).meets(&range(other)), meet, "{one} and {other}");
            assert_eq!(range(other).meets(&range(one)), meet, "{other} and {one}");
        }
    }

    #[test]
    fn what_is_no_version_is_no_range() {
        assert!(Range::of(&[("===".to_owned(), "any".to_owned())]).is_none());
        assert!(Range::of(&[("~=".to_owned(), "1".to_owned())]).is_none());
    }
}
