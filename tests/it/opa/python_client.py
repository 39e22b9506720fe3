# opa-python-client against host argv[1], port argv[2]: policies, data, queries, health, errors.
import sys

from opa_client.errors import DeleteDataError, DeletePolicyError, PatchDataError, PolicyNotFoundError, RegoParseError
from opa_client.opa import OpaClient

client = OpaClient(host=sys.argv[1], port=int(sys.argv[2]), timeout=20)
assert client.check_connection()
assert client.check_health()
assert client.get_config()["result"]["default_decision"] == "/system/main"
assert "http_request_duration_seconds" in client.get_metrics()

policy = """
package app.abac

default allow := false

allow if {
	data.users[input.user].role == input.role
}
"""
assert client.update_policy_from_string(policy, "abac")
# Version 0, which the client brings to version 1 after the refusal.
assert client.update_policy_from_string('package old\n\nallow { input.x == 1 }\n', "old")
assert "abac" in client.get_policies_list()
assert client.get_policy("abac")["result"]["raw"] == policy
assert client.update_or_create_data({"alice": {"role": "admin"}}, "users")
assert client.patch_data("users", [{"op": "add", "path": "/bob", "value": {"role": "reader"}}])
assert client.get_data("users")["result"]["bob"] == {"role": "reader"}

alice = {"user": "alice", "role": "admin"}
bob = {"user": "bob", "role": "admin"}
assert client.query_rule(alice, "app.abac", "allow")["result"] is True
assert client.query_rule(bob, "app.abac", "allow")["result"] is False
assert client.query_rule({"x": 1}, "old", "allow")["result"] is True
answer = client.query_rule(alice, "app.abac", "allow", {"metrics": True, "explain": "full", "pretty": True})
assert answer["metrics"]["timer_rego_query_eval_ns"] > 0 and answer["explanation"], answer
assert client.bulk_query_rule([alice, bob], "app.abac", "allow") == [True, False]
assert client.bulk_query_rule({"a": alice, "b": bob}, "app.abac", "allow") == {"a": True, "b": False}
assert client.ad_hoc_query("data.users[name].role = role")["result"]

for call, error in [
    (lambda: client.get_policy("nope"), PolicyNotFoundError),
    (lambda: client.get_data("nope"), PolicyNotFoundError),
    (lambda: client.delete_data("nope"), DeleteDataError),
    (lambda: client.delete_policy("nope"), DeletePolicyError),
    (lambda: client.patch_data("users", [{"op": "remove", "path": "/nobody"}]), PatchDataError),
    (lambda: client.update_policy_from_string("package p\nallow if {", "p"), RegoParseError),
]:
    try:
        call()
    except error:
        continue
    raise AssertionError(f"{error} was not raised")
assert client.delete_data("users/bob")
assert client.delete_policy("abac") and client.delete_policy("old")
print("all done")
