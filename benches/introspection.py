"""The load and the sums of benches/introspection.sh. Standard library alone."""

import base64
import http.client
import json
import statistics
import sys
import threading
import time
from urllib.parse import urlencode, urlsplit

from front import cpu_ms, sign_in

WINDOWS = 5
GOAL = 50
# Each asks one question after the other.
SERVICES = 4


class Caller:
    """One client: keeps its connection as long as the far side lets it."""

    def __init__(self, base, method, path, body, headers):
        self.address, self.call = urlsplit(base).netloc, (method, path, body, headers)
        self.connection = None

    def ask(self):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.address, timeout=60)
        self.connection.request(*self.call)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{self.address}{self.call[1]} answered {answer.status}: {text[:300]}")
        if answer.will_close:
            self.connection.close()
            self.connection = None
        return json.loads(text)


def children(pid):
    below = open(f"/proc/{pid}/task/{pid}/children").read().split()
    return [pid, *(one for child in below for one in children(child))]


def cpu_seconds(pid):
    return sum(cpu_ms(one) for one in children(pid)) / 1000


def per_cpu_second(callers, pid, seconds):
    """Several services ask at once: a server that waits for one alone spends much of its time on going to sleep."""
    counts = [0] * len(callers)
    ends = time.monotonic() + seconds

    def work(number):
        while time.monotonic() < ends:
            callers[number].ask()
            counts[number] += 1

    began = cpu_seconds(pid)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(callers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / max(cpu_seconds(pid) - began, 0.01)


def measure(gateway, ours, secret, keystone, theirs, seconds):
    def basic(client):
        return {"Authorization": "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode(),
                "Content-Type": "application/x-www-form-urlencoded"}

    form = urlencode({"grant_type": "password", "username": "alice", "password": "alice-has-a-long-password",
                      "scope": "openid"})
    token = Caller(gateway, "POST", "/oauth2/token", form, basic("script")).ask()["access_token"]
    introspections = [Caller(gateway, "POST", "/oauth2/introspect",
                             urlencode({"token": token, "token_type_hint": "access_token"}), basic("swift-server"))
                      for _ in range(SERVICES)]
    told = introspections[0].ask()
    if not told["active"] or told["roles"] != "member,reader" or told["project"]["name"] != "webshop":
        raise SystemExit(f"the introspection is not what a service needs: {told}")
    admin = sign_in(keystone)
    validations = [Caller(keystone, "GET", "/v3/auth/tokens", None, {"X-Auth-Token": admin, "X-Subject-Token": admin})
                   for _ in range(SERVICES)]
    for caller in introspections + validations:  # both caches are warm
        for _ in range(50):
            caller.ask()
    rates = [], []
    for turn in range(WINDOWS):
        for side in ((0, 1), (1, 0))[turn % 2]:
            callers, pid = ((introspections, ours), (validations, theirs))[side]
            rates[side].append(per_cpu_second(callers, pid, seconds / 2 / WINDOWS))
    own, other = (statistics.median(side) for side in rates)
    print(f"introspection {own:.0f} per CPU second, Keystone's validation with its cache {other:.1f} per CPU second")
    ratio = own / other
    fine = ratio >= GOAL
    print(f"introspection_of_keystones_validation {ratio:.1f} limit {GOAL} {'ok' if fine else 'MISSED'}", flush=True)
    return fine


if __name__ == "__main__":
    sys.exit(0 if measure(*sys.argv[1:6], float(sys.argv[6])) else 1)
