"""The events of the comparison: 212 bytes of JSON each, made from a seed, in batches of 500.

Ten topics, twenty sources, 200 events a second. The payload has a status (five values, 500 in one of
ten), a duration, a path (one of 5,000) and a message: `upstream` is in one of six,
`zyzzyva` in one of 100,000.
"""

import datetime
import mmap
import random

BATCH = 500
PER_SECOND = 200
PATHS = 5_000
RARE = 100_000
STATUSES = [200] * 6 + [204, 301, 404, 500]
MESSAGES = [
    "answered from page", "reset by upstream", "session was renewed", "answered from disk",
    "token was checked", "answer compressed",
]
COMMON_WORD, RARE_WORD, ABSENT_WORD = "upstream", "zyzzyva", "quokka"


def path_of(n):
    return f"/api/items/{n:04}"


def make(count, seed=7):
    """Events as `(topic, event_id, time in nanoseconds, source, payload as JSON)`, without end in time order."""
    random_bits = random.Random(seed).getrandbits
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    # Recent, because servers refuse old events or put each day elsewhere.
    time = int((today - datetime.timedelta(days=2)).timestamp()) * 1_000_000_000
    step = 1_000_000_000 // PER_SECOND
    for n in range(count):
        bits = random_bits(192)
        uuid = f"{bits & (1 << 128) - 1:032x}"
        bits >>= 128
        message = MESSAGES[bits % 6]
        if n % RARE == RARE // 2:
            message = message.rsplit(" ", 1)[0] + " " + RARE_WORD
        payload = (f'{{"status":{STATUSES[(bits >> 4) % 10]},"ms":{(bits >> 12) % 900},'
                   f'"path":"{path_of((bits >> 24) % PATHS)}","msg":"{message}"}}')
        time += step
        yield (f"web.{(bits >> 40) % 10}", f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}",
               time, f"host-{(bits >> 50) % 20:02}", payload)


def rfc3339(time):
    seconds, nanos = divmod(time, 1_000_000_000)
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{nanos // 1_000_000:03}Z"


def lines(events):
    """Each event as a line of JSON, as /publish takes it."""
    second, text = None, ""
    for topic, event_id, time, source, payload in events:
        if time // 1_000_000_000 != second:
            second = time // 1_000_000_000
            text = rfc3339(time)[:-4]
        yield (f'{{"topic":"{topic}","event_id":"{event_id}","timestamp":"{text}{time // 1_000_000 % 1000:03}Z",'
               f'"source":"{source}","payload":{payload}}}\n')


class Bodies:
    """Bodies of requests, in a file that is mapped to memory."""

    def __init__(self, path):
        self.path, self.places = path, []

    def write(self, bodies):
        with open(self.path, "wb") as file:
            at = 0
            for body in bodies:
                file.write(body)
                self.places.append((at, len(body)))
                at += len(body)
        file = open(self.path, "rb")
        self.map = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
        return self

    def __iter__(self):
        return (self.map[at:at + length] for at, length in self.places)

    def bytes(self):
        return sum(length for _, length in self.places)


def batches(items):
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
