//! Finds the files of a project that may matter, and which of them the user asked about: Python, and what lies around
//! it, such as `pyproject.toml` and `Makefile`.
//!
//! The whole project is known; the paths given only select what is reported and written. So a file comes out the same
//! whether it is named alone or with its fellows. The project is walked once, from its root:
//! - `.gitignore` and its kin decide what is left out, in a git repository or not;
//! - symbolic links are not followed, virtual environments and caches not entered;
//! - what the user names is taken in any case: a file whatever its suffix, a folder even if it is ignored.
//!
//! Paths are resolved, so that a file has one name however it was reached.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, mpsc};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use thiserror::Error;

use crate::file_kind::FileKind;

/// Folders that hold no code of the project, by name.
const SKIPPED_FOLDERS: [&str; 5] = [".git", ".venv", "node_modules", "__pycache__", "site-packages"];

/// The file that marks a virtual environment, whatever its folder is called.
const VENV_MARKER: &str = "pyvenv.cfg";

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The files and folders that were named; none means the current folder.
    pub paths: Vec<PathBuf>,
    /// The root of the project, if it was named.
    pub project: Option<PathBuf>,
    /// Whether to look at nothing but the paths (`--no-project`).
    pub is_project_limited: bool,
    /// What to leave out, each as a line of a `.gitignore` at the root.
    pub exclude: Vec<String>,
    /// Whether `.gitignore`, `.ignore` and git's other ignore files count.
    pub respects_ignore_files: bool,
}

/// One file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The path to open, absolute and resolved.
    pub path: PathBuf,
    /// The path as it is shown, with `/` between folders: relative to the working directory where both are in the
    /// project, else absolute.
    pub display: String,
    /// The path from the root; for a file outside it, from the path that was named.
    pub relative: PathBuf,
    /// Whether the user asked about it.
    pub is_selected: bool,
    /// What it is, by its name.
    pub kind: FileKind,
}

/// Something that could not be looked at. The search goes on without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The path as it is shown.
    pub display: String,
    /// What went wrong.
    pub message: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The root of the project, absolute and resolved. Without a project, the folder that holds all paths.
    pub root: PathBuf,
    /// The files, sorted by path, each once.
    pub files: Vec<Candidate>,
    /// What could not be looked at, sorted by path.
    pub problems: Vec<Problem>,
}

/// Why nothing can be looked at: each is bad usage.
#[derive(Debug, Error)]
pub enum DiscoverError {
    /// A path that was named is not there.
    #[error("`{}` does not exist; check the spelling and the folder you are in", .0.display())]
    NotFound(PathBuf),
    /// `-`, which is no file here.
    #[error("standard input is not read; name a file or a folder")]
    StandardInput,
    /// A link that was named leads nowhere.
    #[error("`{}` is a symbolic link to something that does not exist; name its target or remove it", .0.display())]
    BrokenLink(PathBuf),
    /// A path that was named is a device, a pipe or a socket.
    #[error("`{}` is neither a file nor a folder; name one that is", .0.display())]
    NeitherFileNorFolder(PathBuf),
    /// A path that was named cannot be looked at.
    #[error("`{}` cannot be read: {source}; check its permissions", .path.display())]
    Unreadable {
        /// The path as it was named.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The project that was named is a file.
    #[error("the project `{}` is not a folder; name the folder that holds the whole project", .0.display())]
    ProjectNotAFolder(PathBuf),
    /// A glob does not parse.
    #[error("`{glob}` is not a glob: {source}; write it as a line of a `.gitignore`")]
    BadGlob {
        /// The glob as it was given.
        glob: String,
        /// What is wrong with it.
        source: ignore::Error,
    },
}

/// Finds the files of the project that the options and the working directory name.
///
/// # Errors
/// [`DiscoverError`] if a path, the project or a glob that was given is no good.
pub fn discover(options: &Options, cwd: &Path) -> Result<Discovery, DiscoverError> {
    let cwd =
        &fs::canonicalize(cwd).map_err(|source| DiscoverError::Unreadable { path: cwd.into(), source })?;
    let (named, missing) = Named::resolve(&options.paths, cwd)?;
    let project = find_project(options, &named, cwd)?;
    let root = project.clone().unwrap_or_else(|| common_folder(&named));
    let exclude = Arc::new(build_exclude(&options.exclude, &root)?);
    let walker = Walker { exclude, respects_ignore_files: options.respects_ignore_files };
    let found = find_files(&walker, &named, project.as_deref(), options.is_project_limited);
    let mut discovery = assemble(found, &named, root, cwd);
    discovery.problems.extend(missing);
    Ok(discovery)
}

/// The paths that the user named, resolved.
#[derive(Debug, Default)]
struct Named {
    files: HashSet<PathBuf>,
    folders: HashSet<PathBuf>,
}

impl Named {
    /// Resolves the paths; none at all means the working directory. One that is no good is a problem beside the
    /// others, and an error if there are no others.
    fn resolve(paths: &[PathBuf], cwd: &Path) -> Result<(Self, Vec<Problem>), DiscoverError> {
        let mut named = Self::default();
        let mut errors = Vec::new();
        for path in paths {
            match resolve(path, cwd) {
                Ok(resolved) if resolved.is_dir() => drop(named.folders.insert(resolved)),
                Ok(resolved) if resolved.is_file() => drop(named.files.insert(resolved)),
                Ok(_) => errors.push((path, DiscoverError::NeitherFileNorFolder(path.clone()))),
                Err(error) => errors.push((path, error)),
            }
        }
        if paths.is_empty() {
            named.folders.insert(cwd.to_path_buf());
        }
        if named.folders.is_empty()
            && named.files.is_empty()
            && let Some((_, error)) = errors.pop()
        {
            return Err(error);
        }
        let problems = errors
            .into_iter()
            .map(|(path, error)| Problem { display: path.display().to_string(), message: error.to_string() })
            .collect();
        Ok((named, problems))
    }

