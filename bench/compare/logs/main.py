"""Measures Sekali beside VictoriaLogs and DuckDB: see bench/compare/README.md."""

import argparse
import os
import pathlib
import shutil

import duckdb

import protocols
import report
import search
from servers import VERSION


def numbers(text):
    return [int(part) for part in text.split(",") if part]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=numbers, default=[3_000_000, 10_000_000], help="sizes, with commas between them")
    arguments.add_argument("--rounds", type=int, default=3, help="how often each server takes them")
    arguments.add_argument("--protocol-events", type=int, default=1_000_000, help="for each protocol; 0 leaves protocols out")
    arguments.add_argument("--sekali", default="target/release/sekali")
    arguments.add_argument("--victoria-logs", default="target/compare/logs/victoria-logs")
    arguments.add_argument("--scratch-dir", type=pathlib.Path, default=pathlib.Path("target/compare/logs/data"))
    arguments.add_argument("--results-dir", type=pathlib.Path, default=pathlib.Path("bench/results"))
    given = arguments.parse_args()
    programs = [str(pathlib.Path(program).resolve(strict=True)) for program in (given.sekali, given.victoria_logs)]
    scratch = given.scratch_dir.resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    results = {"machine": report.machine(), "sizes": [], "protocols": {}, "protocol_events": given.protocol_events, "versions": []}

    def say(text):
        print(text, flush=True)

    try:
        for count in given.events:
            # The larger it is, the less often: it takes long enough to be no accident.
            rounds = given.rounds if count <= 3_000_000 else 1
            results["sizes"].append(search.measure(count, rounds, *programs, scratch, say))
        if given.protocol_events:
            results["protocols"] = protocols.measure(given.protocol_events, given.rounds, *programs, scratch, say)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    results["versions"] = [search.version_of(programs[0]), f"VictoriaLogs {VERSION}", f"DuckDB {duckdb.__version__}"]
    results["machine"]["load_after"] = f"{os.getloadavg()[0]:.1f}"
    report.write(results, given.results_dir)


main()
