"""Where Chromium is, for the tests that drive a browser; and why there is none.

Nothing is downloaded: the usual names are looked for on PATH. Without a browser those tests are skipped and the
summary says so; in CI they fail.
"""

import importlib.util
import shutil

import pytest

LAPTOP, TABLET = (1366, 800), (820, 1180)
SIZES = pytest.mark.parametrize("size", [LAPTOP, TABLET], ids=["laptop", "tablet"])
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
EXECUTABLE = next((found for found in map(shutil.which, NAMES) if found), None)


def why_not() -> str:
    """Why no browser can be driven; empty when one can."""
    if importlib.util.find_spec("playwright") is None:
        return "the package playwright is not installed"
    if EXECUTABLE is None:
        return f"none of {', '.join(NAMES)} is on PATH"
    return ""
