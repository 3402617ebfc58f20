//! Simulated business time: it moves only here, stops at every due moment, and waits until the platform has
//! come to rest before it moves on (design/architecture.md, "Time").

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use quenty_kernel::{Clock, clock::wall_now};
use quenty_platform::{
    App,
    operate::{self, Activity},
};
use tokio::sync::Mutex;

use super::folder::{Folder, simulated_time_file, write_private};
use crate::output::quoted;

/// What the folder holds once simulated time has caught up: from then on it is the wall clock's.
const PRESENT: &str = "present";
const POLL: Duration = Duration::from_millis(3);

/// Refuses to make a simulation of a folder that has lived: its facts would lie in the simulation's future.
pub(super) fn check(folder: &Folder, from: Option<Timestamp>) -> Result<()> {
    let path = folder.path().display();
    ensure!(
        from.is_none() || folder.simulated_time().exists() || !folder.lived().exists(),
        "{path} has lived on the wall clock, so it cannot become a simulation: name another folder (--data {}, `make run DATA=…`), \
         or start this one as it is with `quenty up --data {}`",
        quoted(format!("{path}-simulated")),
        quoted(&path)
    );
    Ok(())
}

/// Opens the folder's clock. A folder is a simulation from its first start, or never; see [`check`].
pub(super) fn open(folder: &Folder, from: Option<Timestamp>) -> Result<Clock> {
    let marker = folder.simulated_time();
    match (std::fs::read_to_string(&marker).ok(), from) {
        (Some(text), _) if text.trim() == PRESENT => Ok(Clock::wall()),
        (Some(text), _) => Ok(Clock::simulated(
            text.trim().parse().with_context(|| format!("{} holds no time", marker.display()))?,
        )),
        (None, Some(start)) => {
            write_private(&marker, start.to_string().as_bytes())?;
            Ok(Clock::simulated(start))
        }
        (None, None) => {
            mark_as_lived(folder)?;
            Ok(Clock::wall())
        }
    }
}

/// For a folder that is no simulation, once its platform starts.
pub fn mark_as_lived(folder: &Folder) -> Result<()> {
    write_private(&folder.lived(), b"business time is the wall clock's here\n")
}

/// What the business clock of a platform's folder shows: of a simulation, what was kept of it last.
pub fn business_time(folder: &Path) -> Timestamp {
    let kept = std::fs::read_to_string(simulated_time_file(folder)).unwrap_or_default();
    kept.trim().parse().unwrap_or_else(|_| wall_now())
}

/// For platforms of several processes, which have no clock that could be moved for all of them.
///
/// # Errors
/// When the folder is a simulation that has not reached the present.
pub fn refuse_simulation(folder: &Folder) -> Result<()> {
    // Only looks: whoever cannot start here must not have marked it as lived.
    let kept = std::fs::read_to_string(folder.simulated_time());
    ensure!(
        kept.map_or(true, |time| time.trim() == PRESENT),
        "{} is a simulation, whose time only one process can move: name another folder",
        folder.path().display()
    );
    Ok(())
}

/// The operator's hand on a simulated clock.
#[derive(Clone)]
pub struct Simulation {
    clock: Clock,
    apps: Arc<Vec<App>>,
    folder: Folder,
    /// Only one hand moves it at a time.
    moving: Arc<Mutex<()>>,
}

impl Simulation {
    pub(super) fn new(clock: Clock, apps: Vec<App>, folder: Folder) -> Self {
        Self { clock, apps: Arc::new(apps), folder, moving: Arc::default() }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn stands_still(&self) -> bool {
        self.clock.stands_still()
    }

    /// Moves to `to`, stopping at every due moment on the way; returns the time reached.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn advance_to(&self, to: Timestamp) -> Result<Timestamp> {
        let _moving = self.moving.lock().await;
        while self.clock.stands_still() {
            self.settle().await?;
            let stop = self.next_due().await?.filter(|due| *due < to).unwrap_or(to);
            if stop > self.clock.now() {
                self.move_to(stop)?;
                self.apps.iter().for_each(App::time_moved);
            }
            if stop == to {
                break;
            }
        }
        self.settle().await?;
        Ok(self.clock.now())
    }

    /// Keeps the time before anything can happen at it: whoever is killed in between goes on from there, and never from
    /// before that.
    fn move_to(&self, to: Timestamp) -> Result<()> {
        // Decided once. Who has come to the present stays there, however far that is from now.
        let (kept, to) =
            if to >= wall_now() { (PRESENT.to_owned(), Timestamp::MAX) } else { (to.to_string(), to) };
        write_private(&self.folder.simulated_time(), kept.as_bytes())?;
        self.clock.advance_to(to);
        Ok(())
    }

    /// Waits until nothing is under way in any service.
    pub async fn settle(&self) -> Result<()> {
        let mut before: Option<Vec<Activity>> = None;
        loop {
            let mut now = Vec::new();
            for app in self.apps.iter() {
                now.push(operate::activity(app.db(), self.clock.now()).await?);
            }
            // Services are asked one after the other: only two equal rounds mean that nothing moved between them.
            if now.iter().all(|activity| activity.backlog.at_rest()) && before.as_ref() == Some(&now) {
                return Ok(());
            }
            before = Some(now);
            tokio::time::sleep(POLL).await;
        }
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        let mut next: Option<Timestamp> = None;
        for app in self.apps.iter() {
            let due = operate::next_due(app.db()).await?;
            next = match (next, due) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_not_lived_before_its_platform_starts() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::open(scratch.path()).unwrap();
        refuse_simulation(&folder).unwrap();
        check(&folder, Some(wall_now())).unwrap();
        mark_as_lived(&folder).unwrap();
        assert!(check(&folder, Some(wall_now())).is_err());

        std::fs::write(folder.simulated_time(), "2026-01-05T12:00:00Z").unwrap();
        assert!(refuse_simulation(&folder).is_err());
        std::fs::write(folder.simulated_time(), PRESENT).unwrap();
        refuse_simulation(&folder).unwrap();
    }

    #[tokio::test]
    async fn time_is_kept_before_it_moves() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::open(scratch.path()).unwrap();
        let [start, later] = ["2026-01-05T12:00:00Z", "2026-01-05T13:00:00Z"].map(|at| at.parse().unwrap());
        let simulation = Simulation::new(Clock::simulated(start), Vec::new(), folder.clone());
        let kept = folder.simulated_time();

        std::fs::create_dir(&kept).unwrap();
        assert!(simulation.advance_to(later).await.is_err(), "it cannot be kept");
        assert_eq!(simulation.now(), start);
        std::fs::remove_dir(&kept).unwrap();

        assert_eq!(simulation.advance_to(later).await.unwrap(), later);
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), later.to_string());
        simulation.advance_to(Timestamp::MAX).await.unwrap();
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), PRESENT);
        assert!(!simulation.stands_still());
    }
}
