-- Pickups at a buyer's door for goods that come back, and which of them answered which request of a return.

alter table pickups
    add column return_id uuid,
    add constraint pickups_for_one check (num_nonnulls(order_id, return_id) <= 1);
create index pickups_return on pickups (return_id, id) where return_id is not null;

-- What was made of each request of a return: the same (return, attempt) is answered once.
create table return_requests (
    return_id uuid not null,
    attempt integer not null check (attempt > 0),
    pickup_id uuid not null,
    primary key (return_id, attempt)
);
