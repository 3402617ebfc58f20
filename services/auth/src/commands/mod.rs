//! What can be done here, one verb a file: load and lock, decide, save, record. The edge commits.

mod accept_invitation;
mod change_password;
mod create_administrator;
mod end_sessions;
mod govern;
mod invite_user;
mod issue_service_token;
mod login;
mod mail;
mod memberships;
mod record_access;
mod refresh;
mod register_user;
mod resend_verification;
mod switch_company;
mod tokens;
mod update_user;
mod verify_user;

pub use accept_invitation::accept_invitation;
pub use change_password::{NewPassword, change_password};
pub use create_administrator::create_administrator;
pub use end_sessions::{Which, end_sessions};
pub use govern::{Authority, assign_roles, deactivate_user, reactivate_user, suspend_user};
pub use invite_user::{Invitation, invite_user};
pub use issue_service_token::issue_service_token;
pub use login::{Attempt, account_name, login};
pub use memberships::{add_membership, remove_membership, set_membership, set_standing};
pub use record_access::{Outcome, record_access};
pub use refresh::refresh;
pub use register_user::register_user;
pub use resend_verification::resend_verification;
pub use switch_company::switch_company;
pub use tokens::{Tokens, sign_access};
pub use update_user::{UserChanges, update_user};
pub use verify_user::verify_user;
