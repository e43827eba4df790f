"""Opens the segments that the example segment_sample wrote with other people's tools, and compares every value.

The events are made here by the same formulas as there. Run by scripts/interop.
"""

import pathlib
import sys

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet

EVENTS = 300_000
TOPICS = ["orders", "überweisungen", "$conflicts", "日本"]
COLUMNS = ["topic", "event_id", "timestamp", "source", "payload", "seq", "received_at"]

# The same as in segment_sample: members that tools read in different ways, if at all.
HOSTILE = [
    '"status":404',
    '"status":"404"',
    '"status":4.04e2',
    '"huge":123456789012345678901234567890,"tiny":1e-400',
    r'"half":"\ud800","pair":"\ud83d\ude00","zero":"\u0000"',
    '"a.b":1,"a":{"b":2,"":3},"$.n":4',
    '"repeated":1,"repeated":2',
    '"list":[[],{},[null,true]],"null":null,"minus":-0.0',
    r'''"spaces" :   1 , "quote\"":"'" ''',
    r'"ünï":"\u00fc","日本":"=1+1"',
]


def event(seq):
    hostile = "," + HOSTILE[seq // 10 % 10] if seq % 10 == 3 else ""
    filler = 100_000 if seq % 1000 == 0 else seq % 50
    return (
        TOPICS[seq % 4],
        f"id-{seq:06}",
        (seq - EVENTS // 2) * 1_000_000_007,
        "" if seq % 5 == 0 else f"host-{seq % 13}",
        '{"n":%d,"kind":%d,"text":"%s"%s}' % (seq, seq % 7, "x" * filler, hostile),
        seq,
        1_760_000_000_000_000_001 + seq // 100,
    )


def expected(first, last):
    return [event(seq) for seq in range(first, last + 1) if seq % 97 != 0]


def with_duckdb(path):
    relation = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
    assert relation.columns == COLUMNS, relation.columns
    types = [str(kind) for kind in relation.types]
    assert [types[number] for number in (0, 1, 3, 5)] == ["VARCHAR", "VARCHAR", "VARCHAR", "BIGINT"], types
    assert types[4] == "VARCHAR" and types[2].startswith("TIMESTAMP") and types[6].startswith("TIMESTAMP"), types
    print("  types:", types)
    columns = "topic, event_id, epoch_ns(timestamp), source, payload::VARCHAR, seq, epoch_ns(received_at)"
    rows = duckdb.sql(f"SELECT {columns} FROM read_parquet('{path}') ORDER BY seq").fetchall()
    found = duckdb.sql(f"SELECT count(*) FROM read_parquet('{path}') WHERE topic = '日本' AND seq BETWEEN 1000 AND 2000").fetchall()[0][0]
    # Without TRY, a payload with half a surrogate ends the query.
    in_json = duckdb.sql(f"SELECT max(TRY(payload->>'$.n')::BIGINT) FROM read_parquet('{path}')").fetchall()[0][0]
    return rows, found, in_json


def with_pyarrow(path):
    table = pyarrow.parquet.read_table(path)
    nanos = pyarrow.timestamp("ns", tz="UTC")
    kinds = [str(table.schema.field(name).type) for name in COLUMNS]
    print("  types:", kinds)
    assert table.schema.names == COLUMNS
    assert table.schema.field("timestamp").type == nanos and table.schema.field("received_at").type == nanos
    assert table.schema.field("seq").type == pyarrow.int64() and not table.schema.field("seq").nullable
    metadata = pyarrow.parquet.read_metadata(path)
    assert metadata.metadata[b"sekali.format"] == b"2"
    text = pyarrow.string()
    columns = []
    for name in COLUMNS:
        column = table.column(name)
        if name in ("timestamp", "received_at"):
            column = column.cast(pyarrow.int64())
        elif name != "seq":
            column = column.cast(text)
        columns.append(column.to_pylist())
    rows = sorted(zip(*columns), key=lambda row: row[5])
    filtered = pyarrow.parquet.read_table(path, filters=[("topic", "=", "日本"), ("seq", ">=", 1000), ("seq", "<=", 2000)])
    return rows, filtered.num_rows, None


def with_pandas(path):
    frame = pandas.read_parquet(path).sort_values("seq")
    print("  types:", [str(kind) for kind in frame.dtypes])
    assert list(frame.columns) == COLUMNS
    for name in ("timestamp", "received_at"):
        assert str(frame[name].dtype) == "datetime64[ns, UTC]", frame[name].dtype
        frame[name] = frame[name].astype("int64")
    found = len(frame[(frame.topic == "日本") & (frame.seq >= 1000) & (frame.seq <= 2000)])
    return list(frame.itertuples(index=False, name=None)), found, None


def with_polars(path):
    frame = polars.read_parquet(path).sort("seq")
    print("  types:", [str(kind) for kind in frame.dtypes])
    assert frame.columns == COLUMNS
    wanted = (polars.col("topic") == "日本") & polars.col("seq").is_between(1000, 2000)
    found = polars.scan_parquet(path).filter(wanted).collect().height
    # As it is, without a cast: text functions take it.
    assert frame["payload"].dtype == polars.String, frame["payload"].dtype
    in_json = frame.select(polars.col("payload").str.json_path_match("$.n").cast(polars.Int64).max()).item()
    frame = frame.with_columns(polars.col("timestamp", "received_at").dt.timestamp("ns"))
    return frame.rows(), found, in_json


# Members as these tools read them out of payloads, other than Sekali only where it says so: the texts
# that are found, by DuckDB and by Polars.
MEMBERS = {
    # A number and a string look the same; DuckDB and Polars write numbers anew.
    "$.status": (["404", "404.0"], ["404", "404.0"]),
    # Polars makes a float of it. Both make 0 of what is too small for one.
    "$.huge": (["123456789012345678901234567890"], ["1.2345678901234568e+29"]),
    "$.tiny": (["0.0"], ["0.0"]),
    # DuckDB calls the whole payload malformed, and Polars finds nothing in it.
    "$.pair": ([], []),
    # The last counts in Sekali.
    "$.repeated": (["1"], ["2"]),
    "$.a.b": (["2"], ["2"]),
    "$.list": (["[[],{},[null,true]]"], ["[[],{},[null,true]]"]),
    "$.null": ([], []),
    "$.spaces": (["1"], ["1"]),
    # No path of Polars names these.
    '$."a.b"': (["1"], None),
    '$."quote\\""': (["'"], None),
    '$."ünï"': (["ü"], None),
    '$."日本"': (["=1+1"], None),
}


def read_members(path):
    frame = polars.read_parquet(path)
    for member, (in_duckdb, in_polars) in MEMBERS.items():
        sql = f"SELECT DISTINCT TRY(payload->>'{member}') AS v FROM read_parquet('{path}')"
        found = [row[0] for row in duckdb.sql(f"SELECT v FROM ({sql}) WHERE v IS NOT NULL ORDER BY v").fetchall()]
        assert found == in_duckdb, f"DuckDB finds {found} at {member}"
        if in_polars is not None:
            found = frame.select(polars.col("payload").str.json_path_match(member).alias("v")).drop_nulls().unique()
            found = sorted(found["v"].to_list())
            assert found == in_polars, f"Polars finds {found} at {member}"
    print(f"  members of {path.name} are found as documented")


def compare(name, path, answer, rows):
    found_rows, found, in_json = answer
    assert len(found_rows) == len(rows), f"{name}: {len(found_rows)} rows of {len(rows)}"
    for got, want in zip(found_rows, rows):
        assert tuple(got) == want, f"{name}, {path.name}:\n{str(got)[:300]}\nshould be\n{str(want)[:300]}"
    here = [row for row in rows if row[0] == "日本" and 1000 <= row[5] <= 2000]
    assert found == len(here), f"{name}: a filter found {found} of {len(here)} rows"
    assert in_json in (None, rows[-1][5]), f"{name}: {in_json}"
    print(f"  {name} agrees on {len(rows)} rows of {path.name}")


def main():
    duckdb.sql("SET TimeZone = 'UTC'")
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.parquet"))
    assert len(paths) == 3, paths
    for path in paths:
        first, last = (int(number) for number in path.stem.split("-"))
        rows = expected(first, last)
        tools = {"duckdb": with_duckdb, "pyarrow": with_pyarrow, "pandas": with_pandas, "polars": with_polars}
        for name, read in tools.items():
            compare(name, path, read(path), rows)
        read_members(path)
        # Columns of members, which no tool sees, name it in their part of the file; payloads are compressed.
        assert b"kind" in path.read_bytes(), f"{path.name} has no columns of members"
    print("every tool agrees with every value")


if __name__ == "__main__":
    main()
