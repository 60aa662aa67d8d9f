//! The new text of images, environments, decorators and imports of one file.
//!
//! # FM200
//!
//! ## What it does
//!
//! Makes a task, dynamic or workflow of Flyte 1 a task of a `TaskEnvironment`, which stands above the first of
//! those that share its settings.
//!
//! ## Why
//!
//! On Flyte 2 everything is a task. What was given to the decorator and concerns the container, such as image and
//! resources, belongs to the environment; the rest stays with the task. Names of environments are made from the
//! module and from the task.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image, retries=2)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task(retries=2)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Safe. Unsafe as soon as something of its group is.
//!
//! ## Not handled
//!
//! Tasks in a class or a function, and decorators that are made by functions of yours (FM203).
//!
//! ## References
//!
//! [Task configuration](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/)
//!
//! # FM223
//!
//! ## What it does
//!
//! Says that a workflow now runs in a container of its own, with the image of a task that it calls.
//!
//! ## Why
//!
//! On Flyte 1 a workflow had no container. On Flyte 2 its code runs in one, which must be able to import the
//! module.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, Resources, task, workflow
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image, requests=Resources(cpu="1"))
//! def step() -> int:
//!     return 1
//!
//!
//! @workflow
//! def pipeline() -> int:
//!     return step()
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, Resources, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="example", image=image, resources=Resources(cpu="1"))
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//!
//!
//! pipeline_env = TaskEnvironment(name="example_pipeline", image=image, depends_on=[env])
//!
//!
//! @pipeline_env.task
//! def pipeline() -> int:
//!     return step()
//! ```
//!
//! ## Fix safety
//!
//! Informs. The change is safe where the image holds what the module imports, as it must for the task already.
//!
//! ## Not handled
//!
//! Imports that only other tasks of the module need.
//!
//! ## References
//!
//! [Task configuration](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/)
//!
//! # FM213
//!
//! ## What it does
//!
//! Says that a workflow or a dynamic makes calls that may have run side by side on Flyte 1, and now run one after
//! another.
//!
//! ## Why
//!
//! Flyte 1 ran independent calls side by side. Flyte 2 runs a call when its line is reached. Where the tool can
//! show that calls are independent it gathers them with `asyncio.gather`; where it cannot, as in a loop, they
//! stay in their order.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, dynamic, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @dynamic(container_image=image)
//! def many(count: int) -> None:
//!     for n in range(count):
//!         step(n=n)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @env.task
//! def many(count: int) -> None:
//!     for n in range(count):
//!         step(n=n)
//! ```
//!
//! ## Fix safety
//!
//! Informs. The change is safe: only the time differs.
//!
//! ## Not handled
//!
//! Calls in loops: use `flyte.map.aio`, or gather them, where their order does not matter. Calls with a statement between them
//! that may do anything, such as `print`, a condition or an assignment to an item; calls of libraries in arguments are no such
//! thing, as long as their order among themselves can be kept.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".
//!
//! # FM230
//!
//! ## What it does
//!
//! Writes code anew that is no task but belongs to tasks: functions that they call, what stands at the top level, the
//! `__main__` block.
//!
//! ## Why
//!
//! Code that reads something of Flyte 1, such as the context or the address of an image, moves with the tasks and images that
//! it uses. It is changed when they are, and stays when one of them stays.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"], registry="ghcr.io/acme")
//!
//!
//! def address() -> str:
//!     return image.image_name()
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
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train", registry="ghcr.io/acme").with_pip_packages(
//!     "pandas"
//! )
//!
//!
//! def address() -> str:
//!     return image.uri
//!
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Safe.
//!
//! ## Not handled
//!
//! What Flyte 2 has no counterpart for keeps the whole group; the finding beside this one says why.
//!
//! ## References
//!
//! `Image.uri` in `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM255
//!
//! ## What it does
//!
//! Writes an object such as `Resources(…)` or `Secret(…)` anew where a name of the module holds it.
//!
//! ## Why
//!
//! Tasks that take an object by its name need it to be that of Flyte 2; so it moves with all tasks that take it.
//!
//! ## Example
//!
//! ```python
//! from flytekit import PodTemplate, task
//!
//! POD = PodTemplate(primary_container_name="main")
//!
//!
//! @task(pod_template=POD)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import PodTemplate, TaskEnvironment
//!
//! POD = PodTemplate(primary_container_name="main")
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task(pod_template=POD)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Safe.
//!
//! ## Not handled
//!
//! A name that is used for something else too (FM256), or bound more than once.
//!
//! ## References
//!
//! `flytekit/core/resources.py` of flytekit 1.16.31; `flyte/_resources.py` of flyte 2.12.1.
//!
//! # FM282
//!
//! ## What it does
//!
//! Speaks of types of Flyte 1 that a converted file still imports, and of plugins that it imports only for what they
//! register.
//!
//! ## Why
//!
//! In a task of Flyte 2 such a value works on one machine, and its data does not reach the pod of the next task. What a
//! plugin registers with Flyte 1, such as the validation of data frames, Flyte 2 does not ask; its own plugins register
//! themselves when they are installed.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//! from flytekit.types.file import FlyteFile
//!
//!
//! SAMPLE = FlyteFile("sample.csv")
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//! from flytekit.types.file import FlyteFile
//!
//!
//! SAMPLE = FlyteFile("sample.csv")
//!
//! env = TaskEnvironment(
//!     name="example", image=Image.from_debian_base().with_pip_packages("flytekit")
//! )
//!
//!
//! @env.task
//! def step(n: int) -> int:
//!     return n
//! ```
//!
//! ## Fix safety
//!
//! Informs. The rest of the file is converted; move what uses the type. The import of a plugin goes where a plugin of
//! Flyte 2 registers the same and nothing in the file stays on Flyte 1.
//!
//! ## Not handled
//!
//! Types that tasks use: they are migrated, or keep their tasks (FM275, FM278).
//!
//! ## References
//!
//! `flytekit/types/file/file.py` of flytekit 1.16.31; `flyte/io/_file.py` of flyte 2.12.1.

use std::collections::{BTreeMap, BTreeSet};

