//! What is always true of this service's tables.

use quenty_platform::service::Invariant;

pub(crate) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "stock_is_its_ledger",
        about: "a stock item is another than the sum of its movements",
        violations: "select s.id, s.on_hand, s.reserved from stock_items s left join stock_movements m on m.stock_item_id = s.id
                     group by s.id, s.on_hand, s.reserved
                     having s.on_hand <> coalesce(sum(m.on_hand_delta), 0) or s.reserved <> coalesce(sum(m.reserved_delta), 0)",
    },
    Invariant {
        name: "sagas_end_or_wait",
        about: "an order has not ended, and waits for no stock, no deadline and no person",
        violations: "select o.id, o.status, f.step from orders o join fulfilments f on f.order_id = o.id
                     where f.step not in ('closed', 'stock') and o.hold_code is null and f.deadline is null",
    },
    Invariant {
        name: "deadlines_have_tasks",
        about: "more sagas have a deadline at some moment than tasks wait for that moment",
        violations: "select f.deadline, count(*) from fulfilments f where f.deadline is not null group by f.deadline
                     having count(*) > (select count(*) from quenty.tasks t
                                        where t.kind = 'order_deadline' and t.status in ('ready', 'running') and t.due_at = f.deadline)",
    },
    Invariant {
        name: "who_waits_is_in_the_queue",
        about: "an order waits for stock and is in no queue, or the other way round",
        violations: "select o.id, o.status from orders o
                     where (o.status = 'backordered') <> exists (select from backorders b where b.order_id = o.id)",
    },
    Invariant {
        name: "payments_are_what_their_status_says",
        about: "more or less of an order was paid, or paid back, than its payment status says",
        violations: "select o.id, o.payment_status, o.total, o.paid, o.refunded from orders o
                     where case o.payment_status
                               when 'paid' then o.paid <> o.total or o.refunded <> 0
                               when 'refunded' then o.refunded <> o.paid
                               when 'partially_refunded' then not (0 < o.refunded and o.refunded < o.paid)
                               else o.paid >= o.total or o.refunded <> 0
                           end",
    },
    Invariant {
        name: "reservations_follow_their_orders",
        about: "a cancelled order still holds stock, or one that was collected has not issued it",
        violations: "select o.id, o.status, r.status as reservation from orders o join reservations r on r.id = o.reservation_id
                     where (o.status = 'cancelled' and r.status <> 'released')
                        or (o.picked_up_at is not null and r.status not in ('issued', 'returned'))
                        or (o.status not in ('cancelled') and o.picked_up_at is null and r.status <> 'active')",
    },
    Invariant {
        name: "reserved_is_what_orders_hold",
        about: "more or less of a stock item is reserved than active reservations of orders have picked of it",
        violations: "select s.id, s.reserved from stock_items s left join (
                         select m.stock_item_id, sum(m.reserved_delta) as picked
                         from reservations r join stock_movements m on m.reservation_id = r.id left join orders o on o.id = r.order_id
                         where r.status = 'active' and (o.id is null or o.reservation_id = r.id) group by m.stock_item_id
                     ) held on held.stock_item_id = s.id
                     where s.reserved <> coalesce(held.picked, 0)",
    },
    Invariant {
        name: "transfers_bring_what_they_took",
        about: "a transfer that was received brought more or less than it took",
        violations: "select t.id from transfers t left join stock_movements m on m.transfer_id = t.id
                     where t.status = 'received' group by t.id having coalesce(sum(m.on_hand_delta), 0) <> 0",
    },
];
