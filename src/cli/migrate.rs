//! The default command: discover, read, plan, rewrite; then a report, a diff, a verdict, or new files.

use std::collections::BTreeSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::Exit;
use super::args::{Args, Conda, LayerOrder, Mode, OutputFormat, Parallelism, Platform};
use super::config::with_configuration;
use super::environment::surroundings_of;
use crate::diagnostic::render::{FileReport, Report, Summary, concise, full, json};
use crate::diagnostic::{Diagnostic, Severity, Status};
use crate::diff::{colorize, new_file_diff, unified_diff};
use crate::discover::{self, Discovery, discover};
use crate::file_kind::FileKind;
use crate::flyte2::check::findings;
use crate::flyte2::read::read;
use crate::image::disk::Disk;
use crate::load::{TREE_BUDGET, load};
use crate::migrate::{Migration, affected, migrate};
use crate::project::plan::{Settings, plan};
use crate::project::{Content, FileId, Project, ProjectFile};
use crate::python::STACK_SIZE;
use crate::rewrite::FileResult;
use crate::rules::draft;
use crate::write::{create, write_atomically};

/// black's and ruff's line length where the project sets none.
const LINE_LENGTH: usize = 88;

/// Says something on standard error; that nobody reads it is no reason to stop.
macro_rules! say {
    ($($argument:tt)*) => {
        drop(writeln!(std::io::stderr(), $($argument)*))
    };
}

/// Runs the default command.
pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit> {
    let cwd = std::env::current_dir().context("cannot tell the working directory")?;
    let args = &with_configuration(args)?;
    let discovery = discover(&options(args), &cwd)?;
    if args.mode() == Mode::Files {
        for file in discovery.files.iter().filter(|file| file.is_selected) {
            writeln!(out, "{}", file.display)?;
        }
        return Ok(Exit::Clean);
    }
    let settings = settings(args, &discovery);
    let (project, migration) = in_pool(args.threads.map_or(0, usize::from), || {
        let mut project = load(&discovery, TREE_BUDGET);
        let disk = Disk::new(cwd.clone());
        let (plan, images) =
            rayon::join(|| plan(&project, settings), || image_findings(&project, &discovery, &disk));
        let inspect = |project: &Project, migration: &Migration| {
            let disk = Disk::new(cwd.clone()).with_files(written_files(&discovery, project, migration));
            image_findings(project, &discovery, &disk)
        };
        let mut migration = migrate(&mut project, plan, settings, &inspect);
        let made = without(std::mem::take(&mut migration.inspected), &images);
        add_findings(&project, images, &mut migration);
        add_findings(&project, made, &mut migration);
        (project, migration)
    })?;
    let exit = finish(args, &discovery, &project, migration, out);
    // The process ends here; to take apart what is known of thousands of files would be time for nothing.
    std::mem::forget(project);
    exit
}

/// What is wrong with the Flyte 2 images that the code holds.
fn image_findings(project: &Project, discovery: &Discovery, disk: &Disk) -> Vec<(FileId, Vec<Diagnostic>)> {
    let found = read(project, &surroundings_of(&discovery.root, disk), disk);
    findings(project, &found, disk, &discovery.root).into_iter().collect()
}

/// What the migration would write: the place of each file, and its bytes.
pub(super) fn written_files(
    discovery: &Discovery,
    project: &Project,
    migration: &Migration,
) -> Vec<(PathBuf, Vec<u8>)> {
    let changed = migration.texts.iter().filter_map(|(&file, text)| {
        Some((discovery.files[file].path.clone(), project.source(file)?.to_bytes(text)))
    });
    let new = migration.new_files.iter().filter_map(|((file, path), content)| {
        Some((discovery.files[*file].path.parent()?.join(path), content.clone().into_bytes()))
    });
    changed.chain(new).collect()
}

