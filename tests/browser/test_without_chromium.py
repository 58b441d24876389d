"""No browser: the tests that need one are skipped and the summary says so; in CI they fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/browser/test_statistician.py"]


@pytest.mark.parametrize(("ci", "code", "outcome"), [("", 0, "2 skipped"), ("true", 1, "2 errors")])
def test_a_missing_chromium_is_said_aloud_and_fails_in_ci(tmp_path, ci, code, outcome):
    environment = {**os.environ, "PATH": str(tmp_path), "CI": ci}
    done = subprocess.run([sys.executable, *COMMAND], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stdout
    assert outcome in done.stdout and "CHROMIUM IS MISSING" in done.stdout
