-- What overlapping slots of an earlier timetable hold is counted when a place is taken, no longer kept beside each slot.
-- Processes of before still write `carried`; it goes when none of them run any more.

alter table slots alter column carried set default 0;
update slots set carried = 0, capacity = greatest(capacity, taken) where carried > 0;
