"""`python -m design FOLDER [--form FORM]`: print every fault of a study version; exit code 1 if there is any."""

import sys
from pathlib import Path

from design.faults import StudyFaults
from design.reader import read_study


def main(arguments: list[str]) -> int:
    """Check one folder."""
    only = arguments[2] if len(arguments) == 3 and arguments[1] == "--form" else None
    try:
        study = read_study(Path(arguments[0]))
    except StudyFaults as faults:
        shown = [fault for fault in faults.faults if only is None or f"/{only}." in fault.file or fault.item == only]
        print(*shown, sep="\n")
        print(f"{len(shown)} fault(s)")
        return 1
    items = sum(form.catalogue_items for form in study.forms.values())
    print(
        f"{study.id} v{study.version}: {len(study.forms)} forms, {items} items, {len(study.codelists)} code lists; no faults"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