use super::comments;
use super::environments::{Dependency, Environment, EnvironmentImage, Environments, additions};
use super::files::{FileOutlook, Overview, annotation_of, files_of};
use super::import_order;
use super::imports::{self, ImportChanges};
use super::plugin_imports::PluginImport;
use super::wrap::{self, Width};
use super::{diagnostic, fixed};
use crate::diagnostic::{Diagnostic, Severity, Status};
use crate::edit::{Applicability, Edit, NewFile};
use crate::flyte1::file::FileFacts;
use crate::flyte1::symbol::{Symbol, symbol};
use crate::flyte2::chain::{Argument, Call, Chain};
use crate::flyte2::layout::{Place, layout};
use crate::project::graph::{ContainerNode, EntityKind, EntityNode, MakerKind, MakerNode, NodeId, NodeKind};
use crate::project::plan::{
    FlyteNames, Plan, Settings, describe, map_container, map_entity, map_image, map_maker, place,
};
use crate::project::settings::map_settings;
use crate::project::{FileId, Project};
use crate::python::items::{indentation_at, line_start, next_line_start};
use crate::python::scope::{self, BindingKind, CallId};
use crate::rules::actor::REUSE_PACKAGE;
use crate::rules::body::{self, Helper, MappedBody, Trigger};
use crate::rules::codes::{
    ACTOR, BROUGHT_PACKAGE, CODE, CONTAINER_IMAGE, CONTAINER_TASK, DRIVER_IMAGE, IMAGE_SPEC, IMPORT,
    MIXED_FILE, SEQUENTIAL_CALLS, SETTING, TASK,
};
use crate::rules::setting::Effects;
use crate::rules::tables::is_of_python;
use crate::rules::task::{SettingText, annotations_without_none};
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};

/// What the conversion of one file needs at hand.
struct Converter<'a> {
    project: &'a Project,
    plan: &'a Plan,
    overview: &'a Overview,
    environments: &'a Environments,
    settings: Settings<'a>,
    file: FileId,
    facts: &'a FileFacts,
    text: &'a str,
    outlook: &'a FileOutlook,
    names: FlyteNames,
    /// Names that the new code takes from flyte.
    used: Vec<&'static str>,
    uses_path: bool,
    /// Lines that the new code needs: `import asyncio`.
    import_lines: BTreeSet<String>,
    /// The triggers that stand above workflows of the file.
    triggers: Vec<Trigger>,
    /// What goes altogether: launch plans that become triggers above their workflows.
    removed: Vec<TextRange>,
    /// Files that the image in hand needs, until the fix that they belong to is made.
    created: Vec<NewFile>,
    /// Functions that the new code calls.
    helpers: BTreeSet<Helper>,
    diagnostics: Vec<Diagnostic>,
}

/// The findings with fixes of a file.
pub(super) fn convert(
    project: &Project,
    plan: &Plan,
    overview: &Overview,
    environments: &Environments,
    settings: Settings,
    file: FileId,
) -> Vec<Diagnostic> {
    let (Some(facts), Some(outlook)) = (project.facts(file), overview.of(file)) else { return Vec::new() };
    let mut converter = Converter {
        project,
        plan,
        overview,
        environments,
        settings,
        file,
        facts,
        text: project.text(file),
        outlook,
        names: overview.names(file),
        used: Vec::new(),
        uses_path: false,
        import_lines: BTreeSet::new(),
        triggers: Vec::new(),
        removed: Vec::new(),
        created: Vec::new(),
        helpers: BTreeSet::new(),
        diagnostics: Vec::new(),
    };
    let converted: Vec<NodeId> = plan.converted_in(file).collect();
    let mut bodies: BTreeMap<NodeId, MappedBody> =
        body::map_file(project, &plan.graph, file, &converted, &converter.names).into_iter().collect();
    let edits = bodies.values().flat_map(|body| &body.edits);
    let deletions = edits.filter(|edit| edit.content.is_empty());
    converter.removed = deletions.map(|edit| edit.range).collect();
    converter.triggers = bodies.values_mut().flat_map(|body| std::mem::take(&mut body.triggers)).collect();
    for node in converted {
        let body = bodies.remove(&node).unwrap_or_default();
        match &plan.graph.nodes[node].kind {
            NodeKind::Image(image) => converter.image(node, image.variable.is_some() || image.is_element),
            NodeKind::Entity(entity) => converter.entity(node, entity, body),
            NodeKind::Setting(_) => converter.setting(node),
            NodeKind::Maker(maker) => converter.maker(node, maker),
            NodeKind::Container(container) => converter.container(node, container),
            NodeKind::Code(_) => converter.code(node, body),
        }
    }
    converter.other_annotations();
    converter.helpers();
    converter.imports();
    converter.dropped_comments();
    converter.wrap_lines();
    converter.normalize_line_endings();
    converter.diagnostics
}