    /// The folders that hold what was named: the folders themselves, and those that the files are in.
    fn holders(&self) -> impl Iterator<Item = &Path> {
        let folders = self.folders.iter().map(PathBuf::as_path);
        folders.chain(self.files.iter().filter_map(|file| file.parent()))
    }

    /// Whether the path is a folder that was named, or is inside one.
    fn is_inside(&self, path: &Path) -> bool {
        path.ancestors().any(|ancestor| self.folders.contains(ancestor))
    }
}

/// The absolute path behind every link on the way.
fn resolve(path: &Path, cwd: &Path) -> Result<PathBuf, DiscoverError> {
    let absolute = cwd.join(path);
    fs::canonicalize(&absolute).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound if absolute.is_symlink() => DiscoverError::BrokenLink(path.into()),
        io::ErrorKind::NotFound if path == Path::new("-") => DiscoverError::StandardInput,
        io::ErrorKind::NotFound => DiscoverError::NotFound(path.into()),
        _ => DiscoverError::Unreadable { path: path.into(), source },
    })
}

/// The root of the project: the one named, else the git root above all paths, else the nearest folder upward with a
/// `pyproject.toml`.
fn find_project(options: &Options, named: &Named, cwd: &Path) -> Result<Option<PathBuf>, DiscoverError> {
    if let Some(project) = &options.project {
        let resolved = resolve(project, cwd)?;
        return if resolved.is_dir() {
            Ok(Some(resolved))
        } else {
            Err(DiscoverError::ProjectNotAFolder(project.clone()))
        };
    }
    let start = common_folder(named);
    // `.git` is a file in a worktree and in a submodule.
    let with =
        |marker: &str| start.ancestors().find(|folder| folder.join(marker).exists()).map(Path::to_path_buf);
    Ok(with(".git").or_else(|| with("pyproject.toml")))
}

/// The deepest folder that holds everything named.
fn common_folder(named: &Named) -> PathBuf {
    named.holders().map(Path::to_path_buf).reduce(|a, b| common_ancestor(&a, &b)).unwrap_or_default()
}

/// The longest path that both begin with.
fn common_ancestor(a: &Path, b: &Path) -> PathBuf {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).map(|(component, _)| component).collect()
}

/// Makes the matcher for `--exclude`. These are not overrides of the walk: those would bring back what is ignored.
fn build_exclude(globs: &[String], root: &Path) -> Result<Gitignore, DiscoverError> {
    let mut builder = GitignoreBuilder::new(root);
    for glob in globs {
        let bad = |source| DiscoverError::BadGlob { glob: glob.clone(), source };
        builder.add_line(None, glob).map_err(bad)?;
    }
    builder.build().map_err(|source| DiscoverError::BadGlob { glob: globs.join("`, `"), source })
}

