"""Parquet: typed columns, with the labels of both languages in each column's metadata."""

from pathlib import Path

import pyarrow.parquet as pq

from exports.shape import Table


def write(table: Table, path: Path) -> None:
    """Write one table, compressed."""
    pq.write_table(table.arrow, path, compression="zstd")
