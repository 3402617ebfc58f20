-- Platform roles beside those of the code. Users hold roles by name.

create table custom_roles (
    id uuid primary key,
    name text not null unique,
    about text not null,
    -- `resource:verb` or `resource:*`.
    permissions text[] not null check (cardinality(permissions) > 0),
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
