//! The rules of Returns: pure and synchronous.
