//! What is found in a file whose conversion is not complete: obstacles, groups that stay, calls that break.
//!
//! # FM001
//!
//! ## What it does
//!
//! Reports a Python file that does not parse, with the place where the parser stopped, and leaves the file as it
//! is.
//!
//! ## Why
//!
//! Edits are made where the parser says that something stands. In a file that it cannot read, any edit would be a
//! guess; and tasks beside it may use what the file defines, so that a group which imports it stays too.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train"
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! The other files of the project are handled as usual; the exit code is 2.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".
//!
//! # FM002
//!
//! ## What it does
//!
//! Reports a file that cannot be read, or whose bytes are not UTF-8.
//!
//! ## Why
//!
//! Python itself reads other encodings where a comment declares them; this tool does not, because it keeps every
//! byte outside its edits.
//!
//! ## Example
//!
//! A page cannot show one.
//!
//! ## Use instead
//!
//! Nothing.
//!
//! ## Fix safety
//!
//! By hand. There is nothing to fix in it: the file is left as it is.
//!
//! ## Not handled
//!
//! Files in another encoding, also with a declaration.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".
//!
//! # FM220
//!
//! ## What it does
//!
//! Says that what must move together stays on Flyte 1, what stands in the way, and where. With `--partial` it names what
//! stays only because of an image, or of a type that a task which stays has in its signature.
//!
//! ## Why
//!
//! A workflow of Flyte 1 cannot call a task of Flyte 2, nor the other way round. So tasks, workflows and the
//! images that they share move as a group or not at all.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(cuda="12.1", packages=["torch"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["torch"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand. Settle what the finding names; with `--partial` the rest moves without it.
//!
//! ## Not handled
//!
//! What it names is left as it is.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".
//!
//! # FM301
//!
//! ## What it does
//!
//! Reports `from flytekit import *`.
//!
//! ## Why
//!
//! It hides which names are Flyte's, so nothing that they define is migrated.
//!
//! ## Example
//!
//! ```python
//! from flytekit import *
//!
//!
//! @task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import task
//!
//!
//! @task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What it names is left as it is.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic;
use crate::diagnostic::{Diagnostic, Severity, Status};
use crate::file_kind::FileKind;
use crate::flyte1::symbol::is_flyte1_root;
use crate::project::graph::{ImageUse, NodeId, NodeKind};
use crate::project::plan::{Group, Plan, Settings, UNNAMED_IMAGE, describe, is_free, place};
use crate::project::{Content, FileId, Project};
use crate::rules::codes::{BROKEN_CALL, GROUP_STAYS, INTERNAL, STAR_IMPORT, SYNTAX_ERROR, UNREADABLE};
use crate::rules::{Effect, Finding};

/// The findings that carry no fix, by file.
pub(super) fn findings(
    project: &Project,
    plan: &Plan,
    settings: Settings,
) -> BTreeMap<FileId, Vec<Diagnostic>> {
    let mut found: BTreeMap<FileId, Vec<Diagnostic>> = BTreeMap::new();
    for file in 0..project.files.len() {
        let whole = whole_file(project, file).into_iter().chain(star_imports(project, file));
        let whole: Vec<Diagnostic> = whole.collect();
        if !whole.is_empty() {
            found.insert(file, whole);
        }
    }
    for group in plan.groups.iter().filter(|group| group.is_active) {
        obstacles(plan, settings, group, &mut found);
        if let Some((file, diagnostic)) = group_stays(project, plan, settings, group) {
            found.entry(file).or_default().push(diagnostic);
        }
    }
    for loose in &plan.graph.loose {
        found.entry(loose.file).or_default().push(diagnostic(&loose.finding));
    }
    if settings.is_partial {
        let stays = waiting(project, plan, settings);
        for (file, diagnostic) in broken(project, plan).into_iter().chain(stays) {
            found.entry(file).or_default().push(diagnostic);
        }
    }
    found
}

/// What stands in the way of a group, each thing once, although it may concern several members. What the user
/// accepted with `--unsafe-fixes` is still told, as a note: it is what has to be looked at.
fn obstacles(plan: &Plan, settings: Settings, group: &Group, found: &mut BTreeMap<FileId, Vec<Diagnostic>>) {
    let is_blocked = |node: &NodeId| {
        plan.graph.obstacles[*node].iter().any(|obstacle| obstacle.finding.effect == Effect::Blocking)
    };
    let is_group_blocked = !settings.is_partial && group.members.iter().any(is_blocked);
    let obstacles = group.members.iter().flat_map(|node| {
        // What else stands in the way needs hands, whatever is accepted.
        let needs_hand = is_group_blocked || is_blocked(node);
        plan.graph.obstacles[*node].iter().map(move |obstacle| (obstacle, needs_hand))
    });
    for (obstacle, needs_hand) in obstacles {
        let is_accepted = obstacle.finding.effect == Effect::Unsafe && group.is_converted;
        let diagnostics = found.entry(obstacle.file).or_default();
        let is_known = diagnostics.iter().any(|known| {
            known.range == Some(obstacle.finding.range) && known.message == obstacle.finding.message
        });
        if !is_known {
            let effect = if is_accepted { Effect::Info } else { obstacle.finding.effect };
            let mut report = diagnostic(&Finding { effect, ..obstacle.finding.clone() });
            if needs_hand && report.status == Status::Unsafe {
                report.status = Status::Manual;
            }
            diagnostics.push(report);
        }
    }
}

