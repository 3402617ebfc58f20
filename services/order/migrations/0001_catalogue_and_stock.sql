-- What merchants sell and where it lies: products, warehouses, stock, its ledger, reservations, transfers.

create table products (
    id uuid primary key,
    company_id uuid not null,
    sku text not null,
    name text not null,
    description text,
    category text,
    price numeric(19, 4) not null check (price >= 0),
    currency text not null,
    cost numeric(19, 4) check (cost >= 0),
    cost_currency text,
    weight_grams integer not null check (weight_grams > 0),
    length_mm integer check (length_mm > 0),
    width_mm integer check (width_mm > 0),
    height_mm integer check (height_mm > 0),
    hs_code text,
    country_of_origin text,
    reorder_quantity integer check (reorder_quantity > 0),
    lead_time_days integer check (lead_time_days >= 0),
    -- Made by an import from an unknown SKU; weight and size are assumptions.
    estimated boolean not null,
    status text not null check (status in ('active', 'archived')),
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((cost is null) = (cost_currency is null)),
    check (num_nulls(length_mm, width_mm, height_mm) in (0, 3))
);
create unique index products_sku on products (company_id, lower(sku));
create index products_company on products (company_id, id);

-- One narrow row per product: the alarm of low stock, and the one lock that every change of the
-- product's stock takes first, in the order of the ids.
create table stock_levels (
    product_id uuid primary key references products (id),
    company_id uuid not null,
    reorder_point integer check (reorder_point >= 0),
    is_low boolean not null default false
);
create index stock_levels_low on stock_levels (company_id, product_id) where is_low;

create table warehouses (
    id uuid primary key,
    company_id uuid not null,
    name text not null,
    address jsonb not null,
    contact_phone text,
    is_default boolean not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index warehouses_one_default on warehouses (company_id) where is_default;
create unique index warehouses_name on warehouses (company_id, lower(name));
create index warehouses_company on warehouses (company_id, id);

-- `available` is on_hand − reserved. Both always equal the sums of the ledger's deltas.
create table stock_items (
    id uuid primary key,
    company_id uuid not null,
    product_id uuid not null references products (id),
    warehouse_id uuid not null references warehouses (id),
    batch text,
    expires_on date,
    on_hand bigint not null default 0,
    reserved bigint not null default 0,
    check (0 <= reserved and reserved <= on_hand),
    check (batch is not null or expires_on is null),
    unique nulls not distinct (product_id, warehouse_id, batch)
) with (fillfactor = 80);
create index stock_items_company on stock_items (company_id, id);
create index stock_items_warehouse on stock_items (warehouse_id, id);

-- What is set aside for an order; its quantities are its `reserve` movements.
create table reservations (
    id uuid primary key,
    company_id uuid not null,
    order_id uuid not null,
    warehouse_id uuid not null,
    status text not null check (status in ('active', 'issued', 'released', 'returned')),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index reservations_order on reservations (order_id);

-- Goods on the way between two warehouses; its quantities are its `transfer_out` movements.
create table transfers (
    id uuid primary key,
    company_id uuid not null,
    from_warehouse_id uuid not null references warehouses (id),
    to_warehouse_id uuid not null references warehouses (id),
    status text not null check (status in ('in_transit', 'received')),
    reference text,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (from_warehouse_id <> to_warehouse_id)
);
create index transfers_company on transfers (company_id, id);
create index transfers_from on transfers (from_warehouse_id);
create index transfers_to on transfers (to_warehouse_id);

-- The ledger. A mistake is corrected by another row, never by changing one.
create table stock_movements (
    id uuid primary key,
    company_id uuid not null,
    stock_item_id uuid not null references stock_items (id),
    kind text not null check (kind in ('receipt', 'issue', 'adjustment', 'transfer_out', 'transfer_in', 'reserve', 'release', 'return', 'write_off')),
    on_hand_delta bigint not null,
    reserved_delta bigint not null,
    reservation_id uuid references reservations (id),
    transfer_id uuid references transfers (id),
    reference text,
    reason text,
    unit_cost numeric(19, 4),
    unit_cost_currency text,
    actor text not null,
    occurred_at timestamptz not null,
    check (on_hand_delta <> 0 or reserved_delta <> 0),
    check ((unit_cost is null) = (unit_cost_currency is null))
);
create index stock_movements_company on stock_movements (company_id, id);
create index stock_movements_item on stock_movements (stock_item_id, id);
create index stock_movements_reservation on stock_movements (reservation_id) where reservation_id is not null;
create index stock_movements_transfer on stock_movements (transfer_id) where transfer_id is not null;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of % are never changed or deleted', tg_table_name;
end $$;
create trigger stock_movements_are_final before update or delete on stock_movements
    for each row execute function refuse_change();
