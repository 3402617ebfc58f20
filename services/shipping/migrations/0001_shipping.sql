-- Shipments, their tracking and manifests; the tariff they are priced by; and what Shipping remembers of
-- companies and orders, which other services own.

create table zones (
    number smallint primary key check (number between 1 and 4),
    name text not null
);

create table countries (
    code text primary key check (code ~ '^[A-Z]{2}$'),
    name text not null,
    name_es text not null,
    currency text,
    zone smallint not null references zones (number)
);
create index countries_zone on countries (zone);

create table import_limits (
    country text not null references countries (code),
    valid_from date not null,
    valid_until date,
    max_value numeric(19, 4),
    max_value_currency text,
    max_weight_grams bigint,
    de_minimis numeric(19, 4),
    de_minimis_currency text,
    source text not null,
    primary key (country, valid_from),
    check ((max_value is null) = (max_value_currency is null)),
    check ((de_minimis is null) = (de_minimis_currency is null))
);

create table prohibited_goods (
    hs_prefix text primary key check (hs_prefix ~ '^[0-9]{2,10}$'),
    reason text not null,
    source text not null
);

-- A card prices what leaves one country, or, without one, any country that has no card of its own.
create table rate_cards (
    id text primary key,
    carrier text not null,
    origin text references countries (code),
    currency text not null,
    valid_from date not null,
    valid_until date check (valid_until >= valid_from),
    -- cubic centimetres that count as a kilogram
    volumetric_divisor bigint not null check (volumetric_divisor > 0),
    fuel_bps integer not null check (fuel_bps between 0 and 100000),
    insurance_bps integer not null check (insurance_bps between 0 and 100000),
    max_parcel_grams integer not null check (max_parcel_grams > 0),
    -- in the card's currency
    max_declared_value numeric(19, 4) not null check (max_declared_value > 0),
    unique nulls not distinct (carrier, origin, valid_from)
);
create index rate_cards_origin on rate_cards (origin);

-- What a weight above `above_grams` costs: the base, and `step` for every started 500 g above it.
-- Zone 0 is the home country.
create table rate_card_breaks (
    card text not null references rate_cards (id),
    zone smallint not null check (zone between 0 and 4),
    service text not null check (service in ('standard', 'express')),
    above_grams bigint not null check (above_grams >= 0),
    base numeric(19, 4) not null check (base >= 0),
    step numeric(19, 4) not null check (step >= 0),
    primary key (card, zone, service, above_grams)
);

create table transit_days (
    carrier text not null,
    zone smallint not null check (zone between 0 and 4),
    service text not null check (service in ('standard', 'express')),
    business_days smallint not null check (business_days between 0 and 60),
    primary key (carrier, zone, service)
);

-- Kept from Customer's events; the highest version wins.
create table standings (
    company_id uuid primary key,
    version bigint not null,
    may_order boolean not null,
    may_ship_internationally boolean not null,
    trade_name text not null
);

-- Orders that were cancelled: what is booked for one afterwards is voided.
create table cancelled_orders (
    order_id uuid primary key,
    cancelled_at timestamptz not null
);

create sequence tracking_serial minvalue 1 maxvalue 9999999999;

