"""Runs the clients of this directory against a server of their own, and prints a table.

Each client sends 30 numbered events, twice if its library can send the same again, and once more to
a server that is killed with SIGKILL after it has stored the events and before it answers. Between
client and server sits a relay, which holds the answer back until the server is dead.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
EVENTS = 30


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

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return json.load(answer)


class Relay:
    """Passes bytes on. Once armed, it kills the server when the next answer comes, closes the
    client's connection without it, and starts the server again."""

    def __init__(self, server):
        self.server, self.armed = server, False
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            with self.lock:
                upstream = socket.create_connection(("127.0.0.1", self.server.port))
        except OSError:
            client.close()
            return
        threading.Thread(target=pump, args=(client, upstream), daemon=True).start()
        try:
            while piece := upstream.recv(65536):
                with self.lock:
                    if self.armed and self.stored():
                        self.armed = False
                        self.server.kill()
                        self.server.start()
                        break
                client.sendall(piece)
        except OSError:
            pass
        for end in (client, upstream):
            # Closing alone waits for the other thread, which reads from it.
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def stored(self):
        return self.server.get("/stats")["received"] > 0


def pump(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def run(binary, program, kills):
    """The counters after the client ran."""
    with tempfile.TemporaryDirectory() as directory:
        server = Server(binary, directory)
        relay = Relay(server)
        relay.armed = kills
        environment = dict(os.environ, URL=f"http://127.0.0.1:{relay.port}", EVENTS=str(EVENTS),
                           TIMES="1" if kills else "2", NO_PROXY="127.0.0.1")
        try:
            done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, timeout=60)
            stats = server.get("/stats")
            return stats, done.stderr if done.returncode else "", relay.armed
        finally:
            server.kill()


def main():
    binary, wanted = sys.argv[1], sys.argv[2:]
    programs = sorted(HERE.glob("client_*.py"))
    programs = [program for program in programs if not wanted or program.stem.removeprefix("client_") in wanted]
    print("| client | sent twice: stored, repeats | killed before the answer: stored, repeats | ids |")
    print("|---|---|---|---|")
    failed = False
    for program in programs:
        expected = json.loads(program.read_text().splitlines()[0].removeprefix("# expect "))
        cells = []
        for kills in (False, True):
            stats, error, unarmed = run(binary, program, kills)
            name = "killed" if kills else "twice"
            found = [stats["unique_processed"], stats["duplicate_dropped"]]
            cells.append(f"{found[0]}, {found[1]}")
            if error or (kills and unarmed) or (found != expected[name] and found[0] != expected[name]):
                failed = True
                print(f"{program.stem} {name}: expected {expected[name]}, found {found} {error}", file=sys.stderr)
            kinds = {kind for way in stats["ways"] for kind in ("declared", "request", "content", "none") if way[kind]}
        print(f"| {program.stem.removeprefix('client_')} | {cells[0]} | {cells[1]} | {', '.join(sorted(kinds))} |",
              flush=True)
    sys.exit(failed)


main()
