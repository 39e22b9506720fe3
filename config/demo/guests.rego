# A candidate for the policies of the demonstration's cloud: everybody of acme may look around, though no access
# rule gives them anything. It stands beside the built-in `federation/access.rego`, in the same package.
package federation.access

offers contains guest if {
	person
	input.subject.tenant == "acme"
	input.request.target == "gateway"
}

guest := {"grants": [{"entitlement": {"kind": "session"}, "rule": "guests-of-acme"}]}
