//! Whether the syntax tree of a file was kept or is made again must not show: large projects have no room for all.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::path::{Path, PathBuf};

use flyte_migrate::discover::{Options, discover};
use flyte_migrate::load::{TREE_BUDGET, load};
use flyte_migrate::migrate::migrate;
use flyte_migrate::project::plan::{Settings, plan};
use flyte_migrate::python::STACK_SIZE;
use flyte_migrate::rules::draft::{Conda, DefaultPlatform, LayerOrder};

/// All that is applied and found in a folder, as text.
fn migrated(folder: &Path, tree_budget: usize) -> String {
    let options = Options {
        paths: vec![folder.to_owned()],
        project: Some(folder.to_owned()),
        is_project_limited: false,
        exclude: Vec::new(),
        respects_ignore_files: true,
    };
    let settings = Settings {
        allows_unsafe: true,
        is_partial: true,
        layer_order: LayerOrder::Flyte1,
        line_length: 88,
        includes_commands: true,
        writes_config: false,
        conda: Conda::Finding,
        default_platform: DefaultPlatform::Flyte1,
        registry_secret: None,
        is_parallel: true,
    };
    let mut project = load(&discover(&options, folder).unwrap(), tree_budget);
    let plan = plan(&project, settings);
    let migration = migrate(&mut project, plan, settings, &|_, _| Vec::new());
    format!("{:#?}\n{:#?}", migration.texts, migration.results)
}

#[test]
fn a_tree_that_is_made_again_gives_the_same() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path().join("in")).collect();
    folders.sort();
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_SIZE).build().unwrap();
    pool.install(|| {
        for folder in &folders {
            assert_eq!(migrated(folder, TREE_BUDGET), migrated(folder, 0), "{}", folder.display());
        }
    });
    assert!(folders.len() > 400);
}
