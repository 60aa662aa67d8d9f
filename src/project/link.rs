//! Follows names through imports, re-exports and packages to what they mean.
//!
//! ```python
//! # pkg/__init__.py
//! from .images import trainer
//! # train.py
//! from pkg import trainer as image    # the binding of `trainer` in pkg/images.py
//! ```

use std::collections::BTreeSet;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::index::Place;
use super::{FileId, Project};
use crate::flyte1::symbol::{Symbol, is_flyte1_root, symbol};
use crate::python::ast::name::Name;
use crate::python::module_path::ImportPath;
use crate::python::scope::{BindingId, BindingKind, ImportStatement, Reference, Role};
use crate::source::TextSize;

/// Imports that lead in circles end here.
const MAX_DEPTH: usize = 32;

/// Behind all code of a file.
const END: TextSize = TextSize::new(u32::MAX);

/// What the references of a file may mean. A file reads the same few names again and again.
#[derive(Debug, Default)]
pub struct Links {
    /// The sets of targets that there are.
    distinct: Vec<Vec<Target>>,
    /// For each reference, which of them is its own.
    of_references: Vec<usize>,
}

impl Links {
    fn get(&self, reference: usize) -> Option<&[Target]> {
        self.distinct.get(*self.of_references.get(reference)?).map(Vec::as_slice)
    }
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Something of flytekit or union.
    Flyte1(Symbol),
    /// A binding at the top level of a file of the project, and the attributes read from it.
    Binding(FileId, BindingId, Vec<Name>),
    /// A module of the project.
    Module(FileId),
    /// A folder of the project without `__init__.py`, which is a package too.
    Folder(Place),
    /// Something of another library, by its dotted path.
    External(String),
    /// It cannot be told.
    Unknown,
}

impl Project {
    /// What `reference` in `file` may mean; one target where it is certain.
    pub fn resolve(&self, file: FileId, reference: &Reference) -> &[Target] {
        self.targets.get(file).and_then(|links| links.get(reference.id)).unwrap_or(&[Target::Unknown])
    }

    /// The references of all files that may mean a binding at the top level of `file`.
    pub fn references_to(
        &self,
        file: FileId,
        binding: BindingId,
    ) -> impl Iterator<Item = (FileId, &Reference)> {
        let is_it = move |target: &Target| matches!(target, Target::Binding(other, own, _) if (*other, *own) == (file, binding));
        self.parsed().flat_map(move |(user, facts)| {
            let links = self.targets.get(user);
            // Most files have none, and few sets of targets tell it.
            let sets = links.into_iter().flat_map(|links| links.distinct.iter().enumerate());
            let own: Vec<usize> =
                sets.filter(|(_, targets)| targets.iter().any(is_it)).map(|(set, _)| set).collect();
            let references = if own.is_empty() { &[][..] } else { &facts.module.references };
            let is_own = move |reference: &&Reference| {
                links
                    .and_then(|links| links.of_references.get(reference.id))
                    .is_some_and(|set| own.contains(set))
            };
            references.iter().filter(is_own).map(move |reference| (user, reference))
        })
    }

    /// Follows all references of all files.
    pub fn link(&mut self) {
        self.targets = (0..self.files.len()).into_par_iter().map(|file| self.links_of(file)).collect();
    }

    /// Follows the references of some files again, and gives back what they were before, file by file.
    pub fn relink(&mut self, files: &[FileId]) -> Vec<Links> {
        let links: Vec<Links> = files.par_iter().map(|&file| self.links_of(file)).collect();
        let targets = &mut self.targets;
        files.iter().zip(links).map(|(&file, links)| std::mem::replace(&mut targets[file], links)).collect()
    }

    fn links_of(&self, file: FileId) -> Links {
        let mut links = Links::default();
        let mut followed: FxHashMap<(BindingId, &[Name]), usize> = FxHashMap::default();
        for reference in self.facts(file).into_iter().flat_map(|facts| &facts.module.references) {
            if let Some(targets) = self.brought_before(file, reference) {
                links.of_references.push(links.distinct.len());
                links.distinct.push(targets);
                continue;
            }
            let key = match reference.bindings[..] {
                [binding] => Some((binding, reference.attributes.as_slice())),
                _ => None,
            };
            if let Some(&known) = key.and_then(|key| followed.get(&key)) {
                links.of_references.push(known);
                continue;
            }
            let own = links.distinct.len();
            let mut targets = self.find_targets(file, reference);
            if targets.is_empty() {
                targets.push(self.undefined(file, reference));
            } else {
                followed.extend(key.map(|key| (key, own)));
            }
            links.distinct.push(targets);
            links.of_references.push(own);
        }
        links
    }

