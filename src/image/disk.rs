//! The one place where images meet the disk: what stands at a path, what a file holds, what a folder lists.
//!
//! ```python
//! image.with_uv_project("pyproject.toml")    # is there a uv.lock beside it?
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The disk, seen from a working directory, with the files that a migration would write as if it had.
#[derive(Debug, Clone)]
pub struct Disk {
    cwd: PathBuf,
    written: Arc<Written>,
}

/// Files that are not as they are on the disk.
#[derive(Debug, Default)]
struct Written {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Those that were asked for.
    read: Mutex<BTreeSet<PathBuf>>,
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
        Self { cwd, written: Arc::default() }
    }

    /// The same disk with other bytes in these files, some of which may not be there yet.
    #[must_use]
    pub fn with_files(self, files: impl IntoIterator<Item = (PathBuf, Vec<u8>)>) -> Self {
        let files = files.into_iter().map(|(path, bytes)| (real_path(&path).unwrap_or(path), bytes));
        let written = Written { files: files.collect(), ..Written::default() };
        Self { written: Arc::new(written), ..self }
    }

    /// What is in the place of a file of the disk, if anything is.
    pub fn written(&self, path: &Path) -> Option<&[u8]> {
        if self.written.files.is_empty() {
            return None;
        }
        let (path, bytes) = self.written.files.get_key_value(&real_path(&self.place(path))?)?;
        self.written.read.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        Some(bytes)
    }

    /// The files that were read and are not as they are on the disk.
    pub fn read_as_written(&self) -> Vec<PathBuf> {
        self.written.read.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
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
        self.place(path).exists() || self.is_new(path)
    }

    /// Whether a file is there.
    pub fn is_file(&self, path: &Path) -> bool {
        self.place(path).is_file() || self.is_new(path)
    }

    /// Whether a file is there that the disk does not have.
    fn is_new(&self, path: &Path) -> bool {
        !self.written.files.is_empty()
            && real_path(&self.place(path)).is_some_and(|path| self.written.files.contains_key(&path))
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
        self.written(path).map_or_else(|| fs::read(self.place(path)), |bytes| Ok(bytes.to_vec()))
    }

    /// The text of a file.
    ///
    /// # Errors
    /// What the system says; also if it is not UTF-8.
    pub fn read_text(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
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
        let mut entries = entries.collect::<io::Result<Vec<Entry>>>()?;
        entries.extend(self.new_names(&place, &entries));
        Ok(entries)
    }

    /// The files in a folder that the disk does not have.
    fn new_names(&self, folder: &Path, entries: &[Entry]) -> Vec<Entry> {
        if self.written.files.is_empty() {
            return Vec::new();
        }
        let Ok(folder) = fs::canonicalize(folder) else { return Vec::new() };
        let inside = self.written.files.keys().filter(|path| path.parent() == Some(&folder));
        let names = inside.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        names
            .filter(|name| entries.iter().all(|entry| entry.name != *name))
            .map(|name| Entry { name, is_folder: false, is_link: false })
            .collect()
    }
}

/// The path without symbolic links and `..`; the file itself need not be there.
fn real_path(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| Some(real_path(path.parent()?)?.join(path.file_name()?)))
}
