-- Where warehouses stand that have changed since goods were sent from them: what comes back is sent there.
create table warehouses (
    id uuid primary key,
    company_id uuid not null,
    address jsonb not null,
    contact_phone text
);
