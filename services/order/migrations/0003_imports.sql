-- Files of orders that merchants bring in, and what became of every row.

create table imports (
    id uuid primary key,
    company_id uuid not null,
    status text not null check (status in ('uploading', 'running', 'done', 'failed')),
    dry_run boolean not null,
    -- Whether an opening receipt covers what is short; otherwise such orders are backordered.
    assume_stock boolean not null,
    bytes bigint not null,
    -- Orders of the file that are finished; a worker that takes over goes on after them.
    processed bigint not null,
    created bigint not null,
    already_there bigint not null,
    rejected bigint not null,
    -- How often each assumption was made.
    assumed jsonb not null,
    failure text,
    created_by text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (processed = created + already_there + rejected)
);
create index imports_company on imports (company_id, id);

-- The file as it came, in pieces, until the import is done.
create table import_parts (
    import_id uuid not null references imports (id) on delete cascade,
    number integer not null check (number >= 0),
    content bytea not null,
    primary key (import_id, number)
);

-- A dry run makes no products: it remembers which it would have made, so that each is counted once.
create table import_estimates (
    import_id uuid not null references imports (id) on delete cascade,
    sku text not null,
    primary key (import_id, sku)
);

create table import_errors (
    id bigint generated always as identity primary key,
    import_id uuid not null references imports (id) on delete cascade,
    line bigint not null,
    field text not null,
    code text not null,
    detail text not null
);
create index import_errors_import on import_errors (import_id, id);
