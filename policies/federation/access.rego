# Who gets what at a target.
#
# `data.fed` is compiled from the configuration (tenants, access). `data.fed.rules` is keyed by tenant,
# target, upstream or "*", and group, so that a decision looks at one person's groups and nothing else.
# Whatever is allowed here, the gateway still takes reserved roles and foreign domains away.
package federation.access

import rego.v1

tenant := data.fed.tenants[input.subject.tenant]

rules := data.fed.rules[input.subject.tenant][input.request.target]

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

# What the access rules offer at this target, by group: rules for every upstream, and those for this one.
tables := [table | some upstream in ["*", input.subject.upstream]; table := rules[upstream]]

# (Sets are made whole where that is possible: the engine is slower at `contains`, member by member.)
on_offer := {offer |
	some table in tables
	some held in array.concat([{"name": "*"}], object.get(input.subject, "groups", []))
	some offer in table[held.name]
	split(held.name, ":")[0] != "client"
} | offers if {
	person
}

# A client that acts for itself stands in rules as the group `client:<id>`, which no person can hold.
else := {offer |
	input.subject.client == true
	is_string(input.request.client)
	name := concat("", ["client:", input.request.client])
	some table in tables
	some offer in table[name]
} | offers

# What is offered beside the access rules: other modules of this package may add to it.
#
# A sign-in at the gateway itself is open to the tenant's people until a rule for it says whom.
offers contains built_in if {
	person
	input.request.kind == "gateway"
	not rules
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
termed contains offer if {
	some offer in on_offer
	count(offer) > 1
}

# Offers whose demands are met, or that have none. Each has to say so: demands that cannot be read are not met.
open := on_offer if count(termed) == 0

else := ((on_offer - termed) | {offer | some offer in termed; not offer.demands}) | {offer | some offer in termed; count(lacking(offer.demands)) == 0}

# No more than was asked for, so that the reasons fit the question.
everything if input.request.only == null

wanted(_) if everything

wanted(grant) if grant.entitlement in input.request.only

offered := {grant | some offer in open; some grant in offer.grants} if active

else := set()

# What the rules of the library leave of it (`policy.rules`). A tenant without any skips them all.
given := offered if not data.rules.on.of

given := weighed if data.rules.on.of

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

grants := given if everything

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

timed := open & termed if count(termed) > 0

# The shortest life among the offers that give something, and never past the end of an agreement.
# (In this engine an undefined term in the head would end the loop: it is bound in the body.)
lives contains life if {
	some offer in timed
	some life in ({life | life := offer.lifetime_s} | {life | life := offer.demands.contract_ended - input.context.time_s})
	some grant in offer.grants
	wanted(grant)
}

lives contains life if {
	data.rules.on.of
	some life in (data.rules.workload.lives | data.rules.emergency.lives)
}

default lifetime := null

lifetime := min(lives) if count(lives) > 0

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

# Nothing beside a refusal.
results := grants if allow

else := set()

decision := {
	"allow": allow,
	"reasons": sort(reasons),
	"grants": results,
	"rule": "federation/access",
	"lifetime_s": lifetime,
	"withhold": sort(withhold),
	"obligations": sort(obligations),
}
