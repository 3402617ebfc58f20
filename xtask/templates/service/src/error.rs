//! The one error of the service, and the one table that tells callers what to do about it.

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Platform(#[from] quenty_platform::Error),
}

quenty_platform::platform_errors!(Error: quenty_kernel::Failure, sqlx::Error);

impl From<Error> for quenty_platform::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Platform(error) => error,
        }
    }
}
