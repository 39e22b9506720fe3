# Rules 9 and 10, at mapping: AARC-G069 entitlements become groups.
#
# `<namespace>:group:<VO>[:<GROUP>*][:role=<ROLE>]#<AUTHORITY>` gives the group `<VO>[:<GROUP>*]`, or with a role
# `<VO>[:<GROUP>*]:<ROLE>`. An authority speaks for its own upstream: another one's word is dropped.
package rules.entitlements

import rego.v1

held := data.lib.claims.values(input.login.claims, data.rules.on.mine.entitlements.claim)

parsed contains {"urn": urn, "authority": parts[1], "group": halves[0], "roles": array.slice(halves, 1, count(halves))} if {
	some urn in held
	parts := split(urn, "#")
	count(parts) == 2
	some namespace in data.rules.on.mine.entitlements.namespaces
	start := concat(":", [namespace, "group", ""])
	startswith(parts[0], start)
	halves := split(trim_prefix(parts[0], start), ":role=")
	count(halves) <= 2
	halves[0] != ""
}

# 9 entitlements
groups contains {"name": name, "rule": "entitlements"} if {
	some one in parsed
	data.rules.on.mine.entitlements.authorities[one.authority]
	name := named(one)
}

named(one) := one.group if count(one.roles) == 0

named(one) := concat(":", [one.group, here(one.roles[0])]) if count(one.roles) == 1

# 10 entitlement_roles: the role in the URN by its name here; one that the table does not name is dropped.
here(role) := role if not data.rules.on.mine.entitlement_roles

here(role) := data.rules.on.mine.entitlement_roles.roles[role]

understood contains one.urn if some one in parsed

accepted contains one.urn if {
	some one in parsed
	data.rules.on.mine.entitlements.authorities[one.authority]
}

mapped contains one.urn if {
	some one in parsed
	named(one)
}

dropped contains {"name": urn, "reason": "entitlement_malformed"} if some urn in (held - understood)

dropped contains {"name": urn, "reason": "entitlement_of_other_authority"} if some urn in (understood - accepted)

dropped contains {"name": urn, "reason": "entitlement_role_unknown"} if some urn in (accepted - mapped)
