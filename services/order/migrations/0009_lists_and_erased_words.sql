-- What is rare is found without walking through all that is not: by a company's lists, and by those of staff, whose rows
-- are of all companies.
create index orders_kind on orders (company_id, kind, id) where kind <> 'standard';
create index orders_waiting on orders (status, id) where status not in ('delivered', 'cancelled');
create index orders_held on orders (id) where hold_code is not null;
create index orders_owing on orders (payment_status, id) where payment_status <> 'paid';
create index stock_movements_kind on stock_movements (company_id, kind, id) where kind not in ('reserve', 'release', 'issue');
create index products_category on products (company_id, category, id) where category is not null;
create index products_status on products (company_id, status, id);

-- What may expire is looked for every hour.
create index stock_items_expiry on stock_items (expires_on) where expires_on is not null;

-- Of persons who were erased before, what somebody wrote about them in lines and reasons is forgotten, too.
update orders o set cancel_reason = null from quenty.erased e where e.id = o.customer_id and o.cancel_reason is not null;
update timeline t
set text = case when t.code = any(w.codes) then t.code else t.text end, place = null
from orders o join quenty.erased e on e.id = o.customer_id,
     (select array['cancel_refused', 'cancelled', 'driver_unassigned', 'exception_raised', 'held', 'held_by_customs', 'pickup_abandoned',
                   'pickup_cancelled', 'pickup_completed', 'pickup_failed', 'pickup_given_back', 'pickup_rejected', 'return_approved', 'return_cancelled',
                   'return_disputed', 'return_rejected', 'shipment_exception', 'shipment_rejected', 'shipment_undeliverable',
                   'shipment_voided', 'status_set', 'undeliverable'] as codes) w
where o.id = t.order_id and (t.place is not null or t.code = any(w.codes));
