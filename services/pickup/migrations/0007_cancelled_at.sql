-- When a pickup was cancelled, also where it was collected for all that. Of rows of before it is when they last changed.
alter table pickups add column cancelled_at timestamptz;
