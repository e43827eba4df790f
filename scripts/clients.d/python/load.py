"""The events that the clients of this directory send."""

import os

EVENTS, TIMES = int(os.environ["EVENTS"]), int(os.environ["TIMES"])
CONFLICT, INVALID = int(os.environ.get("CONFLICT", -1)), int(os.environ.get("INVALID", -1))
URL, GZIP = os.environ["URL"], "GZIP" in os.environ


# Larger than the server takes, for clients that do not nest.
LARGE = "x" * 1_200_000


def deep():
    """Nested deeper than the server takes."""
    value = 0
    for _ in range(80):
        value = {"a": value}
    return value


def rounds():
    """The same events each time, but for the one that conflicts."""
    for time in range(TIMES):
        yield [event(n, time) for n in range(EVENTS)]


def event(n, time):
    """Its number, and what it says."""
    document = {"message": f"event {n}" + (" changed" if time and n == CONFLICT else ""), "n": n}
    if n == INVALID:
        document["deep"], document["large"] = deep(), LARGE
    return n, document
