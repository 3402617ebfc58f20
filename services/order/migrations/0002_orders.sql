-- Orders with their fulfilment sagas, what happened to each on its way, and what each company may do.

create table orders (
    id uuid primary key,
    company_id uuid not null,
    customer_id uuid,
    external_reference text,
    kind text not null check (kind in ('standard', 'express', 'international')),
    status text not null check (status in ('pending', 'backordered', 'confirmed', 'processing', 'picked_up', 'in_transit', 'exception',
        'delivered', 'undeliverable', 'returned_to_sender', 'lost', 'partially_returned', 'returned', 'cancelling', 'cancelled')),
    payment_method text not null check (payment_method in ('prepaid', 'cash_on_delivery', 'credit')),
    payment_status text not null check (payment_status in ('unpaid', 'authorized', 'paid', 'cod_pending', 'on_credit', 'refunded', 'partially_refunded')),
    currency text not null,
    subtotal numeric(19, 4) not null check (subtotal >= 0),
    discount numeric(19, 4) not null check (discount >= 0),
    shipping numeric(19, 4) not null check (shipping >= 0),
    tax numeric(19, 4) not null check (tax >= 0),
    total numeric(19, 4) not null check (total >= 0),
    -- Copies of the moment of placing: what the catalogue says later changes no order.
    lines jsonb not null,
    items jsonb not null,
    parcels jsonb not null,
    consignee jsonb not null,
    sender jsonb not null,
    warehouse_id uuid not null references warehouses (id),
    reservation_id uuid references reservations (id),
    wanted_pickup jsonb,
    notes text,
    stale_standing boolean not null,
    hold_code text,
    hold_reason text,
    interrupted text,
    cancel_reason text,
    placed_at timestamptz not null,
    picked_up_at timestamptz,
    delivered_at timestamptz,
    updated_at timestamptz not null,
    version bigint not null,
    check (total = subtotal - discount + shipping + tax),
    check ((hold_code is null) = (hold_reason is null)),
    check ((interrupted is not null) = (status = 'exception'))
) with (fillfactor = 70);
create unique index orders_external_reference on orders (company_id, external_reference) where external_reference is not null;
create index orders_company on orders (company_id, id);
create index orders_status on orders (company_id, status, id);
create index orders_payment on orders (company_id, payment_status, id);
create index orders_customer on orders (company_id, customer_id, id) where customer_id is not null;
create index orders_placed on orders (company_id, placed_at);
create index orders_on_hold on orders (company_id, id) where hold_code is not null;
create index orders_warehouse on orders (warehouse_id);
create index orders_reservation on orders (reservation_id) where reservation_id is not null;

-- The queue of each product: orders that wait for stock, the oldest first. `is_short`: there is not enough of it anywhere, or
-- an earlier order waits for it. Written under the lock of the product's stock.
create table backorders (
    product_id uuid not null references products (id),
    order_id uuid not null references orders (id),
    is_short boolean not null,
    primary key (product_id, order_id)
);
create index backorders_order on backorders (order_id);

-- The saga of each order: what it waits for, and until when (business time).
create table fulfilments (
    order_id uuid primary key references orders (id),
    step text not null check (step in ('stock', 'payment', 'shipment', 'pickup', 'collection', 'delivery', 'return', 'cancellation', 'closed')),
    shipment text not null check (shipment in ('open', 'asked', 'booked')),
    shipment_attempt integer not null,
    shipment_id uuid,
    carrier text,
    tracking_number text,
    promised_at timestamptz,
    pickup text not null check (pickup in ('open', 'asked', 'booked', 'ending')),
    pickup_attempt integer not null,
    pickup_id uuid,
    window_start timestamptz,
    window_end timestamptz,
    deadline timestamptz,
    deadline_number integer not null,
    check (step <> 'closed' or deadline is null)
) with (fillfactor = 70);
create index fulfilments_deadline on fulfilments (deadline) where deadline is not null;

-- What a person reads: what order, pickup and shipment told, in one list.
create table timeline (
    id uuid primary key,
    order_id uuid not null references orders (id),
    at timestamptz not null,
    source text not null check (source in ('order', 'pickup', 'shipping')),
    code text not null,
    text text not null,
    place text,
    actor text not null
);
create index timeline_order on timeline (order_id, at, id);

-- A projection of Customer's customers: whose they are.
create table customers (
    id uuid primary key,
    company_id uuid not null
);

-- A projection of Customer's companies: the highest version that was heard.
create table standings (
    company_id uuid primary key,
    version bigint not null,
    standing jsonb not null,
    heard_at timestamptz not null
);