/// What was not found before the migration already.
fn without(
    mut found: Vec<(FileId, Vec<Diagnostic>)>,
    known: &[(FileId, Vec<Diagnostic>)],
) -> Vec<(FileId, Vec<Diagnostic>)> {
    for (file, diagnostics) in &mut found {
        for known in known.iter().filter(|(other, _)| other == file).flat_map(|(_, known)| known) {
            let is_same = |one: &Diagnostic| one.rule == known.rule && one.message == known.message;
            if let Some(index) = diagnostics.iter().position(is_same) {
                diagnostics.remove(index);
            }
        }
    }
    found.retain(|(_, diagnostics)| !diagnostics.is_empty());
    found
}

fn add_findings(project: &Project, found: Vec<(FileId, Vec<Diagnostic>)>, migration: &mut Migration) {
    for (file, diagnostics) in found {
        if !project.files[file].is_selected {
            continue;
        }
        match migration.results.binary_search_by_key(&file, |result| result.file) {
            Ok(index) => migration.results[index].diagnostics.extend(diagnostics),
            Err(index) => migration.results.insert(index, FileResult { file, diagnostics }),
        }
    }
}

/// Does the work on threads whose stack is large enough for the parser; none given means one per core.
///
/// # Errors
/// A panic is a bug of ours: nothing was written yet, and the user is told what to do.
pub(super) fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK_SIZE)
        .build()
        .context("cannot start threads")?;
    let Ok(outcome) = pool.install(|| catch_unwind(AssertUnwindSafe(work))) else {
        bail!("internal error; no file was changed; please report this as a bug, with what is printed above");
    };
    Ok(outcome)
}

pub(super) fn options(args: &Args) -> discover::Options {
    discover::Options {
        paths: args.paths.clone(),
        project: args.project.clone(),
        is_project_limited: args.no_project,
        exclude: args.exclude.clone(),
        respects_ignore_files: !args.no_ignore,
    }
}

pub(super) fn settings<'a>(args: &'a Args, discovery: &Discovery) -> Settings<'a> {
    Settings {
        allows_unsafe: args.unsafe_fixes,
        is_partial: args.partial,
        layer_order: match args.layer_order.unwrap_or_default() {
            LayerOrder::Flyte1 => draft::LayerOrder::Flyte1,
            LayerOrder::Source => draft::LayerOrder::Source,
        },
        includes_commands: args.include_commands,
        writes_config: args.write_config,
        is_parallel: args.parallelism == Parallelism::Parallel,
        line_length: args
            .line_length
            .map(usize::from)
            .or_else(|| configured_line_length(discovery))
            .unwrap_or(LINE_LENGTH),
        conda: match args.conda {
            None => draft::Conda::Finding,
            Some(Conda::Pixi) => draft::Conda::Pixi,
            Some(Conda::Micromamba) => draft::Conda::Micromamba,
        },
        default_platform: match args.platform.unwrap_or_default() {
            Platform::Flyte1 => draft::DefaultPlatform::Flyte1,
            Platform::Flyte2 => draft::DefaultPlatform::Flyte2,
        },
        registry_secret: args.registry_secret.as_deref(),
    }
}

/// The line length that the project's pyproject.toml gives black or ruff.
fn configured_line_length(discovery: &Discovery) -> Option<usize> {
    let text = std::fs::read_to_string(discovery.root.join("pyproject.toml")).ok()?;
    let table: toml::Table = text.parse().ok()?;
    let tools = table.get("tool")?;
    ["ruff", "black"]
        .iter()
        .find_map(|tool| tools.get(tool)?.get("line-length")?.as_integer())
        .and_then(|length| usize::try_from(length).ok())
}