/// Files and problems as the walks bring them.
#[derive(Debug, Default)]
struct Found {
    /// Each file, and the folder that its relative path starts from if it is outside the root.
    files: BTreeMap<PathBuf, PathBuf>,
    problems: BTreeMap<PathBuf, String>,
    /// The named folders that a walk came to.
    reached: HashSet<PathBuf>,
}

/// Walks the project, then what was named and is not reached that way.
fn find_files(walker: &Walker, named: &Named, project: Option<&Path>, is_limited: bool) -> Found {
    let mut found = Found::default();
    if let Some(project) = project {
        // In a limited walk too, ignore files on the way from the root to the paths count.
        let scope = is_limited.then(|| Scope::new(named));
        walker.walk(project, scope, named, &mut found);
    }
    // From the outside in: the walk of a named folder may reach another one.
    let mut folders: Vec<&PathBuf> = named.folders.iter().collect();
    folders.sort_unstable();
    for folder in folders {
        if !found.reached.contains(folder) {
            walker.walk(folder, None, named, &mut found);
        }
    }
    for file in &named.files {
        let folder = file.parent().unwrap_or(file);
        found.files.entry(file.clone()).or_insert_with(|| folder.to_path_buf());
    }
    found
}

/// The part of a project that a limited walk keeps to.
#[derive(Debug)]
struct Scope {
    folders: HashSet<PathBuf>,
    /// The folders on the way to those, which are passed through.
    ancestors: HashSet<PathBuf>,
}

impl Scope {
    fn new(named: &Named) -> Self {
        let above = |folder: &PathBuf| folder.ancestors().skip(1).map(Path::to_path_buf).collect::<Vec<_>>();
        Self { folders: named.folders.clone(), ancestors: named.folders.iter().flat_map(above).collect() }
    }

    /// Whether the walk enters or takes the path.
    fn admits(&self, path: &Path) -> bool {
        self.ancestors.contains(path) || path.ancestors().any(|ancestor| self.folders.contains(ancestor))
    }
}

/// How folders are walked.
#[derive(Debug)]
struct Walker {
    exclude: Arc<Gitignore>,
    respects_ignore_files: bool,
}

/// What the threads of a walk report.
enum Event {
    File(PathBuf),
    Reached(PathBuf),
    Problem(PathBuf, String),
}

impl Walker {
    /// Walks everything under `start`, in parallel.
    fn walk(&self, start: &Path, scope: Option<Scope>, named: &Named, found: &mut Found) {
        let (sender, receiver) = mpsc::channel();
        self.builder(start, scope).build_parallel().run(|| {
            let sender = sender.clone();
            Box::new(move |entry| {
                if let Some(event) = event(entry, start, &named.folders) {
                    // The receiver lives until every sender is gone.
                    let _ = sender.send(event);
                }
                WalkState::Continue
            })
        });
        drop(sender);
        for event in receiver {
            match event {
                Event::File(path) => {
                    found.files.entry(path).or_insert_with(|| start.to_path_buf());
                }
                Event::Reached(path) => {
                    found.reached.insert(path);
                }
                Event::Problem(path, message) => {
                    found.problems.insert(path, message);
                }
            }
        }
    }

    /// The walk itself. Ignore files above its start never count: the start is the root of the project, or a
    /// folder that was named although it is ignored.
    fn builder(&self, start: &Path, scope: Option<Scope>) -> WalkBuilder {
        let mut builder = WalkBuilder::new(start);
        let exclude = Arc::clone(&self.exclude);
        builder
            .standard_filters(self.respects_ignore_files)
            .hidden(false)
            .parents(false)
            .require_git(false)
            .follow_links(false)
            .filter_entry(move |entry| {
                entry.depth() == 0
                    || (scope.as_ref().is_none_or(|scope| scope.admits(entry.path()))
                        && is_kept(entry, &exclude))
            });
        builder
    }
}

/// Whether a walk enters the folder, or may take the file.
fn is_kept(entry: &DirEntry, exclude: &Gitignore) -> bool {
    let is_folder = is_folder(entry);
    if exclude.matched(entry.path(), is_folder).is_ignore() {
        return false;
    }
    if is_folder { !is_skipped_folder(entry) } else { FileKind::of(entry.path()).is_some() }
}

