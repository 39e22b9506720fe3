package federation.access_test

import rego.v1

import data.federation.access

grant(entitlement, name) := {"entitlement": entitlement, "rule": name}

role(name) := {"kind": "project", "domain": "acme", "project": "p1", "role": name}

session := {"kind": "session"}

fed := {
	"tenants": {"acme": {"status": "active"}, "blue": {"status": "active"}, "frozen": {"status": "suspended"}},
	"clients": {"acme": {"openstack": {"*": {"bot": [{"grants": [grant(role("reader"), "bots")]}]}}}},
	"rules": {
		"acme": {
			"openstack": {"*": {
				"developers": [{"grants": [grant(role("member"), "devs")], "lifetime_s": 900}],
				"operators": [{
					"grants": [grant(role("manager"), "ops")],
					"demands": {"mfa_required": true, "sign_in_too_old": 3600, "contract_ended": 2000},
				}],
				"*": [{"grants": [grant(role("reader"), "all")]}],
			}},
			"grafana": {
				"*": {"developers": [{"grants": [grant({"kind": "group", "group": "editors"}, "grafana")]}]},
				"partner": {"*": [{"grants": [grant(session, "partners")]}]},
			},
		},
		"blue": {"gateway": {"*": {"staff": [{"grants": [grant(session, "door")]}]}}},
		"frozen": {"openstack": {"*": {"*": [{"grants": [grant(role("reader"), "all")]}]}}},
	},
}

subject := {
	"tenant": "acme",
	"upstream": "main",
	"issuer": "https://idp.example",
	"id": "x",
	"username": "anna",
	"groups": [{"name": "developers", "rule": "m"}],
	"acr": null,
	"amr": ["pwd"],
	"authenticated_at": 900,
	"client": false,
}

context := {"time_s": 1000, "client_ip": null, "reference": "r"}

asks(who, target, kind) := {
	"v": 1,
	"subject": object.union(subject, who),
	"context": context,
	"request": {"target": target, "kind": kind, "client": null, "only": null},
}

openstack(who) := asks(who, "openstack", "keystone")

operator := {"groups": [{"name": "operators", "rule": "m"}], "amr": ["pwd", "mfa"]}

manager_only(who) := object.union(openstack(who), {"request": {"only": [role("manager")]}})

given(answer) := {g.rule | some g in answer.grants}

refused(answer, reasons) if {
	answer.allow == false
	answer.reasons == reasons
	count(answer.grants) == 0
}

# Nothing known, nothing given.
test_empty_input if {
	answer := access.decision with input as {} with data.fed as fed
	refused(answer, ["tenant_unknown"])
}

test_no_data if {
	answer := access.decision with input as openstack({}) with data.fed as {}
	refused(answer, ["tenant_unknown"])
}

test_unknown_tenant if {
	answer := access.decision with input as openstack({"tenant": "nobody"}) with data.fed as fed
	refused(answer, ["tenant_unknown"])
}

test_suspended_tenant if {
	answer := access.decision with input as openstack({"tenant": "frozen"}) with data.fed as fed
	refused(answer, ["tenant_suspended"])
}

test_suspended_tenant_at_the_gateway if {
	answer := access.decision with input as asks({"tenant": "frozen"}, "gateway", "gateway") with data.fed as fed
	refused(answer, ["tenant_suspended"])
}

