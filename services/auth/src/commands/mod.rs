//! What can be done here, one verb a file: load and lock, decide, save, record. The edge commits.

mod create_administrator;
mod issue_service_token;
mod login;
mod record_access;
mod tokens;

pub use create_administrator::create_administrator;
pub use issue_service_token::issue_service_token;
pub use login::{Attempt, account_name, login};
pub use record_access::{Outcome, record_access};
pub use tokens::{Tokens, sign_access};
