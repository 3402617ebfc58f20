//! The data folder of an embedded platform: the database, the secrets, the mails, the files, the simulated
//! time.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind, Read},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use quenty_kernel::hex;
use quenty_platform::checkpoints;
use quenty_servers::files;
use rand::RngCore;
use serde::{Deserialize, Serialize};

use crate::audit_key;

/// A platform's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    secrets: Secrets,
}

impl Folder {
    /// Opens the folder, making it and its secrets when new.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub fn open(path: &Path) -> Result<Self> {
        make_passable(path).with_context(|| format!("cannot make {}", path.display()))?;
        let path = path.canonicalize()?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path.join("mail"))?;
        let secrets = Secrets::open(path.join("secrets.json"))?;
        Ok(Self { path, secrets })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
    pub fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }
    pub fn mail(&self) -> PathBuf {
        self.path.join("mail")
    }
    /// Where a service keeps the files that people send it.
    pub fn files_url(&self, service: &str) -> Result<String> {
        let folder = self.path.join("files").join(service);
        match url::Url::from_directory_path(&folder) {
            Ok(url) => Ok(url.into()),
            Err(()) => bail!("{} has no URL", folder.display()),
        }
    }
    /// What signs the checkpoints of the journals: a file of its own (mode 0600), its public half beside it.
    pub fn audit_key(&self) -> Result<String> {
        let file = audit_key_file(&self.path);
        // Versions that wrote it in place left an empty one when they were killed: it has signed nothing.
        let is_empty = fs::metadata(&file).is_ok_and(|file| file.len() == 0);
        if is_empty && !audit_public_key_file(&self.path).exists() {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
        if !file.exists() {
            let (public, signed) = (audit_public_key_file(&self.path), audit_folder(&self.path));
            let is_empty = fs::read_dir(&signed).map_or(true, |mut entries| entries.next().is_none());
            ensure!(
                !public.exists() && is_empty,
                "{} is gone, by which the journals were signed: restore it, or move {} and {} away, which begins anew with another key",
                file.display(),
                signed.display(),
                public.display()
            );
            audit_key::make(&file)?;
        }
        let key = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let public = checkpoints::public_half(&key);
        let public = public.with_context(|| format!("{} is damaged; restore it", file.display()))?;
        write_private(&audit_public_key_file(&self.path), public.as_bytes())?;
        Ok(key)
    }
    /// The administrator's generated password (mode 0600).
    pub fn admin_password(&self) -> PathBuf {
        self.path.join("admin.password")
    }
    /// Where the databases of the running platform are, with passwords (mode 0600).
    pub fn databases(&self) -> PathBuf {
        databases_file(&self.path)
    }
    /// Tells where the running platform answers, as long as the announcement is held.
    pub fn announce(&self, url: &str) -> Result<Announcement> {
        let path = gateway_file(&self.path);
        write_private(&path, url.as_bytes())?;
        let file = fs::File::open(&path)?;
        // The kernel lets go of it however this process ends: what a killed platform has left behind tells nothing.
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Announcement { path, _file: file })
    }
    /// Marks a folder that has lived on the wall clock.
    pub fn lived(&self) -> PathBuf {
        self.path.join("lived")
    }
    /// Where RabbitMQ keeps what is sent by many processes.
    pub fn rabbit(&self) -> PathBuf {
        self.path.join("rabbitmq")
    }

    /// Is there while RabbitMQ is known to hold nothing: from an end that finds its queues empty to the next start in many
    /// processes.
    pub fn rabbit_is_empty(&self) -> PathBuf {
        self.rabbit().join("empty")
    }
    /// Marks the folder as a simulation and keeps its time.
    pub fn simulated_time(&self) -> PathBuf {
        simulated_time_file(&self.path)
    }
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

