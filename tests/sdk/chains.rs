//! Makes projects with random chains of `flyte.Image`, the same ones on every run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A source of numbers that look random (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    /// Numbers that depend on the seed alone.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % limit
    }

    fn one<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        choices[self.below(choices.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Names of files that the chains use; each root holds them.
const FILES: [(&str, &str); 17] = [
    ("requirements.txt", "pandas==2.2.0\nnumpy\n"),
    ("conf/base.txt", "polars\n"),
    ("app/pyproject.toml", "[project]\nname = \"app\"\nversion = \"1\"\n"),
    ("app/uv.lock", "version = 1\n"),
    ("app/poetry.lock", "# poetry\n"),
    ("app/src/app/__init__.py", "x = 1\n"),
    ("app/src/app/data.bin", "\u{1}\u{2}"),
    ("app/.dockerignore", "**/*.bin\n!keep.bin\n"),
    ("px/pixi.toml", "[workspace]\nname = \"px\"\n"),
    ("px/pixi.lock", "version: 6\n"),
    ("data/a.csv", "1,2\n"),
    ("data/sub/b.csv", "3\n"),
    ("data/sub/deep/c.txt", "c"),
    ("data/Sub2/.hidden", "h"),
    ("docker/Dockerfile", "FROM debian:12\n"),
    (
        "uvscript.py",
        "#!/usr/bin/env -S uv run --script\n# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \"httpx\",\n#   \"it's\",\n#   \"app @ file://app\",\n# ]\n# [tool.uv]\n# exclude-newer = \"2025-01-01T00:00:00Z\"\n# ///\n",
    ),
    (
        "pixiscript.py",
        "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\"flyte\", \"b[z,a]>=1,<2\", \"g @ git+https://host/g@v1\"]\n#\n# [tool.pixi.workspace]\n# channels = [\"conda-forge\", {channel = \"x\", priority = 1}]\n# [tool.pixi.dependencies]\n# gdal = \"*\"\n# \"odd name\" = { version = \">=2\", build = \"py*\" }\n# [tool.pixi.activation.env]\n# A = \"it's \\\"x\\\"\"\n# ///\nprint(1)\n",
    ),
];

/// Texts that are hard on whoever reads, quotes or joins them.
const TEXTS: [&str; 14] = [
    "pandas",
    "numpy>=1,<2",
    "a[b]==1.0; python_version < '3.13'",
    "x; rm -rf /",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "line\nbreak",
    "tab\there",
    "ünï©ode 漢字 🚀",
    "$HOME ${X} $(id)",
    "{braces}",
    "%s %d",
    "",
];

const NAMES: [&str; 6] = ["train", "my-image", "etl_job", "a.b", "x/y", "image0"];

/// A project with `count` images.
pub(crate) struct Project<'r> {
    random: &'r mut Random,
    /// Texts that constants of the module hold, by name.
    constants: Vec<(String, String)>,
}

impl<'r> Project<'r> {
    /// Writes the files of a project below `root`.
    pub(crate) fn write(root: &Path, count: usize, random: &'r mut Random) {
        for (name, text) in FILES {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        if random.chance(30) {
            fs::write(root.join(".dockerignore"), "data/sub\n# comment\n\n*.md\n").unwrap();
        }
        if random.chance(50) {
            fs::write(root.join("data/.dockerignore"), "sub/*\n!sub/deep\n").unwrap();
        }
        let mut project = Self { random, constants: Vec::new() };
        let shared = project.shared();
        fs::write(root.join("shared.py"), shared).unwrap();
        let images = project.images(count);
        fs::write(root.join("images.py"), images).unwrap();
    }

    fn shared(&mut self) -> String {
        let mut text = String::from("from flyte import Image as Img\n\n");
        for index in 0..4 {
            let value = self.random.one(&TEXTS);
            writeln!(text, "SHARED{index} = {}", quoted(value)).unwrap();
            self.constants.push((format!("SHARED{index}"), value.to_owned()));
        }
        text.push_str("LIST = [\"x1\", SHARED0 + \"y\", f\"{SHARED1}-z\"]\n");
        text.push_str("BASE = Img.from_debian_base(python_version=(3, 12), name=\"shared\")\n");
        text
    }

    fn images(&mut self, count: usize) -> String {
        let mut text = String::from(
            "import os\nimport pathlib\nfrom pathlib import Path\n\nimport flyte\nimport flyte as fl\nimport shared\nfrom flyte import Image, Secret\nfrom shared import BASE, LIST, SHARED0, SHARED1, SHARED2, SHARED3\n\nHERE = Path(__file__).parent\n",
        );
        for index in 0..3 {
            let value = self.random.one(&TEXTS);
            writeln!(text, "OWN{index} = {}", quoted(value)).unwrap();
            self.constants.push((format!("OWN{index}"), value.to_owned()));
        }
        text.push_str("OPTIONS = {\"pre\": True, \"extra_args\": OWN0}\nMORE = (\"m1\", *LIST)\n\n");
        let mut extendable: Vec<String> = vec!["BASE".to_owned(), "shared.BASE".to_owned()];
        for index in 0..count {
            let name = format!("image_{index}");
            let (head, takes_layers) = self.head(&extendable);
            writeln!(text, "{name} = {head}").unwrap();
            let layers = if takes_layers { self.random.below(5) } else { 0 };
            for _ in 0..layers {
                let layer = self.layer();
                if self.random.chance(30) {
                    writeln!(text, "{name} = (\n    {name}\n    .{layer}\n)").unwrap();
                } else {
                    writeln!(text, "{name} = {name}.{layer}").unwrap();
                }
            }
            if takes_layers {
                extendable.push(name);
            }
        }
        text
    }

    /// A constructor, and whether layers can be added to what it gives.
    fn head(&mut self, extendable: &[String]) -> (String, bool) {
        let image = self.random.one(&["Image", "flyte.Image", "fl.Image"]).to_owned();
        let name = quoted(self.random.one(&NAMES));
        match self.random.below(12) {
            0..=3 => (format!("{image}.from_debian_base({})", self.debian()), true),
            4 => {
                let uri = self.random.one(&["python:3.11", "ghcr.io/x/y:z", "debian@sha256:00"]);
                let clone = self.clone_arguments();
                (format!("{image}.from_base(\"{uri}\").clone(name={name}, extendable=True{clone})"), true)
            }
            5 => (format!("{image}.from_base(\"debian:12\")"), false),
            6 => {
                let pip = self.pip_options();
                let script = self.path("uvscript.py");
                let python = self.random.one(&["", ", python_version=(3, 12)"]);
                (format!("{image}.from_uv_script({script}, name={name}{python}{pip})"), true)
            }
            7 => {
                let script = self.path("pixiscript.py");
                let platform = self.random.one(&["", ", platform=(\"linux/amd64\",)"]);
                let tail = self.random.one(&["", ", extra_args=\"-v\"", ", environment=\"gpu\""]);
                (format!("{image}.from_pixi_script({script}, name={name}{platform}{tail})"), true)
            }
            8 => {
                let file = self.path("docker/Dockerfile");
                (format!("{image}.from_dockerfile({file}, \"reg.io\", {name})"), false)
            }
            9 => {
                let clone = self.random.one(&["", ".clone(extendable=True)"]);
                (format!("{image}.from_ref_name(\"custom\"){clone}"), !clone.is_empty())
            }
            _ => {
                let base = &extendable[self.random.below(extendable.len())];
                let clone = self.clone_arguments();
                let clone = clone.strip_prefix(", ").map(|clone| format!(".clone({clone})"));
                (format!("{base}{}", clone.unwrap_or_default()), true)
            }
        }
    }

    fn debian(&mut self) -> String {
        let mut arguments = Vec::new();
        if self.random.chance(60) {
            arguments.push(self.random.one(&["(3, 10)", "(3, 11)", "(3, 12)", "(3, 13)"]).to_owned());
        }
        for (percent, choices) in [
            (70, &["name=\"train\"", "name=SHARED0 or \"n\"", "name=f\"img-{OWN1}\"", "name=None"][..]),
            (30, &["registry=\"ghcr.io/acme\"", "registry=os.getenv(\"NO_SUCH_VARIABLE\", \"reg.io\")"]),
            (20, &["install_flyte=False", "install_flyte=True"]),
            (15, &["flyte_version=\"2.0.1\"", "flyte_version=\"v2.1\""]),
            (20, &["platform=(\"linux/amd64\",)", "platform=(\"linux/arm64\", \"linux/amd64\")"]),
            (15, &["registry_secret=\"pull\"", "registry_secret=Secret(key=\"pull-me\")"]),
        ] {
            if self.random.chance(percent) {
                arguments.push(self.random.one(choices).to_owned());
            }
        }
        // The SDK drops a secret that comes alone, which the tool has something to say about.
        let has_place = arguments
            .iter()
            .any(|argument| argument.starts_with("registry=") || argument.starts_with("name=\""));
        arguments.retain(|argument| has_place || !argument.starts_with("registry_secret"));
        if arguments.first().is_some_and(|first| first.starts_with('(')) && self.random.chance(50) {
            arguments[0] = format!("python_version={}", arguments[0]);
        }
        arguments.join(", ")
    }

    fn clone_arguments(&mut self) -> String {
        let mut text = String::new();
        for argument in [
            ", registry=\"other.io\"",
            ", name=\"cloned\"",
            ", python_version=(3, 13)",
            ", platform=\"linux/arm64\"",
            ", base_image=\"replaced:1\"",
            ", registry_secret=Secret(\"s\", group=\"g\")",
        ] {
            if self.random.chance(15) && !(argument.contains(" name") && text.is_empty()) {
                text.push_str(argument);
            }
        }
        text.replace(", name=\"cloned\"", "")
    }

    fn layer(&mut self) -> String {
        match self.random.below(16) {
            0..=3 => format!("with_pip_packages({}{})", self.packages(), self.pip_options()),
            4 => format!("with_apt_packages({}{})", self.packages(), self.secrets()),
            5 => {
                let commands = [self.text(), self.text()].join(", ");
                let listed = self.random.one(&["[", "("]);
                let close = if listed == "[" { "]" } else { ")" };
                format!("with_commands({listed}{commands}{close}{})", self.secrets())
            }
            6 => {
                let (first, second) = (self.text(), self.text());
                self.random
                    .one(&[
                        "with_env_vars({\"A\": <1>, \"B\": <2>})",
                        "with_env_vars(dict({\"X\": <1>}) | {\"Y\": <2>})",
                        "with_env_vars({\"A\": <1>, \"A\": <2>})",
                    ])
                    .replace("<1>", &first)
                    .replace("<2>", &second)
            }
            7 => format!("with_workdir({})", self.text()),
            8 => {
                let file = self.random.one(&["requirements.txt", "conf/base.txt"]);
                format!("with_requirements({}{})", self.path(file), self.pip_options())
            }
            9 => {
                let file = self.random.one(&["data/a.csv", "data/sub/b.csv", "not/there.txt"]);
                match self.random.below(3) {
                    0 => format!("with_source_file({})", self.path_object(file)),
                    1 => format!("with_source_file({}, dst=\"/opt/{{x}}\")", self.path(file)),
                    _ => "with_source_file([Path(\"data/a.csv\"), Path(\"requirements.txt\")], \"/x\")"
                        .to_owned(),
                }
            }
            10 => {
                let folder = self.random.one(&["data", "app/src"]);
                let folder = self.path_object(folder);
                match self.random.below(3) {
                    0 => format!("with_source_folder({folder})"),
                    1 => format!("with_source_folder({folder}, dst=\"/root\", copy_contents_only=True)"),
                    _ => format!("with_source_folder({folder}, \"/opt/app\")"),
                }
            }
            11 => {
                let file =
                    self.random.one(&["data/.dockerignore", "app/.dockerignore", "none/.dockerignore"]);
                format!("with_dockerignore({})", self.path(file))
            }
            12 => {
                let mode = self.random.one(&["", ", project_install_mode=\"install_project\""]);
                let path = self.path("app/pyproject.toml");
                // The SDK refuses a list here, and takes a string for a row of letters.
                let options = self.pip_options().replace("[\"https://a\", SHARED1]", "(SHARED1,)");
                let options = options.replace(", extra_index_urls=\"https://one\"", "");
                format!("with_uv_project({path}{mode}{options})")
            }
            13 => {
                let mode = self.random.one(&["", ", project_install_mode=\"install_project\""]);
                format!("with_poetry_project({}{mode}{})", self.path("app/pyproject.toml"), self.secrets())
            }
            14 => {
                let place = self.random.one(&["px", "px/pixi.toml"]);
                let mode = self.random.one(&[
                    "",
                    ", project_install_mode=\"install_project\"",
                    ", environment=\"e\"",
                ]);
                format!("with_pixi_project({}{mode})", self.path(place))
            }
            _ => {
                let style = self.random.one(&["", "\"all\"", "copy_style=\"all\", dst=\"/x\""]);
                if self.random.chance(20) {
                    format!("with_code_bundle({style})")
                } else {
                    "with_workdir(\"/w\")".to_owned()
                }
            }
        }
    }

    fn packages(&mut self) -> String {
        let mut packages = Vec::new();
        for _ in 0..=self.random.below(3) {
            packages.push(match self.random.below(8) {
                0 => "*LIST".to_owned(),
                1 => "*MORE".to_owned(),
                2 => "*[\"p\", *LIST]".to_owned(),
                3 => "*(shared.LIST + [\"q\"])".to_owned(),
                _ => self.text(),
            });
        }
        packages.join(", ")
    }

    fn pip_options(&mut self) -> String {
        let mut text = String::new();
        for (percent, choices) in [
            (20, &[", index_url=\"https://host/simple\"", ", index_url=OWN0"][..]),
            (
                20,
                &[
                    ", extra_index_urls=[\"https://a\", SHARED1]",
                    ", extra_index_urls=\"https://one\"",
                    ", extra_index_urls=()",
                ],
            ),
            (25, &[", pre=True", ", pre=False", ", **OPTIONS"]),
            (15, &[", extra_args=\"--no-deps\""]),
        ] {
            let choice = self.random.one(choices);
            if self.random.chance(percent) && !(choice.contains("extra_args") && text.contains("**")) {
                text.push_str(choice);
            }
        }
        text + &self.secrets()
    }

    fn secrets(&mut self) -> String {
        if !self.random.chance(25) {
            return String::new();
        }
        let secret = self.random.one(&[
            "\"plain\"",
            "Secret(key=\"my-token\")",
            "[Secret(\"k\", group=\"g\"), \"p\"]",
            "[Secret(\"k\", mount=Path(\"/etc/flyte/secrets\")), Secret(\"k2\", mount=\"/etc/flyte/secrets\")]",
            "[flyte.Secret(\"it's\", as_env_var=\"X_1\")]",
            "[]",
        ]);
        format!(", secret_mounts={secret}")
    }

    /// A string, in one of the ways in which code writes strings.
    fn text(&mut self) -> String {
        let literal = quoted(self.random.one(&TEXTS));
        let name = self.constants[self.random.below(self.constants.len())].0.clone();
        match self.random.below(10) {
            0 => name,
            1 => format!("f\"a-{{{name}}}-{{3}}{{{{x}}}}\""),
            2 => format!("{name} + {literal}"),
            3 => format!("({literal} \"tail\")"),
            4 => format!("os.environ.get(\"NO_SUCH_VARIABLE\", {literal})"),
            5 => format!("\"-\".join([{literal}, {name}])"),
            6 => format!("{literal} if {name} == \"pandas\" else {name}"),
            7 => "shared.SHARED2".to_owned(),
            _ => literal,
        }
    }

    /// A path, as a string or as an object.
    fn path(&mut self, path: &str) -> String {
        match self.random.below(4) {
            0 => quoted(path),
            1 => format!("os.path.join(os.path.dirname(__file__), {})", quoted(path)),
            _ => self.path_object(path),
        }
    }

    fn path_object(&mut self, path: &str) -> String {
        let path = quoted(path);
        match self.random.below(6) {
            0 => format!("Path(\".//\", {path})"),
            1 => format!("pathlib.Path({path})"),
            2 => format!("HERE / {path}"),
            3 => format!("Path(__file__).parent.joinpath({path})"),
            4 => format!("Path(__file__).resolve().parents[0] / \"data\" / \"..\" / {path}"),
            _ => format!("Path({path})"),
        }
    }
}

/// A Python string literal: JSON's escapes are Python's.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
