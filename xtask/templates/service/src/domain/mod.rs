//! The rules of {Name}: pure and synchronous.
