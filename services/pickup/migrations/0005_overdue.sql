-- What nobody came for in its window, and nobody has ended: a dispatcher's list.
create index pickups_overdue on pickups (window_end) where status in ('scheduled', 'assigned', 'in_progress', 'failed');