/// Makes a folder, and those above it that are missing, whatever the umask is: nobody else writes there, and others may pass
/// through, since PostgreSQL and nginx's workers run as users of their own below it when started as root.
pub(super) fn make_passable(path: &Path) -> io::Result<()> {
    let folders: Vec<&Path> = path.ancestors().filter(|folder| !folder.as_os_str().is_empty()).collect();
    for folder in folders.into_iter().rev() {
        match fs::DirBuilder::new().mode(0o711).create(folder) {
            Ok(()) => fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?,
            Err(_) if folder.is_dir() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The file that tells where the databases of a platform's folder are.
pub fn databases_file(folder: &Path) -> PathBuf {
    folder.join("databases.json")
}

/// Where the signed checkpoints of a platform's folder are.
pub fn audit_folder(folder: &Path) -> PathBuf {
    folder.join("audit")
}

fn audit_key_file(folder: &Path) -> PathBuf {
    folder.join("audit.key")
}

/// By whose key they are believed.
pub fn audit_public_key_file(folder: &Path) -> PathBuf {
    folder.join("audit.pub")
}

/// Whether a platform's folder has neither a key nor checkpoints: none were ever signed there.
pub fn was_never_signed(folder: &Path) -> bool {
    let signs = [audit_folder(folder), audit_key_file(folder), audit_public_key_file(folder)];
    signs.iter().all(|path| !path.exists())
}

/// The file that keeps the time of a simulation.
pub(super) fn simulated_time_file(folder: &Path) -> PathBuf {
    folder.join("simulated-time")
}

/// The file that tells which process of a distributed platform is which.
pub fn processes_file(folder: &Path) -> PathBuf {
    folder.join("processes.json")
}

/// The file that tells where the servers of a distributed platform are, with passwords (mode 0600).
pub fn servers_file(folder: &Path) -> PathBuf {
    folder.join("servers.json")
}

fn gateway_file(folder: &Path) -> PathBuf {
    folder.join("gateway.url")
}

/// What tells others where this platform answers.
#[derive(Debug)]
pub struct Announcement {
    path: PathBuf,
    _file: fs::File,
}

impl Drop for Announcement {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

/// Where the platform of a folder answers, if it runs; another one may have its port by now if it does not.
///
/// # Errors
/// When that is for another user to know.
pub fn running_at(folder: &Path) -> Result<Option<String>> {
    let path = gateway_file(folder);
    let mut file = match fs::File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(|| {
            format!("cannot read {}: only the user whose platform it is can", path.display())
        })?,
    };
    if !matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)) {
        return Ok(None);
    }
    let mut url = String::new();
    file.read_to_string(&mut url).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Some(url.trim().to_owned()))
}

/// Passwords of one database's two roles.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Passwords {
    pub owner: String,
    pub app: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    databases: BTreeMap<String, Passwords>,
    clients: BTreeMap<String, String>,
    keys: BTreeMap<String, String>,
}

/// What the platform generated for itself, in one file that only its user can read.
#[derive(Clone)]
pub struct Secrets {
    path: PathBuf,
    kept: Arc<Mutex<Kept>>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.path.display())
    }
}

impl Secrets {
    fn open(path: PathBuf) -> Result<Self> {
        let kept = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!("{} is damaged; restore it, or start on a new folder", path.display())
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Self::begin(&path)?,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        Ok(Self { path, kept: Arc::new(Mutex::new(kept)) })
    }

    /// New ones open no database that others were made for, and decipher nothing in it.
    fn begin(path: &Path) -> Result<Kept> {
        let cluster = path.with_file_name("postgres").join("cluster");
        ensure!(
            !cluster.exists(),
            "{} is gone, and {} was made with it: restore it, or start on a new folder",
            path.display(),
            cluster.display()
        );
        let none = Kept::default();
        write_private(path, &serde_json::to_vec_pretty(&none)?)?;
        Ok(none)
    }

    pub fn database(&self, name: &str) -> Result<Passwords> {
        self.get_or_make(
            |kept| &mut kept.databases,
            name,
            || Passwords { owner: random_text(), app: random_text() },
        )
    }

    pub fn client(&self, service: &str) -> Result<String> {
        self.get_or_make(|kept| &mut kept.clients, service, random_text)
    }

    /// 32 random bytes in base64.
    pub fn key(&self, name: &str) -> Result<String> {
        self.get_or_make(
            |kept| &mut kept.keys,
            name,
            || {
                let mut bytes = [0_u8; 32];
                rand::rng().fill_bytes(&mut bytes);
                STANDARD.encode(bytes)
            },
        )
    }

    fn get_or_make<T: Clone>(
        &self,
        part: impl Fn(&mut Kept) -> &mut BTreeMap<String, T>,
        name: &str,
        make: impl FnOnce() -> T,
    ) -> Result<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = part(&mut kept).get(name) {
            return Ok(known.clone());
        }
        let made = make();
        part(&mut kept).insert(name.to_owned(), made.clone());
        write_private(&self.path, &serde_json::to_vec_pretty(&*kept)?)?;
        Ok(made)
    }
}

/// URL-safe, so that it can stand in a connection string.
fn random_text() -> String {
    let mut bytes = [0_u8; 24];
    rand::rng().fill_bytes(&mut bytes);
    hex(bytes)
}