fn whole_file(project: &Project, file: FileId) -> Option<Diagnostic> {
    let (rule, range, message, help) = match &project.files[file].content {
        Content::SyntaxError { range, message, .. } => (
            &SYNTAX_ERROR,
            Some(*range),
            format!("syntax error: {message}"),
            "Correct it; nothing in this file is changed",
        ),
        Content::Unreadable(message) => {
            (&UNREADABLE, None, message.clone(), "Nothing in this file is changed")
        }
        Content::Panicked(_) => (
            &INTERNAL,
            None,
            "the analysis of this file failed".to_owned(),
            "Please report this as a bug; nothing in this file is changed",
        ),
        Content::Skipped(_) | Content::Text(_) | Content::Parsed { .. } => return None,
    };
    // What cannot be read of the files around the code is left to the user, as the rest of them is.
    let is_python = project.files[file].kind == FileKind::Python;
    Some(Diagnostic {
        rule,
        severity: if is_python { Severity::Error } else { Severity::Warning },
        message,
        range,
        help: Some(help.to_owned()),
        notes: Vec::new(),
        fix: None,
        status: Status::Manual,
    })
}

fn star_imports(project: &Project, file: FileId) -> Vec<Diagnostic> {
    let Some(facts) = project.facts(file) else { return Vec::new() };
    facts
        .module
        .imports
        .iter()
        .filter(|import| {
            let root =
                import.from.as_ref().filter(|(level, _)| *level == 0).map(|(_, module)| module.as_str());
            let is_star = import.aliases.iter().any(|alias| alias.name == "*");
            is_star && root.is_some_and(|module| is_flyte1_root(module.split('.').next().unwrap_or_default()))
        })
        .map(|import| {
            diagnostic(
                &Finding::new(
                    &STAR_IMPORT,
                    import.range,
                    Effect::Blocking,
                    "`*` hides which names come from Flyte 1; nothing that they define here is migrated",
                )
                .help("Import the names one by one"),
            )
        })
        .collect()
}

/// Descriptions in their order, with images without a name as one.
fn counted(descriptions: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut unnamed: Option<(usize, usize)> = None;
    for description in descriptions {
        if description != UNNAMED_IMAGE {
            names.push(description);
        } else if let Some((_, count)) = &mut unnamed {
            *count += 1;
        } else {
            unnamed = Some((names.len(), 1));
            names.push(description);
        }
    }
    if let Some((at, count)) = unnamed.filter(|(_, count)| *count > 1) {
        names[at] = format!("{count} images without a name");
    }
    names
}

/// One finding for a group that stays, at its first member among the selected files.
fn group_stays(
    project: &Project,
    plan: &Plan,
    settings: Settings,
    group: &Group,
) -> Option<(FileId, Diagnostic)> {
    let blocked: Vec<NodeId> =
        group.members.iter().copied().filter(|&node| !is_free(&plan.graph, node, settings)).collect();
    let named =
        group.members.iter().filter(|&&node| !matches!(plan.graph.nodes[node].kind, NodeKind::Code(_)));
    let named: Vec<NodeId> = named.copied().collect();
    if group.is_converted || blocked.is_empty() || named.len() < 2 {
        return None;
    }
    let first = *named.iter().find(|&&node| project.files[plan.graph.nodes[node].file].is_selected)?;
    let has_selected_obstacle = blocked
        .iter()
        .flat_map(|&node| &plan.graph.obstacles[node])
        .any(|obstacle| project.files[obstacle.file].is_selected);
    if settings.is_partial && (plan.converts[first] || has_selected_obstacle) {
        return None;
    }
    let mut names = counted(named.iter().map(|&node| describe(project, &plan.graph, node)));
    let more = names.len().saturating_sub(4);
    names.truncate(4);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let obstacles = || blocked.iter().flat_map(|&node| &plan.graph.obstacles[node]);
    let needs_hand = obstacles().any(|obstacle| obstacle.finding.effect == Effect::Blocking);
    let worst = if needs_hand { Effect::Blocking } else { Effect::Unsafe };
    let obstacle = obstacles().find(|obstacle| obstacle.finding.effect == worst)?;
    let location = project
        .source(obstacle.file)
        .map(|source| source.location(obstacle.finding.range.start()))
        .map_or(String::new(), |location| format!(":{}:{}", location.row, location.column));
    let message = format!(
        "{}{more} move together, and stay on Flyte 1: {} ({}{location})",
        names.join(", "),
        obstacle.finding.message,
        project.files[obstacle.file].display
    );
    let help = if needs_hand {
        "Settle that first, or convert what can be converted with `--partial`"
    } else {
        "Look at it, and convert the group with `--unsafe-fixes`"
    };
    let finding = Finding::new(&GROUP_STAYS, place(project, &plan.graph, first), worst, message).help(help);
    Some((plan.graph.nodes[first].file, diagnostic(&finding)))
}

