//! The one registry of rules: every code that a finding can carry.
//!
//! `FM0xx` files · `FM1xx` `ImageSpec` · `FM2xx` tasks, environments, groups · `FM3xx` imports · `FM4xx` packages · `FM5xx` Flyte 2 images, and `FM58x` their builds · `FM9xx` internal.
//! A code is never reused.

use crate::diagnostic::Rule;

macro_rules! rules {
    ($($ident:ident = $code:literal $name:literal $summary:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "` ", $summary)]
            pub static $ident: Rule = Rule { code: $code, name: $name, summary: $summary };
        )*
        /// All rules, by code.
        pub static RULES: &[&Rule] = &[$(&$ident),*];
    };
}

rules! {
    SYNTAX_ERROR = "FM001" "syntax-error" "The file does not parse; nothing in it is changed.";
    UNREADABLE = "FM002" "unreadable-file" "The file cannot be read, or is not UTF-8; nothing in it is changed.";
    IMAGE_SPEC = "FM100" "image-spec" "An `ImageSpec` becomes a `flyte.Image`.";
    NAME = "FM101" "image-spec-name" "`name` of an ImageSpec: Flyte 1 lower-cased it, Flyte 2 does not.";
    PYTHON_VERSION = "FM102" "image-spec-python-version" "`python_version` of an ImageSpec becomes a tuple; Flyte 2 needs 3.10.";
    PACKAGES = "FM103" "image-spec-packages" "`packages` of an ImageSpec become `with_pip_packages`.";
    APT_PACKAGES = "FM104" "image-spec-apt-packages" "`apt_packages` of an ImageSpec become `with_apt_packages`.";
    ENV = "FM105" "image-spec-env" "`env` of an ImageSpec becomes `with_env_vars`; values must be strings.";
    COMMANDS = "FM106" "image-spec-commands" "`commands` of an ImageSpec become `with_commands`; each runs in a shell of its own.";
    REQUIREMENTS = "FM107" "image-spec-requirements" "`requirements` of an ImageSpec become `with_requirements`.";
    BASE_IMAGE = "FM108" "image-spec-base-image" "`base_image` of an ImageSpec becomes `from_base` or a clone.";
    PLATFORM = "FM109" "image-spec-platform" "`platform` of an ImageSpec: Flyte 2 builds for two architectures by default.";
    REGISTRY = "FM110" "image-spec-registry" "`registry` of an ImageSpec: Flyte 1 lower-cased it, Flyte 2 does not.";
    BUILDER = "FM111" "image-spec-builder" "`builder` of an ImageSpec is a setting of the Flyte 2 configuration.";
    PIP_INDEX = "FM112" "image-spec-pip-index" "`pip_index` and `pip_extra_index_url` move to every pip layer.";
    CONDA = "FM113" "image-spec-conda" "`conda_packages` and `conda_channels` of an ImageSpec have no layer of their own.";
    PIP_SECRET_MOUNTS = "FM114" "image-spec-pip-secret-mounts" "`pip_secret_mounts` of an ImageSpec become secrets with a name.";
    ENTRYPOINT = "FM115" "image-spec-entrypoint" "`entrypoint` of an ImageSpec is lost: Flyte 2 starts containers with its own command.";
    COPY = "FM116" "image-spec-copy" "`copy` of an ImageSpec becomes `with_source_file` and `with_source_folder`.";
    SOURCE_ROOT = "FM117" "image-spec-source-root" "`source_root` of an ImageSpec becomes `with_source_folder`.";
    TAG_FORMAT = "FM118" "image-spec-tag-format" "`tag_format` of an ImageSpec: the tag of a Flyte 2 image is the hash of its content.";
    REGISTRY_CONFIG = "FM119" "image-spec-registry-config" "`registry_config` becomes an image pull secret.";
    PYTHON_EXEC = "FM120" "image-spec-python-exec" "`python_exec` becomes a virtual environment made in a command.";
    UNSUPPORTED_PARAMETER = "FM121" "image-spec-unsupported-parameter" "A parameter of ImageSpec that is not migrated.";
    INVALID_CALL = "FM122" "image-spec-invalid-call" "An ImageSpec that Flyte 1 itself refuses, or whose keywords cannot be read.";
    UNSUPPORTED_PLACE = "FM123" "image-spec-unsupported-place" "An ImageSpec that is not simply assigned to a name at the top level.";
    IMAGE_USE = "FM124" "image-spec-other-use" "An ImageSpec that is used as more than an image: its methods, its attributes, in a container.";
    CUDA = "FM125" "image-spec-cuda" "`cuda` and `cudnn` of an ImageSpec need a base image that has them.";
    BUILDER_OPTIONS = "FM126" "image-spec-builder-options" "`builder_options` and `builder_config` of an ImageSpec are left out.";
    RUNTIME_PACKAGES = "FM127" "image-spec-runtime-packages" "`runtime_packages` are installed when the image is built.";
    IMAGE_GUARD = "FM140" "image-spec-is-container" "Code that only runs in the image, under `if image.is_container():`.";
    IMAGE_BUILD = "FM141" "image-spec-build" "`ImageBuildEngine.build` becomes `flyte.build`.";
    HELD_IMAGE = "FM142" "image-spec-holder" "A list, dict or conditional expression with images is used as more than the image of a task.";
    UNREAD_PACKAGES = "FM143" "image-spec-unread-packages" "Packages that cannot be worked out, or come from a file, and so are not checked.";
    FLYTE1_PLACE = "FM144" "image-spec-flyte1-place" "A command or variable of an image names the user or a folder of Flyte 1's images.";
    LAYER_ORDER = "FM145" "image-spec-layer-order" "A method adds to an image what Flyte 1 builds before something that is there.";
    TASK = "FM200" "flyte1-task" "A Flyte 1 task becomes a task of a `TaskEnvironment`.";
    CONTAINER_IMAGE = "FM201" "container-image" "`container_image` moves to the `TaskEnvironment`; an image given as a string must contain `flyte`.";
    TASK_KEYWORD = "FM202" "task-keyword" "A keyword of `@task` that is not migrated.";
    TASK_SHAPE = "FM203" "task-shape" "A task whose definition Flyte 2 would treat differently.";
    RESOURCES = "FM204" "task-resources" "`requests` and `limits` become `resources` of the environment.";
    CACHE = "FM205" "task-cache" "`cache` becomes `flyte.Cache`; the first run on Flyte 2 finds the cache empty.";
    ENVIRONMENT_VARIABLES = "FM206" "task-environment-variables" "`environment` becomes `env_vars`; values must be strings.";
    DECK = "FM207" "task-deck" "`enable_deck` becomes `report`; the automatic tabs are gone.";
    RETRIES = "FM208" "task-retries" "`retries` follow any exception, and are no longer capped by the control plane.";
    ACCELERATOR = "FM209" "task-accelerator" "`accelerator` becomes a part of `gpu` in the resources of the environment.";
    WORKFLOW_BODY = "FM210" "workflow-body" "A workflow does something with a result that means something else on Flyte 2.";
    FLYTE1_USE = "FM211" "flyte1-use" "Converted code would still use something of Flyte 1 that is not migrated.";
    OTHER_USE = "FM212" "task-other-use" "A task or workflow is used in a way that Flyte 2 does not know.";
    SEQUENTIAL_CALLS = "FM213" "sequential-calls" "Independent calls that ran side by side now run one after another.";
    WORKFLOW_KEYWORD = "FM214" "workflow-keyword" "A keyword of `@workflow` becomes code in the body, or covers less on Flyte 2.";
    REGISTERED_VALUE = "FM215" "registered-value" "What a workflow computed once, when it was registered, is computed in each run.";
    GROUP_STAYS = "FM220" "group-stays" "Tasks, workflows and images that must move together stay on Flyte 1.";
    OUTSIDE_PATHS = "FM221" "outside-paths" "A member of the group lies outside the paths of this run.";
    BROKEN_CALL = "FM222" "broken-until-migrated" "Code that stays on Flyte 1 uses something that was converted.";
    DRIVER_IMAGE = "FM223" "driver-image" "A workflow now runs in a container, whose image must be able to import its module.";
    DEPENDENCY_CYCLE = "FM224" "environment-cycle" "Two environments would depend on each other.";
    ACTOR = "FM225" "actor" "An `ActorEnvironment` of union becomes a `TaskEnvironment` with reused containers.";
    CONTAINER_TASK = "FM226" "container-task" "A `ContainerTask` becomes one of `flyte.extras`, which workflows await.";
    CODE = "FM230" "surrounding-code" "Code around tasks that uses them, or Flyte 1, is written anew.";
    OVERRIDE = "FM231" "with-overrides" "`with_overrides` of a call becomes `override` of the task.";
    OVERRIDE_RESOURCES = "FM232" "override-resources" "`override` replaces all resources of a task; its own are repeated.";
    MAP_TASK = "FM233" "map-task" "`map_task` becomes `flyte.map`.";
    CALL_INSIDE_TASK = "FM234" "call-inside-task" "A task that is called inside a task goes on running in the same container.";
    CONDITIONAL = "FM235" "conditional" "`conditional` becomes `if`, `elif` and `else`.";
    DROPPED_COMMENT = "FM236" "dropped-comment" "A comment inside code that is written anew has no place there.";
    GATE = "FM237" "gate" "`sleep`, `approve` and `wait_for_input` become code that waits in the workflow.";
    TASK_SECRET = "FM250" "task-secret" "A `Secret` becomes a `flyte.Secret` in an environment variable that is named.";
    POD_TEMPLATE = "FM251" "task-pod-template" "`pod_template` and `pod_template_name` become `pod_template` of the task.";
    LABELS = "FM252" "task-labels" "`labels` and `annotations` of a task move into a pod template.";
    PLUGIN = "FM253" "task-plugin" "`task_config` becomes `plugin_config` of the environment, from `flyteplugins`.";
    DOCUMENTATION = "FM254" "task-documentation" "`docs` becomes `flyte.Documentation`, which has one description.";
    SETTING = "FM255" "flyte1-setting" "An object such as `Resources` behind a name becomes that of Flyte 2, where tasks use it.";
    SETTING_USE = "FM256" "setting-other-use" "An object such as `Resources` is used in a way that Flyte 2 does not know.";
    DROPPED_KEYWORD = "FM257" "task-keyword-dropped" "A keyword of `@task` that has no effect on Flyte 2.";
    CONTEXT = "FM258" "current-context" "`current_context()` becomes `flyte.ctx()`, or what stands for the part of it that is read.";
    SECRET_READ = "FM259" "secret-read" "A secret is read from the environment variable that its declaration names.";
    REPORT = "FM260" "deck-in-code" "A `Deck` becomes a tab of `flyte.report`.";
    EXCEPTION = "FM261" "flyte1-exception" "An exception of Flyte 1 becomes one that Flyte 2 treats in the same way.";
    LAUNCH_PLAN = "FM270" "launch-plan" "A `LaunchPlan` becomes a `Trigger` of its workflow.";
    SCHEDULE = "FM271" "launch-plan-schedule" "`schedule` of a launch plan becomes `automation` of a trigger; Flyte 2 takes five fields of cron.";
    TRIGGER_INPUTS = "FM272" "launch-plan-inputs" "`default_inputs` and `fixed_inputs` of a launch plan become `inputs` of a trigger.";
    LAUNCH_PLAN_KEYWORD = "FM273" "launch-plan-keyword" "A keyword of a launch plan that is not migrated.";
    LAUNCH_PLAN_USE = "FM274" "launch-plan-use" "A launch plan that is more than the schedule of a workflow above it.";
    FILE_USE = "FM275" "file-use" "A file, directory or frame is used in a way that differs on Flyte 2.";
    LOCAL_OR_REMOTE = "FM276" "file-local-or-remote" "A path may be local or the address of an object store, which Flyte 2 tells apart.";
    FORMAT = "FM277" "file-format" "The format of a file, as in `FlyteFile[\"csv\"]`, is no part of the type on Flyte 2.";
    DATA_TYPE = "FM278" "data-type" "A type of data of Flyte 1 that has no counterpart which could be written for you.";
    OTHER_TASK = "FM279" "other-task" "A task of Flyte 1 that is no function: a container, a script, a query, a sensor.";
    REFERENCE = "FM280" "reference" "Something that is deployed with Flyte 1 already, and is named or run from here.";
    PLAIN_CALL = "FM281" "plain-call" "A task or workflow is called outside of a run, and needs `flyte.init()` or a run on Flyte 2.";
    MIXED_FILE = "FM282" "mixed-file" "A converted file still imports types of Flyte 1, whose data would not reach other tasks.";
    IMPORT = "FM300" "flyte1-import" "Imports of flytekit that are no longer used make room for those of flyte.";
    STAR_IMPORT = "FM301" "flyte1-star-import" "`from flytekit import *` hides which names are Flyte's.";
    AMBIGUOUS_NAME = "FM302" "ambiguous-name" "A name that may be Flyte's or something else.";
    MANIFEST_FLYTE1 = "FM310" "manifest-flytekit" "A manifest requires flytekit or union, and migrated code needs flyte.";
    MANIFEST_PLUGIN = "FM311" "manifest-plugin" "A manifest requires a plugin of flytekit.";
    MANIFEST_BROUGHT = "FM312" "manifest-package-brought-by-flytekit" "A package is required because code imports it and only flytekit brought it.";
    MANIFEST_BY_HAND = "FM313" "manifest-by-hand" "A requirement of Flyte 1 is written in a way that is left to you.";
    GENERATED_MANIFEST = "FM314" "generated-manifest" "A lock file or a compiled requirements file has to be made again.";
    MANIFEST_PYTHON = "FM315" "manifest-python" "A manifest allows a Python below 3.10, which flyte does not support.";
    COMMAND = "FM320" "pyflyte-command" "A `pyflyte` command runs or registers code that is Flyte 2's.";
    COMMAND_BY_HAND = "FM321" "pyflyte-command-by-hand" "A `pyflyte` command has no certain counterpart among those of `flyte`.";
    INSTALL_COMMAND = "FM322" "install-command" "A command installs flytekit or one of its plugins, or a Dockerfile starts from an image of it.";
    NOTEBOOK = "FM323" "notebook" "A notebook imports Flyte 1; notebooks are not migrated.";
    CONFIGURATION = "FM324" "flyte1-configuration" "A configuration lacks what Flyte 2 needs of it.";
    BUILDER_CONFIGURATION = "FM325" "builder-configuration" "The Flyte 2 configuration does not say which builder the images of the code had.";
    FLYTEKIT_PACKAGE = "FM401" "flytekit-package" "`flytekit` or `union` among the packages of an image.";
    PLUGIN_PACKAGE = "FM402" "plugin-package" "A `flytekitplugins-*` package among the packages of an image.";
    BROUGHT_PACKAGE = "FM403" "package-brought-by-flytekit" "A package that the image only had because flytekit depends on it.";
    PIP_PACKAGE = "FM404" "pip-package" "pip is used in the image; Flyte 2 images have none.";
    FLYTE_REQUIREMENT = "FM405" "flyte-requirement" "A package of an image in a version that flyte itself does not take.";
    IMAGE_CALL = "FM500" "image-invalid-call" "A call of `flyte.Image` or `TaskEnvironment` with an argument too many, too few, or twice, or of something that they do not have.";
    LIST_AS_ARGUMENT = "FM501" "image-list-as-argument" "A list where `flyte.Image` takes its items one by one.";
    NOT_EXTENDABLE = "FM502" "image-not-extendable" "A layer on an image that takes none.";
    IMAGE_WITHOUT_NAME = "FM503" "image-without-name" "A clone of an image, or a layer on one, that has no name.";
    IMAGE_ARGUMENT_TYPE = "FM504" "image-argument-type" "An argument of an image of another type than the SDK takes.";
    REQUIREMENTS_SUFFIX = "FM505" "image-requirements-suffix" "Requirements in a file that does not end in `.txt`.";
    SECRET = "FM506" "image-secret" "A secret that is mounted where the SDK mounts none, or in a variable that cannot be.";
    FILES_OF_ONE_NAME = "FM507" "image-files-of-one-name" "Files of one name that are copied to one place.";
    ENVIRONMENT_NAME = "FM508" "environment-name" "A `TaskEnvironment` whose name the SDK refuses.";
    IMAGE_REFERENCE = "FM520" "image-reference" "A base image that is no valid image reference.";
    SECRET_WITHOUT_REGISTRY = "FM521" "image-secret-without-registry" "A registry secret that the SDK drops.";
    IMAGE_NAME = "FM522" "image-name" "A name or registry that no image can have, such as one with capital letters.";
    IMAGE_PYTHON_VERSION = "FM523" "image-python-version" "A version of Python that Flyte 2, or its Debian base, does not know.";
    MISSING_PATH = "FM524" "image-missing-path" "A file or folder of an image that is not there, or is the other of the two.";
    BASE_WITHOUT_FLYTE = "FM525" "image-without-flyte" "The image of a task in which nothing installs flyte.";
    GIT_PACKAGE_BEFORE_GIT = "FM526" "image-git-package-before-git" "A package from git in a layer before git is installed.";
    LOST_SHELL_CHANGE = "FM527" "image-lost-shell-change" "A command that changes a shell which ends with it, such as `cd`.";
    REQUIREMENT_SYNTAX = "FM528" "image-requirement-syntax" "A package that is not written as PEP 508 has it.";
    CONTRADICTING_PINS = "FM529" "image-contradicting-pins" "A package that is pinned to different versions.";
    COMMAND_WITH_RUN = "FM530" "image-command-with-run" "A command that begins with `RUN`.";
    PATH_OVERWRITTEN = "FM531" "image-path-overwritten" "`PATH` is set without what it held before.";
    VARIABLE_NAME = "FM532" "image-variable-name" "A name that no environment variable can have.";
    SCRIPT_HEADER = "FM533" "image-script-header" "A script or manifest that the SDK or pixi cannot read.";
    BROKEN_LINE = "FM534" "image-broken-line" "A text that breaks the line of the Dockerfile that the SDK writes it to.";
    IMAGE_ATTRIBUTE = "FM535" "image-attribute-assigned" "An attribute of an image that is assigned to; images never change.";
    UNWRITABLE_VALUE = "FM580" "unwritable-value" "A value of an image that no Dockerfile can hold as it is.";
    MISSING_FILE = "FM581" "missing-build-file" "A file that an image needs is not there, or cannot be used.";
    MISSING_SECRET = "FM582" "missing-build-secret" "A secret that an image mounts is neither in the environment nor in a file.";
    UNKNOWN_IMAGE = "FM583" "unknown-image" "An image that cannot be built, because the code does not say what it is.";
    NO_REGISTRY = "FM584" "no-registry" "An image is to be pushed, and nothing says where to.";
    BASE_CYCLE = "FM585" "image-base-cycle" "Images that are each other's base.";
    FAILED_BUILD = "FM586" "failed-build" "The engine could not build an image.";
    UNSUPPORTED_BUILD = "FM587" "unsupported-build" "An image that the chosen builder does not build.";
    INTERNAL = "FM900" "internal-error" "The tool's own check of its result failed; the file is left alone.";
}

#[cfg(test)]
mod tests {
    use super::RULES;

    #[test]
    fn codes_and_names_are_unique() {
        for (index, rule) in RULES.iter().enumerate() {
            assert!(RULES[..index].iter().all(|other| other.code < rule.code && other.name != rule.name));
        }
    }
}
