"""SDTM from a mapping in text: build the datasets, write them."""

from exports.sdtm.building import Datasets, build, build_from
from exports.sdtm.dataset import Dataset, DatasetVariable
from exports.sdtm.mapping import MappingFaults
from exports.sdtm.writing import FORMATS, write

__all__ = ["FORMATS", "Dataset", "DatasetVariable", "Datasets", "MappingFaults", "build", "build_from", "write"]
