//! The operating-system user that runs the server. PostgreSQL refuses to run as root.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Gid, Uid, User, chown};

use super::cluster::PGDATA;
use super::error::{EmbeddedPostgresError, Result, io};

#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    uid: Uid,
    gid: Gid,
    /// We are root and become this user; otherwise we are it already.
    switch: bool,
}

impl Account {
    /// The caller, or for root the owner of the existing cluster, or `postgres`.
    pub(super) fn for_folder(data_dir: &Path) -> Result<Self> {
        let owner = fs::metadata(data_dir.join(PGDATA)).ok().map(|folder| Uid::from_raw(folder.uid()));
        let caller = Uid::effective();
        if caller.is_root() {
            let user = match owner.filter(|uid| !uid.is_root()) {
                Some(uid) => User::from_uid(uid),
                None => User::from_name("postgres"),
            };
            let user = user.ok().flatten().ok_or(EmbeddedPostgresError::NoAccount)?;
            return Ok(Self { name: user.name, uid: user.uid, gid: user.gid, switch: true });
        }
        match owner {
            Some(uid) if uid != caller => {
                Err(EmbeddedPostgresError::OtherOwner { data_dir: data_dir.to_owned(), owner: name_of(uid) })
            }
            _ => Ok(Self { name: name_of(caller), uid: caller, gid: Gid::effective(), switch: false }),
        }
    }

    pub(super) fn run_as(&self, command: &mut Command) {
        if self.switch {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
    }

    /// Gives one path to the account.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        if !self.switch {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).map_err(|errno| io("give away", path)(errno.into()))
    }

    /// Makes a folder that nobody else can read.
    pub(super) fn make_private_dir(&self, path: &Path) -> Result<()> {
        if !path.is_dir() {
            fs::create_dir(path).map_err(io("make", path))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io("protect", path))?;
        self.own(path)
    }

    /// A folder below a private home (root's, say) is of no use to another account.
    pub(super) fn check_can_reach(&self, data_dir: &Path) -> Result<()> {
        if !self.switch {
            return Ok(());
        }
        for folder in data_dir.ancestors().skip(1) {
            let metadata = fs::metadata(folder).map_err(io("read", folder))?;
            if !self.may_enter(&metadata) {
                return Err(EmbeddedPostgresError::Unreachable {
                    account: self.name.clone(),
                    folder: folder.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn may_enter(&self, folder: &Metadata) -> bool {
        let bit = if folder.uid() == self.uid.as_raw() {
            0o100
        } else if folder.gid() == self.gid.as_raw() {
            0o010
        } else {
            0o001
        };
        folder.mode() & bit != 0
    }

    pub(super) fn is_owner_of(&self, metadata: &Metadata) -> bool {
        metadata.uid() == self.uid.as_raw()
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
