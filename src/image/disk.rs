//! The one place where images meet the disk: what stands at a path, what a file holds, what a folder lists.
//!
//! ```python
//! image.with_uv_project("pyproject.toml")    # is there a uv.lock beside it?
//! ```

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

/// The disk, seen from a working directory.
#[derive(Debug, Clone)]
pub struct Disk {
    cwd: PathBuf,
}

/// What a folder holds, in the order of the file system.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// Whether it is a folder, also through a symbolic link.
    pub is_folder: bool,
    /// Whether it is a symbolic link.
    pub is_link: bool,
}

impl Disk {
    /// The disk as code that runs in `cwd` sees it.
    pub fn new(cwd: PathBuf) -> Self {
        Self { cwd }
    }

    /// The working directory.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// The place that a path names: relative ones count from the working directory.
    pub fn place(&self, path: &Path) -> PathBuf {
        self.cwd.join(path)
    }

    /// Whether something is there; a link that leads nowhere is not.
    pub fn exists(&self, path: &Path) -> bool {
        self.place(path).exists()
    }

    /// Whether a file is there.
    pub fn is_file(&self, path: &Path) -> bool {
        self.place(path).is_file()
    }

    /// Whether a folder is there.
    pub fn is_folder(&self, path: &Path) -> bool {
        self.place(path).is_dir()
    }

    /// Whether a socket is there.
    #[cfg(unix)]
    pub fn is_socket(&self, path: &Path) -> bool {
        use std::os::unix::fs::FileTypeExt as _;
        fs::metadata(self.place(path)).is_ok_and(|metadata| metadata.file_type().is_socket())
    }

    /// Whether a socket is there; this system has none.
    #[cfg(not(unix))]
    pub fn is_socket(&self, _: &Path) -> bool {
        false
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(self.place(path))
    }

    /// The text of a file.
    ///
    /// # Errors
    /// What the system says; also if it is not UTF-8.
    pub fn read_text(&self, path: &Path) -> io::Result<String> {
        fs::read_to_string(self.place(path))
    }

    /// The path without symbolic links and `..`.
    pub fn resolve(&self, path: &Path) -> Option<PathBuf> {
        fs::canonicalize(self.place(path)).ok()
    }

    /// What a folder holds, in the order of the file system, which is that of `os.walk`.
    ///
    /// # Errors
    /// What the system says.
    pub fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let place = self.place(path);
        let entries = fs::read_dir(&place)?.map(|entry| {
            let entry = entry?;
            let is_link = entry.file_type().is_ok_and(|kind| FileType::is_symlink(&kind));
            let is_folder = if is_link {
                fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir())
            } else {
                entry.file_type().is_ok_and(|kind| kind.is_dir())
            };
            Ok(Entry { name: entry.file_name().to_string_lossy().into_owned(), is_folder, is_link })
        });
        entries.collect()
    }
}
