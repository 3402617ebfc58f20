use quenty_contracts::customer::ProfileCreated;
use quenty_platform::Tx;

use crate::{Error, domain::profile::Profile, store};

/// A repeat finds the profile there and leaves it.
pub(crate) async fn create_profile(tx: &mut Tx, person: ProfileCreated) -> Result<(), Error> {
    store::user_invitations::settle(tx.conn(), &person.email).await?;
    let (profile, created) = Profile::create(person, tx.now());
    if store::profiles::insert(tx.conn(), &profile).await? {
        tx.record(profile.user_id(), None, &created)?;
    }
    Ok(())
}
