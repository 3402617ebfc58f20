//! What is always true of this service's tables.

use quenty_platform::service::Invariant;

pub(crate) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "slots_count_pickups",
        about: "a slot counts other places as taken than its pickups hold",
        violations: "select s.area_id, s.starts_at, s.taken, count(p.id) as held from slots s
                     left join pickups p on p.area_id = s.area_id and p.slot_start = s.starts_at
                     group by s.area_id, s.starts_at having s.taken <> count(p.id)",
    },
    Invariant {
        name: "live_pickups_hold_a_place",
        // What was collected after it had been cancelled has given its place back.
        about: "a pickup that somebody will collect holds no place, or one that nobody will collect does",
        violations: "select id, status from pickups where status <> 'completed'
                       and (status in ('scheduled', 'assigned', 'in_progress')) <> (slot_start is not null)",
    },
];
