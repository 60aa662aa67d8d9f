//! Writes a file so that it is either the one it was or the new one, never half of each.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Replaces the content of the file at `path` by `bytes`, or creates it.
///
/// The bytes go to a temporary file beside it, reach the disk, and take the place of the file in one step. The mode
/// is kept, and the owner where the system lets us. A symbolic link stays one: the file that it points to is
/// written. A hard link is cut, as every atomic write does.
///
/// # Errors
/// Any error of the file system; a file that is read-only, or is no ordinary file, is refused. The file is as it was
/// then, and nothing else is left behind.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = resolve(path)?;
    let metadata = match fs::metadata(&target) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(metadata) = &metadata {
        refuse_unwritable(&target, metadata)?;
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut temporary = temporary_file(folder)?;
    temporary.write_all(bytes)?;
    if let Some(metadata) = &metadata {
        keep_owner(temporary.path(), metadata);
        // After the owner: a change of owner clears bits of the mode.
        temporary.as_file().set_permissions(metadata.permissions())?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(&target).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}

/// Creates a file at `path`, and the folder it lies in.
///
/// # Errors
/// Any error of the file system; a file or anything else that is there already is left as it is.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut temporary = temporary_file(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}

/// The file behind a symbolic link; for a file that does not exist yet, its place.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        // A link that leads nowhere must not be replaced by a file.
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => std::path::absolute(path),
        result => result,
    }
}

/// Refuses what a write in place would not be allowed to change: replacing a file asks only for the folder's mode.
fn refuse_unwritable(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not an ordinary file"));
    }
    if metadata.permissions().readonly() {
        return Err(read_only());
    }
    match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(read_only()),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

fn read_only() -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, "the file is read-only; make it writable and run again")
}

/// A new file in `folder`, with the mode that any new file gets, removed again when dropped.
fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".flyte-migrate-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Gives the new file the owner and group of the one it replaces. Only root may give files away, and others only to
/// their own groups; whoever may not keeps the file as theirs, as with an editor that saves by renaming.
#[cfg(unix)]
fn keep_owner(path: &Path, metadata: &Metadata) {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let _ = chown(path, None, Some(metadata.gid()));
    let _ = chown(path, Some(metadata.uid()), None);
}

#[cfg(not(unix))]
fn keep_owner(_path: &Path, _metadata: &Metadata) {}

/// Makes the renaming itself last. Not every system can; the content is safe by then either way.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in a folder, to see that nothing is left behind.
    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_content_is_replaced_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        fs::write(&path, "before, and longer").unwrap();
        write_atomically(&path, b"after\r\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"after\r\n");
        assert_eq!(names(folder.path()), ["a.py"]);
    }

    #[test]
    fn a_new_file_is_created() {
        let folder = tempfile::tempdir().unwrap();
        write_atomically(&folder.path().join("new.py"), b"x").unwrap();
        assert_eq!(names(folder.path()), ["new.py"]);
    }

    #[test]
    fn what_is_created_takes_nothing_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/pixi.toml");
        create(&path, b"first").unwrap();
        assert_eq!(create(&path, b"second").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(&folder.path().join("new")), ["pixi.toml"]);
    }

    #[test]
    fn a_file_in_a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_atomically(&folder.path().join("no/new.py"), b"x").is_err());
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomically(folder.path(), b"x").unwrap_err();
        assert_eq!(error.to_string(), "it is not an ordinary file");
    }

    #[test]
    fn a_read_only_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        fs::write(&path, "before").unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        let error = write_atomically(&path, b"after").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert_eq!(error.to_string(), "the file is read-only; make it writable and run again");
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert_eq!(names(folder.path()), ["a.py"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_is_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        for mode in [0o755, 0o640, 0o600, 0o666] {
            fs::write(&path, "before").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            write_atomically(&path, b"after").unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_owner_is_kept_where_we_may() {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        fs::write(&path, "before").unwrap();
        // Only root can give a file away, so only root can see the difference.
        let is_root = chown(&path, Some(12345), Some(23456)).is_ok();
        let before = fs::metadata(&path).unwrap();
        write_atomically(&path, b"after").unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()), "root: {is_root}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_written_through() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let target = elsewhere.path().join("real.py");
        fs::write(&target, "before").unwrap();
        let link = folder.path().join("link.py");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_atomically(&link, b"after").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"after");
    }

    #[cfg(unix)]
    #[test]
    fn a_broken_link_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link.py");
        std::os::unix::fs::symlink("nowhere.py", &link).unwrap();
        assert!(write_atomically(&link, b"x").is_err());
        assert!(link.is_symlink());
        assert_eq!(names(folder.path()), ["link.py"]);
    }
}
