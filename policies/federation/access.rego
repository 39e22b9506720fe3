# Who gets what at a target.
#
# `data.fed` is compiled from the configuration (tenants, access). `data.fed.rules` is keyed by tenant,
# target, upstream or "*", and group, so that a decision looks at one person's groups and nothing else;
# `data.fed.clients` in the same way by client, so that no group, whatever its name, reads a client's rules.
# Whatever is allowed here, the gateway still takes reserved roles and foreign domains away.
package federation.access

import rego.v1

tenant := data.fed.tenants[input.subject.tenant]

rules := data.fed.rules[input.subject.tenant][input.request.target]

client_rules := data.fed.clients[input.subject.tenant][input.request.target]

person if input.subject.client == false

# What does not hold: the first thing that is missing, and not its consequences.
unmet contains "tenant_known" if not tenant

unmet contains "tenant_active" if {
	tenant
	not active
}

unmet contains "rule_found" if {
	active
	count(on_offer) == 0
	not emergency
}

active if tenant.status == "active"

emergency if {
	data.rules.on.of
	count(data.rules.emergency.grants) > 0
}

reason_for := {
	"tenant_known": "tenant_unknown",
	"tenant_active": "tenant_suspended",
	"rule_found": "no_matching_rule",
}

# What is offered at this target: by the access rules for every upstream and for this one, and beside them.
# (Lists are made whole, and sets only where members could come twice into an answer: the engine is slower at
# `contains`, member by member, and compares whole offers to keep a set.)
on_offer := array.concat([offer | some offer in offers], [offer |
	some upstream in ["*", input.subject.upstream]
	table := rules[upstream]
	some held in array.concat([{"name": "*"}], object.get(input.subject, "groups", []))
	some offer in table[held.name]
]) if {
	input.subject.client == false
}

# A client that acts for itself has rules of its own (`group: client:<id>` in the configuration).
else := array.concat([offer | some offer in offers], [offer |
	input.subject.client == true
	is_string(input.request.client)
	some upstream in ["*", input.subject.upstream]
	some offer in client_rules[upstream][input.request.client]
])

# What is offered beside the access rules: other modules of this package may add to it.
#
# A sign-in at the gateway itself is open to the tenant's people until a rule for it says whom.
offers contains built_in if {
	input.request.kind == "gateway"
	person
	not rules
	not client_rules
}

# A client that acts for itself holds no groups of people: it gets a session, and what its own rules give.
offers contains built_in if {
	input.subject.client == true
	input.request.kind in {"gateway", "relying_party"}
}

built_in := {"grants": [{"entitlement": {"kind": "session"}, "rule": "federation/access"}]}

# What an offer demands, by the reason that is given when it is not met.
fulfilled contains "mfa_required" if {
	some method in input.subject.amr
	method in {"mfa", "http://schemas.microsoft.com/claims/multipleauthn"}
}

# A bound that is no number is never kept to: text would be above every number.
in_time("sign_in_too_old", seconds) if {
	is_number(seconds)
	input.context.time_s - input.subject.authenticated_at <= seconds
}

in_time("contract_ended", end) if {
	is_number(end)
	input.context.time_s < end
}

lacking(demands) := object.keys(demands) - (fulfilled | kept) if {
	is_object(demands)
	kept := {code | some code, bound in demands; in_time(code, bound)}
}

# Offers that hold more than grants: demands, or a lifetime. Most do not, and are passed over from here on.
termed := [offer | some offer in on_offer; count(offer) > 1]

# Offers whose demands are met, or that have none. Each has to say so: demands that cannot be read are not met.
open := on_offer if count(termed) == 0

else := [offer | some offer in on_offer; met(offer)]

met(offer) if not offer.demands

met(offer) if count(lacking(offer.demands)) == 0

# No more than was asked for, so that the reasons fit the question.
wanted(_) if input.request.only == null

wanted(grant) if grant.entitlement in input.request.only

offered := {grant | some offer in open; some grant in offer.grants} if active

else := set()

# What the rules of the library leave of it (`policy.rules`). A tenant without any skips them all.
given := offered if not data.rules.on.of

else := weighed

candidates contains here if {
	some grant in (offered | data.rules.emergency.grants)
	here := data.rules.roles.lowered(grant)
}

weighed contains grant if {
	some grant in candidates
	count(objections(grant)) == 0
}

objections(grant) := union({
	data.rules.confinement.objections(grant),
	data.rules.assurance.objections(grant),
	data.rules.partner.objections(grant),
	data.rules.roles.objections(grant, candidates),
})

grants := given if input.request.only == null

else := {grant | some grant in given; grant.entitlement in input.request.only}

missing contains reason if {
	some offer in on_offer
	demands := offer.demands
	some grant in offer.grants
	wanted(grant)
	some reason in lacking(demands)
}

missing contains reason if {
	data.rules.on.of
	some grant in candidates
	wanted(grant)
	some reason in objections(grant)
}

missing contains reason if {
	data.rules.on.of
	some grant in offered
	wanted(grant)
	some reason in data.rules.roles.changes(grant)
}

missing contains reason if {
	data.rules.on.of
	some reason in data.rules.emergency.unmet
}

# The shortest life among the offers that give something, and never past the end of an agreement.
lifetime := null if {
	count(termed) == 0
	not data.rules.on.of
}

else := min(lives) if count(lives) > 0

else := null

# (In this engine an undefined term in the head would end the loop: it is bound in the body.)
lives contains life if {
	some offer in open
	count(offer) > 1
	some life in ({life | life := offer.lifetime_s} | {life | life := offer.demands.contract_ended - input.context.time_s})
	some grant in offer.grants
	wanted(grant)
}

lives contains life if {
	data.rules.on.of
	some life in (data.rules.workload.lives | data.rules.emergency.lives)
}

# Rules of the library about the person and their organisation, whatever is asked for.
barred contains reason if {
	data.rules.on.of
	some reason in ((data.rules.partner.unmet_now | data.rules.assurance.unmet_now) | data.rules.standing.unmet)
}

default allow := false

allow if {
	count(unmet) == 0
	count(barred) == 0
	count(grants) > 0
}

reasons contains reason if {
	some name in unmet
	reason := reason_for[name]
}

reasons contains reason if some reason in barred

reasons contains reason if {
	count(unmet) == 0
	count(grants) == 0
	some reason in missing
}

reasons contains "nothing_granted" if {
	count(unmet) == 0
	count(grants) == 0
	count(missing) == 0
}

# Scopes that no token carries, and what must be done beside it.
withhold contains scope if {
	data.rules.on.of
	some scope in data.rules.release.withheld
}

obligations contains code if {
	data.rules.on.of
	allow
	some code in data.rules.emergency.obligations
}

# What is given, or why nothing is; reasons are only looked for where there is a refusal.
decision := {
	"allow": true,
	"reasons": [],
	"grants": grants,
	"rule": "federation/access",
	"lifetime_s": lifetime,
	"withhold": sort(withhold),
	"obligations": sort(obligations),
} if {
	allow
}

else := {
	"allow": false,
	"reasons": sort(reasons),
	"grants": [],
	"rule": "federation/access",
	"lifetime_s": null,
	"withhold": sort(withhold),
	"obligations": [],
}