/// Writes a file that only its user can read, whole or not at all.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    files::replace(path, content, 0o600).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use nix::sys::stat::{Mode, umask};

    use super::*;

    #[test]
    fn others_may_pass_through_a_new_folder_and_write_nothing_whatever_the_umask_is() {
        let scratch = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for mask in [Mode::S_IRWXG | Mode::S_IRWXO, Mode::empty()] {
            let folder = scratch.path().join(format!("{:o}/data", mask.bits()));
            let before = umask(mask);
            let made = make_passable(&folder);
            umask(before);
            made.unwrap();
            assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o711, 0o711), "{mask:?}");
        }
        // Whose it was before decides for themselves.
        let own = scratch.path().join("own");
        fs::DirBuilder::new().mode(0o700).create(&own).unwrap();
        make_passable(&own.join("new/../data")).unwrap();
        assert_eq!((mode(&own), mode(&own.join("data"))), (0o700, 0o711));
    }

    #[test]
    fn only_a_platform_that_lives_is_found() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::open(scratch.path()).unwrap();
        let running_at = |folder: &Path| running_at(folder).unwrap();
        assert_eq!(running_at(scratch.path()), None);
        let announced = folder.announce("http://127.0.0.1:8000").unwrap();
        assert_eq!(running_at(scratch.path()).as_deref(), Some("http://127.0.0.1:8000"));
        drop(announced);
        assert_eq!(running_at(scratch.path()), None);
        fs::write(gateway_file(scratch.path()), "http://127.0.0.1:8000").unwrap();
        assert_eq!(running_at(scratch.path()), None, "left behind by a killed one");
    }

    #[test]
    fn a_folder_that_cannot_be_looked_into_is_not_taken_for_one_whose_platform_does_not_run() {
        let scratch = tempfile::tempdir().unwrap();
        let file = gateway_file(scratch.path());
        fs::write(&file, "http://127.0.0.1:8000").unwrap();
        assert!(running_at(&file).is_err(), "no folder at all");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
        // The superuser can.
        if fs::File::open(&file).is_err() {
            assert!(running_at(scratch.path()).unwrap_err().to_string().contains("gateway.url"));
        }
    }

    #[test]
    fn who_has_lost_the_secrets_gets_no_new_ones_unasked() {
        let scratch = tempfile::tempdir().unwrap();
        drop(Folder::open(scratch.path()).unwrap());
        fs::create_dir_all(scratch.path().join("postgres/cluster")).unwrap();
        drop(Folder::open(scratch.path()).unwrap());
        fs::remove_file(scratch.path().join("secrets.json")).unwrap();
        assert!(Folder::open(scratch.path()).unwrap_err().to_string().contains("secrets.json is gone"));
        assert!(!scratch.path().join("secrets.json").exists());
    }

    #[test]
    fn who_has_lost_the_audit_key_gets_no_new_one_unasked() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::open(scratch.path()).unwrap();
        folder.audit_key().unwrap();
        let public = audit_public_key_file(folder.path());
        let of_before = fs::read(&public).unwrap();
        fs::remove_file(audit_key_file(folder.path())).unwrap();
        assert!(folder.audit_key().unwrap_err().to_string().contains("audit.key"));
        assert_eq!(fs::read(&public).unwrap(), of_before);

        fs::remove_file(&public).unwrap();
        fs::create_dir(audit_folder(folder.path())).unwrap();
        let signed = audit_folder(folder.path()).join("order.checkpoints");
        fs::write(&signed, "signed").unwrap();
        assert!(folder.audit_key().is_err(), "there is what it has signed");
        fs::remove_file(signed).unwrap();
        folder.audit_key().unwrap();
    }

    #[test]
    fn an_audit_key_that_was_left_unfinished_is_made_and_one_that_has_signed_is_never_replaced() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::open(scratch.path()).unwrap();
        let (key, public) = (audit_key_file(folder.path()), audit_public_key_file(folder.path()));
        fs::write(folder.path().join("audit.key.next"), "hal").unwrap();
        fs::write(&key, "").unwrap();
        let made = folder.audit_key().unwrap();
        assert_eq!(folder.audit_key().unwrap(), made);
        assert_eq!(checkpoints::public_half(&made), fs::read_to_string(&public).ok());

        fs::write(&key, "").unwrap();
        assert!(folder.audit_key().unwrap_err().to_string().contains("is damaged"));
    }

    #[test]
    fn files_stay_in_the_folder_whatever_its_name_holds() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::open(&scratch.path().join("50% of?all #1")).unwrap();
        let url: url::Url = folder.files_url("returns").unwrap().parse().unwrap();
        assert_eq!(url.to_file_path().unwrap(), folder.path().join("files/returns"));
    }
}
