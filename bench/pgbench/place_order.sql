-- One order of three lines as plain statements: 22 round trips. Stock comes last and in the order of the
-- products, so that its locks are short and never cross.
\set first random(1, :third)
\set second random(:third + 1, 2 * :third)
\set last random(2 * :third + 1, 3 * :third)
\set key random(1, 9000000000000000000)

begin;
insert into idempotency (scope, key, body_hash, created_at)
values ('1/place_order', (:key)::bigint::text, sha256('the body of the request'), now());

select price from products where id = :first;
select price from products where id = :second;
select price from products where id = :last;

insert into orders (company_id, status, payment_status, total, consignee, placed_at)
values (1, 'pending', 'unpaid', 135000, '{"name": "Luz Marín", "phone": "+573001234567", "email": "luz@example.com", "address": {"line1": "Carrera 43A # 1-50", "city": "Medellín", "state": "Antioquia", "postal_code": "050021", "country": "CO"}}', now())
returning id as order_id \gset
insert into order_lines values (:order_id, 1, :first, 1, 45000);
insert into order_lines values (:order_id, 2, :second, 1, 45000);
insert into order_lines values (:order_id, 3, :last, 1, 45000);

insert into stream_heads values (:order_id, 4, sha256('the fourth fact'));
insert into journal (stream, stream_version, type, data, actor, company_id, occurred_at, prev_hash, hash)
values (:order_id, 1, 'order.placed', '{"consignee": {"name": "Luz Marín", "phone": "+573001234567", "address": {"line1": "Carrera 43A # 1-50", "city": "Medellín", "postal_code": "050021", "country": "CO"}}, "lines": [{"quantity": 1, "unit_price": "45000.00"}, {"quantity": 1, "unit_price": "45000.00"}, {"quantity": 1, "unit_price": "45000.00"}], "total": "135000.00"}', 'user:1', 1, now(), sha256(''), sha256('the first fact'));
insert into journal (stream, stream_version, type, data, actor, company_id, occurred_at, prev_hash, hash)
values (:order_id, 2, 'stock.reserved', '{"quantities": [{"quantity": 1, "warehouse": 1}, {"quantity": 1, "warehouse": 1}, {"quantity": 1, "warehouse": 1}]}', 'user:1', 1, now(), sha256('the first fact'), sha256('the second fact'));
insert into journal (stream, stream_version, type, data, actor, company_id, occurred_at, prev_hash, hash)
values (:order_id, 3, 'order.payment_expected', '{"amount": "135000.00", "currency": "COP"}', 'user:1', 1, now(), sha256('the second fact'), sha256('the third fact'));
insert into journal (stream, stream_version, type, data, actor, company_id, occurred_at, prev_hash, hash)
values (:order_id, 4, 'order.fulfilment_begun', '{"step": "payment"}', 'user:1', 1, now(), sha256('the third fact'), sha256('the fourth fact'));
insert into outbox (stream, stream_version, envelope, created_at)
values (:order_id, 1, '{"type": "order.placed", "source": "/quenty/order", "data": {"consignee": {"name": "Luz Marín", "phone": "+573001234567", "address": {"line1": "Carrera 43A # 1-50", "city": "Medellín", "postal_code": "050021", "country": "CO"}}, "lines": [{"quantity": 1, "unit_price": "45000.00"}, {"quantity": 1, "unit_price": "45000.00"}, {"quantity": 1, "unit_price": "45000.00"}], "total": "135000.00"}}', now());
insert into outbox (stream, stream_version, envelope, created_at)
values (:order_id, 2, '{"type": "stock.reserved", "source": "/quenty/order", "data": {"quantities": [{"quantity": 1, "warehouse": 1}, {"quantity": 1, "warehouse": 1}, {"quantity": 1, "warehouse": 1}]}}', now());
update idempotency set status = 201, body = '{"status": "pending", "payment_status": "unpaid", "total": "135000.00"}'
where scope = '1/place_order' and key = (:key)::bigint::text;

select product_id from stock where product_id in (:first, :second, :last) and warehouse_id = 1 order by product_id for update;
update stock set reserved = reserved + 1 where product_id = :first and warehouse_id = 1;
update stock set reserved = reserved + 1 where product_id = :second and warehouse_id = 1;
update stock set reserved = reserved + 1 where product_id = :last and warehouse_id = 1;
commit;
