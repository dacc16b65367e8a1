#!/usr/bin/env python3
"""Makes the Parquet files beside it; tests read what is committed. usage: make.py   (needs pyarrow, made with 26.0.1)"""
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent


def write(name, columns, **options):
    options = {"store_schema": False, "write_statistics": False, "use_dictionary": False, "compression": "none"} | options
    pq.write_table(pa.table(columns), here / name, **options)


texts = ["one", "zwei: \u00e4\u00f6\u00fc \U0001f600", "three\nlines\nof text\n", "4 \"quoted\" \\ ", "five"]

# Every page with its checksum, so that any changed byte of a text is seen.
write("plain.parquet", {"id": pa.array(range(5), pa.int64()), "text": texts}, write_page_checksum=True)

# Row groups of 4, 4 and 1 rows; nulls in rows 2, 5 and 8, empty texts in rows 3 and 9.
write(
    "dictionary.parquet",
    {"text": pa.array(["same", None, "", "same", None, "other", "same", None, ""], pa.large_string())},
    use_dictionary=True,
    compression="zstd",
    row_group_size=4,
)

write(
    "no_text.parquet",
    {
        "id": pa.array([1, 2], pa.int32()),
        "score": [0.5, 1.5],
        "tags": [["a", "b"], []],
        "key": pa.array([b"12345678", b"abcdefgh"], pa.binary(8)),
    },
)

# One text in every codec and encoding, within a struct, and bytes that are no UTF-8.
codecs = ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]
encodings = {"delta_length": "DELTA_LENGTH_BYTE_ARRAY", "delta": "DELTA_BYTE_ARRAY"}
write(
    "ways.parquet",
    {name: ["word " * 8, "words"] for name in codecs + list(encodings)}
    | {"meta": [{"text": "within", "n": 1}, None], "bytes": pa.array([b"\xff\xfe", b"fine"], pa.binary())},
    compression={name: name for name in codecs},
    column_encoding=encodings,
)

# Enough to train on: 43 kB of text in row groups of 200 rows.
many = [f"{i:05d} " * 11 + "end" for i in range(600)]
write("many.parquet", {"text": many}, compression="zstd", compression_level=19, row_group_size=200, use_dictionary=True)

whole = (here / "plain.parquet").read_bytes()
(here / "cut_off.parquet").write_bytes(whole[: len(whole) // 2])
