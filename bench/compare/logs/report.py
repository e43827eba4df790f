"""The results as tables and a chart."""

import json
import math
import os
import platform
import statistics
from html import escape

median = statistics.median
NAMES = ("Sekali", "VictoriaLogs", "DuckDB")
COLOURS = {"Sekali": "sekali", "VictoriaLogs": "victoria", "DuckDB": "duckdb"}
MEANINGS = [
    "| | once it has answered | what a word is | one event by id |",
    "|---|---|---|---|",
    "| Sekali | every event is synced to disk, and deduplicated against all that were ever stored | any text, also within a word, in any string, name or number of the payload | looked up in its index of all ids |",
    "| VictoriaLogs | events are in memory, and lost if the process is killed within the next seconds; a repeat is another event | a whole word of the message, upper and lower case told apart | searched for as the value of a field |",
    "| DuckDB | nothing: it reads the Parquet file of `sekali export`, with payloads as text; two threads, in the process of the client | any text of the payload as it stands | searched for |",
]


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def megabytes(value):
    return f"{value / 1e6:,.0f} MB"


def middle(runs, name):
    return median(run[name] for run in runs)


def times(ratio):
    return f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.1f}×" if ratio >= 1 else f"{ratio:.2f}×"


def taking(size):
    sekali, victoria = (size["taking"][name] for name in NAMES[:2])
    lines = [f"### {size['events']:,} events, {size['bytes'] / size['events']:.0f} bytes each", "",
             "| taking them | Sekali | VictoriaLogs |", "|---|---:|---:|"]

    def line(what, of, text=number):
        lines.append(f"| {what} | {text(of(sekali))} | {text(of(victoria))} |")

    line("events/s", lambda runs: middle(runs, "events_per_second"))
    line("CPU of the server, µs an event", lambda runs: middle(runs, "cpu_us"))
    line("p50 of a request of 500, ms", lambda runs: middle(runs, "p50_ms"))
    line("p99, ms", lambda runs: middle(runs, "p99_ms"))
    line("memory afterwards", lambda runs: median(run["memory"]["now"] for run in runs), megabytes)
    line("memory, when nothing is left to do", lambda runs: median(run["memory_settled"]["now"] for run in runs), megabytes)
    line("on disk then", lambda runs: middle(runs, "disk"), megabytes)
    lines.append(f"| of it log, not sealed yet | {megabytes(middle(sekali, 'unsealed'))} | – |")
    sealed, events = size["sealed"], size["events"]
    lines.append(f"| on disk, when all is sealed, log apart | {megabytes(sealed['disk'] - sealed['log'])} | – |")
    lines.append(f"| bytes an event then | {number((sealed['disk'] - sealed['log']) / events)} | {number(middle(victoria, 'disk') / events)} |")
    return lines


