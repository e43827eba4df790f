"""Runs the clients of this directory against servers of their own, and prints or writes a table.

    run.py SEKALI LANGUAGES [--short] [--write] [NAME…]

A client is a program that sends `EVENTS` numbered events to `URL`, `TIMES` times over. It begins with a
description. The runner starts it once for each situation, between it and the server the relay.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request

from relay import Relay

HERE = pathlib.Path(__file__).parent
TABLE = HERE.parent.parent / "docs/SHIPPERS.md"
EVENTS, LARGE, MIDDLE = 30, 20_000, 15
SITUATIONS = {
    "twice": {"TIMES": "2"},
    "killed": {},
    "restarted": {"RESTART": "1"},
    "conflict": {"TIMES": "2", "CONFLICT": str(MIDDLE)},
    "invalid": {"INVALID": str(MIDDLE)},
    "overload": {},
    "gzip": {"GZIP": "1"},
    "large": {},
}
SHORT = ("twice", "killed", "overload")
TIMEOUT_SECONDS = 240


class Server:
    """A real server on its own directory, always at the same port."""

    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.directory, "--announce"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.process.stdout.readline()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats") as answer:
            return json.load(answer)


class Client:
    """A client program and its description.

    `name` is for the table; `again`, whether the same events a second time are repeats or new;
    `overload`, the words of an overload in its protocol; `retry`, how a request comes again;
    `restarts`, whether it is a daemon that may be killed; `cannot`, situations that it has no way to
    be in; `large`, events of a large batch, where it is slow; `expect`, what it does otherwise than a client that loses and repeats nothing.
    """

    def __init__(self, program):
        self.program = program
        # A comment at its beginning.
        lines = [line.lstrip("#/ ") for line in program.read_text().splitlines()]
        described, _ = json.JSONDecoder().raw_decode(" ".join(lines))
        self.title, self.words = described["name"], described["overload"]
        self.repeats = {"repeats": True, "new": False}[described["again"]]
        self.cannot, self.expected = described.get("cannot", []), described.get("expect", {})
        if not self.repeats:
            self.cannot.append("conflict")
        if not described.get("restarts"):
            self.cannot.append("restarted")
        self.retried = described.get("retry", "the same bytes")
        self.large = described.get("large", LARGE)
        self.name = program.stem

    def command(self):
        if self.program.suffix == ".mjs":
            # Packages are looked for beside the program.
            return ["node", os.path.join(os.environ["CLIENTS_JS"], self.program.name)]
        return ["sh" if self.program.suffix == ".sh" else sys.executable, str(self.program)]

    def run(self, binary, situation):
        """What the server counted, and how the spoilt request came again."""
        with tempfile.TemporaryDirectory() as directory:
            server = Server(binary, os.path.join(directory, "data"))
            relay = Relay(server, {"killed": "kill", "restarted": "kill", "overload": self.words}.get(situation))
            environment = dict(os.environ, URL=f"http://127.0.0.1:{relay.port}", EVENTS=str(EVENTS), TIMES="1",
                               NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", WORK=directory, SITUATION=situation, PYTHONPATH=str(HERE))
            environment.update(SITUATIONS[situation])
            if situation == "large":
                environment["EVENTS"] = str(self.large)
            try:
                done = subprocess.run(self.command(), env=environment, capture_output=True, text=True,
                                      timeout=TIMEOUT_SECONDS)
                stats = server.stats()
            finally:
                relay.close()
                server.kill()
        repeats = stats["duplicate_dropped"] - stats["conflicts"]
        retry = relay.retry()
        if retry == "other bytes" and not repeats:
            # Events that came afterwards are others: all of those before are stored.
            retry = "none"
        quarantined = sum(way["quarantined"] for way in stats["ways"])
        return {
            "stored": stats["unique_processed"] - quarantined, "repeats": repeats,
            "conflicts": stats["conflicts"], "quarantined": quarantined,
            "kinds": sorted({kind for way in stats["ways"] for kind in ("declared", "request", "content", "none") if way[kind]}),
            "retry": retry, "encodings": sorted({note["encoding"] for note in relay.requests}),
            "unspoilt": relay.spoil is not None, "statuses": relay.statuses,
            "said": done.stderr.strip()[-400:] if done.returncode else "",
        }

    def promised(self, situation):
        """What a client that loses and repeats nothing leaves: some counters."""
        again = EVENTS if self.repeats else 0
        promised = {
            "twice": {"stored": 2 * EVENTS - again, "repeats": again},
            "killed": {"stored": EVENTS},
            "restarted": {"stored": EVENTS},
            "conflict": {"stored": EVENTS, "repeats": EVENTS - 1, "conflicts": 1},
            "invalid": {"stored": EVENTS - 1},
            "overload": {"stored": EVENTS, "repeats": 0},
            "gzip": {"stored": EVENTS, "encodings": ["gzip"]},
            "large": {"stored": self.large, "repeats": 0},
        }[situation]
        return promised | self.expected.get(situation, {})


def judged(client, situation, found):
    """What is wrong about a run, or None."""
    promised = client.promised(situation)
    wrong = {name: found[name] for name, value in promised.items() if found[name] != value}
    if situation == "killed" and client.retried not in ("any", found["retry"]):
        wrong["retry"] = found["retry"]
    if found["unspoilt"]:
        wrong["spoilt"] = "the request that was to be spoilt never came"
    if found["said"] and situation not in client.expected:
        wrong["said"] = found["said"]
    return f"{client.name}, {situation}: {wrong}, promised {promised}" if wrong else None


def row(client, found):
    """A line of the table."""
    def cell(situation, text):
        return text(found[situation]) if situation in found else "–"

    def lost(one):
        return f"{one['stored']} of {EVENTS}" if one["stored"] != EVENTS else str(EVENTS)

    cells = [
        client.title,
        cell("twice", lambda one: f"{one['stored']}, {one['repeats']}"),
        cell("killed", lambda one: f"{lost(one)}, {one['repeats']}"),
        cell("restarted", lambda one: f"{lost(one)}, {one['repeats']}"),
        cell("conflict", lambda one: f"{one['conflicts']}"),
        cell("invalid", lambda one: f"{one['stored']}, " + ("quarantine" if one["quarantined"] else "refused")),
        cell("overload", lost),
        cell("gzip", lost),
        cell("large", lambda one: f"{one['stored']:,}"),
        ", ".join(found["twice"]["kinds"]),
        cell("killed", lambda one: one["retry"] or "–"),
    ]
    return "| " + " | ".join(cells) + " |"


HEAD = ["| client | twice | killed | client killed | conflict | invalid | overload | gzip | large | ids | its retry |",
        "|---|---|---|---|---|---|---|---|---|---|---|"]


def write(rows):
    """Puts the table into the page, in place of the one that is there."""
    table = "\n".join(HEAD + rows)
    page = TABLE.read_text()
    place = r"(?s)(<!-- begin: scripts/clients --write -->\n).*?(<!-- end -->)"
    if not re.search(place, page):
        raise SystemExit(f"{TABLE} has no place for the table")
    new = re.sub(place, lambda found: f"{found[1]}\n{table}\n\n{found[2]}", page)
    TABLE.write_text(new)


def main():
    binary, languages, options = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
    wanted = [option for option in options if not option.startswith("--")]
    situations = SHORT if "--short" in options else tuple(SITUATIONS)
    programs = sorted(path for language in languages for path in (HERE / language).glob("client_*") if path.is_file())
    clients = [Client(program) for program in programs]
    clients = [client for client in clients if not wanted or client.name.removeprefix("client_") in wanted]
    failed, rows = False, {}
    print_lock = threading.Lock()

    def all_of(client):
        nonlocal failed
        found = {}
        for situation in situations:
            if situation in client.cannot:
                continue
            try:
                found[situation] = client.run(binary, situation)
                wrong = judged(client, situation, found[situation])
            except Exception as error:
                wrong = f"{client.name}, {situation}: {error!r}"
            if wrong:
                with print_lock:
                    failed = True
                    print(wrong, file=sys.stderr, flush=True)
        if all(situation in found for situation in situations if situation not in client.cannot):
            rows[client] = row(client, found)
            with print_lock:
                print(rows[client], flush=True)

    print("\n".join(HEAD), flush=True)
    # Most of the time they wait.
    with concurrent.futures.ThreadPoolExecutor(max_workers=int(os.environ.get("JOBS", "3"))) as pool:
        list(pool.map(all_of, clients))
    if "--write" in options and not failed:
        write([rows[client] for client in clients])
    sys.exit(failed)


main()
