//! Turns what is wrong with Flyte 2 images and environments into findings.
//!
//! ```python
//! image = flyte.Image.from_base("python:3.12").with_pip_packages(["pandas"])    # FM501, FM502
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use super::evaluate::{Built, Place};
use super::read::{Found, FoundImage};
use crate::diagnostic::{Diagnostic, Rule, Severity, Status};
use crate::image::disk::Disk;
use crate::image::validate::{Part, validate};
use crate::project::{FileId, Project};
use crate::rules::codes::{BASE_WITHOUT_FLYTE, BROKEN_LINE, IMAGE_WITHOUT_NAME, MISSING_PATH};

/// Something that is wrong, wherever it was noticed.
#[derive(Debug, PartialEq)]
struct Noted {
    rule: &'static Rule,
    place: Place,
    message: String,
    help: String,
    /// What eases it: it may be all right where the code is run.
    note: Option<String>,
}

/// The findings of each file. `root` is the folder of the project, from where its code may be run as well.
pub fn findings(
    project: &Project,
    found: &Found,
    disk: &Disk,
    root: &Path,
) -> BTreeMap<FileId, Vec<Diagnostic>> {
    let mut all: Vec<Noted> = Vec::new();
    let of_environments =
        found.problems.iter().chain(found.images.iter().flat_map(|image| &image.built.problems));
    for problem in of_environments {
        all.push(Noted {
            rule: problem.rule,
            place: problem.place,
            message: problem.message.clone(),
            help: problem.help.clone(),
            note: None,
        });
    }
    for image in &found.images {
        all.extend(validated(project, image, disk, root));
    }
    let mut findings: BTreeMap<FileId, Vec<Diagnostic>> = BTreeMap::new();
    for (index, noted) in all.iter().enumerate() {
        // An image that another one is made of brings its faults along; they are told once.
        if !all[..index].contains(noted) {
            findings.entry(noted.place.file).or_default().push(diagnostic(noted));
        }
    }
    findings
}

fn validated(project: &Project, image: &FoundImage, disk: &Disk, root: &Path) -> Vec<Noted> {
    let built = &image.built;
    let is_known = |text: &str| {
        let is_source = |unknown: &super::evaluate::Unknown| text.contains(&unknown.text);
        !(text.contains('{')
            && (["{python_version}", "{flyte_version}"].iter().any(|text_of| text.contains(text_of))
                || built.unknown.iter().any(is_source)))
    };
    let mut noted = Vec::new();
    for problem in validate(&built.image, &is_known, disk) {
        // Images of apps and of foreign containers need no flyte.
        if problem.rule == &BASE_WITHOUT_FLYTE && !image.needs_flyte {
            continue;
        }
        // It needs a name only where it is built.
        if problem.rule == &IMAGE_WITHOUT_NAME && image.is_only_cloned {
            continue;
        }
        // What the SDK refuses leaves a layer without what it needs.
        if problem.rule == &BROKEN_LINE && !built.problems.is_empty() {
            continue;
        }
        let place = place_of(built, problem.part);
        let note = (problem.rule == &MISSING_PATH)
            .then(|| elsewhere(project, built, problem.part, place, disk, root))
            .flatten();
        noted.push(Noted { rule: problem.rule, place, message: problem.message, help: problem.help, note });
    }
    noted
}

/// Where the code asks for a part of an image.
fn place_of(built: &Built, part: Part) -> Place {
    match part {
        Part::Whole => built.head,
        Part::Parameter(name) => {
            let given = built.arguments.iter().rev().find(|(known, _)| *known == name);
            given.map_or(built.head, |(_, place)| *place)
        }
        Part::Layer(layer) => built.layers.get(layer).map_or(built.head, |layer| layer.call),
        Part::Item(layer, item) => {
            let layer = built.layers.get(layer);
            layer.map_or(built.head, |layer| layer.items.get(item).copied().unwrap_or(layer.call))
        }
    }
}

/// A relative path that is missing in the working directory, but there in the folder of the project, or beside the
/// file that names it.
fn elsewhere(
    project: &Project,
    built: &Built,
    part: Part,
    place: Place,
    disk: &Disk,
    root: &Path,
) -> Option<String> {
    let (Part::Layer(layer) | Part::Item(layer, _)) = part else { return None };
    let path = built.image.layers.get(layer)?.path().filter(|path| path.is_relative())?;
    let folder = project.source(place.file)?.path.parent()?;
    let mut folders = [root, folder].into_iter().filter(|folder| *folder != disk.cwd());
    let folder = folders.find(|folder| disk.exists(&folder.join(path)))?;
    Some(format!(
        "It is in `{}`: run Flyte from there, or build the path from `__file__`",
        shown(folder, disk)
    ))
}

fn shown(folder: &Path, disk: &Disk) -> String {
    folder.strip_prefix(disk.cwd()).unwrap_or(folder).display().to_string()
}

fn diagnostic(noted: &Noted) -> Diagnostic {
    // What depends on where the code is run is told, and needs nothing.
    let is_note = noted.note.is_some();
    Diagnostic {
        rule: noted.rule,
        severity: if is_note { Severity::Info } else { Severity::Warning },
        message: noted.message.clone(),
        range: Some(noted.place.range),
        help: Some(noted.help.clone()),
        notes: noted.note.iter().cloned().collect(),
        fix: None,
        status: if is_note { Status::Info } else { Status::Manual },
    }
}
