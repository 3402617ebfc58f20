//! Who may do what: the one table of roles and permissions. `docs/permissions.md` is generated from it.
//!
//! Roles of a company are granted by membership and name every resource, because `*:read` in a company's token
//! would reach what belongs to the platform. Only `super_admin` holds `*`.

/// What a role is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sphere {
    /// The platform's own people: every company's rows.
    Platform,
    /// A company's people: that company's rows.
    Company,
}

/// A system role: it cannot be changed or removed.
#[derive(Debug, PartialEq, Eq)]
pub struct Role {
    pub name: &'static str,
    pub sphere: Sphere,
    pub about: &'static str,
    /// `resource:verb`, `resource:*`, `*:read` or `*`.
    pub permissions: &'static [&'static str],
}

/// One resource and what can be done with it.
#[derive(Debug)]
pub struct Resource {
    pub name: &'static str,
    pub verbs: &'static [&'static str],
}

const fn resource(name: &'static str, verbs: &'static [&'static str]) -> Resource {
    Resource { name, verbs }
}

/// Every permission that an operation of the platform asks for.
#[rustfmt::skip] // one line an entry would hide the table
pub const RESOURCES: &[Resource] = &[
    resource("users", &["read", "invite", "update", "suspend", "reactivate", "unlock", "reset_mfa", "deactivate", "assign_roles"]),
    resource("roles", &["read", "create", "update", "delete"]),
    resource("api_keys", &["read", "create", "rotate", "revoke"]),
    resource("companies", &["read", "update", "submit", "approve", "reject", "suspend", "reactivate", "close"]),
    resource("members", &["read", "invite", "update", "remove"]),
    resource("kyc", &["submit", "decide"]),
    resource("customers", &["read", "create", "update"]),
    resource("privacy", &["read", "create"]),
    resource("products", &["read", "create", "update", "archive"]),
    resource("warehouses", &["read", "create", "update"]),
    resource("inventory", &["read", "transfer", "move"]),
    resource("orders", &["read", "quote", "create", "update", "pay", "refund", "hold", "release", "cancel", "retry", "set_status", "import"]),
    resource("pickups", &["read", "create", "update", "quote", "hold", "assign", "unassign", "start", "arrive", "complete", "fail", "reschedule", "cancel"]),
    resource("service_areas", &["read", "create", "update"]),
    resource("drivers", &["read", "create", "update"]),
    resource("vehicles", &["read", "create"]),
    resource("rates", &["read"]),
    resource("shipments", &["read", "create", "book", "void", "scan", "label"]),
    resource("manifests", &["read", "create", "update", "delete", "submit", "approve", "reject", "ship"]),
    resource("countries", &["read"]),
    resource("zones", &["read"]),
    resource("returns", &["read", "create", "check", "approve", "reject", "dispute", "cancel", "schedule_pickup", "issue_label", "add_photo", "report_lost", "receive", "inspect", "process", "refund", "exchange", "recall"]),
    resource("return_policies", &["read", "update"]),
    resource("dispositions", &["read", "update"]),
    resource("dead_letters", &["read", "replay", "discard"]),
    resource("audit", &["read", "verify"]),
];

/// Every role of the platform.
#[rustfmt::skip] // one line an entry would hide the table
pub const ROLES: &[Role] = &[
    Role { name: "super_admin", sphere: Sphere::Platform, about: "everything", permissions: &["*"] },
    Role {
        name: "admin",
        sphere: Sphere::Platform,
        about: "runs the platform: everything but credit, loans and collections",
        permissions: &[
            "users:*", "roles:*", "api_keys:*", "companies:*", "members:*", "kyc:*", "customers:*", "privacy:*", "products:*",
            "warehouses:*", "inventory:*", "orders:*", "pickups:*", "service_areas:*", "drivers:*", "vehicles:*", "rates:*",
            "shipments:*", "manifests:*", "countries:*", "zones:*", "returns:*", "dispositions:*", "dead_letters:*", "audit:*",
        ],
    },
    Role {
        name: "support",
        sphere: Sphere::Platform,
        about: "helps companies and their customers: reads, approves companies, decides KYC, holds, releases and cancels orders",
        permissions: &[
            "users:read", "roles:read", "api_keys:read", "companies:read", "companies:approve", "companies:reject", "members:read",
            "kyc:decide", "customers:read", "privacy:read", "products:read", "warehouses:read", "inventory:read",
            "orders:read", "orders:hold", "orders:release", "orders:cancel", "pickups:read", "service_areas:read",
            "drivers:read", "vehicles:read", "rates:read", "shipments:read", "manifests:read", "countries:read", "zones:read",
            "returns:read", "returns:approve", "returns:reject", "returns:dispute", "returns:cancel", "dispositions:read",
            "dead_letters:read", "audit:read",
        ],
    },
    Role {
        name: "dispatcher",
        sphere: Sphere::Platform,
        about: "plans collection and transport: pickups, drivers, vehicles, service areas, shipments, manifests",
        permissions: &[
            "pickups:*", "service_areas:*", "drivers:*", "vehicles:*", "shipments:*", "manifests:*", "orders:read",
            "warehouses:read", "rates:read", "countries:read", "zones:read", "returns:read", "returns:report_lost",
            "returns:receive", "returns:inspect", "returns:add_photo",
        ],
    },
    Role {
        name: "driver",
        sphere: Sphere::Platform,
        about: "collects and delivers: own stops, scans, proofs",
        permissions: &[
            "pickups:read", "pickups:start", "pickups:arrive", "pickups:complete", "pickups:fail", "shipments:read",
            "shipments:scan",
        ],
    },
    Role {
        name: "franchise_manager",
        sphere: Sphere::Platform,
        about: "runs the franchises of the own company",
        permissions: &["service_areas:read"],
    },
    Role {
        name: "credit_analyst",
        sphere: Sphere::Platform,
        about: "decides on credit, loans and collections",
        permissions: &["companies:read", "customers:read", "orders:read"],
    },
    Role {
        name: "auditor",
        sphere: Sphere::Platform,
        about: "reads everything, writes nothing",
        permissions: &["*:read", "audit:verify"],
    },
    Role {
        name: "owner",
        sphere: Sphere::Company,
        about: "all of the company",
        permissions: &[
            "api_keys:*", "companies:read", "companies:update", "companies:submit", "companies:close", "members:*", "kyc:submit",
            "customers:*", "privacy:*", "products:*", "warehouses:*", "inventory:*", "orders:read",
            "orders:quote", "orders:create", "orders:update", "orders:pay", "orders:refund", "orders:hold", "orders:release", "orders:cancel",
            "orders:retry", "orders:import", "pickups:read", "pickups:create", "pickups:update", "pickups:quote",
            "pickups:hold", "pickups:reschedule", "pickups:cancel", "service_areas:read", "rates:read", "shipments:read",
            "shipments:create", "shipments:book", "shipments:void", "shipments:label", "manifests:read", "manifests:create",
            "manifests:update", "manifests:delete", "manifests:submit", "manifests:ship", "countries:read", "zones:read",
            "returns:*", "return_policies:*", "dispositions:*",
        ],
    },
    Role {
        name: "manager",
        sphere: Sphere::Company,
        about: "all of the company but its members and closing it",
        permissions: &[
            "api_keys:*", "companies:read", "companies:update", "companies:submit", "members:read", "kyc:submit",
            "customers:*", "privacy:*", "products:*", "warehouses:*", "inventory:*", "orders:read", "orders:quote", "orders:create",
            "orders:update", "orders:pay", "orders:refund", "orders:hold", "orders:release", "orders:cancel", "orders:retry", "orders:import",
            "pickups:read", "pickups:create", "pickups:update", "pickups:quote", "pickups:hold", "pickups:reschedule",
            "pickups:cancel", "service_areas:read", "rates:read", "shipments:read", "shipments:create", "shipments:book",
            "shipments:void", "shipments:label", "manifests:read", "manifests:create", "manifests:update", "manifests:delete",
            "manifests:submit", "manifests:ship", "countries:read", "zones:read", "returns:*", "return_policies:*",
            "dispositions:*",
        ],
    },
    Role {
        name: "operator",
        sphere: Sphere::Company,
        about: "the daily work: orders, customers, pickups, shipments",
        permissions: &[
            "companies:read", "customers:*", "privacy:read", "products:read", "warehouses:read", "inventory:read",
            "orders:read", "orders:quote", "orders:create", "orders:update", "orders:hold", "orders:release", "orders:cancel",
            "orders:retry", "orders:import", "pickups:read", "pickups:create", "pickups:update", "pickups:quote",
            "pickups:hold", "pickups:reschedule", "pickups:cancel", "service_areas:read", "rates:read", "shipments:read",
            "shipments:create", "shipments:book", "shipments:void", "shipments:label", "manifests:read", "manifests:create",
            "manifests:update", "manifests:submit", "countries:read", "zones:read", "returns:read", "returns:create",
            "returns:check", "returns:dispute", "returns:cancel", "returns:schedule_pickup", "returns:issue_label",
            "returns:add_photo", "returns:report_lost", "returns:receive", "return_policies:read", "dispositions:read",
        ],
    },
    Role {
        name: "warehouse",
        sphere: Sphere::Company,
        about: "the stock: inventory, receiving, counting, labels",
        permissions: &[
            "companies:read", "products:read", "warehouses:read", "inventory:*", "orders:read", "pickups:read",
            "shipments:read", "shipments:label", "returns:read", "returns:receive", "returns:inspect", "returns:process",
            "returns:add_photo", "returns:report_lost", "return_policies:read", "dispositions:*",
        ],
    },
    Role {
        name: "finance",
        sphere: Sphere::Company,
        about: "payments and invoices, and reads the rest",
        permissions: &[
            "orders:pay", "orders:refund", "api_keys:read", "companies:read", "members:read", "customers:read", "products:read", "warehouses:read",
            "inventory:read", "orders:read", "pickups:read", "service_areas:read", "rates:read", "shipments:read",
            "manifests:read", "countries:read", "zones:read", "returns:read", "returns:refund", "returns:exchange",
            "return_policies:read", "dispositions:*",
        ],
    },
    Role {
        name: "viewer",
        sphere: Sphere::Company,
        about: "reads, and changes nothing",
        permissions: &[
            "api_keys:read", "companies:read", "members:read", "customers:read", "products:read", "warehouses:read",
            "inventory:read", "orders:read", "pickups:read", "service_areas:read", "rates:read", "shipments:read", "manifests:read",
            "countries:read", "zones:read", "returns:read", "return_policies:read", "dispositions:read",
        ],
    },
];

/// The internal operations that each service calls, and nothing else: `(service, permissions)`.
pub const SERVICES: &[(&str, &[&str])] = &[
    ("auth", &["internal.journal:read", "internal.memberships:read"]),
    ("gateway", &["internal.api_keys:exchange"]),
    ("order", &["internal.companies:read", "internal.customers:read", "internal.customers:write"]),
    ("pickup", &["internal.companies:read"]),
    ("returns", &["internal.exchanges:write"]),
    ("shipping", &["internal.companies:read", "internal.customers:read"]),
];

pub const SUPER_ADMIN: &str = "super_admin";

/// The role of this name, if it is one of the sphere.
#[must_use]
pub fn find(sphere: Sphere, name: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.sphere == sphere && role.name == name)
}

