//! Where the modules of a project are.
//!
//! ```python
//! from pkg.images import trainer    # pkg/images.py, src/pkg/images.py, or beside the importing script
//! ```

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::FileId;
use crate::python::{RoughImport, rough_imports};

/// An index into [`ModuleIndex::nodes`].
type NodeId = usize;

/// The node of the project's root.
const ROOT: NodeId = 0;

/// Finds files by dotted module names.
#[derive(Debug, Default)]
pub struct ModuleIndex {
    paths: Vec<String>,
    /// The modules and the folders that hold any, as a tree.
    nodes: Vec<Node>,
    /// The names of all nodes.
    names: FxHashSet<String>,
    /// For each file that is a module, the folder that it lies in.
    folders: Vec<Option<NodeId>>,
}

/// A module, a package, or a folder without `__init__.py`.
#[derive(Debug, Default)]
struct Node {
    parent: Option<NodeId>,
    children: FxHashMap<String, NodeId>,
    file: Option<FileId>,
    is_package: bool,
    /// The folders in which absolute imports of the modules directly in it are looked up; none if there are no modules.
    search: Vec<NodeId>,
}

/// What a dotted name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    node: NodeId,
    /// The file; `None` for a folder without `__init__.py`.
    pub file: Option<FileId>,
}

impl ModuleIndex {
    /// Makes the index from the paths of all Python files, relative to the project root and with `/`.
    pub fn new(paths: Vec<String>) -> Self {
        let mut index = Self { nodes: vec![Node::default()], ..Self::default() };
        for (file, path) in paths.iter().enumerate() {
            let folder = path.strip_suffix(".py").map(|stem| index.add(file, stem));
            index.folders.push(folder);
        }
        index.paths = paths;
        index.names = index.nodes.iter().flat_map(|node| node.children.keys().cloned()).collect();
        let roots = index.usual_roots();
        for folder in index.folders.iter().flatten().copied().collect::<BTreeSet<NodeId>>() {
            index.nodes[folder].search = index.search_folders(folder, &roots);
        }
        index
    }

    /// Adds the module at `stem`, a path without `.py`, and returns its folder.
    fn add(&mut self, file: FileId, stem: &str) -> NodeId {
        let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        let folder =
            folder.split('/').filter(|part| !part.is_empty()).fold(ROOT, |at, part| self.open(at, part));
        let is_package = name == "__init__";
        let module = if is_package { folder } else { self.open(folder, name) };
        let node = &mut self.nodes[module];
        node.is_package |= is_package;
        // `pkg/__init__.py` wins over `pkg.py`, as in Python.
        if is_package || node.file.is_none() {
            node.file = Some(file);
        }
        folder
    }

    /// The node called `name` in another, which is made if there is none.
    fn open(&mut self, parent: NodeId, name: &str) -> NodeId {
        if let Some(&known) = self.nodes[parent].children.get(name) {
            return known;
        }
        let node = self.nodes.len();
        self.nodes.push(Node { parent: Some(parent), ..Node::default() });
        self.nodes[parent].children.insert(name.to_owned(), node);
        node
    }

    /// Follows `from <level dots><module>` in `from`; the module may be empty if there are dots.
    pub fn resolve(&self, from: FileId, level: u32, module: &str) -> Option<Place> {
        let folder = self.folders[from]?;
        if level > 0 {
            let base = (1..level).fold(folder, |base, _| self.parent(base));
            return self.below(base, module);
        }
        let (first, rest) = module.split_once('.').unwrap_or((module, ""));
        // Most imports lead out of the project.
        if !self.names.contains(first) {
            return None;
        }
        let found = |&base: &NodeId| self.below(*self.nodes[base].children.get(first)?, rest);
        self.nodes[folder].search.iter().find_map(found)
    }

    /// Whether an absolute import of a module in `from` leads to another one where other folders are searched first: the
    /// usual ones, or these from the root of the project; without `added`, any folder.
    pub fn is_ambiguous(&self, from: FileId, module: &str, added: Option<&[String]>) -> bool {
        let (first, rest) = module.split_once('.').unwrap_or((module, ""));
        let Some(folder) = self.folders[from].filter(|_| self.names.contains(first)) else { return false };
        let added: Vec<NodeId> = match added {
            Some(folders) => folders.iter().filter_map(|path| self.node_at(path)).collect(),
            None => (0..self.nodes.len()).collect(),
        };
        let folders = self.nodes[folder].search.iter().chain(&added);
        let found = folders.filter_map(|&base| self.below(*self.nodes[base].children.get(first)?, rest));
        let files: BTreeSet<FileId> = found.filter_map(|place| place.file).collect();
        files.len() > 1
    }

