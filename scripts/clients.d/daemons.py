"""Daemons that send the lines of a file."""

import json
import os
import pathlib
import subprocess
import time
import urllib.parse
import urllib.request

WORK = pathlib.Path(os.environ["WORK"])
URL, EVENTS, TIMES = os.environ["URL"], int(os.environ["EVENTS"]), int(os.environ["TIMES"])
INVALID, GZIP = int(os.environ.get("INVALID", -1)), "GZIP" in os.environ
PORT = urllib.parse.urlsplit(URL).port
QUIET_SECONDS, LONGEST_SECONDS = 3, 90

# Debian packages are unpacked there, and not installed: two of them cannot be at once.
ROOT = pathlib.Path(os.environ.get("CLIENTS_DEBIAN", "/"))
LIBRARIES = [ROOT / "usr/lib/x86_64-linux-gnu", ROOT / "lib/x86_64-linux-gnu", ROOT / "usr/lib/syslog-ng"]


def lines():
    """Lines of a log. One that the server does not take is longer than a payload may be."""
    return ("x" * 1_200_000 + "\n" if n == INVALID else f"event {n}\n" for n in range(EVENTS))


class Daemon:
    def __init__(self, command):
        self.command = list(map(str, command))
        self.environment = dict(os.environ, LD_LIBRARY_PATH=":".join(map(str, LIBRARIES)))
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def counted():
    with urllib.request.urlopen(f"{URL}/stats") as answer:
        return json.load(answer)["received"]


def wait_until_quiet(daemon, atleast):
    """Waits until the server has as many events, and then until no more come."""
    end, last, since = time.monotonic() + LONGEST_SECONDS, -1, time.monotonic()
    while time.monotonic() < end:
        if daemon.process.poll() is not None:
            raise SystemExit(f"{daemon.command[0]} ended by itself")
        now = counted()
        if now != last:
            last, since = now, time.monotonic()
        if now >= atleast and time.monotonic() - since > QUIET_SECONDS:
            return
        time.sleep(0.2)


def run(command):
    """Runs the daemon over a file that grows each time, and kills it once in between if
    that is asked for."""
    file = WORK / "app.log"
    file.touch()
    daemon = Daemon(command)
    try:
        for turn in range(TIMES):
            with file.open("a") as out:
                out.writelines(lines())
            if "RESTART" in os.environ:
                time.sleep(1.5)
                daemon.process.kill()
                daemon.process.wait()
                daemon.start()
            wait_until_quiet(daemon, EVENTS * (turn + 1))
    finally:
        daemon.stop()