test_unknown_target if {
	answer := access.decision with input as asks({}, "elsewhere", "keystone") with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

# Each fact that a decision needs, missing.
test_missing_tenant if {
	partial := object.union(object.remove(openstack({}), ["subject"]), {"subject": object.remove(subject, ["tenant"])})
	answer := access.decision with input as partial with data.fed as fed
	refused(answer, ["tenant_unknown"])
}

test_missing_client_flag if {
	partial := object.union(object.remove(openstack({}), ["subject"]), {"subject": object.remove(subject, ["client"])})
	answer := access.decision with input as partial with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

test_missing_groups_leaves_what_is_for_everybody if {
	partial := object.union(object.remove(openstack({}), ["subject"]), {"subject": object.remove(subject, ["groups"])})
	answer := access.decision with input as partial with data.fed as fed
	given(answer) == {"all"}
}

test_missing_upstream_gives_nothing_bound_to_one if {
	partial := {
		"subject": object.remove(subject, ["upstream", "groups"]),
		"context": context,
		"request": {"target": "grafana", "kind": "relying_party", "client": null, "only": null},
	}
	answer := access.decision with input as partial with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

test_missing_amr_is_no_second_factor if {
	who := object.remove(object.union(subject, operator), ["amr"])
	partial := object.union(object.remove(manager_only({}), ["subject"]), {"subject": who})
	answer := access.decision with input as partial with data.fed as fed
	refused(answer, ["mfa_required"])
}

test_missing_sign_in_time_is_too_old if {
	who := object.remove(object.union(subject, operator), ["authenticated_at"])
	partial := object.union(object.remove(manager_only({}), ["subject"]), {"subject": who})
	answer := access.decision with input as partial with data.fed as fed
	refused(answer, ["sign_in_too_old"])
}

test_missing_time_meets_no_demand if {
	partial := object.remove(manager_only(operator), ["context"])
	answer := access.decision with input as partial with data.fed as fed
	refused(answer, ["contract_ended", "sign_in_too_old"])
}

test_missing_question_gives_nothing if {
	whole := openstack({})
	partial := object.union(object.remove(whole, ["request"]), {"request": object.remove(whole.request, ["only"])})
	answer := access.decision with input as partial with data.fed as fed
	refused(answer, ["nothing_granted"])
}

test_missing_request_gives_nothing if {
	answer := access.decision with input as object.remove(openstack({}), ["request"]) with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

# What is given.
test_groups_and_everybody if {
	answer := access.decision with input as openstack({}) with data.fed as fed
	answer.allow == true
	answer.reasons == []
	given(answer) == {"devs", "all"}
	answer.lifetime_s == 900
	answer.rule == "federation/access"
}

test_stranger_to_all_groups if {
	answer := access.decision with input as openstack({"groups": []}) with data.fed as fed
	given(answer) == {"all"}
	answer.lifetime_s == null
}

test_operator_with_second_factor if {
	answer := access.decision with input as openstack(operator) with data.fed as fed
	given(answer) == {"ops", "all"}
}

test_life_ends_with_the_agreement if {
	answer := access.decision with input as manager_only(operator) with data.fed as fed
	answer.allow == true
	answer.lifetime_s == 1000
}

test_without_second_factor_the_rest_is_left if {
	answer := access.decision with input as openstack(object.union(operator, {"amr": ["pwd"]})) with data.fed as fed
	answer.allow == true
	answer.reasons == []
	given(answer) == {"all"}
}

test_second_factor_is_named_when_asked_for if {
	who := object.union(operator, {"amr": ["pwd"]})
	answer := access.decision with input as manager_only(who) with data.fed as fed
	refused(answer, ["mfa_required"])
}

test_old_sign_in if {
	who := object.union(operator, {"authenticated_at": -2601})
	answer := access.decision with input as manager_only(who) with data.fed as fed
	refused(answer, ["sign_in_too_old"])
}

test_sign_in_just_young_enough if {
	who := object.union(operator, {"authenticated_at": -2600})
	answer := access.decision with input as manager_only(who) with data.fed as fed
	answer.allow == true
}

test_contract_ended if {
	late := object.union(manager_only(object.union(operator, {"authenticated_at": 1999})), {"context": {"time_s": 2000}})
	answer := access.decision with input as late with data.fed as fed
	refused(answer, ["contract_ended"])
}

test_asked_for_what_is_not_on_offer if {
	whole := openstack(object.union(operator, {"amr": []}))
	only := object.union(whole, {"request": {"only": [role("owner")]}})
	answer := access.decision with input as only with data.fed as fed
	refused(answer, ["nothing_granted"])
}

test_other_tenants_rules_are_out_of_reach if {
	answer := access.decision with input as openstack({"tenant": "blue"}) with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

# At clients.
test_client_by_group if {
	answer := access.decision with input as asks({}, "grafana", "relying_party") with data.fed as fed
	given(answer) == {"grafana"}
}

test_client_by_upstream if {
	who := {"groups": [], "upstream": "partner"}
	answer := access.decision with input as asks(who, "grafana", "relying_party") with data.fed as fed
	given(answer) == {"partners"}
}

test_client_without_rule if {
	answer := access.decision with input as asks({"groups": []}, "grafana", "relying_party") with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

# At the gateway.
test_gateway_is_open_without_rules if {
	answer := access.decision with input as asks({"groups": []}, "gateway", "gateway") with data.fed as fed
	answer.allow == true
	given(answer) == {"federation/access"}
}

test_gateway_door_keeps_strangers_out if {
	answer := access.decision with input as asks({"tenant": "blue"}, "gateway", "gateway") with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

test_gateway_door_lets_members_in if {
	who := {"tenant": "blue", "groups": [{"name": "staff", "rule": "m"}]}
	answer := access.decision with input as asks(who, "gateway", "gateway") with data.fed as fed
	given(answer) == {"door"}
}

# Clients that act for themselves.
test_machine_gets_a_session if {
	who := {"client": true, "upstream": null, "groups": []}
	answer := access.decision with input as asks(who, "bot", "relying_party") with data.fed as fed
	answer.grants == {grant(session, "federation/access")}
}

test_machine_passes_a_door_made_for_people if {
	who := {"client": true, "upstream": null, "groups": [], "tenant": "blue"}
	answer := access.decision with input as asks(who, "gateway", "gateway") with data.fed as fed
	answer.allow == true
}

test_machine_gets_its_own_rules if {
	who := openstack({"client": true, "upstream": null, "groups": []})
	answer := access.decision with input as object.union(who, {"request": {"client": "bot"}}) with data.fed as fed
	given(answer) == {"bots"}
}

test_person_is_no_machine if {
	who := openstack({"groups": [{"name": "client:bot", "rule": "m"}, {"name": "bot", "rule": "m"}]})
	answer := access.decision with input as object.union(who, {"request": {"client": "bot"}}) with data.fed as fed
	given(answer) == {"all"}
}

# A gateway whose only rules are for clients is not open to everybody.
test_rules_for_machines_close_the_door_to_people if {
	closed := object.union(fed, {"clients": {"acme": {"gateway": {"*": {"bot": [{"grants": [grant(session, "bots")]}]}}}}})
	answer := access.decision with input as asks({}, "gateway", "gateway") with data.fed as closed
	refused(answer, ["no_matching_rule"])
}

test_machine_gets_nothing_made_for_people if {
	who := {"client": true, "upstream": null}
	answer := access.decision with input as openstack(who) with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

# The rules of the library are asked (each is tested in its own file).
library(rules) := object.union(fed, {"library": {
	"items": [params | some _, params in rules],
	"of": {"acme": {name: place | some place, name in [key | some key, _ in rules]}},
}})

under(rules, question) := answer if {
	answer := access.decision with input as question with data.fed as library(rules)
}

test_library_bars_a_person if {
	refused(under({"contract": {"from": 0, "until": 1000, "frozen": true}}, openstack({})), ["contract_ended", "partner_suspended"])
	refused(under({"sign_in_age": {"max_age_s": 99}}, openstack({})), ["sign_in_too_old"])
	refused(under({"network": {"networks": ["10.0.0.0/8"]}}, openstack({})), ["network_not_allowed"])
	refused(under({"deprovisioned": {"ids": {"x": true}}}, openstack({})), ["deprovisioned"])
	refused(under({"onward": {"most_hops": 0}}, openstack({"extras": {"chain": ["b"]}})), ["onward_federation_forbidden"])
}

test_library_takes_grants_away if {
	refused(under({"mfa_for": {"roles": {"member": true, "reader": true}, "groups": {}}}, openstack({})), ["mfa_required"])
	refused(under({"own_domains": {}}, openstack({})), ["issuer_domain_mismatch"])
	refused(under({"reserved_roles": {"names": {"member": true, "reader": true}}}, openstack({})), ["reserved_role"])
	refused(under({"separation": {"pairs": [["member", "reader"]]}}, openstack({})), ["separation_of_duties"])
	tagged := {"of": "US", "tags": {"gdpr": ["DE"]}, "projects": {"acme": {"p1": ["gdpr"]}}, "targets": {}}
	refused(under({"jurisdiction": tagged}, openstack({})), ["jurisdiction_not_allowed"])
	given(under({"mfa_for": {"roles": {"member": true}, "groups": {}}}, openstack({}))) == {"all"}
}

test_library_lowers_roles if {
	answer := under({"role_map": {"roles": {"member": "reader", "reader": "reader"}}}, openstack({}))
	answer.grants == {grant(role("reader"), "devs"), grant(role("reader"), "all")}
	low := under({"reader_unless": {"group": "exchange", "role": "reader"}}, openstack({}))
	low.grants == answer.grants
	asked := object.union(openstack({}), {"request": {"only": [role("member")]}})
	refused(under({"role_map": {"roles": {"member": "reader"}}}, asked), ["role_lowered"])
	refused(under({"reader_unless": {"group": "exchange", "role": "reader"}}, asked), ["reader_only"])
	refused(under({"role_map": {"roles": {}}}, openstack({})), ["role_lowered"])
	refused(under({"allocation": {"projects": {"acme": {"p1": {"until": 10, "exhausted": false}}}}}, openstack({})), ["allocation_used_up"])
}

test_library_keeps_back_and_obliges if {
	answer := under({"attribute_release": {"clients": {}, "others": ["groups"]}}, openstack({}))
	answer.withhold == ["email", "profile"]
	answer.allow == true
}

test_library_gives_in_an_emergency if {
	given_then := {"target": "elsewhere", "entitlement": role("manager")}
	approval := {"ticket": "t", "until": 1500, "by": ["a", "b"]}
	rule := {
		"needed": 2, "lifetime_s": 3600, "approvers": {"a": true, "b": true},
		"grants": [given_then], "approvals": {"x": [approval]},
	}
	answer := under({"emergency": rule}, asks({}, "elsewhere", "keystone"))
	answer.grants == {grant(role("manager"), "emergency")}
	answer.lifetime_s == 500
	answer.obligations == ["emergency_access"]
	refused(under({"emergency": object.union(rule, {"needed": 3})}, asks({}, "elsewhere", "keystone")), ["no_matching_rule"])
}

test_library_shortens_what_workloads_get if {
	answer := under({"ci": {"lifetime_s": 60}}, openstack({"extras": {"workload": ["ci"]}}))
	answer.lifetime_s == 60
}

test_library_of_another_tenant_is_not_asked if {
	other := object.union(fed, {"library": {"items": [{"from": 0, "until": 1, "frozen": true}], "of": {"blue": {"contract": 0}}}})
	answer := access.decision with input as openstack({}) with data.fed as other
	answer.allow == true
}

# Demands that nobody can read are not met: whatever they were meant to say.
test_unreadable_demands_are_not_met if {
	every broken in [null, true, "mfa_required", 7, {"unheard_of": true}, {"sign_in_too_old": "soon"}] {
		offer := {"grants": [grant(role("member"), "devs")], "demands": broken}
		rules := {"acme": {"openstack": {"*": {"developers": [offer]}}}}
		answer := access.decision with input as openstack({}) with data.fed as object.union(fed, {"rules": rules})
		given(answer) == {"all"}
	}
}

test_empty_demands_are_none if {
	offer := {"grants": [grant(role("member"), "devs")], "demands": {}}
	rules := {"acme": {"openstack": {"*": {"developers": [offer]}}}}
	answer := access.decision with input as openstack({}) with data.fed as object.union(fed, {"rules": rules})
	given(answer) == {"devs", "all"}
}

test_what_is_asked_for_in_another_shape_is_nothing if {
	every only in ["all", 7, {}, []] {
		answer := access.decision with input as object.union(openstack({}), {"request": {"only": only}})
			with data.fed as fed
		refused(answer, ["nothing_granted"])
	}
}
