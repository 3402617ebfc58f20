-- Keys of machines, each acting for one person in one company. Of a secret only a keyed hash is here.

create table api_keys (
    id uuid primary key,
    user_id uuid not null references users (id),
    company_id uuid not null,
    name text not null,
    -- `resource:verb` or `resource:*`; what its owner lost since is taken off when the key is used.
    scopes text[] not null check (cardinality(scopes) > 0),
    -- Ranges in CIDR notation; empty: from anywhere.
    addresses text[] not null,
    secret_mac bytea not null check (octet_length(secret_mac) = 32),
    -- The secret of before a rotation, while both work.
    previous_mac bytea check (octet_length(previous_mac) = 32),
    previous_until timestamptz,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    rotated_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    check ((previous_mac is null) = (previous_until is null))
);
create index api_keys_company on api_keys (company_id, id) where revoked_at is null;
create index api_keys_user on api_keys (user_id) where revoked_at is null;
