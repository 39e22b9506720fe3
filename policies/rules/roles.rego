# Rules 7, 8, 20 and 28, for grants of Keystone roles: what a role from outside is worth here.
package rules.roles

import rego.v1

# The grant with the role that it has here; undefined where nothing is left of it.
lowered(grant) := grant if grant.entitlement.kind in {"group", "session"}

lowered(grant) := here if {
	grant.entitlement.kind == "project"
	role := by_allocation(grant.entitlement, by_group(by_map(grant.entitlement.role)))
	here := {"entitlement": object.union(grant.entitlement, {"role": role}), "rule": grant.rule}
}

# 7 role_map: a role that the table does not name is none here.
by_map(role) := role if not data.rules.on.mine.role_map

by_map(role) := data.rules.on.mine.role_map.roles[role]

# 8 reader_unless: one low role for everybody outside the exchange group.
by_group(role) := role if not data.rules.on.mine.reader_unless

by_group(role) := role if count(exchange) > 0

by_group(_) := data.rules.on.mine.reader_unless.role if count(exchange) == 0

exchange contains group.name if {
	some group in input.subject.groups
	group.name == data.rules.on.mine.reader_unless.group
}

# 20 allocation: when it is used up or has ended, the low role is left, or nothing.
by_allocation(_, role) := role if not data.rules.on.mine.allocation

by_allocation(place, role) := role if count(open(place)) > 0

by_allocation(place, _) := data.rules.on.mine.allocation.left if count(open(place)) == 0

open(place) := {"no allocation" | data.rules.on.mine.allocation; allocated(place) == null} | {"running" |
	allocated(place).exhausted == false
	input.context.time_s < allocated(place).until
}

allocated(place) := object.get(data.rules.on.mine.allocation.projects, [place.domain, place.project], null)

# Why a role is lower than what was offered.
changes(grant) := ({"role_lowered" |
	data.rules.on.mine.role_map
	role := grant.entitlement.role
	object.get(data.rules.on.mine.role_map.roles, role, null) != role
} | {"reader_only" |
	data.rules.on.mine.reader_unless.role != grant.entitlement.role
	count(exchange) == 0
}) | {"allocation_used_up" |
	data.rules.on.mine.allocation
	grant.entitlement.kind == "project"
	count(open(grant.entitlement)) == 0
}

# 28 separation: nobody holds both roles of a pair in one domain; neither is given then.
objections(grant, all) := {"separation_of_duties" |
	some pair in data.rules.on.mine.separation.pairs
	lower(grant.entitlement.role) in pair
	some other in all
	other.entitlement.domain == grant.entitlement.domain
	lower(other.entitlement.role) in pair
	lower(other.entitlement.role) != lower(grant.entitlement.role)
}
