-- Anyone may see a place who has the tracking number: that of what happens at a door is not kept any more.
update tracking_events set place = null
where place is not null
  and (kind in ('out_for_delivery', 'delivery_failed', 'delivered') or (kind = 'exception' and status = 'delivery_failed'));