/// Whether the folder holds no code of the project.
fn is_skipped_folder(entry: &DirEntry) -> bool {
    SKIPPED_FOLDERS.iter().any(|name| entry.file_name() == OsStr::new(name))
        || entry.path().join(VENV_MARKER).exists()
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
}

/// What an entry of a walk means. Links, pipes and the like mean nothing.
fn event(entry: Result<DirEntry, ignore::Error>, start: &Path, named: &HashSet<PathBuf>) -> Option<Event> {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return Some(problem(&error, start)),
    };
    if is_folder(&entry) {
        return named.contains(entry.path()).then(|| Event::Reached(entry.into_path()));
    }
    let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
    (is_file && FileKind::of(entry.path()).is_some()).then(|| Event::File(entry.into_path()))
}

/// Takes the path out of an error of the walk, so that it can be shown as all others are.
fn problem(error: &ignore::Error, start: &Path) -> Event {
    let (path, mut inner) = (error_path(error).unwrap_or(start), error);
    while let ignore::Error::WithPath { err, .. } | ignore::Error::WithDepth { err, .. } = inner {
        inner = err;
    }
    let message = match inner.io_error() {
        Some(error) => format!("could not read the folder: {error}"),
        None => format!("could not look at it: {inner}"),
    };
    Event::Problem(path.to_path_buf(), message)
}

/// The path that an error of the walk is about.
fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

/// Gives each file its names.
fn assemble(found: Found, named: &Named, root: PathBuf, cwd: &Path) -> Discovery {
    let display = |path: &Path| display_path(path, &root, cwd);
    // The files of a folder come one after another.
    let mut folder = (PathBuf::new(), false);
    let mut is_selected = |path: &Path| {
        let parent = path.parent().unwrap_or(path);
        if folder.0 != parent {
            folder = (parent.to_path_buf(), named.is_inside(parent));
        }
        folder.1 || named.files.contains(path)
    };
    let candidate = |(path, start): (PathBuf, PathBuf)| Candidate {
        display: display(&path),
        relative: path
            .strip_prefix(&root)
            .or_else(|_| path.strip_prefix(&start))
            .unwrap_or(&path)
            .to_path_buf(),
        is_selected: is_selected(&path),
        // A file that was named is taken for Python, whatever its suffix.
        kind: FileKind::of(&path).unwrap_or(FileKind::Python),
        path,
    };
    let files = found.files.into_iter().map(candidate).collect();
    let problem = |(path, message): (PathBuf, String)| Problem { display: display(&path), message };
    let problems = found.problems.into_iter().map(problem).collect();
    Discovery { root, files, problems }
}

/// The path as it is shown. `..` is used inside the project only: beyond it, an absolute path is clearer.
fn display_path(path: &Path, root: &Path, cwd: &Path) -> String {
    if let Ok(below) = path.strip_prefix(cwd) {
        return if below.as_os_str().is_empty() { ".".into() } else { with_slashes(below) };
    }
    if !path.starts_with(root) || !cwd.starts_with(root) {
        return with_slashes(path);
    }
    let common = common_ancestor(path, cwd);
    let up = cwd.components().count() - common.components().count();
    let down = path.strip_prefix(&common).unwrap_or(path);
    let relative: PathBuf = std::iter::repeat_n(Component::ParentDir, up).chain(down.components()).collect();
    with_slashes(&relative)
}

