-- The tables of shape A: what any shop would have to write to place an order as safely as the platform does.
-- Filled with :products products, each with stock in one warehouse.

create table products (
    id bigint primary key,
    sku text not null unique,
    name text not null,
    price numeric(19, 4) not null check (price >= 0)
);

create table stock (
    product_id bigint not null references products (id),
    warehouse_id integer not null,
    on_hand bigint not null,
    reserved bigint not null default 0,
    primary key (product_id, warehouse_id),
    check (0 <= reserved and reserved <= on_hand)
) with (fillfactor = 80);

create table orders (
    id bigint generated always as identity primary key,
    company_id integer not null,
    status text not null,
    payment_status text not null,
    total numeric(19, 4) not null,
    consignee jsonb not null,
    placed_at timestamptz not null
);
create index orders_company on orders (company_id, id);
create index orders_status on orders (company_id, status, id);
create index orders_placed on orders (company_id, placed_at);

create table order_lines (
    order_id bigint not null references orders (id),
    number integer not null,
    product_id bigint not null references products (id),
    quantity integer not null check (quantity > 0),
    unit_price numeric(19, 4) not null,
    primary key (order_id, number)
);
create index order_lines_product on order_lines (product_id);

create table stream_heads (
    stream bigint primary key,
    version bigint not null,
    hash bytea not null
);

create table journal (
    seq bigint generated always as identity primary key,
    id uuid not null unique default gen_random_uuid(),
    stream bigint not null,
    stream_version bigint not null,
    type text not null,
    data jsonb not null,
    actor text not null,
    company_id integer not null,
    occurred_at timestamptz not null,
    prev_hash bytea not null,
    hash bytea not null,
    unique (stream, stream_version)
);
create index journal_type on journal (type, seq);
create index journal_company on journal (company_id, seq);

create table outbox (
    seq bigint generated always as identity primary key,
    event_id uuid not null unique default gen_random_uuid(),
    stream bigint not null,
    stream_version bigint not null,
    envelope jsonb not null,
    created_at timestamptz not null,
    unique (stream, stream_version)
);

create table idempotency (
    scope text not null,
    key text not null,
    body_hash bytea not null,
    status smallint,
    body jsonb,
    created_at timestamptz not null,
    primary key (scope, key)
) with (fillfactor = 70);

insert into products
select number, 'BENCH-' || number, 'Product ' || number, 45000 from generate_series(1, :products) as number;
insert into stock (product_id, warehouse_id, on_hand)
select number, 1, 1000000 from generate_series(1, :products) as number;
vacuum analyze;