    /// The folder at a path from the root.
    fn node_at(&self, path: &str) -> Option<NodeId> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        parts.try_fold(ROOT, |at, part| self.nodes[at].children.get(part).copied())
    }

    /// The module of the project that a dotted path begins with, and the name behind it.
    pub fn attribute_at<'p>(&self, from: FileId, path: &'p str) -> Option<(FileId, &'p str)> {
        path.rmatch_indices('.').find_map(|(at, _)| {
            let module = self.resolve(from, 0, &path[..at])?.file?;
            Some((module, path[at + 1..].split('.').next()?))
        })
    }

    /// The module `name` inside the package or folder at `place`.
    pub fn child(&self, place: Place, name: &str) -> Option<Place> {
        self.below(place.node, name)
    }

    /// The path of a place from the project root, without `.py` or `/__init__.py`.
    pub fn path(&self, place: Place) -> String {
        let around = std::iter::successors(Some(place.node), |&node| self.nodes[node].parent);
        let mut names: Vec<&str> = around.filter_map(|node| self.name(node)).collect();
        names.reverse();
        names.join("/")
    }

    /// The file at a place, and those of all modules in it.
    pub fn files_below(&self, place: Place) -> Vec<FileId> {
        let mut files = Vec::new();
        let mut pending = vec![place.node];
        while let Some(node) = pending.pop() {
            files.extend(self.nodes[node].file);
            pending.extend(self.nodes[node].children.values());
        }
        files.sort_unstable();
        files
    }

    fn name(&self, node: NodeId) -> Option<&str> {
        let mut siblings = self.nodes[self.nodes[node].parent?].children.iter();
        siblings.find(|(_, child)| **child == node).map(|(name, _)| name.as_str())
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

    /// The `__init__.py` of the packages around a file, which run before it; its own is not among them.
    pub fn packages_around(&self, file: FileId) -> impl Iterator<Item = FileId> {
        let above = |node: NodeId| (node != ROOT).then(|| self.parent(node));
        let around = std::iter::successors(self.folders[file], move |&node| above(node));
        let packages = around.take_while(|&node| self.nodes[node].is_package);
        packages.filter_map(|node| self.nodes[node].file).filter(move |&package| package != file)
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
            files.extend(names.iter().filter_map(|name| self.child(place, name)?.file));
        }
        files
    }

    /// The module in `base`, dotted; `base` itself if it is empty.
    fn below(&self, base: NodeId, module: &str) -> Option<Place> {
        let mut parts = module.split('.').filter(|_| !module.is_empty());
        let node = parts.try_fold(base, |node, part| self.nodes[node].children.get(part).copied())?;
        let file = self.nodes[node].file;
        // The root is a place only where it is a package.
        (node != ROOT || file.is_some()).then_some(Place { node, file })
    }

    /// The folder around a node; the root for itself.
    fn parent(&self, node: NodeId) -> NodeId {
        self.nodes[node].parent.unwrap_or(ROOT)
    }

    /// The root, and all folders called `src`.
    fn usual_roots(&self) -> Vec<NodeId> {
        let mut sources: Vec<(String, NodeId)> = self
            .nodes
            .iter()
            .filter_map(|node| node.children.get("src").copied())
            .filter(|&source| !self.nodes[source].children.is_empty())
            .map(|source| (self.path(Place { node: source, file: None }), source))
            .collect();
        sources.sort();
        std::iter::once(ROOT).chain(sources.into_iter().map(|(_, source)| source)).collect()
    }

    /// The folders in which an absolute import in `own` is looked up, the likeliest first: the folder above its top
    /// package, its own (a script's own folder is on `sys.path`), those above it, the usual roots.
    fn search_folders(&self, own: NodeId, roots: &[NodeId]) -> Vec<NodeId> {
        let mut top = own;
        while top != ROOT && self.nodes[top].is_package {
            top = self.parent(top);
        }
        let mut folders = vec![top, own];
        let mut above = own;
        while above != ROOT {
            above = self.parent(above);
            folders.push(above);
            folders.extend(self.nodes[above].children.get("src"));
        }
        folders.extend(roots);
        let mut seen = BTreeSet::new();
        folders.retain(|folder| seen.insert(*folder));
        folders
    }
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
