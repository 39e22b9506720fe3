# A cluster asks whether somebody may do something (SubjectAccessReview).
#
# `data.fed.reviews[cluster]["tenant:group"]` lists what a tenant's group may do there. Where nothing allows, the
# answer is no opinion, and the cluster goes on to RBAC. People of a suspended tenant are denied, whatever RBAC says.
package kubernetes.authz

import rego.v1

# The groups that this gateway gave: `<prefix><tenant>:<group>`. Others are not ours to judge.
names contains name if {
	some group in input.review.groups
	startswith(group, input.prefix)
	name := substring(group, count(input.prefix), -1)
}

tenants contains tenant if {
	some name in names
	tenant := split(name, ":")[0]
	data.fed.tenants[tenant]
}

vetoes contains "tenant_suspended" if {
	some tenant in tenants
	data.fed.tenants[tenant].status == "suspended"
}

# Each list in a rule is exact, or "*" for everything. A subresource is named with its resource: `pods/log`;
# "pods" alone is neither its log nor a shell in it.
covers(list, _) if "*" in list

covers(list, one) if one in list

resource := attributes.resource if attributes.subresource == ""

resource := concat("/", [attributes.resource, attributes.subresource]) if attributes.subresource != ""

attributes := input.review.resourceAttributes

rules contains name if {
	some group in names
	some rule in data.fed.reviews[input.cluster][group]
	covers(rule.verbs, attributes.verb)
	covers(rule.api_groups, attributes.group)
	covers(rule.resources, resource)
	covers(rule.namespaces, attributes.namespace)
	name := rule.rule
}

default allowed := false

allowed if {
	count(vetoes) == 0
	count(rules) > 0
}

default denied := false

denied if count(vetoes) > 0

reasons contains reason if some reason in vetoes

reasons contains "no_cluster_rule" if {
	count(vetoes) == 0
	count(rules) == 0
}

decision := {
	"allowed": allowed,
	"denied": denied,
	"reasons": sort(reasons),
	"rules": sort({rule | allowed; some rule in rules}),
}