/// What a service may do at its siblings; nothing if nobody knows it.
#[must_use]
pub fn of_service(name: &str) -> &'static [&'static str] {
    SERVICES.iter().find(|(service, _)| *service == name).map_or(&[], |(_, permissions)| permissions)
}

/// Whether those who hold `held` hold all of `wanted`: nobody gives what they do not hold.
#[must_use]
pub fn covers<'a>(held: &[impl AsRef<str>], wanted: impl IntoIterator<Item = &'a str>) -> bool {
    wanted.into_iter().all(|wanted| held.iter().any(|held| covers_one(held.as_ref(), wanted)))
}

fn covers_one(held: &str, wanted: &str) -> bool {
    if held == "*" || held == wanted {
        return true;
    }
    match (held.split_once(':'), wanted.split_once(':')) {
        (Some((held_resource, "*")), Some((resource, _))) => held_resource == resource,
        (Some(("*", held_verb)), Some((_, verb))) => held_verb == verb,
        _ => false,
    }
}

/// What two sets of permissions have in common.
#[must_use]
pub fn shared(these: &[String], those: &[String]) -> Vec<String> {
    let mut both: Vec<String> = Vec::new();
    for (one, others) in [(these, those), (those, these)] {
        both.extend(one.iter().filter(|wanted| covers(others, [wanted.as_str()])).cloned());
    }
    both.sort_unstable();
    both.dedup();
    both
}

