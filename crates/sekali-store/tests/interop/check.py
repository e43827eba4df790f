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


def event(seq):
    filler = 100_000 if seq % 1000 == 0 else seq % 50
    return (
        TOPICS[seq % 4],
        f"id-{seq:06}",
        (seq - EVENTS // 2) * 1_000_000_007,
        "" if seq % 5 == 0 else f"host-{seq % 13}",
        '{"n":%d,"text":"%s"}' % (seq, "x" * filler),
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
    in_json = duckdb.sql(f"SELECT max((payload->>'$.n')::BIGINT) FROM read_parquet('{path}')").fetchall()[0][0]
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
    print("every tool agrees with every value")


if __name__ == "__main__":
    main()
