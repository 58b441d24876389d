"""The files of a set of datasets."""

from collections.abc import Sequence
from pathlib import Path

from exports.sdtm import as_xpt, dataset_json, define
from exports.sdtm.building import Datasets

FORMATS = ("xpt", "json", "define")
SOURCE = "eCRF"


def write(datasets: Datasets, folder: Path, formats: Sequence[str] = FORMATS, data_at: str | None = None) -> list[Path]:
    """Write the datasets into a folder in each format: `xpt`, `json` (in a folder of that name), `define`.

    The same datasets give the same bytes; `data_at` (ISO 8601, the instant of the data cut) is the only time named.
    """
    study = datasets.mapping.standard.get("name", datasets.sources.newest.id)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    if "xpt" in formats:
        paths += [as_xpt.write(each, folder) for each in datasets.values()]
    if "json" in formats:
        inner = folder / "json"
        inner.mkdir(exist_ok=True)
        paths += [dataset_json.write(each, inner, study, SOURCE, data_at) for each in datasets.values()]
    if "define" in formats:
        paths.append(define.write(datasets, folder, data_at))
    return paths
