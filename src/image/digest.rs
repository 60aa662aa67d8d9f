//! The identity of an image: the `uri` under which the SDK looks for it.
//!
//! ```python
//! flyte.Image.from_debian_base(name="train").with_pip_packages("pandas").uri    # train:<32 hex digits>
//! ```
//!
//! The tag is an md5 sum. What goes into it, and in which order, is that of `flyte/_image.py`, flyte 2.12.1.

use std::io;
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};
use thiserror::Error;

use super::disk::Disk;
use super::ignore::DockerIgnoreFile;
use super::script::{self, ScriptError};
use super::{Base, Image, Layer, PipOptions, ProjectInstall, Secret, path, python_text};

/// Why an image has no identity.
#[derive(Debug, Error)]
pub enum DigestError {
    /// The SDK needs a name.
    #[error("the image has no name")]
    NoName,
    /// `from_base("")`
    #[error("the image has no base")]
    NoBase,
    /// The configuration says what the name stands for.
    #[error("the configuration names no image `{0}` in `image.image_refs`")]
    RefName(String),
    /// A file that goes into it cannot be read.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The header of a script cannot be read.
    #[error("`{}`: {source}", .path.display())]
    Script {
        /// The script.
        path: PathBuf,
        /// What is wrong.
        source: ScriptError,
    },
    /// `with_code_bundle`
    #[error("what `with_code_bundle` brings is known only when the code is deployed")]
    CodeBundle,
}

/// `image.uri`, as the SDK gives it once it was initialized in the working directory.
///
/// # Errors
/// [`DigestError`] where the SDK has none either.
pub fn uri(image: &Image, disk: &Disk) -> Result<String, DigestError> {
    uri_below(image, disk, disk.cwd())
}

/// The same, once it was initialized with another folder as root.
///
/// # Errors
/// [`DigestError`] where the SDK has none either.
pub fn uri_below(image: &Image, disk: &Disk, root: &Path) -> Result<String, DigestError> {
    if !image.is_cloned {
        return match &image.base {
            Base::Reference(uri) if !uri.is_empty() => Ok(uri.clone()),
            Base::RefName(name) => Err(DigestError::RefName(name.clone())),
            Base::Reference(_) | Base::Dockerfile(_) => Err(DigestError::NoBase),
        };
    }
    let tag = match &image.tag {
        Some(tag) => tag.clone(),
        None => digest_below(image, disk, root)?,
    };
    let name = image.name.as_ref().filter(|name| !name.is_empty()).ok_or(DigestError::NoName)?;
    Ok(match image.registry.as_ref().filter(|registry| !registry.is_empty()) {
        Some(registry) => format!("{registry}/{name}:{tag}"),
        None => format!("{name}:{tag}"),
    })
}

/// The tag of an image: 32 hexadecimal digits.
///
/// # Errors
/// [`DigestError`] if a file that goes into it cannot be read, or is not known yet.
pub fn digest(image: &Image, disk: &Disk) -> Result<String, DigestError> {
    digest_below(image, disk, disk.cwd())
}