/// Whether a role may hold this: `resource:verb` or `resource:*` of the table above.
#[must_use]
pub fn is_permission(text: &str) -> bool {
    text.split_once(':').is_some_and(|(resource, verb)| {
        let known = |known: &Resource| known.name == resource && (verb == "*" || known.verbs.contains(&verb));
        RESOURCES.iter().any(known)
    })
}

/// The permissions of all these platform roles together, as far as they are in the table above.
#[must_use]
pub fn permissions_of_platform_roles(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = names
        .iter()
        .filter_map(|name| find(Sphere::Platform, name))
        .flat_map(|role| role.permissions.iter().map(|permission| (*permission).to_owned()))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What is left of permissions while a company is suspended or closed.
#[must_use]
pub fn read_only(permissions: &[&str]) -> Vec<String> {
    let reads = permissions.iter().filter_map(|permission| match permission.split_once(':') {
        Some((resource, "*" | "read")) => Some(format!("{resource}:read")),
        _ => None,
    });
    reads.collect()
}

/// `docs/permissions.md`.
#[must_use]
pub fn permissions_markdown() -> String {
    let mut text = String::from(
        "# Roles and permissions\n\nGenerated from `services/auth/src/domain/role.rs` by `permissions_markdown()`; \
         a test fails when this page differs.\n\n## Roles\n\n| role | of | what for | permissions |\n|---|---|---|---|\n",
    );
    for role in ROLES {
        let sphere = match role.sphere {
            Sphere::Platform => "platform",
            Sphere::Company => "company",
        };
        let permissions = role.permissions.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(" ");
        text.push_str(&format!("| `{}` | {sphere} | {} | {permissions} |\n", role.name, role.about));
    }
    text.push_str("\n## Permissions\n\n| resource | verbs |\n|---|---|\n");
    for resource in RESOURCES {
        let verbs = resource.verbs.iter().map(|verb| format!("`{verb}`")).collect::<Vec<_>>().join(" ");
        text.push_str(&format!("| `{}` | {verbs} |\n", resource.name));
    }
    text.push_str("\n## Services\n\n| service | internal operations that it calls |\n|---|---|\n");
    for (service, permissions) in SERVICES {
        let permissions = permissions.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(" ");
        text.push_str(&format!("| `{service}` | {permissions} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_super_admin_holds_everything() {
        let all: Vec<_> =
            ROLES.iter().filter(|role| role.permissions.contains(&"*")).map(|role| role.name).collect();
        assert_eq!(all, [SUPER_ADMIN]);
    }

    #[test]
    fn every_role_names_permissions_that_exist() {
        for role in ROLES {
            for permission in role.permissions.iter().filter(|p| **p != "*") {
                let (resource, verb) = permission.split_once(':').unwrap();
                let known = |r: &&Resource| {
                    (resource == "*" || r.name == resource) && (verb == "*" || r.verbs.contains(&verb))
                };
                assert!(RESOURCES.iter().any(|r| known(&r)), "{}: {permission}", role.name);
            }
        }
    }

    #[test]
    fn roles_of_a_company_reach_nothing_of_the_platform() {
        for role in ROLES.iter().filter(|role| role.sphere == Sphere::Company) {
            let of_platform = ["users:", "roles:", "audit:", "dead_letters:", "*"];
            assert!(
                role.permissions.iter().all(|p| !of_platform.iter().any(|start| p.starts_with(start))),
                "{}",
                role.name
            );
            assert!(
                !covers(role.permissions, ["companies:approve"])
                    && !covers(role.permissions, ["orders:set_status"]),
                "{}",
                role.name
            );
        }
    }

    #[test]
    fn nobody_covers_more_than_they_hold() {
        let roles = |name| find(Sphere::Platform, name).unwrap().permissions;
        assert!(covers(roles("super_admin"), roles("admin").iter().copied()));
        assert!(covers(roles("admin"), roles("driver").iter().copied()));
        assert!(!covers(roles("admin"), roles("super_admin").iter().copied()));
        assert!(!covers(roles("admin"), roles("auditor").iter().copied()), "*:read reaches credit, too");
        assert!(!covers(&["orders:read"], ["orders:*"]));
        assert!(covers(&["*:read"], ["orders:read"]));
    }

    #[test]
    fn who_makes_members_holds_whatever_role_they_give() {
        let of_company = || ROLES.iter().filter(|role| role.sphere == Sphere::Company);
        let makes = |role: &&Role| {
            ["members:invite", "members:update"].into_iter().any(|one| covers(role.permissions, [one]))
        };
        let givers: Vec<_> = of_company().filter(makes).collect();
        assert!(!givers.is_empty());
        for giver in givers {
            for given in of_company() {
                let held = covers(giver.permissions, given.permissions.iter().copied());
                assert!(held, "{} gives {}", giver.name, given.name);
            }
        }
    }

    #[test]
    fn what_two_sets_share_is_the_narrower_of_each() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let owner = set(&["orders:*", "rates:read", "pickups:read"]);
        for (scopes, both) in [
            (&["orders:read"][..], &["orders:read"][..]),
            (&["orders:*"], &["orders:*"]),
            (&["rates:*", "pickups:cancel"], &["rates:read"]),
            (&["members:read"], &[]),
        ] {
            assert_eq!(shared(&owner, &set(scopes)), set(both), "{scopes:?}");
        }
    }

    #[test]
    fn only_the_gateway_exchanges_api_keys() {
        let able = SERVICES.iter().filter(|(_, held)| held.contains(&"internal.api_keys:exchange"));
        assert_eq!(able.map(|(name, _)| *name).collect::<Vec<_>>(), ["gateway"]);
    }

    #[test]
    fn a_suspended_company_keeps_reading() {
        assert_eq!(read_only(&["orders:*", "orders:create", "rates:read"]), ["orders:read", "rates:read"]);
    }

    #[test]
    fn an_auditor_writes_nothing() {
        let permissions = find(Sphere::Platform, "auditor").unwrap().permissions;
        for resource in RESOURCES {
            for verb in resource.verbs.iter().filter(|verb| !matches!(**verb, "read" | "verify")) {
                assert!(!covers(permissions, [format!("{}:{verb}", resource.name).as_str()]));
            }
        }
    }
}
