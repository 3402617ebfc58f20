-- Pictures of returned goods: the buyer's, and those of the inspection. The files lie in the file store, under `id`.
create table return_photos (
    id uuid primary key,
    return_id uuid not null references returns,
    company_id uuid not null,
    -- The line of the order that it shows, and the unit, once there is one.
    line integer check (line > 0),
    unit integer check (unit > 0),
    media_type text not null check (media_type in ('image/jpeg', 'image/png', 'image/webp')),
    bytes bigint not null check (bytes > 0),
    sha256 bytea not null,
    added_by text not null,
    created_at timestamptz not null,
    check (unit is null or line is not null)
);
create index return_photos_return on return_photos (return_id, id);