def queries(size):
    lines = ["", "| asked, ms | Sekali, sealed | VictoriaLogs | DuckDB | Sekali takes | CPU of both | Sekali, newest events in the log |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for question, spent in size["queries"].items():
        middles = {name: median(spent["ms"][name]) for name in NAMES}
        ratio = middles["Sekali"] / middles["VictoriaLogs"]
        # The kernel counts in hundredths of a second: the mean is finer than the median.
        cpu = ", ".join(f"{statistics.mean(spent['cpu_ms'][name]):.0f}" for name in NAMES[:2])
        lines.append(f"| {question} | " + " | ".join(number(middles[name]) for name in NAMES) + f" | {times(ratio)} "
                     f"| {cpu} | {number(median(size['unsealed'][question]))} |")
    return lines + [""]


def protocols(results):
    lines = ["| protocol | bytes an event | Sekali, events/s | VictoriaLogs, events/s | Sekali is | µs of CPU an event: Sekali, VictoriaLogs, sender |",
             "|---|---:|---:|---:|---:|---:|"]
    for name, one in results.items():
        sekali, victoria = (one["runs"][server] for server in NAMES[:2])
        rates = [middle(runs, "events_per_second") for runs in (sekali, victoria)]
        cpu = ", ".join(f"{middle(runs, 'cpu_us'):.2f}" for runs in (sekali, victoria))
        lines.append(f"| {name} | {one['bytes_an_event']:.0f} | {rates[0]:,.0f} | {rates[1]:,.0f} | {times(rates[0] / rates[1])} "
                     f"| {cpu}, {middle(sekali, 'sender_us'):.2f} |")
    return lines


def markdown(results):
    machine = results["machine"]
    lines = [
        "# Sekali beside a log store", "",
        "Written by `bench/compare/logs/run`; every run is in [logs.json](logs.json), how it is measured in",
        "[bench/compare](../compare/README.md#search-and-protocols-beside-victorialogs). Ratios within a",
        "table mean more than figures:",
        f"one machine for everything, {machine['cores']} cores, {machine['kernel']}; load when it began {machine['load_before']},",
        f"when it ended {machine['load_after']}. {', '.join(results['versions'])}.", "",
    ]
    if results["sizes"]:
        lines += ["![Time to an answer](logs.svg)", ""]
    lines += ["## What an answer means", "", *MEANINGS, ""]
    if results["sizes"]:
        lines += ["## Taking and asking", "", "Medians; questions in turns, each with other values. All three gave the same answers.", ""]
        for size in results["sizes"]:
            lines += taking(size) + queries(size)
    if results["protocols"]:
        lines += ["## By protocol", "",
                  f"{results['protocol_events']:,} events in requests of 500 over 16 connections, the same bytes for both, each time into an empty",
                  "server; medians. The sender is one thread that sends ready-made bytes.", "", *protocols(results["protocols"]), ""]
    return "\n".join(lines)


STYLE = """text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-size: 16px; font-weight: 600 }
.faint { fill: #57606a } .grid { stroke: #d0d7de } .sekali { fill: #0969da } .victoria { fill: #d4a72c } .duckdb { fill: #6e7781 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #3d444d }
.sekali { fill: #4493f8 } .victoria { fill: #d29922 } .duckdb { fill: #9198a1 } }"""


def chart(size):
    """A bar for each store and question, on a logarithmic scale of milliseconds."""
    left, right, top, step = 250, 760, 84, 58
    height = top + step * len(size["queries"]) + 40
    powers = range(-1, 5)

    def at(milliseconds):
        share = (math.log10(max(milliseconds, 0.1)) - powers[0]) / (powers[-1] - powers[0])
        return left + min(max(share, 0), 1) * (right - left)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 {height}" role="img" aria-label="Milliseconds to an answer">',
           f"<style>{STYLE}</style>", f'<text class="title" x="16" y="28">Milliseconds to an answer, {size["events"]:,} events (shorter is better)</text>']
    for index, name in enumerate(NAMES):
        out.append(f'<rect class="{COLOURS[name]}" x="{16 + 150 * index}" y="46" width="12" height="12" rx="2"/>'
                   f'<text class="faint" x="{34 + 150 * index}" y="57">{name}</text>')
    for power in powers:
        x = at(10.0 ** power)
        out.append(f'<line class="grid" x1="{x:.1f}" y1="{top - 10}" x2="{x:.1f}" y2="{height - 36}"/>'
                   f'<text class="faint" text-anchor="middle" x="{x:.1f}" y="{height - 18}">{10.0 ** power:g}</text>')
    for row, (question, spent) in enumerate(size["queries"].items()):
        y = top + step * row
        out.append(f'<text text-anchor="end" x="{left - 10}" y="{y + 28}">{escape(question)}</text>')
        for index, name in enumerate(NAMES):
            value = median(spent["ms"][name])
            width = max(at(value) - left, 1)
            out.append(f'<rect class="{COLOURS[name]}" x="{left}" y="{y + 15 * index}" width="{width:.1f}" height="12" rx="2"/>'
                       f'<text class="faint" x="{left + width + 6:.1f}" y="{y + 15 * index + 11}">{number(value)}</text>')
    return "\n".join(out + ["</svg>", ""])


def write(results, directory):
    (directory / "logs.json").write_text(json.dumps(results, indent=1) + "\n")
    (directory / "logs.md").write_text(markdown(results))
    if results["sizes"]:
        (directory / "logs.svg").write_text(chart(results["sizes"][-1]))


def machine():
    return {"cores": os.cpu_count(), "kernel": f"{platform.system()} {platform.release()}",
            "load_before": f"{os.getloadavg()[0]:.1f}"}
