package rules.release_test

import rego.v1

import data.rules.release

library := {
	"items": [{"clients": {"grafana": ["email", "groups"], "all": ["email", "profile", "groups"]}, "others": ["groups"]}],
	"of": {"acme": {"attribute_release": 0}},
}

withheld(client) := found if {
	question := {"subject": {"tenant": "acme"}, "request": {"client": client}}
	found := release.withheld with input as question with data.fed.library as library
}

test_named_client if withheld("grafana") == {"profile"}

test_everything if withheld("all") == set()

test_others if {
	withheld("portal") == {"email", "profile"}
	withheld(null) == {"email", "profile"}
}

test_missing_client_gets_nothing if {
	question := {"subject": {"tenant": "acme"}}
	found := release.withheld with input as question with data.fed.library as library
	found == {"email", "profile", "groups"}
}

test_switched_off if {
	found := release.withheld with input as {"subject": {"tenant": "blue"}} with data.fed.library as library
	found == set()
}

test_empty_input if {
	found := release.withheld with input as {} with data.fed as {}
	found == set()
}
