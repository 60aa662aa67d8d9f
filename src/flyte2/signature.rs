//! The constructors and methods of `flyte.Image`, and their parameters, as SDK 2.12.1 declares them.
//!
//! ```python
//! flyte.Image.from_base("debian:12").clone(name="a", extendable=True)
//! ```

/// How an argument is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By position or by name.
    Usual,
    /// By name only.
    Keyword,
    /// `*packages`
    Variadic,
}

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// How it is given.
    pub kind: Kind,
    /// Whether it has no default.
    pub is_required: bool,
}

/// A constructor or a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// Its parameters, without `self` and `cls`.
    pub parameters: &'static [Parameter],
}

const fn required(name: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Usual, is_required: true }
}

const fn optional(name: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Usual, is_required: false }
}

const fn keyword(name: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Keyword, is_required: false }
}

const fn variadic(name: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Variadic, is_required: false }
}

/// What gives an image.
pub const CONSTRUCTORS: &[Signature] = &[
    Signature {
        name: "from_debian_base",
        parameters: &[
            optional("python_version"),
            optional("flyte_version"),
            optional("install_flyte"),
            optional("registry"),
            optional("registry_secret"),
            optional("name"),
            optional("platform"),
        ],
    },
    Signature { name: "from_base", parameters: &[required("image_uri")] },
    Signature { name: "from_ref_name", parameters: &[optional("name")] },
    Signature {
        name: "from_uv_script",
        parameters: &[
            required("script"),
            Parameter { name: "name", kind: Kind::Keyword, is_required: true },
            keyword("registry"),
            keyword("registry_secret"),
            keyword("python_version"),
            keyword("index_url"),
            keyword("extra_index_urls"),
            keyword("pre"),
            keyword("extra_args"),
            keyword("platform"),
            keyword("secret_mounts"),
        ],
    },
    Signature {
        name: "from_pixi_script",
        parameters: &[
            required("script"),
            Parameter { name: "name", kind: Kind::Keyword, is_required: true },
            keyword("registry"),
            keyword("registry_secret"),
            keyword("environment"),
            keyword("extra_args"),
            keyword("platform"),
            keyword("secret_mounts"),
        ],
    },
    Signature {
        name: "from_dockerfile",
        parameters: &[required("file"), required("registry"), required("name"), optional("platform")],
    },
];

/// What an image answers with another image.
pub const METHODS: &[Signature] = &[
    Signature {
        name: "clone",
        parameters: &[
            optional("registry"),
            optional("registry_secret"),
            optional("name"),
            optional("base_image"),
            optional("python_version"),
            optional("addl_layer"),
            optional("extendable"),
            optional("platform"),
        ],
    },
    Signature { name: "with_workdir", parameters: &[required("workdir")] },
    Signature {
        name: "with_requirements",
        parameters: &[
            required("file"),
            optional("index_url"),
            optional("extra_index_urls"),
            optional("pre"),
            optional("extra_args"),
            optional("secret_mounts"),
        ],
    },
    Signature {
        name: "with_pip_packages",
        parameters: &[
            variadic("packages"),
            keyword("index_url"),
            keyword("extra_index_urls"),
            keyword("pre"),
            keyword("extra_args"),
            keyword("secret_mounts"),
        ],
    },
    Signature { name: "with_env_vars", parameters: &[required("env_vars")] },
    Signature {
        name: "with_source_folder",
        parameters: &[required("src"), optional("dst"), optional("copy_contents_only")],
    },
    Signature { name: "with_source_file", parameters: &[required("src"), optional("dst")] },
    Signature { name: "with_code_bundle", parameters: &[optional("copy_style"), optional("dst")] },
    Signature { name: "with_dockerignore", parameters: &[required("path")] },
    Signature {
        name: "with_uv_project",
        parameters: &[
            required("pyproject_file"),
            optional("uvlock"),
            optional("index_url"),
            optional("extra_index_urls"),
            optional("pre"),
            optional("extra_args"),
            optional("secret_mounts"),
            optional("project_install_mode"),
        ],
    },
    Signature {
        name: "with_poetry_project",
        parameters: &[
            required("pyproject_file"),
            optional("poetry_lock"),
            optional("extra_args"),
            optional("secret_mounts"),
            optional("project_install_mode"),
        ],
    },
    Signature {
        name: "with_pixi_project",
        parameters: &[
            required("manifest_file"),
            optional("pixi_lock"),
            optional("environment"),
            optional("extra_args"),
            optional("secret_mounts"),
            optional("project_install_mode"),
        ],
    },
    Signature { name: "with_apt_packages", parameters: &[variadic("packages"), keyword("secret_mounts")] },
    Signature { name: "with_commands", parameters: &[required("commands"), optional("secret_mounts")] },
];

/// Methods for those who develop the SDK itself: what they add are wheels beside its source, which no one else has.
pub const DEVELOPER_METHODS: [&str; 3] =
    ["with_local_v2", "with_local_rs_controller", "with_local_v2_plugins"];

/// The constructor called `name`.
pub fn constructor(name: &str) -> Option<&'static Signature> {
    CONSTRUCTORS.iter().find(|signature| signature.name == name)
}

/// The method called `name`.
pub fn method(name: &str) -> Option<&'static Signature> {
    METHODS.iter().find(|signature| signature.name == name)
}
