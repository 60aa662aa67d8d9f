//! Where the `pixi.toml` of each image with packages from conda goes.
//!
//! ```text
//! pk/train.py    the only one of its folder: pk/pixi.toml
//! ab/train.py    two, called `gpu` and `cpu`: ab/pixi_gpu/pixi.toml, ab/pixi_cpu/pixi.toml
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use super::Project;
use super::graph::{Graph, NodeId};
use super::whole_file::name_of;

/// The place for the manifest of each image, from the folder of its file: beside the file, or in a folder of its own if
/// another image of the folder has one too. None where there is a file already.
pub(super) fn pixi_places(project: &Project, graph: &Graph) -> HashMap<NodeId, String> {
    let mut by_folder: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
    for node in (0..graph.nodes.len()).filter(|&node| has_conda(project, graph, node)) {
        let relative = &project.files[graph.nodes[node].file].relative;
        let folder = relative.rsplit_once('/').map_or("", |(folder, _)| folder);
        by_folder.entry(folder).or_default().push(node);
    }
    let mut places = HashMap::new();
    for (folder, images) in by_folder {
        let is_free = |path: &String| !project.disk.manifests.contains(&join(folder, path));
        for (&image, own) in images.iter().zip(own_folders(project, graph, &images)) {
            let beside = (images.len() == 1).then(|| "pixi.toml".to_owned());
            let own = own.map(|folder| format!("{folder}/pixi.toml"));
            places.extend(beside.into_iter().chain(own).find(is_free).map(|place| (image, place)));
        }
    }
    places
}

/// The folders for images of one folder: each is called by the variable, and by the file too if several are called so.
/// None for an image without a variable.
fn own_folders(project: &Project, graph: &Graph, images: &[NodeId]) -> Vec<Option<String>> {
    let variables: Vec<Option<&str>> = images.iter().map(|&image| name_of(project, graph, image)).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    variables.iter().flatten().for_each(|&variable| *counts.entry(variable).or_default() += 1);
    let mut taken: HashSet<String> = HashSet::new();
    let folder = |(&image, name): (&NodeId, Option<&str>)| {
        let name = name?;
        let stem = Path::new(&project.files[graph.nodes[image].file].relative).file_stem()?.to_string_lossy();
        let wanted = if counts[name] == 1 { format!("pixi_{name}") } else { format!("pixi_{stem}_{name}") };
        let mut numbered = std::iter::once(wanted.clone()).chain((2..).map(|n| format!("{wanted}_{n}")));
        numbered.find(|folder| taken.insert(folder.clone()))
    };
    images.iter().zip(variables).map(folder).collect()
}

/// Whether an image lists packages for conda; by position they would be the eighth argument.
fn has_conda(project: &Project, graph: &Graph, node: NodeId) -> bool {
    let Some((image, facts)) = graph.image(node).zip(project.facts(graph.nodes[node].file)) else {
        return false;
    };
    let call = &facts.module.calls[image.call];
    call.keyword("conda_packages").is_some()
        || call.arguments.get(7).is_some_and(|argument| argument.name.is_none())
}

fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}
