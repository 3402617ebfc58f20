//! What is always true of this service's tables.

use quenty_platform::service::Invariant;

pub(crate) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "claims_are_returns",
        about: "another number of a delivered line's units is set aside than its returns want or brought",
        violations: "select l.order_id, l.line, l.claimed from delivered_lines l
                     where l.claimed <> (select coalesce(sum(case
                             when r.status in ('cancelled', 'expired', 'rejected') then 0
                             when r.status in ('processed', 'refunded', 'exchanged', 'disposed', 'closed') and r.state->>'lost_at' is null then x.received
                             else x.quantity end), 0)
                         from return_lines x join returns r on r.id = x.return_id where x.order_id = l.order_id and x.line = l.line)",
    },
    Invariant {
        name: "units_have_one_disposition",
        about: "a processed return has not exactly one disposition for each unit that it received",
        violations: "select r.id, r.status from returns r
                     where (r.status in ('processed', 'refunded', 'exchanged', 'disposed', 'closed')
                            and (select count(*) from dispositions d where d.return_id = r.id)
                                <> (select sum(x.received) from return_lines x where x.return_id = r.id))
                        or (r.status not in ('processed', 'refunded', 'exchanged', 'disposed', 'closed')
                            and exists (select from dispositions d where d.return_id = r.id))",
    },
    Invariant {
        name: "refunds_are_counted",
        about: "an order's refunds are other than those of its returns",
        violations: "select o.id, o.refunded from delivered_orders o
                     where o.refunded <> (select coalesce(sum((r.state->'amounts'->'refund'->>'amount')::numeric), 0)
                                          from returns r where r.order_id = o.id)",
    },
    Invariant {
        name: "sagas_end_or_wait",
        about: "a return has not ended, and waits for no deadline and no person",
        violations: "select id, status from returns
                     where status not in ('closed', 'cancelled', 'expired', 'rejected') and deadline is null and attention is null",
    },
    Invariant {
        name: "deadlines_have_tasks",
        about: "a return has a deadline for which no task waits",
        violations: "select r.id, r.deadline from returns r where r.deadline is not null and not exists
                     (select from quenty.tasks t where t.kind = 'return_deadline' and t.status in ('ready', 'running')
                        and t.key = r.state->>'id' || ':' || r.deadline_number)",
    },
];
