-- A company calls a product back: a return is opened for every delivered order that still has some of it.
create table recalls (
    id uuid primary key,
    company_id uuid not null,
    product_id uuid not null,
    -- How each return is to be opened.
    terms jsonb not null,
    delivered_since timestamptz,
    status text not null check (status in ('running', 'done')),
    -- Orders are gone through by id; this is the last one that was looked at.
    last_order uuid,
    opened integer not null check (opened >= 0),
    passed_over integer not null check (passed_over >= 0),
    requested_by text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index recalls_company on recalls (company_id, id);

create table recalled_returns (
    recall_id uuid not null references recalls,
    return_id uuid not null references returns,
    primary key (recall_id, return_id)
);