fn finish(
    args: &Args,
    discovery: &Discovery,
    project: &Project,
    mut migration: Migration,
    out: &mut dyn Write,
) -> Result<Exit> {
    let mut has_error = report_problems(discovery);
    let mode = args.mode();
    if mode == Mode::Write {
        has_error |= write_files(discovery, project, &mut migration);
    }
    match mode {
        // JSON carries the edits themselves; a diff beside it would make neither readable.
        Mode::Diff if args.output_format == OutputFormat::Json => {
            report(args, project, &migration, false, out)?;
        }
        Mode::Diff => {
            // From outside the folders that change, the paths are those from the project root: apply it there.
            let is_above = |file: &FileId| {
                let display = &project.files[*file].display;
                display.starts_with("..") || display.starts_with('/')
            };
            let from_root = migration.texts.keys().any(is_above);
            let diff_path = |file: FileId| {
                let file = &project.files[file];
                if from_root { file.relative.as_str() } else { file.display.as_str() }
            };
            for (&file, text) in &migration.texts {
                let Some(source) = project.source(file) else { continue };
                let diff =
                    unified_diff(diff_path(file), &source.with_bom(&source.text), &source.with_bom(text));
                let is_colored = colored::control::SHOULD_COLORIZE.should_colorize();
                out.write_all(if is_colored { colorize(&diff) } else { diff }.as_bytes())?;
                for ((_, path), content) in migration.new_files_of(file) {
                    let diff = new_file_diff(&sibling(diff_path(file), path), content);
                    out.write_all(if is_colored { colorize(&diff) } else { diff }.as_bytes())?;
                }
            }
            if !args.quiet {
                report(args, project, &migration, false, &mut std::io::stderr().lock())?;
            }
        }
        Mode::Check => {
            if !args.quiet {
                let files = file_reports(project, &migration);
                writeln!(out, "{}", Summary::new(&files, checked(project)))?;
            }
        }
        Mode::Report | Mode::Write | Mode::Files => {
            report(args, project, &migration, true, out)?;
        }
    }
    has_error |= migration
        .results
        .iter()
        .flat_map(|result| &result.diagnostics)
        .any(|finding| finding.severity == Severity::Error);
    Ok(exit(args, mode, &migration, has_error))
}

/// Says what could not be looked at; whether there is anything.
pub(super) fn report_problems(discovery: &Discovery) -> bool {
    for problem in &discovery.problems {
        say!("error: {}: {}", problem.display, problem.message);
    }
    !discovery.problems.is_empty()
}

/// Writes the files that change. What cannot be written is said and takes its group along: files that must move
/// together are put back.
fn write_files(discovery: &Discovery, project: &Project, migration: &mut Migration) -> bool {
    let mut written = BTreeSet::new();
    let (created, mut failed) = create_files(discovery, project, migration);
    // What lies around the code comes last: it is right only if all of the code was written.
    let (code, around): (Vec<_>, Vec<_>) =
        migration.texts.iter().partition(|(file, _)| project.files[**file].kind == FileKind::Python);
    for (&file, text) in code.into_iter().chain(around) {
        if failed.contains(&file) {
            continue;
        }
        let Some(source) = project.source(file) else { continue };
        if !failed.is_empty() && project.files[file].kind != FileKind::Python {
            say!("error: {}: left as it is, because a file of code could not be written", source.display);
            failed.insert(file);
            continue;
        }
        match write_atomically(&discovery.files[file].path, &source.to_bytes(text)) {
            Ok(()) => drop(written.insert(file)),
            Err(error) => {
                say!("error: {}: cannot be written: {error}; the file is unchanged", source.display);
                failed.insert(file);
            }
        }
    }
    let failed = affected(&migration.together, failed);
    for &file in failed.intersection(&written) {
        let Some(source) = project.source(file) else { continue };
        match write_atomically(&discovery.files[file].path, &source.to_bytes(&source.text)) {
            Ok(()) => {
                say!("error: {}: put back, because a file that moves with it failed", source.display);
            }
            Err(error) => say!("error: {}: changed, and cannot be put back: {error}", source.display),
        }
    }
    for (file, path) in created.iter().filter(|(file, _)| failed.contains(file)) {
        if let Err(error) = std::fs::remove_file(path) {
            say!("error: {}: not used, and cannot be removed: {error}", project.files[*file].display);
        }
    }
    for result in migration.results.iter_mut().filter(|result| !failed.contains(&result.file)) {
        for diagnostic in result.diagnostics.iter_mut().filter(|diagnostic| diagnostic.fix.is_some()) {
            diagnostic.status = Status::Fixed;
        }
    }
    !failed.is_empty()
}

