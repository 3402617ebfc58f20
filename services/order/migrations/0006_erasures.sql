-- Persons whom somebody asked to erase: they wait until none of their orders is under way. Those who are erased are
-- remembered, so that late news of them bring nobody back.

create table erasures (
    request_id uuid primary key,
    company_id uuid not null,
    customer_id uuid not null,
    status text not null check (status in ('waiting', 'erased'))
);
create index erasures_customer on erasures (customer_id);
