package lib.claims_test

import rego.v1

import data.lib.claims

said := {"a": "x", "b": ["x", "y", {"no": 1}], "c": true, "d": {"e": [1]}, "f.g": "dotted", "h": null}

test_values if {
	claims.values(said, "a") == {"x"}
	claims.values(said, "b") == {"x", "y"}
	claims.values(said, "c") == {"true"}
	claims.values(said, "d.e") == {"1"}
	claims.values(said, "f.g") == {"dotted"}
}

test_nothing if {
	every name in ["h", "i", "d", "d.x.y", "a.b"] {
		claims.values(said, name) == set()
	}
}

test_matches if {
	claims.matches("main", "main")
	claims.matches("release/1", "release/*")
	count({1 | claims.matches("mainx", "main")}) == 0
	count({1 | claims.matches("release", "release/*")}) == 0
}