/// The path with `/` between folders on every system.
fn with_slashes(path: &Path) -> String {
    let shown = path.to_string_lossy();
    if cfg!(windows) { shown.replace('\\', "/") } else { shown.into_owned() }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A folder with `files`, each with its text.
    fn tree(files: &[(&str, &str)]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        (folder, root)
    }

    fn options(paths: &[&str]) -> Options {
        Options {
            paths: paths.iter().map(PathBuf::from).collect(),
            respects_ignore_files: true,
            ..Options::default()
        }
    }

    /// The displayed Python files, a `*` before the selected ones.
    fn shown(discovery: &Discovery) -> Vec<String> {
        let mark = |file: &Candidate| if file.is_selected { "*" } else { "" };
        let python = discovery.files.iter().filter(|file| file.kind == FileKind::Python);
        python.map(|file| format!("{}{}", mark(file), file.display)).collect()
    }

    fn find(options: &Options, cwd: &Path) -> Vec<String> {
        shown(&discover(options, cwd).unwrap())
    }

    #[test]
    fn the_git_root_is_the_project_and_paths_only_select() {
        let (_guard, root) = tree(&[
            (".git/HEAD", ""),
            ("a.py", ""),
            ("src/b.py", ""),
            ("src/c.py", ""),
            ("src/pyproject.toml", ""),
        ]);
        assert_eq!(find(&options(&["src/b.py"]), &root), ["a.py", "*src/b.py", "src/c.py"]);
        assert_eq!(find(&options(&[]), &root.join("src")), ["../a.py", "*b.py", "*c.py"]);
        assert_eq!(discover(&options(&["src"]), &root).unwrap().root, root);
    }

    #[test]
    fn a_git_file_marks_a_root_as_a_git_folder_does() {
        let (_guard, root) = tree(&[(".git", "gitdir: elsewhere"), ("a.py", ""), ("b/c.py", "")]);
        assert_eq!(find(&options(&["b"]), &root), ["a.py", "*b/c.py"]);
    }

    #[test]
    fn without_git_the_nearest_pyproject_is_the_project() {
        let (_guard, root) = tree(&[
            ("pyproject.toml", ""),
            ("x.py", ""),
            ("p/pyproject.toml", ""),
            ("p/a.py", ""),
            ("p/q/b.py", ""),
        ]);
        let found = discover(&options(&["p/q"]), &root).unwrap();
        assert_eq!(
            (found.root.as_path(), shown(&found)),
            (root.join("p").as_path(), vec!["p/a.py".into(), "*p/q/b.py".into()])
        );
        assert_eq!(found.files[2].relative, Path::new("q/b.py"));
    }

    #[test]
    fn without_a_project_the_paths_are_all() {
        let (_guard, root) = tree(&[("a/x.py", ""), ("b/y.py", ""), ("c/z.py", ""), ("b/n.txt", "")]);
        let found = discover(&options(&["a", "b/y.py"]), &root).unwrap();
        assert_eq!(shown(&found), ["*a/x.py", "*b/y.py"]);
        assert_eq!(found.root, root);
    }

    #[test]
    fn a_project_that_is_named_counts() {
        let (_guard, root) = tree(&[(".git/HEAD", ""), ("a.py", ""), ("p/b.py", ""), ("p/q/c.py", "")]);
        let named = Options { project: Some("p".into()), ..options(&["p/q"]) };
        assert_eq!(find(&named, &root), ["p/b.py", "*p/q/c.py"]);
    }

    #[test]
    fn a_path_outside_the_project_is_walked_too() {
        let (_guard, root) = tree(&[("p/a.py", ""), ("other/deep/b.py", ""), ("other/c.py", "")]);
        let named = Options { project: Some("p".into()), ..options(&["other", "p"]) };
        let found = discover(&named, &root).unwrap();
        assert_eq!(shown(&found), ["*other/c.py", "*other/deep/b.py", "*p/a.py"]);
        assert_eq!(found.files[1].relative, Path::new("deep/b.py"));
    }

    #[test]
    fn a_limited_run_keeps_to_the_paths_but_not_to_their_names() {
        let (_guard, root) = tree(&[
            (".git/HEAD", ""),
            (".gitignore", "gen.py"),
            ("a.py", ""),
            ("s/b.py", ""),
            ("s/gen.py", ""),
            ("t/c.py", ""),
        ]);
        let limited = Options { is_project_limited: true, ..options(&["s"]) };
        let found = discover(&limited, &root).unwrap();
        assert_eq!(shown(&found), ["*s/b.py"]);
        assert_eq!(found.files[0].relative, Path::new("s/b.py"));
        let file = Options { is_project_limited: true, ..options(&["t/c.py"]) };
        assert_eq!(find(&file, &root), ["*t/c.py"]);
    }

    #[test]
    fn ignore_files_count_with_and_without_git() {
        let files = [
            (".gitignore", "gen/\n"),
            ("a.py", ""),
            ("gen/b.py", ""),
            ("s/.gitignore", "c.py"),
            ("s/c.py", ""),
        ];
        let (_guard, root) = tree(&files);
        assert_eq!(find(&options(&["."]), &root), ["*a.py"]);
        fs::create_dir(root.join(".git")).unwrap();
        assert_eq!(find(&options(&["."]), &root), ["*a.py"]);
        let all = Options { respects_ignore_files: false, ..options(&["."]) };
        assert_eq!(find(&all, &root), ["*a.py", "*gen/b.py", "*s/c.py"]);
    }

    #[test]
    fn an_ignore_file_above_the_root_does_not_count() {
        let (_guard, root) =
            tree(&[(".gitignore", "*"), ("p/pyproject.toml", ""), ("p/a.py", ""), ("q/b.py", "")]);
        assert_eq!(find(&options(&["p"]), &root), ["*p/a.py"]);
        assert_eq!(find(&options(&["q"]), &root), ["*q/b.py"]);
    }

    #[test]
    fn what_is_named_is_taken_even_if_ignored() {
        let (_guard, root) = tree(&[
            (".git/HEAD", ""),
            (".gitignore", "gen/\none.py\nbuild/*\n"),
            ("gen/a.py", ""),
            ("gen/sub/b.py", ""),
            ("one.py", ""),
            ("script", ""),
            ("build/lib/c.py", ""),
            ("build/d.py", ""),
            ("e.py", ""),
        ]);
        assert_eq!(find(&options(&["gen/sub"]), &root), ["e.py", "*gen/sub/b.py"]);
        assert_eq!(find(&options(&["build", "one.py"]), &root), ["e.py", "*one.py"]);
        assert_eq!(find(&options(&["build/lib"]), &root), ["*build/lib/c.py", "e.py"]);
        assert_eq!(find(&options(&["script"]), &root), ["e.py", "*script"]);
    }

    #[test]
    fn named_folders_inside_each_other_give_each_file_once() {
        let (_guard, root) =
            tree(&[(".gitignore", "gen/"), ("a/x.py", ""), ("a/gen/b/y.py", ""), ("a/gen/z.py", "")]);
        assert_eq!(
            find(&options(&["a", "./a/../a", "a/gen/b", "a/gen", "a/x.py"]), &root),
            ["*a/gen/b/y.py", "*a/gen/z.py", "*a/x.py"]
        );
    }

    #[test]
    fn environments_and_caches_are_not_entered_but_hidden_folders_are() {
        let (_guard, root) = tree(&[
            (".git/hook.py", ""),
            (".venv/a.py", ""),
            ("venv/pyvenv.cfg", ""),
            ("venv/b.py", ""),
            ("node_modules/c.py", ""),
            ("__pycache__/d.py", ""),
            ("lib/site-packages/e.py", ""),
            (".hidden/f.py", ""),
            ("env/g.py", ""),
        ]);
        let all = Options { respects_ignore_files: false, ..options(&["."]) };
        assert_eq!(find(&all, &root), ["*.hidden/f.py", "*env/g.py"]);
        assert_eq!(find(&options(&["venv", "lib/site-packages"]), &root).len(), 4);
    }

    #[test]
    fn no_other_suffix_is_python() {
        let (_guard, root) = tree(&[
            ("a.py", ""),
            ("b.pyi", ""),
            ("c.ipynb", ""),
            ("d.PY", ""),
            ("py", ""),
            ("e.py/f.py", ""),
        ]);
        assert_eq!(find(&options(&["."]), &root), ["*a.py", "*e.py/f.py"]);
    }

    #[test]
    fn exclude_works_as_a_line_at_the_root_and_brings_nothing_back() {
        let (_guard, root) = tree(&[
            (".git/HEAD", ""),
            (".gitignore", "gen.py"),
            ("a.py", ""),
            ("v/b.py", ""),
            ("s/v/c.py", ""),
            ("gen.py", ""),
        ]);
        let excluding = |globs: &[&str], paths: &[&str]| Options {
            exclude: globs.iter().map(|glob| (*glob).to_owned()).collect(),
            ..options(paths)
        };
        assert_eq!(find(&excluding(&["v"], &["."]), &root), ["*a.py"]);
        assert_eq!(find(&excluding(&["/v/"], &["."]), &root), ["*a.py", "*s/v/c.py"]);
        assert_eq!(find(&excluding(&["!gen.py"], &["."]), &root).len(), 3);
        assert_eq!(find(&excluding(&["a.py"], &["a.py"]), &root).first().unwrap(), "*a.py");
    }

    #[test]
    fn a_bad_glob_is_an_error_that_names_it() {
        let (_guard, root) = tree(&[]);
        let bad = Options { exclude: vec!["a".into(), "x[b-a]".into()], ..options(&["."]) };
        let message = discover(&bad, &root).unwrap_err().to_string();
        assert!(message.starts_with("`x[b-a]` is not a glob: "), "{message}");
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error_that_says_what_to_do() {
        let (_guard, root) = tree(&[("a.py", "")]);
        let message = |paths: &[&str]| discover(&options(paths), &root).unwrap_err().to_string();
        let missing = "`no/b.py` does not exist; check the spelling and the folder you are in";
        assert_eq!(message(&["no/b.py"]), missing);
        let beside = discover(&options(&["a.py", "no/b.py"]), &root).unwrap();
        assert_eq!((beside.files.len(), beside.problems[0].message.as_str()), (1, missing));
        assert!(message(&["a.py/x"]).starts_with("`a.py/x` cannot be read: "));
        let project = |name: &str| Options { project: Some(name.into()), ..options(&["."]) };
        assert!(
            discover(&project("a.py"), &root)
                .unwrap_err()
                .to_string()
                .starts_with("the project `a.py` is not")
        );
        assert!(matches!(discover(&project("no"), &root), Err(DiscoverError::NotFound(_))));
    }

    #[test]
    fn an_empty_folder_gives_nothing() {
        let (_guard, root) = tree(&[]);
        let found = discover(&options(&["."]), &root).unwrap();
        assert_eq!((found.files, found.problems, found.root), (vec![], vec![], root));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_unless_named_and_no_file_comes_twice() {
        use std::os::unix::fs::symlink;
        let (_guard, root) = tree(&[(".git/HEAD", ""), ("real/a.py", "")]);
        symlink("real", root.join("link")).unwrap();
        symlink("a.py", root.join("real/b.py")).unwrap();
        symlink("..", root.join("real/up")).unwrap();
        symlink("nowhere", root.join("broken.py")).unwrap();
        assert_eq!(find(&options(&["."]), &root), ["*real/a.py"]);
        assert_eq!(find(&options(&["link", "real/b.py"]), &root), ["*real/a.py"]);
        assert!(matches!(discover(&options(&["broken.py"]), &root), Err(DiscoverError::BrokenLink(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_refused() {
        let (_guard, root) = tree(&[]);
        let result = discover(&options(&["/dev/null"]), &root);
        assert!(matches!(result, Err(DiscoverError::NeitherFileNorFolder(_))));
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_a_problem_with_its_path() {
        let denied = ignore::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, "denied"));
        let path = PathBuf::from("/p/secret");
        let with_path = ignore::Error::WithPath { path: path.clone(), err: Box::new(denied) };
        let error = ignore::Error::WithDepth { depth: 2, err: Box::new(with_path) };
        let Event::Problem(about, message) = problem(&error, Path::new("/p")) else { panic!() };
        assert_eq!((about, message.as_str()), (path, "could not read the folder: denied"));
    }

    #[test]
    fn paths_beyond_the_project_are_shown_whole() {
        let show = |path: &str, cwd: &str| display_path(Path::new(path), Path::new("/p"), Path::new(cwd));
        assert_eq!(show("/p/a/b.py", "/p"), "a/b.py");
        assert_eq!(show("/p/a/b.py", "/p/c/d"), "../../a/b.py");
        assert_eq!(show("/p/b.py", "/elsewhere"), "/p/b.py");
        assert_eq!(show("/o/b.py", "/p"), "/o/b.py");
        assert_eq!(show("/p", "/p"), ".");
    }

    #[test]
    fn the_order_does_not_depend_on_the_threads() {
        let names: Vec<String> = (0..200).map(|index| format!("d{}/f{index}.py", index % 17)).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        let (_guard, root) = tree(&files);
        let found = discover(&options(&["."]), &root).unwrap();
        assert_eq!(found.files.len(), 200);
        assert!(found.files.is_sorted_by(|a, b| a.path < b.path));
    }
}
