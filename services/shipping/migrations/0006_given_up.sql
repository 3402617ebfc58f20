-- When a shipment became undeliverable, told or by its last failed delivery: a delivery of before may be told later.
alter table shipments add column given_up_at timestamptz;
update shipments s set given_up_at = coalesce(
    (select max(e.occurred_at) from tracking_events e where e.shipment_id = s.id and e.kind = 'undeliverable'),
    (select max(e.occurred_at) from tracking_events e where e.shipment_id = s.id and e.kind = 'delivery_failed'),
    s.last_event_at)
where s.status = 'undeliverable';
