"""Takes the same events into both servers, and asks both, and DuckDB, the same questions."""

import json
import statistics
import subprocess
import time

import duckdb

import events
from load import send
from servers import Sekali, VictoriaLogs

NDJSON = {"Content-Type": "application/x-ndjson"}
ROUNDS_OF_QUERIES = 9


class Question:
    """One question in three languages. A placeholder `{…}` gets another value in each round, so that
    no answer is remembered."""

    def __init__(self, name, sekali, victoria, sql):
        self.name, self.sekali, self.victoria, self.sql = name, sekali, victoria, sql


def total(name, sekali, victoria, where):
    return Question(name, ("count", sekali), victoria + " | stats count() n", f"SELECT count(*) FROM events WHERE {where}")


def grouped(name, by, victoria, sql):
    return Question(name, ("by", {"by": by, "top": 1000}), f"* | stats by ({victoria}) count() n",
                    f"SELECT {sql} AS key, count(*) FROM events GROUP BY key")


QUESTIONS = [
    total("word in 1 of 100,000", {"q": "{rare}"}, "{rare}", "contains(payload, '{rare}')"),
    total("word in 1 of 6", {"q": "{common}"}, "{common}", "contains(payload, '{common}')"),
    total("word that is nowhere", {"q": "{absent}"}, "{absent}", "contains(payload, '{absent}')"),
    total("member equals, 1 of 5,000", {"payload.path": "{path}"}, 'payload.path:="{path}"',
          "payload->>'$.path' = '{path}'"),
    total("member equals, 1 of 10", {"payload.status": "{status}"}, "payload.status:={status}",
          "payload->>'$.status' = '{status}'"),
    grouped("count by member, 5 values", "payload.status", "payload.status", "payload->>'$.status'"),
    grouped("count by source", "source", "source", "source"),
    Question("count by minute", ("minutes", {"interval": "1m"}), "* | stats by (_time:1m) count() n",
             "SELECT epoch_ns(timestamp) // 60000000000 * 60 AS key, count(*) FROM events GROUP BY key"),
    Question("one event by id", ("id", "{id}"), 'event_id:="{id}" | fields event_id',
             "SELECT event_id FROM events WHERE topic = '{topic}' AND event_id = '{id}'"),
    Question("newest 50, member equals 1 of 10", ("page", {"payload.status": "{status}", "order": "desc", "limit": 50}),
             "payload.status:={status} | sort by (_time) desc limit 50 | fields event_id",
             "SELECT event_id FROM events WHERE payload->>'$.status' = '{status}' ORDER BY seq DESC LIMIT 50"),
]


def values(round, samples):
    topic, event_id = samples[round % len(samples)]
    return {"rare": events.RARE_WORD, "common": events.COMMON_WORD, "absent": events.ABSENT_WORD,
            "path": events.path_of(round * 37), "status": (500, 404, 301, 204)[round % 4], "topic": topic, "id": event_id}


def filled(what, given):
    if isinstance(what, dict):
        return {name: filled(value, given) for name, value in what.items()}
    return what.format(**given) if isinstance(what, str) else what


def ask_sekali(server, question, given):
    kind, what = question.sekali
    what = filled(what, given)
    if kind == "id":
        return [json.loads(server.ask(f"/events/{given['topic']}/{what}"))["event_id"]]
    if kind == "page":
        found = json.loads(server.ask("/events", **what))
        return len(found)
    answer = json.loads(server.ask("/events/count", **what))
    assert answer["complete"], answer
    if kind == "by":
        return {str(group["key"][0]): group["count"] for group in answer["groups"]}
    if kind == "minutes":
        return {seconds(one["start"]): one["count"] for one in answer["buckets"] if one["count"]}
    return answer["count"]


def ask_victoria(server, question, given):
    rows = server.query(question.victoria.format(**given))
    kind = question.sekali[0]
    if kind == "page":
        return len(rows)
    if kind == "id":
        return [row["event_id"] for row in rows]
    if kind == "count":
        return int(rows[0]["n"])
    key = "_time" if kind == "minutes" else next(name for name in rows[0] if name != "n")
    return {seconds(row[key]) if kind == "minutes" else row[key]: int(row["n"]) for row in rows}


def ask_duckdb(database, question, given):
    rows = database.execute(question.sql.format(**given)).fetchall()
    kind = question.sekali[0]
    if kind == "page":
        return len(rows)
    if kind == "id":
        return [row[0] for row in rows]
    return rows[0][0] if kind == "count" else {row[0] if kind == "minutes" else str(row[0]): row[1] for row in rows}


def seconds(text):
    return int(time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))) - time.timezone


def version_of(sekali):
    said = subprocess.run([sekali, "--version"], capture_output=True, text=True, check=True).stdout.split()
    return f"Sekali {said[1]}"


