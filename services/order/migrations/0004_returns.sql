-- Goods that come back: what was paid and paid back of each order, and the orders that replace returned goods.

alter table orders
    add column paid numeric(19, 4) not null default 0,
    add column refunded numeric(19, 4) not null default 0,
    add constraint orders_refunds_were_paid check (0 <= refunded and refunded <= paid and paid <= total) not valid;

alter table timeline
    drop constraint timeline_source_check,
    add constraint timeline_source_check check (source in ('order', 'pickup', 'shipping', 'returns')) not valid;

-- By which order the goods of a return were replaced, as it was answered: the same return is served once.
create table exchanges (
    company_id uuid not null,
    return_id uuid not null,
    returned_order_id uuid not null references orders (id),
    order_id uuid not null references orders (id),
    total numeric(19, 4) not null,
    -- What of the return's credit the order took.
    paid numeric(19, 4) not null,
    currency text not null,
    placed_at timestamptz not null,
    primary key (company_id, return_id),
    check (0 <= paid and paid <= total)
);
create unique index exchanges_order on exchanges (order_id);
create index exchanges_returned_order on exchanges (returned_order_id);
