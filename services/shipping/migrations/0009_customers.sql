-- Whose consignee is erased on request, of shipments that neither an order nor a return asked for.
alter table shipments add column customer_id uuid;
create index shipments_customer on shipments (customer_id) where customer_id is not null;
