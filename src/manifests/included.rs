//! Lists of requirements that a manifest takes from files whose names do not tell what they are.
//!
//! ```text
//! -r deps/main.txt                          # requirements.txt
//! dependencies = { file = ["base.txt"] }    # pyproject.toml, [tool.setuptools.dynamic]
//! ```

use super::layout::range;
use super::lines;
use crate::file_kind::FileKind;
use crate::project::{FileId, Project};
use crate::source::TextRange;

/// The files that a manifest takes lists from and that are not looked at, with the places that name them.
pub(super) fn unknown<'t>(project: &Project, file: FileId, text: &'t str) -> Vec<(TextRange, &'t str)> {
    let named = match project.files[file].kind {
        FileKind::Requirements => in_requirements(text),
        FileKind::Toml => in_pyproject(text),
        _ => Vec::new(),
    };
    let folder = project.files[file].relative.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_known = |path: &str| {
        let path = joined(folder, path);
        project.files.iter().any(|other| other.relative == path)
    };
    let is_elsewhere = |path: &str| path.contains("://") || path.starts_with('/') || path.contains('$');
    named.into_iter().filter(|(_, path)| !is_elsewhere(path) && !is_known(path)).collect()
}

/// `-r deps/main.txt`, `--requirement=deps/main.txt`
fn in_requirements(text: &str) -> Vec<(TextRange, &str)> {
    let option = |line| {
        let place = lines::requirement_range(text, line)?;
        let path = ["--requirement", "-r"].iter().find_map(|name| text[place].strip_prefix(name))?;
        let path = path.trim_start_matches(['=', ' ', '\t']);
        (!path.is_empty()).then_some((place, path))
    };
    lines::lines(text).filter_map(option).collect()
}

/// The strings of `[tool.setuptools.dynamic]` that name lists of dependencies.
fn in_pyproject(text: &str) -> Vec<(TextRange, &str)> {
    let mut found = Vec::new();
    let (mut is_inside, mut start) = (false, 0);
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            is_inside = line.starts_with("[tool.setuptools.dynamic");
        } else if is_inside && line.contains("file") {
            for (at, path) in line.match_indices(['"', '\'']).zip(line.split(['"', '\'']).skip(1)).step_by(2)
            {
                if path.ends_with(".txt") || path.ends_with(".in") {
                    let from = start + at.0 + 1;
                    found.push((range(from..from + path.len()), path));
                }
            }
        }
        start += line.len();
    }
    found
}

/// The path from the root of the project.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_lists_come_from_are_found() {
        let paths = |found: Vec<(TextRange, &'static str)>| {
            found.into_iter().map(|(_, path)| path).collect::<Vec<_>>()
        };
        let text = "pandas\n-r base.txt  # why\n--requirement=deps/a.in\n-c limits.txt\n-e ../x\n";
        assert_eq!(paths(in_requirements(text)), ["base.txt", "deps/a.in"]);
        let text = "[tool.x]\nfile = 'a.txt'\n[tool.setuptools.dynamic]\nversion = {file = \"VERSION\"}\ndependencies = {file = [\"b.txt\", 'c.txt']}\n";
        assert_eq!(paths(in_pyproject(text)), ["b.txt", "c.txt"]);
    }

    #[test]
    fn paths_are_joined() {
        assert_eq!(joined("a/b", "../c/./d.txt"), "a/c/d.txt");
        assert_eq!(joined("", "d.txt"), "d.txt");
    }
}
