package rules.on_test

import rego.v1

import data.rules.on

library := {"items": [{"x": 1}, {"x": 2}], "of": {"acme": {"terms": 1, "network": 0}}}

test_by_subject if {
	on.mine == {"terms": {"x": 2}, "network": {"x": 1}} with input as {"subject": {"tenant": "acme"}}
		with data.fed.library as library
}

test_by_token if {
	on.mine.terms.x == 2 with input as {"token": {"tenant": "acme"}} with data.fed.library as library
}

test_others_have_none if {
	questions := [{}, {"subject": {"tenant": "blue"}}, {"token": {"tenant": null}}]
	every question in questions {
		mine := on.mine with input as question with data.fed.library as library
		mine == {}
	}
}
