"""A real server for each test. `SEKALI` names its binary."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest


class Server:
    """A server on loopback that can be killed and started again on its data."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server and waits until it is ready."""
        command = [os.environ["SEKALI"], "serve", "--data-dir", str(self.directory / "data")]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        pytest.fail((self.directory / "server.log").read_text())

    def kill(self) -> None:
        """Kills the server, if it runs, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stats(self) -> dict[str, Any]:
        """Returns the counters."""
        answer: dict[str, Any] = httpx.get(f"{self.url}/stats").json()
        return answer


@pytest.fixture
def stopped_server(tmp_path: Path) -> Iterator[Server]:
    """A server that has not been started."""
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def server(stopped_server: Server) -> Server:
    """A server that runs."""
    stopped_server.start()
    return stopped_server
