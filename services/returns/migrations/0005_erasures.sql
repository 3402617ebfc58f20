-- Persons whom somebody asked to erase: they wait until none of their returns is under way. Those of whom nothing is left are
-- remembered, so that a delivery that is told late brings nobody back.

create table erasures (
    request_id uuid primary key,
    company_id uuid not null,
    customer_id uuid not null,
    status text not null check (status in ('waiting', 'erased'))
);
create index erasures_customer on erasures (customer_id);
