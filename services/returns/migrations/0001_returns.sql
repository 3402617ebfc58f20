-- What was delivered and may come back, on what terms, every return from the request to the end, and what became of
-- each unit.

-- Orders as Order told their delivery; locked whenever it is decided how much may still come back or be paid back.
create table delivered_orders (
    id uuid primary key,
    company_id uuid not null,
    customer_id uuid,
    external_reference text,
    delivered_at timestamptz not null,
    warehouse_id uuid not null,
    consignee jsonb not null,
    sender jsonb not null,
    currency text not null,
    paid numeric(19, 4) not null check (paid >= 0),
    refunded numeric(19, 4) not null check (refunded >= 0),
    constraint never_refunded_more_than_paid check (refunded <= paid)
);
create index delivered_orders_customer on delivered_orders (company_id, customer_id) where customer_id is not null;
create index delivered_orders_delivered_at on delivered_orders (company_id, delivered_at);

create table delivered_lines (
    order_id uuid not null references delivered_orders,
    line integer not null check (line > 0),
    product_id uuid not null,
    sku text not null,
    name text not null,
    quantity integer not null check (quantity > 0),
    -- What the buyer paid for all of it, and for having it sent.
    goods numeric(19, 4) not null,
    shipping numeric(19, 4) not null,
    item jsonb not null,
    -- Units that are coming back or came back, and those of them whose money is settled.
    claimed integer not null check (claimed >= 0),
    settled integer not null check (settled >= 0),
    primary key (order_id, line),
    constraint never_more_back_than_delivered check (claimed <= quantity),
    check (settled <= quantity)
);
create index delivered_lines_product on delivered_lines (product_id, order_id);

-- What Order and Customer tell that a return needs.
create table products (
    id uuid primary key,
    company_id uuid not null,
    category text
);
create table customers (
    id uuid primary key,
    company_id uuid not null,
    email text,
    language text
);

create table return_policies (
    company_id uuid not null,
    version integer not null check (version > 0),
    terms jsonb not null,
    created_at timestamptz not null,
    primary key (company_id, version)
);

create table returns (
    id uuid primary key,
    company_id uuid not null,
    order_id uuid not null references delivered_orders,
    customer_id uuid,
    status text not null check (status in
        ('requested', 'approved', 'rejected', 'disputed', 'pickup_scheduled', 'label_issued', 'picked_up', 'in_transit', 'received',
         'inspected', 'processed', 'refunded', 'exchanged', 'disposed', 'closed', 'cancelled', 'expired')),
    -- A code that says why a person has to look.
    attention text,
    -- The return as the service reads it; the other columns are what it is found by.
    state jsonb not null,
    -- Opens the buyer's page; never in a log or an event.
    tracking_token text not null unique,
    deadline timestamptz,
    deadline_number integer,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((deadline is null) = (deadline_number is null))
);
create index returns_company on returns (company_id, id);
create index returns_status on returns (company_id, status, id);
create index returns_order on returns (order_id, id);
create index returns_customer on returns (customer_id, id) where customer_id is not null;

-- What was asked for, by line; `received` of it came.
create table return_lines (
    return_id uuid not null references returns,
    line integer not null,
    company_id uuid not null,
    order_id uuid not null,
    product_id uuid not null,
    sku text not null,
    name text not null,
    reason text not null,
    quantity integer not null check (quantity > 0),
    received integer not null check (received >= 0),
    primary key (return_id, line),
    foreign key (order_id, line) references delivered_lines,
    check (received <= quantity)
);
create index return_lines_order on return_lines (order_id, line);
create index return_lines_product on return_lines (company_id, product_id);

-- One row per unit whose fate is decided: exactly one per received unit.
create table dispositions (
    id uuid primary key,
    company_id uuid not null,
    return_id uuid not null references returns,
    line integer not null,
    unit integer not null check (unit > 0),
    product_id uuid not null,
    sku text not null,
    category text,
    kind text not null check (kind in
        ('resell_as_new', 'resell_open_box', 'refurbish', 'parts', 'donate', 'recycle', 'destroy')),
    condition text not null,
    weight_grams bigint not null check (weight_grams > 0),
    currency text not null,
    -- What it was expected to bring, with and without what such units brought before.
    estimated numeric(19, 4) not null,
    uncorrected numeric(19, 4) not null,
    cost numeric(19, 4) not null,
    realised numeric(19, 4),
    partner text,
    reason text,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint dispositions_one_per_unit unique (return_id, line, unit)
);
create index dispositions_company on dispositions (company_id, id);
create index dispositions_product on dispositions (product_id);
-- What corrects the estimates.
create index dispositions_realised on dispositions (company_id, category, kind) where realised is not null;

create table environmental_records (
    return_id uuid primary key references returns,
    company_id uuid not null,
    -- Absent where the buyer's or the warehouse's place is unknown.
    distance_meters bigint,
    weight_grams bigint not null,
    -- Absent where the buyer brought it.
    vehicle text,
    return_leg_g_co2e bigint,
    avoided_g_co2e bigint not null,
    waste_diverted_grams bigint not null,
    factor_set text not null,
    factor_version text not null,
    recorded_at timestamptz not null
);
create index environmental_records_company on environmental_records (company_id, recorded_at);