impl Converter<'_> {
    /// How far the fix of a node can be trusted.
    fn applicability(&self, node: NodeId) -> Applicability {
        let group = &self.plan.groups[self.plan.group_of[node]];
        let is_unsafe = group.members.iter().any(|&member| {
            self.plan.converts[member]
                && self.plan.graph.obstacles[member]
                    .iter()
                    .any(|obstacle| obstacle.finding.effect == Effect::Unsafe)
        });
        if is_unsafe { Applicability::Unsafe } else { Applicability::Safe }
    }

    fn uses(&mut self, name: &'static str) -> String {
        self.used.push(name);
        self.names.of(name)
    }

    fn place_at(&self, range: TextRange) -> Place<'_> {
        let start = line_start(self.text, range.start());
        let before = &self.text[TextRange::new(start, range.start())];
        let end = next_line_start(self.text, range.end());
        let behind = self.text[TextRange::new(range.end(), end)].trim_end();
        let behind = if behind.trim_start().starts_with('#') { "" } else { behind };
        let head = self.text[..usize::from(range.start())].trim_end();
        // In a list or dict on one line, that breaks before its items do.
        let is_in_display = before.matches(['[', '{']).count() > before.matches([']', '}']).count();
        Place {
            indent: indentation_at(self.text, range.start()),
            indent_unit: &self.facts.style.indent_unit,
            before: before.chars().count(),
            after: behind.chars().count(),
            line_length: if is_in_display { usize::MAX } else { self.settings.line_length },
            is_bracketed: head.ends_with('(') || is_in_display,
        }
    }

    fn image_chain(&mut self, node: NodeId) -> Chain {
        let additions = self.environments.additions(self.project, self.plan, self.overview, node);
        let mapped =
            map_image(self.project, &self.plan.graph, node, self.settings, &self.names, &additions, 0);
        for finding in &mapped.findings {
            let is_settled = finding.effect == Effect::Unsafe;
            let mut report = diagnostic(finding);
            if is_settled {
                report.severity = Severity::Info;
                report.status = Status::Info;
            }
            self.diagnostics.push(report);
        }
        if mapped.chain.head.callee.ends_with("Image.from_debian_base")
            || mapped.chain.head.callee.ends_with("Image.from_base")
        {
            self.used.push("Image");
        }
        // The first method of another image is the head of the chain.
        let mut calls = std::iter::once(&mapped.chain.head).chain(&mapped.chain.methods);
        self.uses_path |= mapped.uses_secret || calls.any(takes_path);
        self.used.extend(mapped.uses_secret.then_some("Secret"));
        self.created.extend(mapped.new_file);
        mapped.chain
    }

    /// Adds a finding whose fix also creates the files that its images need.
    fn fix(&mut self, finding: &Finding, title: String, applicability: Applicability, edits: Vec<Edit>) {
        let mut diagnostic = fixed(finding, title, applicability, edits);
        if let Some(fix) = &mut diagnostic.fix {
            fix.creates = std::mem::take(&mut self.created);
        }
        self.diagnostics.push(diagnostic);
    }

    /// An `ImageSpec` that a variable holds becomes a chain; one written into a decorator goes into the environment.
    fn image(&mut self, node: NodeId, is_held: bool) {
        if !is_held {
            return;
        }
        let Some(image) = self.plan.graph.image(node) else { return };
        let call = &self.facts.module.calls[image.call];
        let range = self.with_parentheses(call.outer_range);
        let chain = self.image_chain(node);
        let annotation = annotation_of(self.facts, image)
            .map(|own| self.annotations(|range| own.contains_range(range)))
            .unwrap_or_default();
        let mut chain_place = self.place_at(range);
        // The annotation stands on the same line and changes its width.
        for edit in &annotation {
            let width = chain_place.before + edit.content.chars().count();
            chain_place.before = width.saturating_sub(usize::from(edit.range.len()));
        }
        let text = layout(&chain, chain_place);
        let what = match image.variable {
            Some(_) => describe(self.project, &self.plan.graph, node),
            None => "the image here".to_owned(),
        };
        let finding = Finding::new(
            &IMAGE_SPEC,
            place(self.project, &self.plan.graph, node),
            Effect::Blocking,
            format!("{what} is a Flyte 1 `ImageSpec`"),
        );
        let title = "Build it with `flyte.Image`".to_owned();
        let written = std::iter::once(Edit::replacement(range, text)).chain(self.fillings(call));
        let edits = annotation.into_iter().chain(written).collect();
        self.fix(&finding, title, self.applicability(node), edits);
    }

    /// A value with the parentheses around it, where nothing else stands between them: what is written instead may need
    /// none.
    fn with_parentheses(&self, value: TextRange) -> TextRange {
        let before = self.text[..usize::from(value.start())].trim_end();
        let behind = self.text[usize::from(value.end())..].trim_start();
        let is_around = |before: &&str| before.trim_end().ends_with('=') && behind.starts_with(')');
        match before.strip_suffix('(').filter(is_around) {
            Some(before) => {
                let end = TextSize::of(self.text) - TextSize::of(&behind[1..]);
                TextRange::new(TextSize::of(before), end)
            }
            None => value,
        }
    }

    /// The lines straight below an `ImageSpec` that the chain takes up: `image.packages = […]`.
    fn fillings(&self, call: &scope::Call) -> Option<Edit> {
        let line_end = |offset| {
            let line = TextRange::new(offset, next_line_start(self.text, offset));
            offset + TextSize::of(self.text[line].trim_end_matches(['\n', '\r']))
        };
        let start = line_end(self.facts.module.statements[call.owner].end());
        let end = line_end(call.fillings.last()?.end());
        Some(Edit::replacement(TextRange::new(start, end), String::new()))
    }

    /// `ImageSpec` becomes `Image` in the annotations of the file that `is_wanted` chooses.
    fn annotations(&mut self, is_wanted: impl Fn(TextRange) -> bool) -> Vec<Edit> {
        let outlook = self.outlook;
        let ranges = outlook.annotations.iter().copied().filter(|&range| is_wanted(range));
        ranges.map(|range| Edit::replacement(range, self.uses("Image"))).collect()
    }

    /// Annotations other than those of images: `def show(image: ImageSpec)`.
    fn other_annotations(&mut self) {
        let (facts, graph) = (self.facts, &self.plan.graph);
        let images = self.plan.converted_in(self.file).filter_map(|node| graph.image(node));
        let own: Vec<TextRange> = images.filter_map(|image| annotation_of(facts, image)).collect();
        let edits = self.annotations(|range| !own.iter().any(|other| other.contains_range(range)));
        let Some(first) = edits.first().map(|edit| edit.range) else { return };
        let message = "`ImageSpec` of Flyte 1 is the type of what holds converted images";
        let finding = Finding::new(&IMAGE_SPEC, first, Effect::Blocking, message);
        self.fix(&finding, "Name `flyte.Image`".to_owned(), Applicability::Safe, edits);
    }

    /// What the code of a node needs and says; its edits are the caller's.
    fn body(&mut self, body: MappedBody) -> Vec<Edit> {
        self.used.extend(body.uses);
        self.import_lines.extend(body.imports);
        self.helpers.extend(body.helpers);
        self.inform(&body.findings);
        body.edits
    }

    /// Code around the entities that uses them or Flyte 1.
    fn code(&mut self, node: NodeId, body: MappedBody) {
        let edits = self.body(body);
        if edits.is_empty() {
            return;
        }
        let finding = Finding::new(
            &CODE,
            place(self.project, &self.plan.graph, node),
            Effect::Blocking,
            format!("{} uses Flyte 1", describe(self.project, &self.plan.graph, node)),
        );
        let title = "Write it for Flyte 2".to_owned();
        self.diagnostics.push(fixed(&finding, title, self.applicability(node), edits));
    }

    /// A name that holds objects such as `Resources`: each is written where it stands.
    fn setting(&mut self, node: NodeId) {
        let mapped = map_settings(self.project, &self.plan.graph, node, &self.names);
        let mut edits: Vec<Edit> = mapped
            .annotations
            .iter()
            .map(|(range, name)| Edit::replacement(*range, self.names.of(name)))
            .collect();
        for (range, call) in mapped.objects {
            let text = layout(&Chain { head: call, ..Chain::default() }, self.place_at(range));
            let is_same = text == self.text[range].replace("\r\n", "\n").replace('\r', "\n");
            if !is_same {
                edits.push(Edit::replacement(range, text));
            }
        }
        self.effects(mapped.effects);
        if edits.is_empty() {
            return;
        }
        let finding = Finding::new(
            &SETTING,
            place(self.project, &self.plan.graph, node),
            Effect::Blocking,
            format!("{} holds an object of Flyte 1", describe(self.project, &self.plan.graph, node)),
        );
        let title = "Make it one of Flyte 2".to_owned();
        self.diagnostics.push(fixed(&finding, title, self.applicability(node), edits));
    }

    /// What the mapping of settings asks for and says.
    fn effects(&mut self, effects: Effects) {
        self.used.extend(effects.uses);
        self.import_lines.extend(effects.imports);
        self.inform(&effects.findings);
    }

    /// Says what only informs, once: several tasks may have a keyword from one `partial`.
    fn inform(&mut self, findings: &[Finding]) {
        for finding in findings.iter().filter(|finding| finding.effect == Effect::Info) {
            let said = diagnostic(finding);
            let is_it = |other: &Diagnostic| {
                (other.rule, other.range, &other.message) == (said.rule, said.range, &said.message)
            };
            if !self.diagnostics.iter().any(is_it) {
                self.diagnostics.push(said);
            }
        }
    }

    fn entity(&mut self, node: NodeId, entity: &EntityNode, body: MappedBody) {
        let environments = self.environments;
        let Some(environment) = environments.of(node) else { return };
        let mut edits = vec![self.decorator(node, entity, environment)];
        edits.extend(self.body(body));
        let function = &self.facts.module.functions[entity.function];
        for annotation in annotations_without_none(self.text, function) {
            edits.push(Edit::insertion(annotation.end(), " | None"));
        }
        if environment.owner.is_none() && environment.members.first() == Some(&node) {
            edits.push(self.environment(node, environment));
            edits.extend(self.late_dependencies(environment, self.gap_above(node).0));
        }
        edits.extend(self.triggers_above(node, environment.members.first() == Some(&node)));
        let finding = Finding::new(
            &TASK,
            place(self.project, &self.plan.graph, node),
            Effect::Blocking,
            format!("{} is defined with Flyte 1", describe(self.project, &self.plan.graph, node)),
        );
        let title = format!("Make it a task of `{}`", environment.variable);
        self.fix(&finding, title, self.applicability(node), edits);
        self.sequential(node, entity);
    }

    /// The triggers of a workflow, above it and below the environment where that stands at the same place.
    fn triggers_above(&self, node: NodeId, has_environment: bool) -> Option<Edit> {
        let (offset, gap) = self.gap_above(node);
        let own = self.triggers.iter().filter(|trigger| trigger.workflow == node);
        let texts: Vec<&str> = own.map(|trigger| trigger.text.as_str()).collect();
        let gap = if has_environment { "\n" } else { gap };
        (!texts.is_empty()).then(|| Edit::insertion(offset, format!("{gap}{}", texts.join("\n"))))
    }

    /// `triggers=(nightly,)` of a workflow.
    fn triggers_argument(&self, node: NodeId) -> Option<Argument> {
        let own = self.triggers.iter().filter(|trigger| trigger.workflow == node);
        let variables: Vec<&str> = own.map(|trigger| trigger.variable.as_str()).collect();
        let comma = if variables.len() == 1 { "," } else { "" };
        (!variables.is_empty()).then(|| Argument::new(format!("triggers=({}{comma})", variables.join(", "))))
    }

    /// The arguments of a decorator as they stand.
    fn own_arguments(&self, call: CallId) -> Vec<Argument> {
        let items = self.facts.module.calls[call].items.items.iter();
        items
            .map(|item| Argument {
                leading: item.leading.clone(),
                text: item.text.clone(),
                trailing: item.trailing.clone(),
            })
            .collect()
    }

    fn decorator(&mut self, node: NodeId, entity: &EntityNode, environment: &Environment) -> Edit {
        let callee = match self.plan.graph.partial_of(node).filter(|_| !entity.is_apart) {
            // It may be that of another file.
            Some(_) => format!("{}.task", &self.text[entity.callee]),
            None => format!("{}.task", environment.variable),
        };
        let mut mapped = map_entity(self.project, &self.plan.graph, node, &self.names);
        self.effects(mapped.effects);
        if let Some(triggers) = self.triggers_argument(node) {
            if !mapped.is_rewritten {
                mapped.arguments = entity.call.map_or_else(Vec::new, |call| self.own_arguments(call));
            }
            mapped.arguments.push(triggers);
            mapped.is_rewritten = true;
        }
        if entity.call.is_none() && !mapped.arguments.is_empty() {
            let head = Call { callee, arguments: mapped.arguments, ..Call::default() };
            let chain = Chain { head, ..Chain::default() };
            return Edit::replacement(entity.callee, layout(&chain, self.place_at(entity.callee)));
        }
        let Some(call) =
            entity.call.filter(|_| mapped.is_rewritten).map(|call| &self.facts.module.calls[call])
        else {
            return Edit::replacement(entity.callee, callee);
        };
        if mapped.arguments.is_empty() && mapped.dangling.is_empty() {
            return Edit::replacement(call.range, callee);
        }
        let is_exploded =
            call.items.is_multiline && call.items.has_trailing_comma && mapped.arguments.len() > 1;
        let head = Call {
            callee,
            arguments: mapped.arguments,
            dangling: mapped.dangling,
            is_exploded,
            ..Call::default()
        };
        let chain = Chain { head, ..Chain::default() };
        Edit::replacement(call.range, layout(&chain, self.place_at(call.range)))
    }

    /// An actor or a `partial` becomes an environment where it stands.
    fn maker(&mut self, node: NodeId, maker: &MakerNode) {
        let (environments, file) = (self.environments, self.file);
        let environment = environments.in_file(file).find(|(_, environment)| environment.owner == Some(node));
        let Some((_, environment)) = environment else { return };
        let call = &self.facts.module.calls[maker.call];
        let mapped = map_maker(self.project, &self.plan.graph, node, &self.names);
        let mut arguments = self.environment_arguments(environment);
        arguments.extend(mapped.settings.arguments);
        if let Some(reusable) = mapped.reusable {
            self.uses("ReusePolicy");
            arguments.push(self.argument("reusable", &Chain { head: reusable, ..Chain::default() }));
        }
        self.effects(mapped.settings.effects);
        let head = Call {
            callee: self.uses("TaskEnvironment"),
            arguments,
            dangling: mapped.settings.dangling,
            ..Call::default()
        };
        let text = layout(&Chain { head, ..Chain::default() }, self.place_at(call.range));
        let mut edits = vec![Edit::replacement(call.range, text)];
        let behind = next_line_start(self.text, call.range.end());
        edits.extend(self.late_dependencies(environment, behind));
        let (rule, what, title) = match maker.kind {
            MakerKind::Actor => {
                (&ACTOR, "is an environment of union", "Make it a `TaskEnvironment` with reused containers")
            }
            MakerKind::Partial(_) => (&TASK, "makes tasks of Flyte 1", "Make it a `TaskEnvironment`"),
        };
        let message = format!("{} {what}", describe(self.project, &self.plan.graph, node));
        let finding = Finding::new(rule, call.callee, Effect::Blocking, message);
        self.fix(&finding, title.to_owned(), self.applicability(node), edits);
    }

    /// A container task is written anew where it stands, and its environment below it.
    fn container(&mut self, node: NodeId, container: &ContainerNode) {
        let Some(environment) = self.environments.of(node) else { return };
        let call = &self.facts.module.calls[container.call];
        let mapped = map_container(self.project, &self.plan.graph, node, &self.names);
        self.effects(mapped.effects);
        let text = layout(&Chain { head: mapped.call, ..Chain::default() }, self.place_at(call.range));
        let behind = next_line_start(self.text, call.range.end());
        let gap = if self.text[..usize::from(behind)].ends_with(['\n', '\r']) { "" } else { "\n" };
        let callee = format!("{}.from_task", self.uses("TaskEnvironment"));
        let arguments = vec![
            Argument::new(self.facts.style.string(&environment.name)),
            Argument::new(self.facts.module.bindings[container.variable].name.as_str()),
        ];
        let made = self.assignment(&environment.variable, Call { callee, arguments, ..Call::default() });
        let made = Edit::insertion(behind, format!("{gap}{made}\n"));
        let mut edits = vec![Edit::replacement(call.range, text), made];
        edits.extend(self.late_dependencies(environment, behind));
        let finding = Finding::new(
            &CONTAINER_TASK,
            place(self.project, &self.plan.graph, node),
            Effect::Blocking,
            format!("{} is defined with Flyte 1", describe(self.project, &self.plan.graph, node)),
        );
        let title = "Make it a container task of Flyte 2, and give it an environment".to_owned();
        self.diagnostics.push(fixed(&finding, title, self.applicability(node), edits));
    }

    /// The arguments that all environments may have.
    fn environment_arguments(&mut self, environment: &Environment) -> Vec<Argument> {
        let mut arguments =
            vec![Argument::new(format!("name={}", self.facts.style.string(&environment.name)))];
        if let Some(image) = self.environment_image(environment) {
            arguments.push(Argument::new(format!("image={image}")));
        }
        arguments.extend(environment.settings.iter().map(|setting| match &setting.value {
            SettingText::Call(call) => {
                self.argument(setting.name, &Chain { head: call.clone(), ..Chain::default() })
            }
            SettingText::Text(text) => Argument::new(format!("{}={text}", setting.name)),
        }));
        let dependencies: Vec<&str> = environment
            .depends_on
            .iter()
            .filter(|dependency| !self.is_later(environment, dependency.environment))
            .filter_map(|dependency| dependency.text.as_deref())
            .collect();
        if !dependencies.is_empty() {
            arguments.push(Argument::new(format!("depends_on=[{}]", dependencies.join(", "))));
        }
        arguments
    }

    /// The statement that makes an environment, behind the statement above its first task.
    fn environment(&mut self, first: NodeId, environment: &Environment) -> Edit {
        let arguments = self.environment_arguments(environment);
        let callee = self.uses("TaskEnvironment");
        let made = self.assignment(&environment.variable, Call { callee, arguments, ..Call::default() });
        let (offset, gap) = self.gap_above(first);
        Edit::insertion(offset, format!("{gap}{made}\n"))
    }

    /// `variable = call` at the top level.
    fn assignment(&self, variable: &str, call: Call) -> String {
        let prefix = format!("{variable} = ");
        let place = Place {
            indent: "",
            indent_unit: &self.facts.style.indent_unit,
            before: prefix.chars().count(),
            after: 0,
            line_length: self.settings.line_length,
            is_bracketed: false,
        };
        format!("{prefix}{}", layout(&Chain { head: call, ..Chain::default() }, place))
    }

    /// `name=chain` as an argument of an environment.
    fn argument(&self, name: &str, chain: &Chain) -> Argument {
        Argument::new(format!("{name}={}", self.nested(name, chain)))
    }

    /// A chain as the value of the argument `name` of an environment.
    fn nested(&self, name: &str, chain: &Chain) -> String {
        let unit = &self.facts.style.indent_unit;
        let place = Place {
            indent: "",
            indent_unit: unit,
            before: unit.chars().count() + name.len() + 1,
            after: 1,
            line_length: self.settings.line_length,
            is_bracketed: false,
        };
        layout(chain, place)
    }

    /// Where the environment of `first` goes, and the blank lines above it.
    fn gap_above(&self, first: NodeId) -> (TextSize, &'static str) {
        let Some(entity) = self.plan.graph.entity(first) else { return (TextSize::from(0), "") };
        let owner = self.facts.module.functions[entity.function].owner;
        let mut statements = self.facts.module.statements[..owner].iter();
        let stays = |above: &&TextRange| {
            !self.removed.iter().any(|removed| removed.contains_range(**above))
                && !self.is_import_that_goes(**above)
        };
        let Some(&above) = statements.rfind(stays) else {
            return (line_start(self.text, entity.decorator.start()), "");
        };
        let offset = next_line_start(self.text, above.end());
        (offset, if ends_with_definition(&self.text[above]) { "\n\n" } else { "\n" })
    }

    /// Whether a statement is an import of Flyte 1 that goes without another in its place.
    fn is_import_that_goes(&self, statement: TextRange) -> bool {
        let removed = &self.outlook.removed;
        let imports = &self.facts.module.imports;
        let gone = removed.iter().find(|(id, _)| imports[**id].range == statement);
        let Some((&id, positions)) = gone else { return false };
        let is_followed =
            |dependency: &Dependency| dependency.import.as_ref().is_some_and(|(at, _)| *at == id);
        let mut environments = self.environments.in_file(self.file).map(|(_, environment)| environment);
        positions.len() == imports[id].aliases.len()
            && imports::anchor(&self.facts.module, removed.keys()).is_some_and(|anchor| anchor != id)
            && !environments.any(|environment| environment.depends_on.iter().any(is_followed))
    }

    /// Whether the environment that is depended on is made further down in the same file.
    fn is_later(&self, environment: &Environment, other: usize) -> bool {
        let other = &self.environments.all[other];
        let offset = |environment: &Environment| environment.offset(self.project, self.plan);
        other.file == environment.file && offset(other) > offset(environment)
    }

    /// `early.add_dependency(late)` for environments above that depend on this one.
    fn late_dependencies(&self, environment: &Environment, offset: TextSize) -> Option<Edit> {
        let lines: String = self
            .environments
            .in_file(self.file)
            .filter(|(_, early)| {
                early.depends_on.iter().any(|dependency| {
                    self.is_later(early, dependency.environment)
                        && self.environments.all[dependency.environment].variable == environment.variable
                        && self.environments.all[dependency.environment].file == self.file
                })
            })
            .map(|(_, early)| format!("{}.add_dependency({})\n", early.variable, environment.variable))
            .collect();
        // Behind the environment at the same offset: identical places keep the order of their text.
        (!lines.is_empty()).then(|| Edit::insertion(offset, lines))
    }

    fn environment_image(&mut self, environment: &Environment) -> Option<String> {
        match &environment.image {
            EnvironmentImage::Specs(_, text) => {
                self.driver(environment);
                Some(text.clone())
            }
            EnvironmentImage::Inline(node) => {
                let chain = self.image_chain(*node);
                Some(self.nested("image", &chain))
            }
            EnvironmentImage::Text(text) => Some(text.clone()),
            EnvironmentImage::RefName(name) => {
                let image = self.uses("Image");
                self.reference(environment, name);
                Some(format!("{image}.from_ref_name({})", self.facts.style.string(name)))
            }
            EnvironmentImage::OfDependency => match self.environments.image_source(environment) {
                Some((_, text)) => {
                    self.driver(environment);
                    Some(text)
                }
                None => self.default_image(environment, None),
            },
            EnvironmentImage::Default(version) => self.default_image(environment, *version),
        }
    }

    /// The place by which an environment is known.
    fn place_of(&self, environment: &Environment) -> TextRange {
        let node = environment.owner.or(environment.members.first().copied());
        node.map(|node| place(self.project, &self.plan.graph, node)).unwrap_or_default()
    }

    fn reference(&mut self, environment: &Environment, name: &str) {
        let finding = Finding::new(
            &CONTAINER_IMAGE,
            self.place_of(environment),
            Effect::Info,
            format!("image `{name}` is taken from `image.image_refs` of the Flyte 2 configuration"),
        )
        .help(format!(
            "Write `image:`, below it `  image_refs:`, below it `    {name}: <reference>` into config.yaml"
        ));
        self.diagnostics.push(diagnostic(&finding));
    }

    /// A task without an image has the Debian base; what only flytekit brought is added to it.
    fn default_image(&mut self, environment: &Environment, version: Option<(u8, u8)>) -> Option<String> {
        let files = files_of(self.plan, environment.members.iter().copied());
        let mut additions = additions(self.project, self.overview, &files);
        additions.is_reused = environment.is_reused(self.plan);
        let mut packages = additions.brought;
        let is_flytekits = !packages.iter().any(|package| is_of_python(package));
        let reason = match additions.keeps_flyte1 {
            Some(_) => "its code still imports it",
            None if is_flytekits => "only flytekit brought it",
            None => "only the image of Flyte 1 had it",
        };
        if let Some(package) = additions.keeps_flyte1 {
            packages.retain(|package| is_of_python(package));
            packages.insert(0, package.to_owned());
        }
        packages.extend(additions.runs_pip.then(|| "pip".to_owned()));
        let explained = packages.join("`, `");
        packages.extend(additions.is_reused.then(|| REUSE_PACKAGE.to_owned()));
        if packages.is_empty() && version.is_none() {
            return None;
        }
        let image = self.uses("Image");
        let version =
            version.map(|(major, minor)| format!("python_version=({major}, {minor})")).unwrap_or_default();
        let mut text = format!("{image}.from_debian_base({version})");
        if !packages.is_empty() {
            let listed: Vec<String> =
                packages.iter().map(|package| self.facts.style.string(package)).collect();
            text.push_str(&format!(".with_pip_packages({})", listed.join(", ")));
        }
        if !explained.is_empty() {
            let finding = Finding::new(
                &BROUGHT_PACKAGE,
                self.place_of(environment),
                Effect::Info,
                format!("`{explained}` is added to the default image: {reason}"),
            );
            self.diagnostics.push(diagnostic(&finding));
        }
        Some(text)
    }

    /// A workflow had no container; its environment takes the image of a task of the file.
    fn driver(&mut self, environment: &Environment) {
        let is_driver = environment.members.iter().all(|&node| {
            self.plan.graph.entity(node).is_some_and(|entity| entity.kind == EntityKind::Workflow)
        });
        let Some(&node) = environment.members.first().filter(|_| is_driver) else { return };
        let image = match &environment.image {
            EnvironmentImage::Default(_) => "the default image: it must hold what this file imports",
            EnvironmentImage::OfDependency => {
                "the image of a task of another file: it must hold what this file imports"
            }
            _ => "the image of a task of this file, which imports the file already",
        };
        let workflow = describe(self.project, &self.plan.graph, node);
        let others = self.environments.files_with_other_images(environment);
        let others: Vec<String> =
            others.iter().map(|&file| format!("`{}`", self.project.files[file].display)).collect();
        let mut message = format!("{workflow} now runs in a container of its own, with {image}");
        let mut help = None;
        if !others.is_empty() {
            let others = others.join(", ");
            message.push_str(&format!(", and what {others} imports, whose tasks have another image"));
            help = Some(
                "Give its environment an image with the packages of all, or import the others where they are called",
            );
        }
        let place = place(self.project, &self.plan.graph, node);
        let finding = Finding::new(&DRIVER_IMAGE, place, Effect::Info, message);
        let finding = match help {
            Some(help) => finding.help(help),
            None => finding,
        };
        self.diagnostics.push(diagnostic(&finding));
    }

    /// The functions that the new code calls stand above the first environment.
    fn helpers(&mut self) {
        let first = self.plan.converted_in(self.file).find(|&node| self.plan.graph.entity(node).is_some());
        let Some(first) = first.filter(|_| !self.helpers.is_empty()) else { return };
        let (offset, gap) = self.gap_above(first);
        let unit = &self.facts.style.indent_unit;
        let applicability = self.applicability(first);
        for (position, helper) in self.helpers.iter().rev().enumerate() {
            // What follows brings two blank lines along, unless nothing but imports and values stands above.
            let end = if position == 0 && gap != "\n\n" { "\n" } else { "" };
            let definition = helper.definition().replace("    ", unit).replace("flyte.", &self.names.prefix);
            let edits = vec![Edit::insertion(offset, format!("\n\n{definition}{end}"))];
            let (rule, reason) = helper.reason();
            let finding =
                Finding::new(rule, place(self.project, &self.plan.graph, first), Effect::Blocking, reason);
            self.diagnostics
                .insert(0, fixed(&finding, "Add a function for it".to_owned(), applicability, edits));
        }
    }

    /// Independent calls of a workflow ran side by side on Flyte 1.
    fn sequential(&mut self, node: NodeId, entity: &EntityNode) {
        if !entity.kind.is_flow() {
            return;
        }
        let overlap = self.plan.graph.overlaps.get(&node).copied().unwrap_or_default();
        let is_gathered = self.plan.graph.is_async(node) && self.plan.graph.is_parallel;
        let count = overlap.apart + if is_gathered { 0 } else { overlap.gathered };
        let what = match (count, overlap.repeated) {
            (0, 0) => return,
            (1, 0) => "a call".to_owned(),
            (count, 0) => format!("{count} calls"),
            (0, _) => "calls in loops".to_owned(),
            (count, _) => format!("{count} calls, and calls in loops,"),
        };
        let finding = Finding::new(
            &SEQUENTIAL_CALLS,
            place(self.project, &self.plan.graph, node),
            Effect::Info,
            format!(
                "{what} of {} may have run side by side on Flyte 1, and now run one after another",
                describe(self.project, &self.plan.graph, node)
            ),
        )
        .help("Gather them with `asyncio.gather` in an `async` function to run them side by side");
        self.diagnostics.push(diagnostic(&finding));
    }

    /// Types of Flyte 1 that stay beside tasks of Flyte 2 run locally, but their data does not leave the pod.
    fn kept_types(&mut self) {
        for (id, import) in self.facts.module.imports.iter().enumerate() {
            let removed = self.outlook.removed.get(&id);
            for (position, alias) in import.aliases.iter().enumerate() {
                let is_removed = removed.is_some_and(|removed| removed.contains(&position));
                if let Some(plugin) = PluginImport::of(self.project, self.file, import, alias) {
                    self.diagnostics.push(diagnostic(&plugin.finding(is_removed)));
                    continue;
                }
                let Some((0, module)) = &import.from else { continue };
                let Some(kept) = symbol(&format!("{module}.{}", alias.name)) else { continue };
                let is_type = matches!(&kept, Symbol::Other(path) if path.starts_with("flytekit.types"));
                if !is_type || is_removed {
                    continue;
                }
                let message = format!("`{}` of Flyte 1 stays in a file with tasks of Flyte 2", alias.name);
                let finding = Finding::new(&MIXED_FILE, alias.range, Effect::Blocking, message)
                    .help("Move what uses it: in a task of Flyte 2 it runs locally, but its data does not reach other pods");
                self.diagnostics.push(diagnostic(&finding));
            }
        }
    }

    fn imports(&mut self) {
        let mut changes = ImportChanges {
            removed: self.outlook.removed.iter().map(|(id, positions)| (*id, positions.clone())).collect(),
            fallback: self.below_preamble(),
            ..ImportChanges::default()
        };
        self.library_imports(&mut changes);
        let others = self.import_lines.iter().filter(|line| !imports::is_standard_library(line));
        let (modules, names): (Vec<String>, Vec<String>) =
            imports::merged(others).into_iter().partition(|line| line.starts_with("import "));
        // As isort and ruff do: modules first.
        let flyte = self.flyte_import();
        let (flyte_module, flyte_names): (Vec<String>, Vec<String>) =
            flyte.into_iter().partition(|line| line.starts_with("import "));
        changes.added.extend(flyte_module.into_iter().chain(modules).chain(flyte_names).chain(names));
        for (_, environment) in self.environments.in_file(self.file) {
            for (statement, line) in
                environment.depends_on.iter().filter_map(|dependency| dependency.import.clone())
            {
                changes.behind.entry(statement).or_default().insert(line);
            }
        }
        self.kept_types();
        import_order::spread(self.text, &self.facts.module, &mut changes);
        let edits = imports::edits(self.text, &self.facts.module, &changes);
        let Some((range, _)) = edits.first() else { return };
        let finding =
            Finding::new(&IMPORT, *range, Effect::Blocking, "imports of Flyte 1 are no longer used");
        let nodes: Vec<NodeId> = self.plan.converted_in(self.file).collect();
        let is_unsafe = nodes.iter().any(|&node| self.applicability(node) == Applicability::Unsafe);
        let applicability = if is_unsafe { Applicability::Unsafe } else { Applicability::Safe };
        let edits = edits.into_iter().map(|(_, edit)| edit).collect();
        // First, because an environment may be inserted at the same place, below the imports.
        self.diagnostics.insert(0, fixed(&finding, "Import from flyte".to_owned(), applicability, edits));
    }

    /// Lines such as `import asyncio` go among the imports of the standard library.
    fn library_imports(&self, changes: &mut ImportChanges) {
        let module = &self.facts.module;
        let lines = self.import_lines.iter().filter(|line| imports::is_standard_library(line)).cloned();
        let path = self.path_import();
        let Some(last) = imports::last_of_standard_library(module) else {
            let block: Vec<String> = lines.chain(path).collect();
            match imports::first_above_anchor(module, changes) {
                _ if block.is_empty() => {}
                // A blank line parts the standard library from other libraries.
                Some(first) => {
                    changes.above.entry(first).or_default().insert(format!("{}\n", block.join("\n")));
                }
                None => changes.added.extend(block.into_iter().chain([String::new()])),
            }
            return;
        };
        for line in lines {
            match imports::next_of_standard_library(module, &line) {
                Some(next) => drop(changes.above.entry(next).or_default().insert(line)),
                None => drop(changes.behind.entry(last).or_default().insert(line)),
            }
        }
        if let Some(path) = path {
            changes.behind.entry(last).or_default().insert(path);
        }
    }

    /// The line that imports `Path`, where new code needs one.
    fn path_import(&self) -> Option<String> {
        let is_plain = self.names.path == "Path";
        let line = if is_plain { "from pathlib import Path" } else { "import pathlib" };
        (self.uses_path && !self.has_path()).then(|| line.to_owned())
    }

    fn flyte_import(&self) -> Option<String> {
        if self.used.is_empty() {
            return None;
        }
        if !self.names.prefix.is_empty() {
            return self.outlook.imports_module.clone();
        }
        let mut names: Vec<&str> = self.used.clone();
        // As isort and ruff do: constants first.
        names.sort_unstable_by_key(|name| (name.chars().any(char::is_lowercase), *name));
        names.dedup();
        names.retain(|name| !self.has_name("flyte", name));
        (!names.is_empty()).then(|| format!("from flyte import {}", names.join(", ")))
    }

    fn has_path(&self) -> bool {
        let is_pathlib =
            |kind: &BindingKind| matches!(kind, BindingKind::Import(path) if path.dotted() == "pathlib");
        let mut bindings = self.facts.module.bindings.iter();
        if self.names.path == "Path" {
            self.has_name("pathlib", "Path")
        } else {
            bindings.any(|binding| binding.is_unconditional && is_pathlib(&binding.kind))
        }
    }

    /// Whether the module already imports `name` from `module` under that name.
    fn has_name(&self, module: &str, name: &str) -> bool {
        self.facts.module.bindings.iter().any(|binding| {
            binding.name == name
                && binding.is_unconditional
                && matches!(
                    &binding.kind,
                    BindingKind::Import(path)
                        if path.level == 0 && path.module == module && path.name.as_deref() == Some(name)
                )
        })
    }

    /// The place below the docstring and `from __future__ import …`; in a file without them, below what only its head may
    /// hold, such as `#!` or a license.
    fn below_preamble(&self) -> TextSize {
        let future = self.facts.module.imports.iter().rev().find(|import| {
            import.from.as_ref().is_some_and(|(level, module)| *level == 0 && module == "__future__")
        });
        let first = self.facts.module.statements.first().copied();
        let docstring = first.filter(|range| {
            self.text[*range].starts_with(['"', '\'', 'r', 'R']) && self.text[*range].ends_with(['"', '\''])
        });
        future.map(|import| import.range).or(docstring).map_or_else(
            || self.below_head(),
            |range| self.above_imports(next_line_start(self.text, range.end())),
        )
    }

    /// Below the blank lines at `offset`, if imports follow.
    fn above_imports(&self, offset: TextSize) -> TextSize {
        let rest = &self.text[usize::from(offset)..];
        let blank = rest.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(TextSize::of);
        let next = offset + blank.sum::<TextSize>();
        let first = self.facts.module.statements.iter().find(|statement| statement.start() >= next);
        let is_import =
            |range: &TextRange| self.facts.module.imports.iter().any(|import| import.range == *range);
        if first.is_some_and(is_import) { next } else { offset }
    }

    /// The place below the comments at the head of the file; those straight above the first statement speak of it where
    /// there are others.
    fn below_head(&self) -> TextSize {
        let Some(first) = self.facts.module.statements.first() else { return TextSize::from(0) };
        let above = &self.text[..usize::from(line_start(self.text, first.start()))];
        let comments = above.split_inclusive('\n').rev().take_while(|line| !line.trim().is_empty());
        let start = TextSize::of(above) - comments.map(TextSize::of).sum::<TextSize>();
        if above[..usize::from(start)].trim().is_empty() { TextSize::of(above) } else { start }
    }

    /// Breaks the lines that have become too long.
    fn wrap_lines(&mut self) {
        let fixes = self.diagnostics.iter().map(|diagnostic| diagnostic.fix.as_ref());
        let edits: Vec<Vec<Edit>> =
            fixes.map(|fix| fix.map(|fix| fix.edits.clone()).unwrap_or_default()).collect();
        let width = Width { limit: self.settings.line_length, unit: &self.facts.style.indent_unit };
        let Some(wrapped) = wrap::wrap(self.text, &edits, width) else { return };
        for (diagnostic, edits) in self.diagnostics.iter_mut().zip(wrapped) {
            diagnostic.fix.iter_mut().for_each(|fix| fix.edits.clone_from(&edits));
        }
    }

    /// Tells of comments that go with what is taken away.
    fn dropped_comments(&mut self) {
        let fixes = self.diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref());
        let edits: Vec<Edit> = fixes.flat_map(|fix| fix.edits.clone()).collect();
        let dropped = comments::dropped(self.text, &edits);
        self.diagnostics.extend(dropped.iter().map(diagnostic));
    }

    /// New lines end as the file's own do.
    fn normalize_line_endings(&mut self) {
        let newline = self.project.source(self.file).map_or("\n", |source| source.newline());
        if newline == "\n" {
            return;
        }
        for fix in self.diagnostics.iter_mut().filter_map(|diagnostic| diagnostic.fix.as_mut()) {
            let edits = fix.edits.iter_mut().map(|edit| &mut edit.content);
            let files = fix.creates.iter_mut().map(|file| &mut file.content);
            for content in edits.chain(files) {
                *content = content.replace("\r\n", "\n").replace('\n', newline);
            }
        }
    }
}

/// Whether a statement is a function or a class, or ends with one: `if TYPE_CHECKING:` may hold some.
fn ends_with_definition(statement: &str) -> bool {
    let begins_one = |line: &str| {
        ["def ", "class ", "async def ", "@"].iter().any(|word| line.trim_start().starts_with(word))
    };
    if begins_one(statement) {
        return true;
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines = || statement.lines().rev().filter(|line| !line.trim().is_empty());
    let mut around = lines().next().map_or(0, indent) + 1;
    lines().any(|line| {
        let is_around = indent(line) < around;
        around = around.min(indent(line));
        is_around && begins_one(line)
    })
}

fn is_path(text: &str) -> bool {
    text.starts_with("Path(") || text.starts_with("pathlib.Path(")
}

fn takes_path(method: &Call) -> bool {
    method.arguments.first().is_some_and(|argument| is_path(&argument.text))
}
