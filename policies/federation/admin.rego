# Whether an administrator's request is carried out. The gateway has checked the administrator's token before.
#
# `data.fed.admin.networks`, where it is configured, names the only networks that such requests may come from.
package federation.admin

import rego.v1

required contains "administrator"

required contains "network" if data.fed.admin.networks

met contains "administrator" if input.identity == "administrator"

met contains "network" if {
	is_string(input.context.client_ip)
	some network in data.fed.admin.networks
	net.cidr_contains(network, input.context.client_ip)
}

reason_for := {"administrator": "not_an_administrator", "network": "network_not_allowed"}

unmet := required - met

default allow := false

allow if count(unmet) == 0

decision := {
	"allow": allow,
	"reasons": sort({reason_for[name] | some name in unmet}),
	"obligations": [],
}
