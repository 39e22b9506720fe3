"""The measure of benches/offboard.sh. Standard library alone."""

import base64
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

from front import sign_in

AUTH = "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth"
LIMIT_S = 30  # `within_s` of the configuration


def call(url, body=None, headers=None):
    request = urllib.request.Request(url, data=body, headers=headers or {}, method="POST" if body is not None else "GET")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


def made(answer):
    status, headers, text = answer
    if status != 201:
        raise SystemExit(f"no token: {status} {text[:300]}")
    return headers["X-Subject-Token"]


class World:
    def __init__(self, folder, gateway, keystone):
        self.folder, self.gateway, self.keystone = folder, gateway, keystone
        self.admin = sign_in(keystone)

    def tokens(self, person, project):
        """Signs in and scopes, as people do."""
        basic = base64.b64encode(f"script:{open(self.folder + '/client.secret').read()}".encode()).decode()
        form = urlencode({"grant_type": "password", "username": person, "password": "a-long-password-of-theirs",
                          "scope": "openid"}).encode()
        status, _, text = call(self.gateway + "/oauth2/token", form, {"Authorization": "Basic " + basic})
        if status != 200:
            raise SystemExit(f"{person}: {status} {text[:300]}")
        bearer = json.loads(text)["access_token"]
        unscoped = made(call(self.gateway + AUTH, b"", {"Authorization": "Bearer " + bearer}))
        body = {"auth": {"identity": {"methods": ["token"], "token": {"id": unscoped}},
                         "scope": {"project": {"name": project, "domain": {"name": "acme"}}}}}
        return made(call(self.gateway + "/v3/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"}))

    def good(self, token):
        return call(self.keystone + "/v3/auth/tokens", None, {"X-Auth-Token": self.admin, "X-Subject-Token": token})[0] == 200

    def refused(self, token, began):
        while self.good(token):
            if time.monotonic() - began > 20 * LIMIT_S:
                raise SystemExit("the token is still good")
            time.sleep(0.02)
        return time.monotonic() - began


def line(name, values):
    worst = max(values)
    verdict = "ok" if worst <= LIMIT_S else "MISSED"
    print(f"{name} median {statistics.median(values):.2f} s, worst {worst:.2f} s limit {LIMIT_S} {verdict}", flush=True)
    return worst <= LIMIT_S


def main(fedgate, folder, gateway, keystone, pid, people):
    world = World(folder, gateway, keystone)
    numbers = range(1, int(people) + 1)
    gone = []
    for number in numbers:
        token = world.tokens(f"leaves{number}", "webshop")
        if not world.good(token):
            raise SystemExit("Keystone does not take the token")
        began = time.monotonic()
        done = subprocess.run([fedgate, "offboard", "--user", f"people/leaves{number}", "--config", f"{folder}/fedgate.yaml"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
        gone.append(world.refused(token, began))
    lost = []
    for number in numbers:
        token = world.tokens(f"loses{number}", "platform")
        file = f"{folder}/fedgate.yaml"
        text = open(file).read()
        entry = f"username: loses{number}, groups: [developers, operators]"
        if entry not in text or not world.good(token):
            raise SystemExit("nothing to lose")
        with open(file, "w") as out:
            out.write(text.replace(entry, f"username: loses{number}, groups: [developers]"))
        began = time.monotonic()
        os.kill(int(pid), signal.SIGHUP)
        lost.append(world.refused(token, began))
    fine = line("offboard_command_to_refused_token", gone)
    return line("lost_group_to_refused_token", lost) and fine


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:7]) else 1)
