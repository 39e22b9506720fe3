package kubernetes.authz_test

import rego.v1

import data.kubernetes.authz

viewer := {
	"rule": "view", "verbs": ["get", "list"], "api_groups": ["", "apps"],
	"resources": ["pods", "deployments"], "namespaces": ["acme"],
}

everything := {"rule": "all", "verbs": ["*"], "api_groups": ["*"], "resources": ["*"], "namespaces": ["*"]}

fed := {
	"tenants": {"acme": {"status": "active"}, "blue": {"status": "active"}, "frozen": {"status": "suspended"}},
	"reviews": {"cluster": {"acme:viewers": [viewer], "blue:owners": [everything], "frozen:owners": [everything]}},
}

attributes := {
	"namespace": "acme", "verb": "get", "group": "", "version": "v1",
	"resource": "pods", "subresource": "", "name": "",
}

spec := {
	"user": "x", "groups": ["scs:acme:viewers", "system:authenticated"], "uid": "", "extra": {},
	"resourceAttributes": attributes, "nonResourceAttributes": null,
}

good := {
	"v": 1, "cluster": "cluster", "prefix": "scs:", "review": spec,
	"context": {"time_s": 1000, "client_ip": null, "reference": "r"},
}

asks(by) := object.union(good, {"review": {"resourceAttributes": by}})

as_group(name) := object.union(good, {"review": {"groups": [name]}})

no_opinion(answer) if answer == {"allowed": false, "denied": false, "reasons": ["no_cluster_rule"], "rules": []}

test_allowed if {
	answer := authz.decision with input as good with data.fed as fed
	answer == {"allowed": true, "denied": false, "reasons": [], "rules": ["view"]}
}

test_what_the_rule_does_not_name if {
	others := [
		{"verb": "delete"}, {"group": "batch"}, {"resource": "secrets"}, {"namespace": "blue"}, {"namespace": ""},
		{"subresource": "exec"}, {"subresource": "log"},
	]
	every other in others {
		answer := authz.decision with input as asks(other) with data.fed as fed
		no_opinion(answer)
	}
}

test_everything if {
	question := object.union(as_group("scs:blue:owners"), {"review": {"resourceAttributes": {"subresource": "exec"}}})
	answer := authz.decision with input as question with data.fed as fed
	answer.allowed == true
	answer.rules == ["all"]
}

test_a_group_without_the_prefix_is_not_ours if {
	every name in ["acme:viewers", "acs:acme:viewers", "scs:acme", "system:masters", "scs:"] {
		answer := authz.decision with input as as_group(name) with data.fed as fed
		no_opinion(answer)
	}
}

test_suspended_tenants_are_denied if {
	question := object.union(good, {"review": {"groups": ["scs:acme:viewers", "scs:frozen:anything"]}})
	answer := authz.decision with input as question with data.fed as fed
	answer == {"allowed": false, "denied": true, "reasons": ["tenant_suspended"], "rules": []}
}

test_another_cluster if {
	answer := authz.decision with input as object.union(good, {"cluster": "other"}) with data.fed as fed
	no_opinion(answer)
}

test_a_path_is_no_resource if {
	paths := {"resourceAttributes": null, "nonResourceAttributes": {"path": "/api", "verb": "get"}}
	answer := authz.decision with input as object.union(good, {"review": paths}) with data.fed as fed
	no_opinion(answer)
}

test_empty_input if {
	answer := authz.decision with input as {} with data.fed as fed
	no_opinion(answer)
}

test_no_data if {
	answer := authz.decision with input as good with data.fed as {}
	no_opinion(answer)
}

# Each fact, missing.
test_missing_facts if {
	every name in ["cluster", "prefix", "review"] {
		answer := authz.decision with input as object.remove(good, [name]) with data.fed as fed
		no_opinion(answer)
	}
	every name in ["namespace", "verb", "group", "resource", "subresource"] {
		asked := {"resourceAttributes": object.remove(attributes, [name])}
		review := object.union(object.remove(spec, ["resourceAttributes"]), asked)
		question := object.union(object.remove(good, ["review"]), {"review": review})
		answer := authz.decision with input as question with data.fed as fed
		no_opinion(answer)
	}
}
