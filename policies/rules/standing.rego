# Rules 30 and 31, at each access: from where, and whether they are still anybody's people.
package rules.standing

import rego.v1

# 30 network: at all targets, or at those named. An unknown address is outside.
required contains "network_not_allowed" if data.rules.on.mine.network

met contains "network_not_allowed" if {
	is_string(input.context.client_ip)
	some network in data.rules.on.mine.network.networks
	net.cidr_contains(network, input.context.client_ip)
}

met contains "network_not_allowed" if {
	object.get(data.rules.on.mine.network.targets, input.request.target, false) == false
}

# 31 deprovisioned: told by SCIM, back-channel or a person; every use is refused from then on.
required contains "deprovisioned" if data.rules.on.mine.deprovisioned

met contains "deprovisioned" if object.get(data.rules.on.mine.deprovisioned.ids, input.subject.id, false) == false

unmet := required - met