    /// The parsed files in which names may lead to `files`, themselves included: those that import one, and those that
    /// reach one through attributes of packages, directly or through others.
    pub fn importers(&self, files: &FxHashSet<FileId>) -> BTreeSet<FileId> {
        let mut users: Vec<Vec<FileId>> = vec![Vec::new(); self.files.len()];
        for (file, _) in self.parsed() {
            for used in self.used_by(file) {
                if users[used].last() != Some(&file) {
                    users[used].push(file);
                }
            }
        }
        let mut found: BTreeSet<FileId> = files.iter().copied().collect();
        let mut pending: Vec<FileId> = files.iter().copied().collect();
        while let Some(file) = pending.pop() {
            pending.extend(users[file].iter().copied().filter(|&user| found.insert(user)));
        }
        found
    }

    /// The other files that a file imports, or reaches through attributes of packages.
    fn used_by(&self, file: FileId) -> impl Iterator<Item = FileId> {
        let linked =
            self.targets.get(file).into_iter().flat_map(|links| &links.distinct).flatten().filter_map(
                |target| match target {
                    Target::Binding(other, ..) | Target::Module(other) => Some(*other),
                    Target::Folder(_) | Target::Flyte1(_) | Target::External(_) | Target::Unknown => None,
                },
            );
        let targets = self.targets.get(file).into_iter().flat_map(|links| &links.distinct).flatten();
        let folders = targets.filter_map(|target| match target {
            Target::Folder(place) => Some(*place),
            _ => None,
        });
        let below = folders.flat_map(|place| self.index.files_below(place));
        let imported = self.imports.get(file).into_iter().flatten().copied();
        imported.chain(linked).chain(below).filter(move |&used| used != file)
    }

    /// The parsed files that are not settled, and those that names in them may lead to, directly or through others.
    pub fn unsettled(&self) -> Vec<FileId> {
        let mut files: Vec<FileId> =
            self.parsed().map(|(file, _)| file).filter(|file| !self.settled.contains(file)).collect();
        if !self.settled.is_empty() {
            files = self.used_from(files);
            files.retain(|&file| self.facts(file).is_some());
            files.sort_unstable();
        }
        files
    }

    /// These files, and all that they import or reach through attributes of packages, directly or through others.
    fn used_from(&self, mut files: Vec<FileId>) -> Vec<FileId> {
        let mut seen: FxHashSet<FileId> = files.iter().copied().collect();
        let mut next = 0;
        while let Some(&file) = files.get(next) {
            files.extend(self.used_by(file).filter(|&used| seen.insert(used)));
            next += 1;
        }
        files
    }

    /// The files that names in some files may lead to, themselves included, each with those in which names lead there
    /// straight.
    pub fn users_near(&self, files: &[FileId]) -> FxHashMap<FileId, Vec<FileId>> {
        let used = self.used_from(files.to_vec()).into_iter();
        let mut users: FxHashMap<FileId, Vec<FileId>> = used.map(|file| (file, Vec::new())).collect();
        for (file, _) in self.parsed() {
            for used in self.used_by(file) {
                let known = users.get_mut(&used).filter(|known| known.last() != Some(&file));
                known.into_iter().for_each(|known| known.push(file));
            }
        }
        users
    }

    /// Whether a file takes a package as a value, through which all that is in it can be got at: `other = package`.
    pub fn takes_packages(&self, file: FileId) -> bool {
        let targets = self.targets.get(file).into_iter().flat_map(|links| &links.distinct).flatten();
        let is_package = |target: &Target| match target {
            Target::Module(module) => self.files[*module].relative.ends_with("/__init__.py"),
            Target::Folder(_) => true,
            Target::Binding(..) | Target::Flyte1(_) | Target::External(_) | Target::Unknown => false,
        };
        targets.into_iter().any(is_package)
    }

    /// What star imports bring under a name that the file itself binds further down only; `None` if none may bring it.
    fn brought_before(&self, file: FileId, reference: &Reference) -> Option<Vec<Target>> {
        let module = &self.facts(file)?.module;
        let at = reference.range.start();
        let is_behind = !module.star_imports.is_empty()
            && !reference.is_deferred
            && !reference.bindings.is_empty()
            && module.are_behind(&reference.bindings, at);
        if !is_behind || self.stars_with(file, &reference.name, None, at).is_empty() {
            return None;
        }
        Some(self.through_stars(file, &reference.names(), at, 0))
    }

