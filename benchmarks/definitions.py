"""Reading and checking the definitions of the real trial, against reading the same files as TOML and no more."""

import tomllib
from pathlib import Path

from benchmarks.timing import Line, interleaved
from design.reader import load_study, read_files

FOLDER = Path(__file__).parent.parent / "crf" / "carbon-breast" / "v1"


def line(rounds: int = 5) -> Line:
    """Once per version and process at run time, so there is no target."""
    files = read_files(FOLDER)
    documents = [text for name, text in files.items() if name.endswith(".toml")]
    works = {"load": lambda: load_study(files), "floor": lambda: [tomllib.loads(text) for text in documents]}
    times = interleaved(works, rounds, warm=1)
    note = f"{len(files)} files, {sum(map(len, files.values())) / 1000:,.0f} kB"
    return Line("load the trial's definitions : bare TOML", times["load"], times["floor"], None, note=note)