def taken(server, bodies, count):
    """Publishes everything, and what that cost."""
    before = server.cpu()
    took, latencies, sender = send(server.port, server.publish, NDJSON, bodies)
    cpu = server.cpu() - before
    held = server.held()
    if held != count:
        raise RuntimeError(f"{server.name} holds {held} events of {count}")
    latencies.sort()
    return {"events_per_second": count / took, "cpu_us": cpu / count * 1e6, "sender_us": sender / count * 1e6,
            "p50_ms": latencies[len(latencies) // 2] * 1e3, "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3,
            "memory": server.memory()}


def measure(count, rounds, sekali, victoria, scratch, say):
    """One size: publishing in `rounds` turns, then every question in turns."""
    say(f"{count:,} events are made")
    samples = []

    def watched():
        for n, event in enumerate(events.make(count)):
            if n % max(1, count // 16) == count // 32:
                samples.append((event[0], event[1]))
            yield event

    bodies = events.Bodies(scratch / "events.ndjson").write(
        "".join(batch).encode() for batch in events.batches(events.lines(watched())))
    result = {"events": count, "bytes": bodies.bytes(), "taking": {}, "queries": {}}
    kinds = [(Sekali, sekali), (VictoriaLogs, victoria)]
    servers = {}
    for round in range(rounds):
        for kind, program in kinds:
            if kind.name in servers:
                servers[kind.name].stop()
            servers[kind.name] = server = kind(program, scratch / kind.name.lower())
            one = taken(server, bodies, count)
            say(f"round {round + 1}: {kind.name:<14}{one['events_per_second']:>12,.0f}/s, "
                f"{one['cpu_us']:.2f} µs of CPU an event, p99 {one['p99_ms']:.0f} ms")
            # The other one must not be disturbed by what is left to do.
            one["settled_seconds"] = server.settle()
            one["disk"], one["memory_settled"] = server.disk(), server.memory()
            if kind is Sekali:
                one["unsealed"] = server.unsealed()[0]
            result["taking"].setdefault(kind.name, []).append(one)
    result["unsealed"] = asked_before_sealing(servers["Sekali"], samples)
    servers["Sekali"].seal()
    result["sealed"] = {"disk": servers["Sekali"].disk(), "log": servers["Sekali"].unsealed()[0], "memory": servers["Sekali"].memory()}
    result["queries"] = asked(servers, samples, scratch, sekali, say)
    for server in servers.values():
        result.setdefault("memory_after_queries", {})[server.name] = server.memory()
        server.stop()
    return result


def asked_before_sealing(server, samples):
    """Milliseconds for each question, with the newest events in the log alone."""
    result = {}
    for question in QUESTIONS:
        result[question.name] = []
        for round in range(3):
            server.wake()
            begun = time.perf_counter()
            ask_sekali(server, question, values(round, samples))
            result[question.name].append((time.perf_counter() - begun) * 1e3)
    return result


def asked(servers, samples, scratch, sekali, say):
    export = scratch / "export.parquet"
    export.unlink(missing_ok=True)
    url = f"http://127.0.0.1:{servers['Sekali'].port}"
    subprocess.run([sekali, "export", "--url", url, "--output", export], check=True, capture_output=True)
    database = duckdb.connect()
    database.execute("SET threads = 2; SET TimeZone = 'UTC'")
    database.execute(f"CREATE VIEW events AS SELECT * REPLACE (payload::VARCHAR AS payload) FROM read_parquet('{export}')")
    result = {}
    for question in QUESTIONS:
        times = {"Sekali": [], "VictoriaLogs": [], "DuckDB": []}
        cpus = {"Sekali": [], "VictoriaLogs": []}
        for round in range(ROUNDS_OF_QUERIES):
            given = values(round, samples)
            answers = {}
            for name, spent in times.items():
                if name == "DuckDB" and round >= 3:
                    continue
                if name in servers:
                    servers[name].wake()
                before = servers[name].cpu() if name in cpus else 0
                begun = time.perf_counter()
                if name == "DuckDB":
                    answers[name] = ask_duckdb(database, question, given)
                else:
                    ask = ask_sekali if name == "Sekali" else ask_victoria
                    answers[name] = ask(servers[name], question, given)
                spent.append((time.perf_counter() - begun) * 1e3)
                if name in cpus:
                    cpus[name].append((servers[name].cpu() - before) * 1e3)
            if any(answer != answers["Sekali"] for answer in answers.values()):
                short = {name: str(answer)[:300] for name, answer in answers.items()}
                raise RuntimeError(f"{question.name}: the answers differ: {short}")
        result[question.name] = {"ms": times, "cpu_ms": cpus}
        say(f"{question.name:<36}" + "  ".join(f"{name} {statistics.median(spent):9.2f} ms" for name, spent in times.items()))
    return result
