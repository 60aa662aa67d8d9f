//! Where the modules of a project are.
//!
//! ```python
//! from pkg.images import trainer    # pkg/images.py, src/pkg/images.py, or beside the importing script
//! ```

use std::collections::{BTreeSet, HashSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::FileId;
use crate::python::{RoughImport, rough_imports};

/// Finds files by dotted module names.
#[derive(Debug, Default)]
pub struct ModuleIndex {
    files: FxHashMap<String, FileId>,
    packages: FxHashSet<String>,
    folders: FxHashSet<String>,
    paths: Vec<String>,
    /// The folders that hold a file or folder of a name: most imports lead out of the project, and the rest into few
    /// folders, which their first name tells.
    holders: FxHashMap<String, FxHashSet<String>>,
    /// For each folder with Python files, the folders in which its absolute imports are looked up.
    search: FxHashMap<String, Vec<String>>,
}

/// What a dotted name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path from the project root, without `.py` or `/__init__.py`.
    pub path: String,
    /// The file; `None` for a folder without `__init__.py`.
    pub file: Option<FileId>,
}

impl ModuleIndex {
    /// Makes the index from the paths of all Python files, relative to the project root and with `/`.
    pub fn new(paths: Vec<String>) -> Self {
        let mut index = Self::default();
        let mut roots = BTreeSet::from([String::new(), "src".to_owned()]);
        for (file, path) in paths.iter().enumerate() {
            let Some(stem) = path.strip_suffix(".py") else { continue };
            let module = match stem.strip_suffix("__init__") {
                Some(package) => {
                    let package = package.trim_end_matches('/').to_owned();
                    index.packages.insert(package.clone());
                    package
                }
                None => stem.to_owned(),
            };
            // `pkg/__init__.py` wins over `pkg.py`, as in Python.
            if path.ends_with("__init__.py") || !index.files.contains_key(&module) {
                index.files.insert(module, file);
            }
            let mut folder = parent(stem);
            while !folder.is_empty() && index.folders.insert(folder.to_owned()) {
                if folder.ends_with("/src") {
                    roots.insert(folder.to_owned());
                }
                folder = parent(folder);
            }
        }
        for path in index.files.keys().chain(&index.folders) {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            index.holders.entry(name.to_owned()).or_default().insert(folder.to_owned());
        }
        for path in &paths {
            let folder = parent(path);
            if !index.search.contains_key(folder) {
                let folders = index.search_folders(folder, &roots);
                index.search.insert(folder.to_owned(), folders);
            }
        }
        index.paths = paths;
        index
    }

    /// Follows `from <level dots><module>` in `from`; the module may be empty if there are dots.
    pub fn resolve(&self, from: FileId, level: u32, module: &str) -> Option<Place> {
        let folder = self.folder(from);
        if level > 0 {
            let mut base = folder;
            for _ in 1..level {
                base = parent(base);
            }
            return self.below(base, module);
        }
        let holders = self.holders.get(module.split('.').next().unwrap_or_default())?;
        let mut bases = self.search.get(folder)?.iter().filter(|&base| holders.contains(base));
        bases.find_map(|base| self.below(base, module))
    }

    /// Whether an absolute import of `module` may lead to something in the project, told by its first name.
    pub fn may_hold(&self, module: &str) -> bool {
        self.holders.contains_key(module.split('.').next().unwrap_or_default())
    }

    /// The module `name` inside the package or folder at `place`.
    pub fn child(&self, place: &Place, name: &str) -> Option<Place> {
        self.below(&place.path, name)
    }

    /// The name of the module at a path, without a leading `src/`, in parts.
    pub fn module_parts(&self, file: FileId) -> Vec<&str> {
        let path = &self.paths[file];
        let path = path.strip_suffix(".py").unwrap_or(path);
        let path = path.strip_suffix("/__init__").unwrap_or(path);
        path.strip_prefix("src/").unwrap_or(path).split('/').collect()
    }

