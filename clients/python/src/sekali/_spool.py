"""Batches on disk, for the time that the server is away."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO

from ._errors import SekaliError

LOCK = "LOCK"
SUFFIX = ".ndjson"


class Spool:
    """A directory of batches, oldest first: one file each, named ``NUMBER-EVENTS.ndjson``.

    A file has its final name only once it is on disk, so a crash leaves whole batches. One process
    uses a directory at a time. Not safe for use by several threads at once.
    """

    def __init__(self, directory: str | os.PathLike[str], bytes_max: int) -> None:
        self._directory = Path(directory)
        self._bytes_max = bytes_max
        self._directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self._directory / LOCK)
        for unfinished in self._directory.glob("*.tmp"):
            unfinished.unlink()
        self._files = sorted(self._directory.glob(f"*{SUFFIX}"))
        self._sizes = {file: file.stat().st_size for file in self._files}
        self._next = 1 + max((_numbers(file)[0] for file in self._files), default=0)

    @property
    def events(self) -> int:
        """Number of events in the directory."""
        return sum(_numbers(file)[1] for file in self._files)

    def __bool__(self) -> bool:
        return bool(self._files)

    def append(self, lines: list[bytes]) -> bool:
        """Adds a batch of at least one event and returns once it is on disk.

        Returns ``False`` if it would make the directory larger than its limit. Raises
        :class:`OSError` if it cannot be written.
        """
        body = b"\n".join(lines) + b"\n"
        if sum(self._sizes.values()) + len(body) > self._bytes_max:
            return False
        file = self._directory / f"{self._next:020}-{len(lines)}{SUFFIX}"
        unfinished = file.with_suffix(".tmp")
        try:
            with unfinished.open("wb") as out:
                out.write(body)
                out.flush()
                os.fsync(out.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
        unfinished.rename(file)
        _sync_directory(self._directory)
        self._next += 1
        self._files.append(file)
        self._sizes[file] = len(body)
        return True

    def first(self) -> tuple[Path, list[bytes]] | None:
        """Returns the oldest batch."""
        if not self._files:
            return None
        file = self._files[0]
        return file, file.read_bytes().splitlines()

    def remove(self, file: Path) -> None:
        """Removes a batch that was stored or refused."""
        file.unlink(missing_ok=True)
        self._files.remove(file)
        del self._sizes[file]

    def close(self) -> None:
        """Lets another process use the directory."""
        self._lock.close()


def _numbers(file: Path) -> tuple[int, int]:
    number, _, events = file.stem.partition("-")
    try:
        return int(number), int(events)
    except ValueError as error:
        raise SekaliError(f"{file} is no batch of a spool; use a directory of its own") from error


def _lock(path: Path) -> IO[bytes]:
    lock = path.open("wb")
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise SekaliError(f"another process uses the spool {path.parent}") from error
    return lock


def _sync_directory(directory: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
