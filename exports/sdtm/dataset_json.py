"""CDISC Dataset-JSON 1.1 of a dataset."""

from pathlib import Path
from typing import Any

import orjson

from exports.sdtm.dataset import Dataset

STAMP = "1980-01-01T00:00:00"  # no clock time: the same data give the same bytes


def document(dataset: Dataset, study: str, source: str, data_at: str | None = None) -> dict[str, Any]:
    """The dataset as Dataset-JSON; `data_at` is the instant of the data cut."""
    return {
        "datasetJSONCreationDateTime": data_at or STAMP,
        "datasetJSONVersion": "1.1.0",
        "fileOID": f"{study}.{dataset.name}",
        "originator": study,
        "sourceSystem": {"name": source, "version": "1"},
        "studyOID": f"STDY.{study}",
        "metaDataVersionOID": f"MDV.{study}",
        "metaDataRef": "define.xml",
        "itemGroupOID": f"IG.{dataset.name}",
        "records": len(dataset.rows),
        "name": dataset.name,
        "label": dataset.label,
        "columns": [_column(dataset, place) for place in range(len(dataset.variables))],
        "rows": [[row.get(variable.name) for variable in dataset.variables] for row in dataset.rows],
    }


def _column(dataset: Dataset, place: int) -> dict[str, Any]:
    variable = dataset.variables[place]
    column: dict[str, Any] = {
        "itemOID": f"IT.{dataset.name}.{variable.name}",
        "name": variable.name,
        "label": variable.label,
        "dataType": data_type(dataset, variable.name),
    }
    if column["dataType"] == "string":
        column["length"] = dataset.length(variable.name)
    if variable.name in dataset.keys:
        column["keySequence"] = dataset.keys.index(variable.name) + 1
    return column


def data_type(dataset: Dataset, name: str) -> str:
    """string, integer or double; dates stay text, for they may be partial."""
    if not dataset.variable(name).is_number:
        return "string"
    values = [value for value in dataset.column(name) if value is not None]
    return "integer" if all(float(value).is_integer() for value in values) else "double"


def write(dataset: Dataset, folder: Path, study: str, source: str, data_at: str | None = None) -> Path:
    """Write one dataset."""
    path = folder / f"{dataset.name.lower()}.json"
    path.write_bytes(orjson.dumps(document(dataset, study, source, data_at)))
    return path
