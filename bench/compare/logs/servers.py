"""The two log servers that are compared, started on an empty directory each, on loopback."""

import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.parse

# The version that `run` builds.
VERSION = "v1.52.1"
START_SECONDS = 30
QUIET_SECONDS = 5
LONGEST_SECONDS = 1_200


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """A process with a data directory of its own. `name`, `command` and `bodies` are the subclass's."""

    def __init__(self, program, directory):
        self.program, self.directory, self.port = program, pathlib.Path(directory), free_port()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        os.sync()
        log = open(self.directory.with_suffix(".log"), "w")
        # It ends with this program, even if that is killed.
        command = ["setpriv", "--pdeathsig", "KILL", "--", *map(str, self.command())]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise RuntimeError(f"{self.name} does not start: see {log.name}") from None
                time.sleep(0.05)

    def stop(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait(60)

    def wake(self):
        """Connects anew: servers close connections on which nothing happens."""
        self.connection.close()
        self.connection.connect()

    def ask(self, path, **parameters):
        """The body of the answer to a GET."""
        if parameters:
            path += "?" + urllib.parse.urlencode(parameters)
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{self.name} answers {path} with {answer.status}: {body[:300]}")
        return body

    def disk(self):
        return sum(path.stat().st_blocks * 512 for path in self.directory.rglob("*") if path.is_file())

    def memory(self):
        """Resident bytes: now, at most, and now without pages of files."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith(" kB")}
        return {"now": sizes["VmRSS"], "most": sizes["VmHWM"], "own": sizes["RssAnon"]}

    def cpu(self):
        """Seconds of CPU since the start."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self):
        """Waits until the process uses less than a tenth of a core. Returns the seconds it took."""
        begun = time.monotonic()
        while time.monotonic() - begun < LONGEST_SECONDS:
            before = self.cpu()
            time.sleep(QUIET_SECONDS)
            if self.cpu() - before < QUIET_SECONDS / 10:
                return time.monotonic() - begun - QUIET_SECONDS
        raise RuntimeError(f"{self.name} is still busy after {LONGEST_SECONDS} s")


class Sekali(Server):
    name = "Sekali"
    publish = "/publish"

    def command(self):
        return [self.program, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.directory]

    def held(self):
        return json.loads(self.ask("/stats"))["unique_processed"]

    def unsealed(self):
        """Bytes of the log, and whether any event is there alone."""
        self.wake()
        storage = json.loads(self.ask("/stats"))["storage"]
        return sum(one["log_bytes"] for one in storage), any(one["unsealed_seconds"] for one in storage)

    def seal(self):
        """Waits until every event is in a segment, as it is five minutes after the last one."""
        begun = time.monotonic()
        while self.unsealed()[1]:
            if time.monotonic() - begun > LONGEST_SECONDS:
                raise RuntimeError(f"events are not sealed after {LONGEST_SECONDS} s")
            time.sleep(QUIET_SECONDS)
        self.settle()


class VictoriaLogs(Server):
    name = "VictoriaLogs"
    publish = "/insert/jsonline?" + urllib.parse.urlencode(
        {"_stream_fields": "topic,source", "_time_field": "timestamp", "_msg_field": "payload.msg"})

    def command(self):
        return [self.program, f"-httpListenAddr=127.0.0.1:{self.port}", f"-storageDataPath={self.directory}",
                "-retentionPeriod=100y", "-loggerLevel=WARN", "-search.maxQueryDuration=10m"]

    def query(self, logsql):
        """The rows of an answer."""
        body = self.ask("/select/logsql/query", query=logsql)
        return [json.loads(line) for line in body.splitlines()]

    def held(self):
        self.ask("/internal/force_flush")
        return int(self.query("* | stats count() n")[0]["n"])