fn digest_below(image: &Image, disk: &Disk, root: &Path) -> Result<String, DigestError> {
    let mut hasher = Hasher { md5: Md5::new(), disk };
    match &image.base {
        Base::Reference(uri) => hasher.text(uri),
        Base::Dockerfile(file) => hasher.file(file)?,
        Base::RefName(_) => {}
    }
    let ignore = ignore_file(image, disk, root);
    for layer in &image.layers {
        hasher.layer(layer, ignore.as_ref())?;
    }
    Ok(hasher.md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the folder with which the SDK is initialized may decide which files belong to an image.
pub fn depends_on_root(image: &Image) -> bool {
    let has_files = |layer: &Layer| match layer {
        Layer::CopyFile { .. } | Layer::CopyFolder { .. } | Layer::UvScript { .. } => true,
        Layer::UvProject { install, .. }
        | Layer::PoetryProject { install, .. }
        | Layer::PixiProject { install, .. } => *install == ProjectInstall::InstallProject,
        _ => false,
    };
    image.is_cloned && named_ignore_file(image).is_none() && image.layers.iter().any(has_files)
}

/// The `.dockerignore` that a layer names last.
fn named_ignore_file(image: &Image) -> Option<String> {
    image.layers.iter().rev().find_map(|layer| match layer {
        Layer::DockerIgnore { path } if !path.trim().is_empty() => Some(path::normalize(path)),
        _ => None,
    })
}

/// The `.dockerignore` beside the one that a layer names last, else that of the root.
///
/// The SDK looks for the named file, and then reads the `.dockerignore` in its folder.
fn ignore_file(image: &Image, disk: &Disk, root: &Path) -> Option<DockerIgnoreFile> {
    let named = named_ignore_file(image);
    let file = named.unwrap_or_else(|| path::join(&root.to_string_lossy(), ".dockerignore"));
    disk.is_file(Path::new(&file)).then(|| DockerIgnoreFile::read(&path::parent(&file), disk))
}

struct Hasher<'d> {
    md5: Md5,
    disk: &'d Disk,
}

impl Hasher<'_> {
    fn text(&mut self, text: &str) {
        self.md5.update(text.as_bytes());
    }

    fn file(&mut self, file: &Path) -> Result<(), DigestError> {
        let bytes = self
            .disk
            .read(file)
            .map_err(|source| DigestError::Unreadable { path: file.to_path_buf(), source })?;
        self.md5.update(bytes);
        Ok(())
    }

    fn secrets(&mut self, secrets: &[Secret]) {
        for secret in secrets {
            self.text(&python_text::secret(secret));
        }
    }

    fn options(&mut self, options: &PipOptions) {
        self.text(options.index_url.as_deref().unwrap_or_default());
        options.extra_index_urls.iter().for_each(|url| self.text(url));
        if options.pre {
            self.text(options.pre_text.as_deref().unwrap_or("True"));
        }
        self.text(options.extra_args.as_deref().unwrap_or_default());
        self.secrets(&options.secret_mounts);
    }

    fn layer(&mut self, layer: &Layer, ignore: Option<&DockerIgnoreFile>) -> Result<(), DigestError> {
        match layer {
            Layer::PipPackages { packages, options } => {
                self.options(options);
                packages.iter().for_each(|package| self.text(package));
            }
            Layer::Requirements { file, options } => {
                self.options(options);
                self.file(file)?;
            }
            Layer::UvProject { pyproject, uvlock, install, options } => {
                self.options(options);
                self.project(pyproject, uvlock.as_deref(), *install, ignore, true)?;
            }
            Layer::PoetryProject { pyproject, poetry_lock, install, extra_args, secret_mounts } => {
                self.text(extra_args.as_deref().unwrap_or_default());
                self.secrets(secret_mounts);
                // Unlike the others, poetry's folder has no `.dockerignore` of its own.
                self.project(pyproject, Some(poetry_lock), *install, ignore, false)?;
            }
            Layer::PixiProject { manifest, pixi_lock, environment, install, extra_args, secret_mounts } => {
                self.text(environment);
                self.text(extra_args.as_deref().unwrap_or_default());
                self.secrets(secret_mounts);
                self.project(manifest, pixi_lock.as_deref(), *install, ignore, true)?;
            }
            Layer::UvScript { script, options } => self.uv_script(script, options, ignore)?,
            Layer::PixiScript { script, platforms, environment, extra_args, secret_mounts } => {
                let manifest = script::pixi_manifest(script, platforms, self.disk)
                    .map_err(|source| DigestError::Script { path: script.clone(), source })?;
                self.text(&manifest);
                self.text(environment);
                self.text(extra_args.as_deref().unwrap_or_default());
                self.secrets(secret_mounts);
                let lock = PathBuf::from(format!("{}.pixi.lock", script.display()));
                if self.disk.exists(&lock) {
                    self.file(&lock)?;
                }
            }
            Layer::AptPackages { packages: texts, secret_mounts }
            | Layer::Commands { commands: texts, secret_mounts } => {
                texts.iter().for_each(|text| self.text(text));
                self.secrets(secret_mounts);
            }
            Layer::Env { variables } => {
                let variables: Vec<String> =
                    variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
                self.text(&variables.join(" "));
            }
            Layer::WorkDir { workdir } => self.text(workdir),
            Layer::CopyFile { src, dst } | Layer::CopyFolder { src, dst } => {
                let own = (ignore.is_none() && self.disk.is_folder(src))
                    .then(|| DockerIgnoreFile::read(&src.to_string_lossy(), self.disk));
                self.source(src, ignore.or(own.as_ref()))?;
                self.text(dst);
            }
            Layer::DockerIgnore { path } => {
                let file = path::python_path(path);
                if self.disk.exists(&file) {
                    self.file(&file)?;
                } else {
                    self.text(path);
                }
            }
            Layer::CodeBundle { .. } => return Err(DigestError::CodeBundle),
            Layer::DockerLines { lines } => lines.iter().for_each(|line| self.text(line)),
        }
        Ok(())
    }

    /// The lock and the manifest, or all of the manifest's folder.
    fn project(
        &mut self,
        manifest: &Path,
        lock: Option<&Path>,
        install: ProjectInstall,
        ignore: Option<&DockerIgnoreFile>,
        has_own_ignore: bool,
    ) -> Result<(), DigestError> {
        if install == ProjectInstall::DependenciesOnly {
            lock.map_or(Ok(()), |lock| self.file(lock))?;
            return self.file(manifest);
        }
        let folder = path::parent(&manifest.to_string_lossy());
        let own = has_own_ignore.then(|| DockerIgnoreFile::read(&folder, self.disk));
        self.source(Path::new(&folder), ignore.or(own.as_ref()))
    }

    fn uv_script(
        &mut self,
        file: &Path,
        options: &PipOptions,
        ignore: Option<&DockerIgnoreFile>,
    ) -> Result<(), DigestError> {
        let header = script::uv_header(file, self.disk)
            .map_err(|source| DigestError::Script { path: file.to_path_buf(), source })?;
        self.text(&format!("({},)", header.repr()));
        self.options(options);
        for project in &header.pyprojects {
            let pyproject = PathBuf::from(path::join(&path::normalize(project), "pyproject.toml"));
            self.project(&pyproject, None, ProjectInstall::InstallProject, ignore, true)?;
        }
        Ok(())
    }

    /// A file with its name, or every file below a folder with its path.
    fn source(&mut self, source: &Path, ignore: Option<&DockerIgnoreFile>) -> Result<(), DigestError> {
        let text = source.to_string_lossy();
        if self.disk.is_folder(source) {
            self.folder(&text, "", ignore)
        } else {
            self.entry(&text, path::name(&text), ignore)
        }
    }

    /// The files of a folder sorted by name, then its folders in the order of the file system, as `os.walk` goes.
    fn folder(
        &mut self,
        root: &str,
        below: &str,
        ignore: Option<&DockerIgnoreFile>,
    ) -> Result<(), DigestError> {
        let folder = if below.is_empty() { root.to_owned() } else { path::join(root, below) };
        let inside = |name: &str| if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        // What cannot be listed is empty to `os.walk`.
        let entries = self.disk.list(Path::new(&folder)).unwrap_or_default();
        let mut files: Vec<&str> =
            entries.iter().filter(|entry| !entry.is_folder).map(|entry| entry.name.as_str()).collect();
        files.sort_unstable();
        for name in files {
            self.entry(&path::join(&folder, name), &inside(name), ignore)?;
        }
        for entry in entries.iter().filter(|entry| entry.is_folder && !entry.is_link) {
            let place = path::join(&folder, &entry.name);
            if ignore.is_none_or(|ignore| !ignore.is_ignored(&place)) {
                self.folder(root, &inside(&entry.name), ignore)?;
            }
        }
        Ok(())
    }

    /// A file, if it is there and not left out, and its path without separators.
    fn entry(
        &mut self,
        place: &str,
        relative: &str,
        ignore: Option<&DockerIgnoreFile>,
    ) -> Result<(), DigestError> {
        let file = Path::new(place);
        if !self.disk.exists(file)
            || self.disk.is_socket(file)
            || ignore.is_some_and(|ignore| ignore.is_ignored(&path::normalize(place)))
        {
            return Ok(());
        }
        self.file(file)?;
        self.text(&relative.replace('/', ""));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_the_mapping_is_reached() {
        let base = Image::released_base("3.11", "2.12.1");
        let mut image = Image::from_debian_base(base);
        image.change(crate::image::Changes {
            registry: Some("ghcr.io/myorg".into()),
            name: Some("my-image".into()),
            ..Default::default()
        });
        let packages = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        image.add(Layer::PipPackages {
            packages: packages(["pandas", "numpy"]),
            options: PipOptions::default(),
        });
        image.add(Layer::AptPackages { packages: packages(["curl", "git"]), secret_mounts: Vec::new() });
        image.add(Layer::Env { variables: vec![("MY_VAR".into(), "value".into())] });
        let disk = Disk::new("/".into());
        assert_eq!(uri(&image, &disk).unwrap(), "ghcr.io/myorg/my-image:e10c3885aed635dad53980735dd5ec12");
    }
}
