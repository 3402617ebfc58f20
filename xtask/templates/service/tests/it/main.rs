//! The service as its callers meet it: real HTTP, a real database, events through the bus.

mod strangers;
