-- Anyone may see a place who has the tracking number: only that of what happens at a hub is kept.
update tracking_events set place = null
where place is not null and kind not in ('scan', 'departed', 'arrived', 'customs_hold', 'customs_released');
