"""Makes the user by whom people are provisioned, a manager of these domains and nothing more: manager.py <url> <domain>…"""

import json
import sys
import urllib.request


def call(method, path, body=None, token=None):
    request = urllib.request.Request(
        url + path, method=method, data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {})})
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return answer.headers, json.loads(text) if text else None


url = sys.argv[1] + "/v3"
who = {"name": "admin", "domain": {"name": "Default"}, "password": "adminpw"}
token = call("POST", "/auth/tokens", {"auth": {
    "identity": {"methods": ["password"], "password": {"user": who}},
    "scope": {"project": {"name": "admin", "domain": {"name": "Default"}}}}})[0]["X-Subject-Token"]
made = call("POST", "/users", {"user": {"name": "fedgate-provision", "password": "managerpw"}}, token)
user = made[1]["user"]["id"]
role = call("GET", "/roles?name=manager", None, token)[1]["roles"][0]["id"]
for name in sys.argv[2:]:
    domain = call("GET", f"/domains?name={name}", None, token)[1]["domains"][0]["id"]
    call("PUT", f"/domains/{domain}/users/{user}/roles/{role}", None, token)
