package rules.door_test

import rego.v1

import data.rules.door

library := {
	"items": [
		{"any_of": [{"claim": "orgs", "value": "SCS"}, {"claim": "AccessCloudXYZ", "value": "true"}]},
		{"subjects": {"https://idp": {"anna": 2000}}, "emails": {"anna@example.org": 2000}},
		{"claim": "terms", "version": "2", "accepted": {"x": "2", "y": "1"}},
		{"upstreams": {"people": true}, "break_glass": {"root": true}},
	],
	"of": {"m": {"membership": 0}, "i": {"invitation": 1}, "t": {"terms": 2}, "l": {"no_local_users": 3}},
}

login := {"subject": "anna", "email": "Anna@Example.org", "email_verified": false, "claims": {}}

asks(tenant, who, said) := {
	"subject": object.union({"tenant": tenant, "upstream": "main", "issuer": "https://other", "id": "z", "username": "anna"}, who),
	"login": object.union(login, said),
	"context": {"time_s": 1000},
}

unmet(question) := found if found := door.unmet with input as question with data.fed.library as library

at(question, time) := object.union(question, {"context": {"time_s": time}})

# 4
test_member if {
	unmet(asks("m", {}, {"claims": {"orgs": ["SCS", "other"]}})) == set()
	unmet(asks("m", {}, {"claims": {"AccessCloudXYZ": true}})) == set()
}

test_no_member if {
	every claims in [{}, {"orgs": []}, {"orgs": ["scs"]}, {"orgs": "SCS2"}, {"AccessCloudXYZ": false}] {
		unmet(asks("m", {}, {"claims": claims})) == {"membership_required"}
	}
}

# 6
test_invited_by_subject if unmet(asks("i", {"issuer": "https://idp"}, {})) == set()

test_invited_by_verified_address if unmet(asks("i", {}, {"email_verified": true})) == set()

test_an_address_that_nobody_vouches_for if unmet(asks("i", {}, {})) == {"not_invited"}

test_the_same_subject_of_another_issuer if unmet(asks("i", {"issuer": "https://idp2"}, {})) == {"not_invited"}

test_invitation_ends if {
	question := asks("i", {"issuer": "https://idp"}, {})
	unmet(at(question, 1999)) == set()
	unmet(at(question, 2000)) == {"not_invited"}
}

test_no_address if {
	question := asks("i", {}, {"email_verified": true, "email": null})
	unmet(question) == {"not_invited"}
}

# 26
test_accepted_here_or_in_a_claim if {
	unmet(asks("t", {"id": "x"}, {})) == set()
	unmet(asks("t", {}, {"claims": {"terms": ["1", "2"]}})) == set()
}

test_an_older_version if {
	unmet(asks("t", {"id": "y"}, {})) == {"terms_not_accepted"}
	unmet(asks("t", {}, {"claims": {"terms": "1"}})) == {"terms_not_accepted"}
	unmet(asks("t", {}, {})) == {"terms_not_accepted"}
}

# 27
test_from_the_directory if unmet(asks("l", {}, {})) == set()

test_local if unmet(asks("l", {"upstream": "people"}, {})) == {"local_sign_in_forbidden"}

test_break_glass_is_let_in_loudly if {
	question := asks("l", {"upstream": "people", "username": "root"}, {})
	unmet(question) == set()
	obligations := door.obligations with input as question with data.fed.library as library
	obligations == {"alert_break_glass"}
}

test_the_name_alone_breaks_no_glass if {
	obligations := door.obligations with input as asks("l", {"username": "root"}, {}) with data.fed.library as library
	obligations == set()
}

# Facts missing, rule by rule.
test_missing_facts if {
	reasons := {"m": "membership_required", "i": "not_invited", "t": "terms_not_accepted", "l": "local_sign_in_forbidden"}
	every tenant, reason in reasons {
		unmet({"subject": {"tenant": tenant}}) == {reason}
	}
}

test_missing_time if {
	question := object.remove(asks("i", {"issuer": "https://idp"}, {}), ["context"])
	unmet(question) == {"not_invited"}
}

test_empty_input if unmet({}) == set()

test_no_data if {
	found := door.unmet with input as asks("m", {}, {}) with data.fed as {}
	found == set()
}
