# From what an upstream said to the groups and facts that later decisions see.
#
# The mapping rules of the upstream have been applied (`input.subject.groups`). Here groups are dropped, local
# ones are given, and facts are kept. The gateway never lets an answer change whose the identity is.
package federation.mapping

import rego.v1

required contains "tenant_known"

met contains "tenant_known" if data.fed.tenants[input.subject.tenant]

reason_for := {"tenant_known": "tenant_unknown"}

unmet := required - met

default allow := false

allow if count(unmet) == 0

groups contains group if {
	allow
	some group in input.subject.groups
}

decision := {
	"allow": allow,
	"reasons": sort({reason_for[name] | some name in unmet}),
	"groups": groups,
	"dropped": [],
	"extras": {},
	"username_prefix": null,
}