    /// What a name with `attributes` behind it means to top-level code that runs at `offset`.
    pub fn look_up(&self, file: FileId, name: &Name, attributes: &[Name], offset: TextSize) -> Vec<Target> {
        let Some(facts) = self.facts(file) else { return Vec::new() };
        let bindings = facts.module.visible(name, offset);
        if facts.module.are_behind(&bindings, offset) {
            let names = [std::slice::from_ref(name), attributes].concat();
            return self.through_stars(file, &names, offset, 0);
        }
        bindings.into_iter().flat_map(|binding| self.follow(file, binding, attributes, 0)).collect()
    }

    fn find_targets(&self, file: FileId, reference: &Reference) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for &binding in &reference.bindings {
            for target in self.follow(file, binding, &reference.attributes, 0) {
                if !targets.contains(&target) {
                    targets.push(target);
                }
            }
        }
        targets
    }

    /// A decorator that is used but never imported, as in excerpts of documentation: `@task` in a file that imports
    /// other names of Flyte 1 is Flyte 1's.
    fn undefined(&self, file: FileId, reference: &Reference) -> Target {
        let end = if reference.is_deferred { END } else { reference.range.start() };
        if let [target] = &self.through_stars(file, &reference.names(), end, 0)[..]
            && *target != Target::Unknown
        {
            return target.clone();
        }
        let is_decorator = matches!(reference.role, Role::Decorator(_)) && reference.attributes.is_empty();
        let imports_flyte1 = || {
            self.facts(file).is_some_and(|facts| {
                facts.module.star_imports.is_empty()
                    && facts.module.bindings.iter().any(|binding| {
                        matches!(&binding.kind, BindingKind::Import(path) if path.level == 0 && is_flyte1_root(path.root()))
                    })
            })
        };
        match Symbol::entity_decorator(&reference.name).filter(|_| is_decorator) {
            Some(symbol) if imports_flyte1() => Target::Flyte1(symbol),
            _ => Target::Unknown,
        }
    }

    /// The symbol of Flyte 1 that `reference` certainly means.
    pub fn symbol(&self, file: FileId, reference: &Reference) -> Option<Symbol> {
        match self.resolve(file, reference) {
            [Target::Flyte1(symbol)] => Some(symbol.clone()),
            _ => None,
        }
    }

    /// What the binding with `attributes` behind it means.
    pub fn follow(&self, file: FileId, binding: BindingId, attributes: &[Name], depth: usize) -> Vec<Target> {
        let Some(facts) = self.facts(file) else { return vec![Target::Unknown] };
        if depth > MAX_DEPTH {
            return vec![Target::Unknown];
        }
        match &facts.module.bindings[binding].kind {
            BindingKind::Import(path) => self.follow_import(file, path, attributes, depth + 1),
            BindingKind::Assignment { value, .. } => {
                // `IS = flytekit.ImageSpec` is another name for it.
                let alias =
                    facts.reference_at(value.range).filter(|reference| reference.role == Role::Assigned);
                let symbols: Vec<Target> = alias
                    .into_iter()
                    .flat_map(|alias| alias.bindings.iter().map(move |&id| (id, &alias.attributes)))
                    .filter(|&(id, _)| id != binding)
                    .flat_map(|(id, own)| {
                        self.follow(file, id, &[own.as_slice(), attributes].concat(), depth + 1)
                    })
                    .filter(|target| matches!(target, Target::Flyte1(_)))
                    .collect();
                if symbols.is_empty() {
                    vec![Target::Binding(file, binding, attributes.to_vec())]
                } else {
                    symbols
                }
            }
            _ => vec![Target::Binding(file, binding, attributes.to_vec())],
        }
    }

    fn follow_import(
        &self,
        file: FileId,
        path: &ImportPath,
        attributes: &[Name],
        depth: usize,
    ) -> Vec<Target> {
        let mut names: Vec<Name> = path.name.iter().map(Name::from).collect();
        names.extend_from_slice(attributes);
        let dotted = || {
            let names = names.iter().map(Name::as_str);
            std::iter::once(path.module.as_str()).chain(names).collect::<Vec<_>>().join(".")
        };
        let place = self.index.resolve(file, path.level, &path.module);
        // A module of the project called `flytekit` is what Python finds first.
        let is_own = place.as_ref().is_some_and(|place| place.file.is_some());
        if path.level == 0
            && !is_own
            && is_flyte1_root(path.root())
            && let Some(symbol) = symbol(&dotted())
        {
            return vec![Target::Flyte1(symbol)];
        }
        match place {
            Some(place) => self.descend(place, &names, depth),
            None => vec![Target::External(dotted())],
        }
    }

    /// Reads `names` one after another from the module at `place`.
    fn descend(&self, place: Place, names: &[Name], depth: usize) -> Vec<Target> {
        let Some((name, rest)) = names.split_first() else {
            return vec![place.file.map_or(Target::Folder(place), Target::Module)];
        };
        if let Some(file) = place.file {
            let Some(facts) = self.facts(file) else { return vec![Target::Unknown] };
            let bindings = facts.module.exports(name);
            let is_own = |&id: &BindingId| self.imports_itself(file, &facts.module.bindings[id].kind, name);
            let (own, others): (Vec<_>, Vec<_>) = bindings.iter().copied().partition(is_own);
            if !others.is_empty() {
                let mut targets: Vec<Target> =
                    others.into_iter().flat_map(|id| self.follow(file, id, rest, depth + 1)).collect();
                // A name that leads in a circle is the module that Python finds when it is asked again.
                if !own.is_empty() || targets.contains(&Target::Unknown) {
                    targets.extend(self.submodule(place, names, depth).into_iter().flatten());
                }
                return targets;
            }
        }
        if let Some(targets) = self.submodule(place, names, depth) {
            return targets;
        }
        place.file.map_or_else(|| vec![Target::Unknown], |file| self.through_stars(file, names, END, depth))
    }

    /// Whether `name` is bound by an import of itself, as `from . import tasks` in a package does: its module is meant.
    fn imports_itself(&self, file: FileId, kind: &BindingKind, name: &str) -> bool {
        let BindingKind::Import(path) = kind else { return false };
        path.name.as_deref() == Some(name)
            && self
                .index
                .resolve(file, path.level, &path.module)
                .is_some_and(|place| place.file == Some(file))
    }

    /// Reads `names` from the package at `place`, the first of which is one of its modules.
    fn submodule(&self, place: Place, names: &[Name], depth: usize) -> Option<Vec<Target>> {
        let (name, rest) = names.split_first()?;
        Some(self.descend(self.index.child(place, name)?, rest, depth + 1))
    }

    /// Looks `names` up in what `from x import *` brings into `file` before `end`.
    fn through_stars(&self, file: FileId, names: &[Name], end: TextSize, depth: usize) -> Vec<Target> {
        if depth > MAX_DEPTH {
            return vec![Target::Unknown];
        }
        // What `from flytekit import *` brings is not known.
        let known = self.stars(file, None, end).filter(|star| star.level > 0 || !is_flyte1_root(star.root()));
        // The last one that brings a name wins.
        for star in known.rev().filter(|star| self.may_bring(file, star, &names[0], depth)) {
            let targets = self.follow_import(file, &star, names, depth + 1);
            if !targets.iter().any(|target| matches!(target, Target::Unknown | Target::External(_))) {
                return targets;
            }
        }
        vec![Target::Unknown]
    }

    /// The star imports between two places of a file.
    fn stars(
        &self,
        file: FileId,
        from: Option<TextSize>,
        to: TextSize,
    ) -> impl DoubleEndedIterator<Item = ImportPath> {
        let facts = self.facts(file).filter(|facts| !facts.module.star_imports.is_empty());
        let imports = facts.into_iter().flat_map(|facts| &facts.module.imports);
        let stars = imports.filter(move |import| {
            let start = import.range.start();
            from.is_none_or(|from| from < start)
                && start < to
                && import.aliases.iter().any(|alias| alias.name == "*")
        });
        stars.filter_map(|import| {
            let (level, module) = import.from.clone()?;
            Some(ImportPath { level, module, name: None })
        })
    }

    /// The star imports between two places of a file that may bring a name.
    pub fn stars_with(
        &self,
        file: FileId,
        name: &Name,
        from: Option<TextSize>,
        to: TextSize,
    ) -> Vec<ImportPath> {
        self.stars(file, from, to).filter(|star| self.may_bring(file, star, name, 0)).collect()
    }

    /// Whether `from x import *` in `file` may bring a name: `__all__` or an underscore can keep it back.
    pub fn may_bring(&self, file: FileId, star: &ImportPath, name: &Name, depth: usize) -> bool {
        let place = self.index.resolve(file, star.level, &star.module).and_then(|place| place.file);
        let Some(origin) = place else { return star.level > 0 || star.root() != "flyte" };
        let Some(facts) = self.facts(origin).filter(|_| depth <= MAX_DEPTH) else { return true };
        let module = &facts.module;
        if module.has_export_list() {
            return module.exported.iter().any(|shown| shown == name.as_str());
        }
        let is_shown = !name.starts_with('_') || !module.exports("__all__").is_empty();
        let mut stars = module.star_imports.iter();
        let mut is_brought = || stars.any(|star| self.may_bring(origin, star, name, depth + 1));
        is_shown && (!module.exports(name).is_empty() || is_brought())
    }

    /// The files of the project that `file`, if it is parsed, imports directly.
    pub fn find_imported_files(&self, file: FileId) -> Vec<FileId> {
        let imports = self.facts(file).into_iter().flat_map(|facts| &facts.module.imports);
        let mut files: Vec<FileId> = imports.flat_map(|import| self.files_of_import(file, import)).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The files of the project that an import statement of `file` leads to.
    pub fn files_of_import(&self, file: FileId, import: &ImportStatement) -> Vec<FileId> {
        let mut files = Vec::new();
        let mut reach = |level: u32, module: &str, names: &[&str]| {
            // Importing `a.b.c` runs `a/__init__.py` and `a/b/__init__.py` as well.
            let parts: Vec<&str> = module.split('.').collect();
            for end in 1..parts.len() {
                files.extend(
                    self.index.resolve(file, level, &parts[..end].join(".")).and_then(|place| place.file),
                );
            }
            let Some(place) = self.index.resolve(file, level, module) else { return };
            files.extend(place.file);
            files.extend(names.iter().filter_map(|name| self.index.child(place, name)?.file));
        };
        match &import.from {
            Some((level, module)) => {
                let names: Vec<&str> = import.aliases.iter().map(|alias| alias.name.as_str()).collect();
                reach(*level, module, &names);
            }
            None => import.aliases.iter().for_each(|alias| reach(0, &alias.name, &[])),
        }
        files
    }

    /// These files and all files of the project that they import, directly or through others.
    pub fn import_closure(&self, files: impl IntoIterator<Item = FileId>) -> Vec<FileId> {
        let mut seen = FxHashSet::default();
        let mut reached: Vec<FileId> = files.into_iter().filter(|&file| seen.insert(file)).collect();
        let mut next = 0;
        while let Some(&file) = reached.get(next) {
            reached.extend(self.imports[file].iter().filter(|&&imported| seen.insert(imported)));
            next += 1;
        }
        reached
    }

    /// The files that a file has run once it is imported, directly or through others, but for the packages around it: those
    /// began before it, and importing them again runs nothing.
    pub fn runs_within(&self, file: FileId) -> Vec<FileId> {
        let mut seen: FxHashSet<FileId> = self.index.packages_around(file).chain([file]).collect();
        let mut reached = vec![file];
        let mut next = 0;
        while let Some(&file) = reached.get(next) {
            reached.extend(self.imports[file].iter().filter(|&&imported| seen.insert(imported)));
            next += 1;
        }
        reached
    }

    /// These files and all files of the project that run when they are imported: what they import, directly or through
    /// others, and the packages around them with what those import.
    pub fn run_by_import(&self, files: impl IntoIterator<Item = FileId>) -> Vec<FileId> {
        let with_packages = |file| std::iter::once(file).chain(self.index.packages_around(file));
        self.import_closure(files.into_iter().flat_map(with_packages))
    }

    /// Whether a file imports a module outside the project whose first name is one of those that `is_root` tells.
    pub fn imports_outside(&self, file: FileId, is_root: fn(&str) -> bool) -> bool {
        let Some(facts) = self.facts(file) else { return false };
        let is_it = |module: &str| {
            is_root(module.split('.').next().unwrap_or_default())
                && self.index.resolve(file, 0, module).is_none()
        };
        facts.module.imports.iter().any(|import| match &import.from {
            Some((0, module)) => is_it(module),
            Some(_) => false,
            None => import.aliases.iter().any(|alias| is_it(&alias.name)),
        })
    }

    /// The modules outside the project that a file imports in the statements that `is_wanted` chooses, dotted, with the
    /// names taken from them.
    pub fn outside_modules(&self, file: FileId, is_wanted: fn(&ImportStatement) -> bool) -> Vec<String> {
        let Some(facts) = self.facts(file) else { return Vec::new() };
        let is_outside = |module: &str| self.index.resolve(file, 0, module).is_none();
        let mut modules = Vec::new();
        for import in facts.module.imports.iter().filter(|import| is_wanted(import)) {
            let aliases = import.aliases.iter();
            match &import.from {
                Some((0, module)) if is_outside(module) => {
                    modules.extend(aliases.map(|alias| format!("{module}.{}", alias.name)));
                }
                Some(_) => {}
                None => modules
                    .extend(aliases.filter(|alias| is_outside(&alias.name)).map(|alias| alias.name.clone())),
            }
        }
        modules
    }
}
