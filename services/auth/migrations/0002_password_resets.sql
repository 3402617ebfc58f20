-- Links to choose another password. Who asks for an address that nobody has leaves the same row, without a user, so
-- that neither the answer nor the work tells strangers apart from owners.

create table password_resets (
    id uuid primary key,
    user_id uuid references users (id),
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index password_resets_user on password_resets (user_id) where used_at is null;
create index password_resets_expiry on password_resets (expires_at);
