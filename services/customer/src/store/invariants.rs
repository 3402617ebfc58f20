//! What is always true of the tables; `quenty doctor` proves it.

use quenty_platform::service::Invariant;

pub(crate) const INVARIANTS: &[Invariant] = &[
    // Not that the owner can log in: whoever is suspended may be the only one.
    Invariant {
        name: "companies_have_an_owner",
        about: "a company that is not closed has no active owner",
        violations: "select id from companies c where status <> 'closed'
                     and not exists (select from members m where m.company_id = c.id and m.status = 'active' and m.role = 'owner')",
    },
    Invariant {
        name: "standing_counts_facts",
        about: "a company's standing has another version than its journal has facts",
        violations: "select c.id from companies c
                     left join lateral (select count(*) as facts from quenty.journal j where j.stream like 'COMP-%' and j.company_id = c.id) j on true
                     where c.version <> j.facts",
    },
    Invariant {
        name: "customers_have_default_addresses",
        about: "a customer with addresses has none or several of them as a default",
        violations: "select id from customers, lateral (
                         select count(*) as addresses, count(*) filter (where (a ->> 'default_shipping')::boolean) as shipping,
                                count(*) filter (where (a ->> 'default_billing')::boolean) as billing
                         from jsonb_array_elements(addresses) a) n
                     where n.addresses > 0 and (n.shipping <> 1 or n.billing <> 1)",
    },
];
