# Rules 1, 2 and 24: an upstream speaks for its own tenant, nobody from outside becomes administrator, and a token
# is good for its one audience. The gateway enforces all three in itself; here they show in explanations, take
# further names, and are tested.
package rules.confinement

import rego.v1

objections(grant) := (foreign(grant) - own(grant)) | reserved(grant)

# 1 own_domains
foreign(grant) := {"issuer_domain_mismatch" | data.rules.on.mine.own_domains; grant.entitlement.kind == "project"}

own(grant) := {"issuer_domain_mismatch" |
	grant.entitlement.domain in data.fed.tenants[input.subject.tenant].domains
}

# 2 reserved_roles
reserved(grant) := {"reserved_role" | data.rules.on.mine.reserved_roles; some name in names(grant); is_reserved(name)}

names(grant) := {lower(trim_space(name)) | some key in ["role", "group"]; name := grant.entitlement[key]}

is_reserved(name) if name in {"admin", "cluster-admin", "system"}

is_reserved(name) if startswith(name, "system:")

is_reserved(name) if data.rules.on.mine.reserved_roles.names[name]

# 24 audience_binding: a token is told about to the client it is for, and exchanged by the client it was issued to.
required contains "audience_not_bound" if data.rules.on.mine.audience_binding

met contains "audience_not_bound" if input.token.audience == input.client.id

met contains "audience_not_bound" if input.token.audience in input.client.audiences

met contains "audience_not_bound" if input.exchange.token_client == input.request.client

unmet := required - met
