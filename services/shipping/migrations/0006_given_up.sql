-- When a shipment became undeliverable: a delivery of before may be told later. Of those of before, nothing newer is
-- known than their last report.
alter table shipments add column given_up_at timestamptz;
update shipments set given_up_at = last_event_at where status = 'undeliverable';
