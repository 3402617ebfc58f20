-- Staff list what waits, whosever it is.
create index shipments_waiting on shipments (status, id);
create index manifests_waiting on manifests (status, id);
create index manifests_origin on manifests (origin);
