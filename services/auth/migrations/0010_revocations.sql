-- Access tokens that are over before their time. Every process that checks tokens reads all of it, again and again: what
-- concerns no living token any more is removed.
create table revocations (
    id uuid primary key,
    -- Names a session, a user or a company without saying which.
    digest text not null,
    -- A token id: those that are smaller are revoked. None is for sessions, whose tokens are all over.
    issued_before uuid,
    until timestamptz not null
);
create index revocations_until on revocations (until);
