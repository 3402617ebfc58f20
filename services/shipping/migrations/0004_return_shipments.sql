-- Shipments that bring goods back from a buyer, and requests of returns that were given up before they came.

alter table shipments
    add column return_id uuid,
    add constraint shipments_for_one check (num_nonnulls(order_id, return_id) <= 1);
-- A return's request is answered by one shipment.
create unique index shipments_return_request on shipments (return_id, attempt) where return_id is not null;

-- Answered with `voided` while nothing was known of them: should they come after all, nothing is booked.
create table cancelled_return_requests (
    return_id uuid not null,
    attempt bigint not null check (attempt > 0),
    cancelled_at timestamptz not null,
    primary key (return_id, attempt)
);
