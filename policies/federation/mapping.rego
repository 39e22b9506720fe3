# From what an upstream said to the groups and facts that later decisions see.
#
# The mapping rules of the upstream have been applied (`input.subject.groups`). Here groups are dropped, local
# ones are given, and facts are kept. The gateway never lets an answer change whose the identity is.
package federation.mapping

import rego.v1

required contains "tenant_known"

met contains "tenant_known" if data.fed.tenants[input.subject.tenant]

reason_for := {"tenant_known": "tenant_unknown"}

unmet contains reason if {
	some name in (required - met)
	reason := reason_for[name]
}

unmet contains reason if {
	data.rules.on.of
	some reason in data.rules.workload.unmet
}

default allow := false

allow if count(unmet) == 0

results contains group if {
	allow
	not data.rules.on.of
	some group in input.subject.groups
}

results contains group if {
	allow
	data.rules.on.of
	some group in union({data.rules.groups.kept, data.rules.groups.given, data.rules.entitlements.groups, data.rules.workload.groups})
}

dropped contains group if {
	data.rules.on.of
	some group in (data.rules.groups.dropped | data.rules.entitlements.dropped)
}

# Facts that later decisions need, and those that `keep` names.
extras["workload"] := sort(data.rules.workload.kind) if {
	data.rules.on.of
	count(data.rules.workload.kind) > 0
}

extras["chain"] := chain(data.lib.claims.at(input.login.claims, data.rules.on.mine.onward.claim)) if data.rules.on.mine.onward

extras[name] := values if {
	some name, claim in data.rules.on.mine.keep.claims
	values := sort(data.lib.claims.values(input.login.claims, claim))
}

# A list of gateways, or nested actors (`act`, RFC 8693 §4.1): every one counts, also one that is named twice.
chain(value) := [json.marshal(one) | some one in value] if is_array(value)

chain(value) := ["act" | walk(value, [_, actor]); is_object(actor); actor.sub] if is_object(value)

chain(value) := [value] if is_string(value)

chain(value) := [] if is_null(value)

default prefix := null

prefix := data.rules.groups.prefix if data.rules.on.of

decision := {
	"allow": allow,
	"reasons": sort(unmet),
	"groups": results,
	"dropped": sort(dropped),
	"extras": extras,
	"username_prefix": prefix,
}
