"""The load and the sums of benches/front.sh. Standard library alone."""

import http.client
import json
import os
import statistics
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Stub(BaseHTTPRequestHandler):
    """Answers at once: what remains is the front and the network."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        body = b'{"version": "stub"}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_):
        pass


class Caller:
    """One client: keeps its connection as long as the far side lets it."""

    def __init__(self, base, path, headers):
        self.address, self.path, self.headers = urlsplit(base).netloc, path, headers
        self.connection = None

    def ask(self):
        began = time.perf_counter()
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.address, timeout=60)
        self.connection.request("GET", self.path, headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{self.address}{self.path} answered {answer.status}")
        if answer.will_close:
            self.connection.close()
            self.connection = None
        return (time.perf_counter() - began) * 1000


def sign_in(base):
    for _ in range(240):
        try:
            connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
            connection.request("GET", "/v3")
            if connection.getresponse().status == 200:
                break
        except OSError:
            pass
        time.sleep(0.25)
    body = {"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": "admin", "domain": {"name": "Default"}, "password": "adminpw"}}},
        "scope": {"project": {"name": "admin", "domain": {"name": "Default"}}}}}
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
    connection.request("POST", "/v3/auth/tokens", json.dumps(body), {"Content-Type": "application/json"})
    return connection.getresponse().headers["X-Subject-Token"]


def in_turns(direct, through, seconds):
    """One request here, one there, in changing order, so that whatever else the machine does meets both."""
    times = ([], [])
    ends = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < ends:
        for side in ((0, 1), (1, 0))[turn % 2]:
            times[side].append((direct, through)[side].ask())
        turn += 1
    return times


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def rate(callers, seconds):
    """Requests per second of several callers at once."""
    counts = [0] * len(callers)
    ends = time.monotonic() + seconds

    def work(number):
        while time.monotonic() < ends:
            callers[number].ask()
            counts[number] += 1

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(callers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began)


def cpu_ms(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def family(pid):
    """A process and all that it has started."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()
                parents.setdefault(int(fields[1]), []).append(int(name))
            except OSError:
                pass
    found = [pid]
    for one in found:
        found.extend(parents.get(one, ()))
    return found


def place(pids, processors):
    """Every thread of these processes on these processors."""
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(task), processors)


FAILED = False


def figure(name, value, limit, fine):
    global FAILED
    FAILED = FAILED or not fine
    print(f"{name} {value:.3f} limit {limit} {'ok' if fine else 'MISSED'}", flush=True)


def throughput(sides, seconds, pid):
    """Both sides in turns of windows; the share of pairs of neighbours, so that a busy moment meets both."""
    windows = 5
    rates = ([], [])
    asked = spent = 0
    for turn in range(windows):
        for side in ((0, 1), (1, 0))[turn % 2]:
            began = cpu_ms(pid)
            rates[side].append(rate(sides[side], seconds / windows / 2))
            if side == 1:
                spent += cpu_ms(pid) - began
                asked += rates[1][-1] * seconds / windows / 2
    share = statistics.median(through / direct for direct, through in zip(*rates))
    return share, (f"direct {statistics.median(rates[0]):.1f}/s, through {statistics.median(rates[1]):.1f}/s, "
                   f"{share:.3f} of direct, the gateway's own CPU {spent / max(asked, 1):.3f} ms a request")


def measure(keystone, front, stub, beside, pids, seconds):
    own, pid = (int(one) for one in pids.split(","))
    # 1. The front alone: a far side that answers at once.
    callers = Caller(stub, "/v3", {}), Caller(beside, "/v3", {})
    in_turns(*callers, 1)
    direct, through = in_turns(*callers, seconds / 6)
    print(f"stub: {len(direct)} pairs, direct p50 {quantile(direct, .5):.3f} ms, through p50 {quantile(through, .5):.3f} ms")
    for name, share, limit in (("p50", .5, 1.0), ("p99", .99, 3.0)):
        added = quantile(through, share) - quantile(direct, share)
        figure(f"front_adds_{name}_ms_before_a_stub", added, limit, added <= limit)

    # 2. A real Keystone: what every service asks it for all day, the validation of a token.
    token = sign_in(keystone)
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    callers = [Caller(base, "/v3/auth/tokens", headers) for base in (keystone, front)]
    in_turns(*callers, 3)
    direct, through = in_turns(*callers, seconds / 3)
    print(f"keystone: {len(direct)} pairs, direct p50 {quantile(direct, .5):.3f} ms p99 {quantile(direct, .99):.3f} ms, "
          f"through p50 {quantile(through, .5):.3f} ms p99 {quantile(through, .99):.3f} ms")
    for name, share, limit in (("p50", .5, 1.0), ("p99", .99, 3.0)):
        added = quantile(through, share) - quantile(direct, share)
        figure(f"front_adds_{name}_ms", added, limit, added <= limit)

    # 3. As much as Keystone can, two callers at once. First on processors that all share: there the gateway takes
    #    from Keystone what it uses itself. Then as in a deployment: Keystone has a processor, the others have another.
    sides = [[Caller(base, "/v3/auth/tokens", headers) for _ in range(2)] for base in (keystone, front)]
    _, told = throughput(sides, seconds / 4, pid)
    print(f"throughput, all on the same processors: {told}")
    first, *others = sorted(os.sched_getaffinity(0))
    place(family(own), {first})
    place([pid, os.getpid()], set(others) or {first})
    share, told = throughput(sides, seconds / 2, pid)
    print(f"throughput, Keystone on a processor of its own: {told}")
    figure("front_throughput_of_direct", share, 0.98, share >= 0.98)


if __name__ == "__main__":
    if sys.argv[1] == "stub":
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Stub).serve_forever()
    else:
        measure(*sys.argv[2:7], float(sys.argv[7]))
        sys.exit(1 if FAILED else 0)