/// Creates the files that come with fixes: what was created for which file, and the files that must stay because one
/// could not be.
fn create_files(
    discovery: &Discovery,
    project: &Project,
    migration: &Migration,
) -> (Vec<(FileId, PathBuf)>, BTreeSet<FileId>) {
    let (mut created, mut failed) = (Vec::new(), BTreeSet::new());
    for ((file, path), content) in &migration.new_files {
        let Some(folder) = discovery.files[*file].path.parent() else { continue };
        let place = folder.join(path);
        match create(&place, content.as_bytes()) {
            Ok(()) => created.push((*file, place)),
            Err(error) => {
                let display = sibling(&project.files[*file].display, path);
                say!("error: {display}: cannot be created: {error}; what needs it is unchanged");
                failed.insert(*file);
            }
        }
    }
    (created, affected(&migration.together, failed))
}

/// The path of a file that lies beside another, both as they are shown.
fn sibling(file: &str, path: &str) -> String {
    file.rsplit_once('/').map_or_else(|| path.to_owned(), |(folder, _)| format!("{folder}/{path}"))
}

fn report(
    args: &Args,
    project: &Project,
    migration: &Migration,
    is_stdout: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let files = file_reports(project, migration);
    let summary = Summary::new(&files, checked(project));
    // A diff shows what is fixed; beside it stands what remains.
    let is_beside_diff = args.mode() == Mode::Diff && args.output_format != OutputFormat::Json;
    let remaining: Vec<Vec<Diagnostic>> = files.iter().map(|file| remaining(file.diagnostics)).collect();
    let files: Vec<FileReport<'_>> = files
        .iter()
        .zip(&remaining)
        .map(|(file, remaining)| FileReport {
            diagnostics: if is_beside_diff { remaining } else { file.diagnostics },
            ..*file
        })
        .collect();
    let report = Report { files: &files, summary };
    // The terminal that `colored` looks at is standard output.
    let is_colored = is_stdout && colored::control::SHOULD_COLORIZE.should_colorize();
    match args.output_format {
        OutputFormat::Full | OutputFormat::Concise if args.quiet => {}
        OutputFormat::Full => full::render(&report, is_colored, out)?,
        OutputFormat::Concise => concise::render(&report, out)?,
        OutputFormat::Json => json::render(&report, out)?,
    }
    Ok(())
}

fn file_reports<'a>(project: &'a Project, migration: &'a Migration) -> Vec<FileReport<'a>> {
    migration
        .results
        .iter()
        .map(|result| FileReport {
            display: &project.files[result.file].display,
            source: project.source(result.file),
            diagnostics: &result.diagnostics,
        })
        .collect()
}

/// The files that were looked at: all Python, and what around it names Flyte 1.
pub(super) fn checked(project: &Project) -> usize {
    let is_checked = |file: &&ProjectFile| {
        let matters = file.kind == FileKind::Python || !matches!(file.content, Content::Skipped(_));
        file.is_selected && matters
    };
    project.files.iter().filter(is_checked).count()
}

fn remaining(diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    diagnostics.iter().filter(|diagnostic| diagnostic.fix.is_none()).cloned().collect()
}

fn exit(args: &Args, mode: Mode, migration: &Migration, has_error: bool) -> Exit {
    if has_error {
        return Exit::Error;
    }
    let mut statuses =
        migration.results.iter().flat_map(|result| &result.diagnostics).map(|finding| finding.status);
    let remains = statuses.any(|status| matches!(status, Status::Fixable | Status::Unsafe | Status::Manual));
    let would_change = mode != Mode::Write && !migration.texts.is_empty();
    if (remains || would_change) && !args.exit_zero { Exit::Findings } else { Exit::Clean }
}
