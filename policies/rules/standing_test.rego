package rules.standing_test

import rego.v1

import data.rules.standing

library := {
	"items": [
		{"networks": ["10.1.0.0/16", "2001:db8::/32"]},
		{"networks": ["10.1.0.0/16"], "targets": {"openstack": true}},
		{"ids": {"gone": true}},
	],
	"of": {"n": {"network": 0}, "t": {"network": 1}, "d": {"deprovisioned": 2}},
}

from(tenant, address) := {
	"subject": {"tenant": tenant, "id": "x"},
	"context": {"client_ip": address},
	"request": {"target": "openstack"},
}

unmet(question) := found if found := standing.unmet with input as question with data.fed.library as library

# 30
test_inside if {
	every address in ["10.1.0.0", "10.1.255.255", "2001:db8::1"] {
		unmet(from("n", address)) == set()
	}
}

test_outside if {
	every address in ["10.0.255.255", "10.2.0.0", "2001:db9::", null] {
		unmet(from("n", address)) == {"network_not_allowed"}
	}
}

test_at_named_targets_alone if {
	unmet(from("t", "192.0.2.1")) == {"network_not_allowed"}
	unmet(object.union(from("t", "192.0.2.1"), {"request": {"target": "grafana"}})) == set()
}

# 31
test_still_there if unmet(from("d", null)) == set()

test_gone if unmet(object.union(from("d", null), {"subject": {"id": "gone"}})) == {"deprovisioned"}

test_missing_facts if {
	unmet({"subject": {"tenant": "n"}}) == {"network_not_allowed"}
	unmet({"subject": {"tenant": "t"}}) == {"network_not_allowed"}
	unmet({"subject": {"tenant": "d"}}) == {"deprovisioned"}
}

test_empty_input if unmet({}) == set()

test_no_data if {
	found := standing.unmet with input as from("n", null) with data.fed as {}
	found == set()
}
