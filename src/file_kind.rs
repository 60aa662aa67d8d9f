//! What a file is, by its name: Python, or one of the files around it that name packages and commands.
//!
//! ```text
//! train.py    pyproject.toml    requirements-dev.txt    uv.lock    Makefile    .github/workflows/ci.yml
//! ```

use std::path::Path;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// Python source.
    Python,
    /// `pyproject.toml`, `pixi.toml`, `Pipfile`: tables of packages, and commands beside them.
    Toml,
    /// A requirements or constraints file of pip.
    Requirements,
    /// `setup.cfg`, `tox.ini`.
    Ini,
    /// What a package manager made from one of the above.
    Lock,
    /// YAML: workflows, hooks, environments of conda, configurations.
    Yaml,
    /// Markdown and reStructuredText.
    Document,
    /// Lines of commands: shell scripts, Makefiles, Dockerfiles.
    Script,
    /// A Jupyter notebook.
    Notebook,
}

impl FileKind {
    /// The kind of the file at `path`; `None` for a file that cannot matter.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        match name {
            "pyproject.toml" | "pixi.toml" | "Pipfile" => return Some(Self::Toml),
            "uv.lock" | "poetry.lock" | "pdm.lock" | "pixi.lock" | "Pipfile.lock" => return Some(Self::Lock),
            "setup.cfg" | "tox.ini" => return Some(Self::Ini),
            "Makefile" | "makefile" | "GNUmakefile" | "Justfile" | "justfile" | ".justfile" => {
                return Some(Self::Script);
            }
            _ => {}
        }
        if name.starts_with("Dockerfile") || name.starts_with("Containerfile") {
            return Some(Self::Script);
        }
        let (stem, suffix) = name.rsplit_once('.')?;
        match suffix {
            "py" => Some(Self::Python),
            "txt" | "in" if is_requirements(stem, path) => Some(Self::Requirements),
            "yml" | "yaml" => Some(Self::Yaml),
            "md" | "rst" if !is_history(stem) => Some(Self::Document),
            "sh" | "bash" | "zsh" | "mk" | "just" | "dockerfile" | "Dockerfile" => Some(Self::Script),
            "ipynb" => Some(Self::Notebook),
            _ => None,
        }
    }
}

/// Documents of what was: the commands in them are right as they are.
fn is_history(stem: &str) -> bool {
    let stem = stem.to_ascii_lowercase();
    ["changelog", "changes", "history", "news", "releases"].contains(&stem.as_str())
}

/// `requirements-dev.txt`, `dev-requirements.in`, `constraints.txt`, `requirements/dev.txt`.
fn is_requirements(stem: &str, path: &Path) -> bool {
    let is_called = |name: &str| name.contains("requirements") || name.contains("constraints");
    let folder = path.parent().and_then(Path::file_name).and_then(|folder| folder.to_str());
    is_called(stem) || folder.is_some_and(|folder| matches!(folder, "requirements" | "constraints"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_around_the_code_are_known_by_their_names() {
        for (path, kind) in [
            ("a/b.py", FileKind::Python),
            ("pyproject.toml", FileKind::Toml),
            ("requirements.txt", FileKind::Requirements),
            ("dev-requirements.in", FileKind::Requirements),
            ("requirements/dev.txt", FileKind::Requirements),
            ("constraints.txt", FileKind::Requirements),
            ("uv.lock", FileKind::Lock),
            (".github/workflows/ci.yml", FileKind::Yaml),
            ("README.md", FileKind::Document),
            ("Dockerfile.gpu", FileKind::Script),
            ("run.sh", FileKind::Script),
            ("Makefile", FileKind::Script),
            ("a.ipynb", FileKind::Notebook),
        ] {
            assert_eq!(FileKind::of(Path::new(path)), Some(kind), "{path}");
        }
    }

    #[test]
    fn other_files_cannot_matter() {
        for path in [
            "notes.txt",
            "CHANGELOG.md",
            "data/list.txt",
            "Cargo.toml",
            "a.pyi",
            "py",
            "a.PY",
            "x.lock",
            ".env",
            "Make",
        ] {
            assert_eq!(FileKind::of(Path::new(path)), None, "{path}");
        }
    }
}
