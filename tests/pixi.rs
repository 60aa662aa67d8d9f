//! The manifests for pixi that the migration makes, as pixi's own schema and its library have them.
//!
//! pixi itself comes from no registry that the tests reach; what they reach is what it reads manifests with.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/environment.rs"]
mod environment;
mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use environment::{python_of, repository};
use support::{folder_with, run};

/// Conda packages as people list them.
const PACKAGES: &[&str] = &[
    "numpy",
    "numpy=1.26",
    "numpy==1.26.0",
    "numpy>=1.26",
    "numpy>=1.26,<2",
    "numpy=1.26.*",
    "numpy=1.26=py311h64a7726_0",
    "numpy=1.26=py311*",
    "numpy==1.26.4=py311*",
    "numpy!=1.25",
    "numpy~=1.26",
    "numpy=1.26|=1.25",
    "numpy>=1.24|=1.20",
    "numpy=1!2.0",
    "numpy<2",
    "numpy=2024a",
    "conda-forge::numpy",
    "conda-forge::numpy=1.26",
    "nvidia::cuda-nvcc",
    "nvidia::cuda-nvcc>=12,<13",
    "nvidia/label/cuda-11.8.0::cuda-nvcc=11.8",
    "_libgcc_mutex",
    "r-base=4.3",
    "Jinja2=3",
    "libstdcxx-ng",
    "numpy[version='>=1.26']",
    "numpy[version='>=1.26', build='py311*']",
];

/// What is wrong with each manifest, for the conda packages that the code lists.
fn complaints(cases: &[(String, Vec<&str>)]) -> Vec<Vec<String>> {
    let python = python_of("pixi-venv", "tests/sdk/pixi-requirements.txt");
    let mut child = Command::new(python)
        .arg(repository("tests/sdk/pixi.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_vec(cases).unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The manifest for an image with this package; `None` if the migration leaves it alone.
fn manifest(package: &str) -> Option<String> {
    let code = format!(
        "from flytekit import ImageSpec, task\n\nimage = ImageSpec(name=\"x\", python_version=\"3.11\", \
         packages=[\"pandas>=2\", \"dask[array]\"], conda_packages=[{package:?}])\n\n\n\
         @task(container_image=image)\ndef step(n: int) -> int:\n    return n\n"
    );
    let folder = folder_with(&[("train.py".to_owned(), code.into_bytes())].into());
    run(folder.path(), &["--write", "--unsafe-fixes", "--conda", "pixi"]);
    fs::read_to_string(folder.path().join("pixi.toml")).ok()
}

#[test]
fn manifests_ask_for_what_the_code_lists() {
    let cases: Vec<(String, Vec<&str>)> =
        PACKAGES.iter().filter_map(|&package| Some((manifest(package)?, vec![package]))).collect();
    assert!(cases.len() > 20, "{} of {} are written", cases.len(), PACKAGES.len());
    let found = complaints(&cases);
    let wrong: Vec<_> = cases.iter().zip(&found).filter(|(_, found)| !found.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn manifests_of_the_fixtures_are_what_pixi_takes() {
    let files = walkdir::WalkDir::new(repository("fixtures")).into_iter().filter_map(Result::ok);
    let manifests = files.filter(|entry| entry.file_name() == "pixi.toml");
    let cases: Vec<(String, Vec<&str>)> = manifests
        // Not those that are the user's own.
        .filter(|entry| {
            let path = entry.path().to_str().unwrap();
            path.contains("/out/") && !Path::new(&path.replace("/out/", "/in/")).exists()
        })
        .map(|entry| (fs::read_to_string(entry.path()).unwrap(), Vec::new()))
        .collect();
    assert!(cases.len() > 6);
    let found = complaints(&cases);
    let wrong: Vec<_> = cases.iter().zip(&found).filter(|(_, found)| !found.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_pixi_would_refuse_is_noticed() {
    let good = manifest("numpy=1.26").unwrap();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}\n{good}");
        (good.replace(from, to), vec!["numpy=1.26"])
    };
    let bad = [
        with("platforms =", "platform ="),
        with("\"linux-64\"", "\"linux-amd64\""),
        with("numpy = \"1.26.*\"", "numpy = \"1.26.* and more\""),
        with("numpy = \"1.26.*\"", "numpy = \"1.25.*\""),
        with("numpy = \"1.26.*\"", "numpy = { versions = \"1.26.*\" }"),
        with("pandas = \">=2\"", "pandas = \">=>2\""),
        with("[dependencies]", "[dependencies"),
    ];
    let found = complaints(&bad);
    for (complaints, (text, _)) in found.iter().zip(&bad) {
        assert!(!complaints.is_empty(), "{text}");
    }
    assert_eq!(complaints(&[(good.clone(), vec!["numpy=1.26"])]), [Vec::<String>::new()]);
}
