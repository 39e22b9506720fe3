# Rules 11 to 14: how sure it is that it is them.
package rules.assurance

import rego.v1

# 11 assurance, at sign-in: the best level that the upstream vouches for. Unknown levels count nothing.
required contains "assurance_too_low" if data.rules.on.mine.assurance

met contains "assurance_too_low" if {
	some level in data.lib.claims.values(input.login.claims, data.rules.on.mine.assurance.claim)
	data.rules.on.mine.assurance.rank[level] >= data.rules.on.mine.assurance.minimum
}

# 14 chain_assurance, at sign-in: of several proxies in a row the weakest counts, and one unknown level spoils it.
required contains "chain_assurance_too_low" if data.rules.on.mine.chain_assurance

met contains "chain_assurance_too_low" if weakest >= data.rules.on.mine.chain_assurance.minimum

levels := data.lib.claims.at(input.login.claims, data.rules.on.mine.chain_assurance.claim)

ranks := [rank |
	is_array(levels)
	some level in levels
	rank := data.rules.on.mine.chain_assurance.rank[level]
]

weakest := min(ranks) if {
	count(ranks) > 0
	count(ranks) == count(levels)
}

unmet := required - met

# 12 mfa_for, for grants: privileged roles and groups need a second factor.
objections(grant) := {"mfa_required" | some name in privileged(grant)} - proven

privileged(grant) := {role |
	role := lower(grant.entitlement.role)
	data.rules.on.mine.mfa_for.roles[role]
} | {group |
	group := grant.entitlement.group
	data.rules.on.mine.mfa_for.groups[group]
}

proven contains "mfa_required" if {
	some method in input.subject.amr
	method in {"mfa", "http://schemas.microsoft.com/claims/multipleauthn"}
}

# 13 sign_in_age, at each access: at all targets, or at those named.
required_now contains "sign_in_too_old" if data.rules.on.mine.sign_in_age

met_now contains "sign_in_too_old" if {
	input.context.time_s - input.subject.authenticated_at <= data.rules.on.mine.sign_in_age.max_age_s
}

met_now contains "sign_in_too_old" if {
	object.get(data.rules.on.mine.sign_in_age.targets, input.request.target, false) == false
}

unmet_now := required_now - met_now