/// With `--partial`: what nothing stands in the way of, but what it is made of.
fn waiting(project: &Project, plan: &Plan, settings: Settings) -> Vec<(FileId, Diagnostic)> {
    let active = plan.groups.iter().filter(|group| group.is_active).flat_map(|group| &group.members);
    let waiting = active.filter(|&&node| !plan.converts[node] && is_free(&plan.graph, node, settings));
    let findings = waiting.filter_map(|&node| {
        let needed = made_of(plan, node).into_iter().find(|&needed| !plan.converts[needed])?;
        let message = format!(
            "{} stays on Flyte 1 with {}",
            describe(project, &plan.graph, node),
            describe(project, &plan.graph, needed)
        );
        let finding =
            Finding::new(&GROUP_STAYS, place(project, &plan.graph, node), Effect::Blocking, message)
                .help("Settle first what stands in the way of that");
        Some((plan.graph.nodes[node].file, diagnostic(&finding)))
    });
    findings.collect()
}

/// The images, the actor and the code that an image, a task or an actor is made of.
fn made_of(plan: &Plan, node: NodeId) -> Vec<NodeId> {
    let images = match plan.graph.image_use(node) {
        Some((ImageUse::Specs(images), _)) => images.clone(),
        _ => Vec::new(),
    };
    let base = plan.graph.image(node).and_then(|image| image.base);
    let actor = plan.graph.entity(node).and_then(|entity| entity.maker);
    let code = plan.graph.needs.range((node, 0)..(node + 1, 0)).map(|&(_, code)| code);
    images.into_iter().chain(base).chain(actor).chain(code).collect()
}

/// With `--partial`: what stays on Flyte 1 although something that it uses was converted.
fn broken(project: &Project, plan: &Plan) -> Vec<(FileId, Diagnostic)> {
    let mut findings = BTreeSet::new();
    for &(a, b) in &plan.graph.edges {
        for (user, used) in [(a, b), (b, a)] {
            let is_broken = !plan.converts[user] && plan.converts[used] && uses(plan, user, used);
            if is_broken {
                findings.insert((user, used));
            }
        }
    }
    let broken = findings.into_iter().map(|(user, used)| {
        let finding = Finding::new(
            &BROKEN_CALL,
            place(project, &plan.graph, user),
            Effect::Blocking,
            format!(
                "{} stays on Flyte 1 but uses {}, which was converted: it is broken until it is migrated",
                describe(project, &plan.graph, user),
                describe(project, &plan.graph, used)
            ),
        )
        .help("Settle what stands in its way, or migrate it by hand");
        broken_place(project, plan, user, used, &finding)
    });
    let mixed = (0..plan.graph.nodes.len()).filter(|&node| plan.converts[node]);
    let calls_flyte1 = mixed.filter_map(|node| {
        let entity = plan.graph.entity(node)?;
        let (range, callee) = entity.calls.iter().find(|(_, callee)| !plan.converts[*callee])?;
        let finding = Finding::new(
            &BROKEN_CALL,
            *range,
            Effect::Blocking,
            format!(
                "{} is converted and calls {}, which stays on Flyte 1: it runs inside the caller, without its own image",
                describe(project, &plan.graph, node),
                describe(project, &plan.graph, *callee)
            ),
        )
        .help("Migrate the called task by hand");
        Some((plan.graph.nodes[node].file, diagnostic(&finding)))
    });
    broken.chain(calls_flyte1).collect()
}

/// The finding where the user of this run sees it: at the code that breaks, or, if that lies outside the paths, at
/// what breaks it.
fn broken_place(
    project: &Project,
    plan: &Plan,
    user: NodeId,
    used: NodeId,
    finding: &Finding,
) -> (FileId, Diagnostic) {
    let file = plan.graph.nodes[user].file;
    let mut report = diagnostic(finding);
    if project.files[file].is_selected {
        return (file, report);
    }
    report.range = Some(place(project, &plan.graph, used));
    report
        .notes
        .push(format!("It is defined in `{}`, outside the paths of this run.", project.files[file].display));
    (plan.graph.nodes[used].file, report)
}

fn uses(plan: &Plan, user: NodeId, used: NodeId) -> bool {
    match &plan.graph.nodes[user].kind {
        NodeKind::Image(image) => image.base == Some(used),
        NodeKind::Setting(_) => plan.graph.setting(used).is_some(),
        NodeKind::Maker(actor) => matches!(&actor.image, ImageUse::Specs(images) if images.contains(&used)),
        NodeKind::Container(container) => {
            matches!(&container.image, ImageUse::Specs(images) if images.contains(&used))
                || plan.graph.setting(used).is_some()
        }
        NodeKind::Code(_) => plan.graph.bodies[user].calls.iter().any(|(_, callee)| *callee == used),
        NodeKind::Entity(entity) => {
            entity.calls.iter().any(|(_, callee)| *callee == used)
                || entity.maker == Some(used)
                || matches!(&entity.image, ImageUse::Specs(images) if images.contains(&used))
                || plan.graph.needs.contains(&(user, used))
                || plan.graph.setting(used).is_some()
        }
    }
}
