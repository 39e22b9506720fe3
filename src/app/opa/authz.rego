# Who may do what at the management door: `policy.rest.management.callers` of the configuration stands in
# data.system.callers. Nobody else, and nothing else, is allowed.
package system.authz

default allow := false

allow if {
	"decide" in rights
	decides
}

allow if {
	"write" in rights
	writes
}

allow if {
	"read" in rights
	reads
}

rights := data.system.callers[input.identity]

# Without empty segments: `//` in a path must not hide what it names.
path := [segment | some segment in input.path; segment != ""]

decides if {
	input.method == "GET"
	path == ["health"]
}

decides if {
	input.method == "POST"
	path == []
}

# A document below data, and not the compiled access rules.
decides if {
	input.method == "POST"
	path[1] == "data"
	count(path) > 2
	not path[2] in {"fed", "system"}
}

writes if {
	input.method in {"PUT", "PATCH", "DELETE"}
	path[1] in {"data", "policies"}
}

writes if {
	input.method == "GET"
	path[1] == "policies"
}

reads if input.method == "GET"

reads if {
	input.method == "POST"
	path[1] in {"data", "query"}
}