create table shipments (
    id uuid primary key,
    company_id uuid not null,
    order_id uuid,
    attempt bigint not null check (attempt >= 0),
    reference text,
    carrier text not null,
    service text not null check (service in ('standard', 'express')),
    international boolean not null,
    sender jsonb not null,
    consignee jsonb not null,
    parcels jsonb not null,
    items jsonb not null,
    declared_amount numeric(19, 4) not null check (declared_amount >= 0),
    declared_currency text not null,
    cash_amount numeric(19, 4) check (cash_amount > 0),
    cash_currency text,
    incoterm text check (incoterm in ('DAP', 'DDP')),
    status text not null check (status in ('draft', 'booking', 'rejected', 'booked', 'voided', 'picked_up', 'in_transit',
        'customs_hold', 'out_for_delivery', 'exception', 'delivered', 'undeliverable', 'returned', 'lost')),
    offer jsonb,
    tracking_number text unique,
    promised_at timestamptz,
    -- Where an exception leads back to.
    resumes_at text,
    failed_deliveries bigint not null check (failed_deliveries between 0 and 3),
    -- The newest moment that any scan reported.
    last_event_at timestamptz,
    picked_up_at timestamptz,
    delivered_at timestamptz,
    received_by text,
    proof text check (proof in ('name', 'signature', 'photo')),
    cash_collected boolean not null,
    ended_code text,
    ended_reason text,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((cash_amount is null) = (cash_currency is null)),
    check (status not in ('draft', 'booking', 'rejected') or tracking_number is null),
    check (status in ('draft', 'booking', 'rejected', 'voided') or (tracking_number is not null and offer is not null)),
    check ((status = 'exception') = (resumes_at is not null)),
    check (status <> 'delivered' or (proof is not null and delivered_at is not null and cash_collected = (cash_amount is not null)))
);
-- An order's request is answered by one shipment.
create unique index shipments_request on shipments (order_id, attempt) where order_id is not null;
create index shipments_company on shipments (company_id, id);
create index shipments_status on shipments (company_id, status, id);

-- What happened to a parcel on its way. `position` orders a shipment's rows as they were written, under its lock.
create table tracking_events (
    position bigint generated always as identity primary key,
    shipment_id uuid not null references shipments (id),
    -- The reporter's own id: the same report twice is one row.
    event_id uuid not null,
    kind text not null,
    -- The one unified status.
    status text not null check (status in ('pending', 'picked_up', 'in_transit', 'out_for_delivery', 'on_hold', 'ready_for_pickup',
        'delivery_delayed', 'delivery_failed', 'return_to_sender', 'delivered', 'cancelled', 'lost')),
    occurred_at timestamptz not null,
    place text,
    detail text,
    recorded_at timestamptz not null,
    unique (shipment_id, event_id)
);
create index tracking_events_shipment on tracking_events (shipment_id, position);

create table manifests (
    id uuid primary key,
    company_id uuid not null,
    carrier text not null,
    origin text not null references countries (code),
    date date not null,
    reference text,
    status text not null check (status in ('draft', 'submitted', 'approved', 'rejected', 'shipped', 'delivered', 'cancelled')),
    shipment_count bigint not null check (shipment_count >= 0),
    weight_grams bigint not null check (weight_grams >= 0),
    submitted_by text,
    rejected_reason text,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index manifests_company on manifests (company_id, id);
create index manifests_status on manifests (company_id, status, id);

-- A shipment travels on one manifest: the primary key says so.
create table manifest_items (
    shipment_id uuid primary key references shipments (id),
    manifest_id uuid not null references manifests (id),
    weight_grams bigint not null check (weight_grams > 0),
    added_at timestamptz not null
);
create index manifest_items_manifest on manifest_items (manifest_id, shipment_id);

-- The totals of a manifest are those of its shipments, whenever a transaction commits.
create function check_manifest_totals() returns trigger language plpgsql as $$
declare
    manifest uuid;
    differs boolean;
begin
    if tg_table_name = 'manifests' then manifest := new.id;
    elsif tg_op = 'DELETE' then manifest := old.manifest_id;
    else manifest := new.manifest_id;
    end if;
    select m.shipment_count <> count(i.shipment_id) or m.weight_grams <> coalesce(sum(i.weight_grams), 0)
      into differs
      from manifests m left join manifest_items i on i.manifest_id = m.id
     where m.id = manifest group by m.id;
    if differs then
        raise exception 'the totals of manifest % differ from its shipments', manifest using errcode = 'check_violation', constraint = 'manifest_totals';
    end if;
    return null;
end $$;
create constraint trigger manifest_totals after insert or update on manifests
    deferrable initially deferred for each row execute function check_manifest_totals();
create constraint trigger manifest_items_totals after insert or update or delete on manifest_items
    deferrable initially deferred for each row execute function check_manifest_totals();
