//! Files in a folder of this machine. The store itself asks for no modes, and the umask is not ours to trust:
//! folders are made for their owner only before a file comes, so that nobody can look at one that is on its way.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    sync::Arc,
};

use object_store::{ObjectStore, local::LocalFileSystem, path::Path};
use url::Url;

#[derive(Debug, Clone)]
pub(crate) struct Folder(LocalFileSystem);

impl Folder {
    /// Opens the folder that a `file:` URL names, making it when it is new.
    pub(crate) fn open(url: &Url) -> Result<Self, String> {
        let path = url.to_file_path().map_err(|()| "names no folder of this machine")?;
        let opened = open_to_owner(&path)
            .map_err(|e| e.to_string())
            .and_then(|()| LocalFileSystem::new_with_prefix(&path).map_err(|e| e.to_string()));
        // A row that names a file is only committed when the file is on the disk.
        opened.map(|store| Self(store.with_fsync(true))).map_err(|why| format!("{}: {why}", path.display()))
    }

    pub(crate) fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.0.clone())
    }

    /// Makes the folder of a file that is about to come.
    pub(crate) async fn make_way(&self, path: &Path) -> io::Result<()> {
        let file = self.0.path_to_filesystem(path)?;
        blocking(move || file.parent().map_or(Ok(()), open_to_owner)).await
    }

    /// Leaves a file that has come to its owner only.
    pub(crate) async fn close_to_others(&self, path: &Path) -> io::Result<()> {
        let file = self.0.path_to_filesystem(path)?;
        blocking(move || fs::set_permissions(file, Permissions::from_mode(0o600))).await
    }
}

fn open_to_owner(folder: &std::path::Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    tokio::task::spawn_blocking(work).await?
}
