//! The options of a requirements file that count for everything which pip or uv installs along with it.
//!
//! ```text
//! --extra-index-url https://download.pytorch.org/whl/cpu
//! --no-binary :all:
//! ```
//!
//! uv takes these from a file and ignores others there, such as `--pre` and `--trusted-host` (uv 0.13). Files beside the
//! requirements file were not in the build of Flyte 1, so constraints and links count by their URL only.

use super::lines::{lines, requirement_range};
use crate::project::disk::PipOption;

/// The options of the file `text`.
pub(super) fn read(text: &str) -> Vec<PipOption> {
    let places = lines(text).filter_map(|line| requirement_range(text, line));
    places.filter_map(|place| option(&text[place])).collect()
}

/// The option on a line, if it is one that counts.
fn option(line: &str) -> Option<PipOption> {
    let line = line.replace('\\', " ");
    let mut words = line.split_whitespace();
    let first = words.next().filter(|word| word.starts_with('-'))?;
    let (name, value) = match first.split_once('=') {
        Some((name, value)) => (name, value.to_owned()),
        None => (first, words.collect::<Vec<_>>().join(" ")),
    };
    let is_elsewhere = value.contains("://") || value.starts_with('/');
    Some(match name {
        "-i" | "--index-url" => PipOption::Index(value),
        "--extra-index-url" => PipOption::ExtraIndex(value),
        "-f" | "--find-links" if is_elsewhere => PipOption::Other(format!("--find-links {value}")),
        "-c" | "--constraint" if is_elsewhere => PipOption::Other(format!("--constraint {value}")),
        "--no-binary" | "--only-binary" => PipOption::Other(format!("{name} {value}")),
        "--no-index" => PipOption::Other(name.to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_count_are_read_and_others_are_not() {
        let text = "numpy\n--index-url=https://a/simple # ours\n--extra-index-url https://b\n-f \\\n  https://c\n\
                    -c other.txt\n--pre\n--no-binary :all:\n-e .\n-r more.txt\n# --no-index\n";
        let options: Vec<String> = read(text).iter().map(PipOption::text).collect();
        let expected = [
            "--index-url https://a/simple",
            "--extra-index-url https://b",
            "--find-links https://c",
            "--no-binary :all:",
        ];
        assert_eq!(options, expected);
    }
}
