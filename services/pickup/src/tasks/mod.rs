//! What happens at a moment of business time.

mod express_guarantee;

use quenty_platform::service::TaskKind;

use crate::commands::create_pickup::EXPRESS_GUARANTEE;

pub(crate) fn kinds() -> Vec<TaskKind> {
    vec![TaskKind::new(EXPRESS_GUARANTEE, express_guarantee::express_guarantee)]
}
