-- Where drivers come and how many at a time, who they are, and every pickup from its slot to the hand-over.

create table service_areas (
    id uuid primary key,
    -- The whole definition as the service reads it; the columns below are what it is found by.
    definition jsonb not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    postal_prefixes text[] not null,
    south double precision,
    west double precision,
    north double precision,
    east double precision,
    active boolean not null,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (south is not null or cardinality(postal_prefixes) > 0),
    check (num_nulls(south, west, north, east) in (0, 4))
);
create index service_areas_active on service_areas (country) where active;

-- One row per slot that anybody booked: locked to take a place, so that a slot is never oversold.
create table slots (
    area_id uuid not null references service_areas,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    capacity integer not null,
    taken integer not null check (taken >= 0),
    -- Places taken in slots of an earlier timetable that overlap this one.
    carried integer not null check (carried >= 0),
    primary key (area_id, starts_at),
    check (starts_at < ends_at),
    constraint slots_never_oversold check (taken + carried <= capacity)
);

-- A place kept for ten minutes; the pickup made of it takes its id. Past expires_at a row means nothing.
create table slot_holds (
    pickup_id uuid primary key,
    company_id uuid not null,
    area_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    expires_at timestamptz not null,
    foreign key (area_id, starts_at) references slots
);
create index slot_holds_slot on slot_holds (area_id, starts_at);
create index slot_holds_company on slot_holds (company_id, expires_at);

create table vehicles (
    id uuid primary key,
    kind text not null check (kind in ('bike', 'motorcycle', 'car', 'van', 'truck')),
    capacity_grams bigint not null check (capacity_grams > 0),
    capacity_cm3 bigint not null check (capacity_cm3 > 0),
    created_at timestamptz not null
);

create table drivers (
    id uuid primary key,
    user_id uuid not null constraint drivers_one_per_user unique,
    name text not null,
    phone text not null,
    status text not null check (status in ('active', 'inactive')),
    skills text[] not null,
    vehicle_id uuid references vehicles,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index drivers_status on drivers (status, id);
create index drivers_vehicle on drivers (vehicle_id);

create table pickups (
    id uuid primary key,
    company_id uuid not null,
    order_id uuid,
    attempt integer not null check (attempt > 0),
    kind text not null check (kind in ('on_demand', 'scheduled', 'express')),
    status text not null check (status in
        ('rejected', 'scheduled', 'assigned', 'in_progress', 'completed', 'failed', 'abandoned', 'cancelled')),
    contact jsonb not null,
    parcels jsonb not null,
    insured_amount numeric(19, 4),
    insured_currency text,
    packaging boolean not null,
    -- The day and slot that were asked for.
    wanted jsonb not null,
    tracking_number text,
    area_id uuid references service_areas,
    time_zone text,
    window_start timestamptz,
    window_end timestamptz,
    -- The window's local day, what a day's list is found by.
    local_date date,
    -- The slot in which it holds a place.
    slot_start timestamptz,
    currency text,
    cost_amount numeric(19, 4),
    cost_items jsonb not null,
    driver_id uuid references drivers,
    guaranteed_until timestamptz,
    refund_amount numeric(19, 4),
    started_at timestamptz,
    arrived_at timestamptz,
    failures jsonb not null,
    merchant_reschedules integer not null check (merchant_reschedules >= 0),
    proof jsonb,
    reason_code text,
    reason text,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    foreign key (area_id, slot_start) references slots (area_id, starts_at),
    check (window_start < window_end),
    check (status = 'rejected' or window_start is not null),
    check (status not in ('assigned', 'in_progress') or driver_id is not null),
    check ((status = 'completed') = (proof is not null))
);
create index pickups_company on pickups (company_id, id);
create index pickups_status on pickups (status, id);
create index pickups_local_date on pickups (local_date, id);
create index pickups_driver on pickups (driver_id, id);
create index pickups_order on pickups (order_id, id);
create index pickups_slot on pickups (area_id, slot_start);

-- What was made of each request of an order: the same (order, attempt) is answered once.
create table order_requests (
    order_id uuid not null,
    attempt integer not null,
    pickup_id uuid not null,
    primary key (order_id, attempt)
);