    /// The files of the package, and of the packages in it, whose `__init__.py` is `file`; none of another file.
    pub fn files_of_package(&self, file: FileId) -> impl Iterator<Item = FileId> {
        let package = self.paths[file].strip_suffix("/__init__.py");
        let is_below = move |path: &str| {
            package.and_then(|package| path.strip_prefix(package)).is_some_and(|rest| rest.starts_with('/'))
        };
        self.paths.iter().enumerate().filter(move |(_, path)| is_below(path)).map(|(file, _)| file)
    }

    /// The files that the lines of a text in `file` seem to import, for texts that are not parsed.
    pub fn rough_imports(&self, file: FileId, text: &[u8]) -> Vec<FileId> {
        self.files_of(file, &rough_imports(text))
    }

    /// The files that these imports in `file` lead to.
    pub fn files_of(&self, file: FileId, imports: &[RoughImport]) -> Vec<FileId> {
        let mut files = Vec::new();
        for (level, module, names) in imports {
            let Some(place) = self.resolve(file, *level, module) else { continue };
            files.extend(place.file);
            files.extend(names.iter().filter_map(|name| self.child(&place, name)?.file));
        }
        files
    }

    fn below(&self, base: &str, module: &str) -> Option<Place> {
        let mut path = String::with_capacity(base.len() + module.len() + 1);
        path.push_str(base);
        if !base.is_empty() && !module.is_empty() {
            path.push('/');
        }
        for (index, part) in module.split('.').enumerate() {
            if index > 0 {
                path.push('/');
            }
            path.push_str(part);
        }
        let file = self.files.get(&path).copied();
        (file.is_some() || self.folders.contains(&path)).then_some(Place { path, file })
    }

    fn folder(&self, file: FileId) -> &str {
        parent(&self.paths[file])
    }

    /// The folders in which an absolute import in `own` is looked up, the likeliest first: the folder above its top
    /// package, its own (a script's own folder is on `sys.path`), those above it, the usual roots.
    fn search_folders(&self, own: &str, roots: &BTreeSet<String>) -> Vec<String> {
        let mut top = own;
        while !top.is_empty() && self.packages.contains(top) {
            top = parent(top);
        }
        let mut folders = vec![top.to_owned(), own.to_owned()];
        let mut above = own;
        while !above.is_empty() {
            above = parent(above);
            folders.push(above.to_owned());
            folders.push(if above.is_empty() { "src".to_owned() } else { format!("{above}/src") });
        }
        folders.extend(roots.iter().cloned());
        let mut seen = HashSet::new();
        folders.retain(|folder| seen.insert(folder.clone()));
        folders
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(paths: &[&str]) -> ModuleIndex {
        ModuleIndex::new(paths.iter().map(|path| (*path).to_owned()).collect())
    }

    fn file(index: &ModuleIndex, from: FileId, level: u32, module: &str) -> Option<FileId> {
        index.resolve(from, level, module).and_then(|place| place.file)
    }

    #[test]
    fn an_absolute_import_is_found_from_the_root_and_below_src() {
        let index = index(&["main.py", "pkg/__init__.py", "pkg/images.py", "src/lib/tasks.py"]);
        assert_eq!(file(&index, 0, 0, "pkg.images"), Some(2));
        assert_eq!(file(&index, 0, 0, "lib.tasks"), Some(3));
        assert_eq!(file(&index, 0, 0, "pandas"), None);
    }

    #[test]
    fn a_script_finds_its_neighbor_and_a_package_member_its_package() {
        let index = index(&["a/images.py", "a/train.py", "b/pkg/__init__.py", "b/pkg/x.py", "b/pkg/y.py"]);
        assert_eq!(file(&index, 1, 0, "images"), Some(0));
        assert_eq!(file(&index, 3, 0, "pkg.y"), Some(4));
        assert_eq!(file(&index, 3, 1, "y"), Some(4));
        assert_eq!(file(&index, 3, 1, ""), Some(2));
    }

    #[test]
    fn relative_imports_go_up() {
        let index = index(&["pkg/__init__.py", "pkg/a/__init__.py", "pkg/a/x.py", "pkg/images.py"]);
        assert_eq!(file(&index, 2, 2, "images"), Some(3));
    }
}
