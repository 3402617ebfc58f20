-- Who asked that a customer is erased, and how far that has come.

create table privacy_requests (
    id uuid primary key,
    company_id uuid not null,
    customer_id uuid not null references customers (id),
    status text not null check (status in ('waiting', 'erasing', 'completed')),
    -- The request as the service reads it; the other columns are what it is found by.
    state jsonb not null,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index privacy_requests_open on privacy_requests (customer_id) where status <> 'completed';
create index privacy_requests_customer on privacy_requests (customer_id);
create index privacy_requests_company on privacy_requests (company_id, id);

alter table customers add column erased_at timestamptz;
