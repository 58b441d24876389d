"""SAS transport version 5 of a dataset: the same bytes for the same data."""

from pathlib import Path

import pandas as pd
import pyreadstat

from exports.as_xpt import LONGEST_LABEL, _fix_stamps
from exports.sdtm.dataset import Dataset
from exports.shape import plain_texts, shorten


def write(dataset: Dataset, folder: Path) -> Path:
    """Write one dataset under its own name, in lower case as reviewers expect it."""
    path = folder / f"{dataset.name.lower()}.xpt"
    columns = {v.name: _column(dataset, v.name, v.is_number) for v in dataset.variables}
    pyreadstat.write_xport(
        pd.DataFrame(columns),
        str(path),
        file_label=shorten(dataset.label, LONGEST_LABEL),
        column_labels=[shorten(v.label, LONGEST_LABEL) for v in dataset.variables],
        table_name=dataset.name,
        file_format_version=5,
    )
    _fix_stamps(path)
    return path


def _column(dataset: Dataset, name: str, is_number: bool) -> pd.Series:
    """The values; the first text is filled up with blanks, which no reader sees, to the length that define.xml names."""
    values = dataset.column(name)
    if is_number:
        return pd.Series(values, dtype="float64")
    first = values[0] or ""
    return plain_texts([first + " " * (dataset.length(name) - len(first.encode())), *values[1:]])
