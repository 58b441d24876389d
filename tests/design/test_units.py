"""Units are plain in definitions and exports, and in the reader's language on pages."""

import pytest

from design.units import unit_text


@pytest.mark.parametrize(
    ("unit", "english", "chinese"),
    [
        ("beats/min", "beats/min", "次/分"),
        ("C", "°C", "°C"),
        ("kg/m2", "kg/m²", "kg/m²"),
        ("cm3", "cm³", "cm³"),
        ("10^9/L", "10⁹/L", "10⁹/L"),
        ("10^-3 mm2/s", "10⁻³ mm²/s", "10⁻³ mm²/s"),
        ("umol/L", "µmol/L", "µmol/L"),
        ("keV/um", "keV/µm", "keV/µm"),
        ("uIU/mL", "µIU/mL", "µIU/mL"),
        ("/uL", "/µL", "/µL"),
        ("Gy(RBE) or %", "Gy(RBE) or %", "Gy(RBE)或%"),
        ("MU or NP", "MU or NP", "MU或NP"),
        ("mmHg", "mmHg", "mmHg"),
        ("MeV/u", "MeV/u", "MeV/u"),
        ("days", "days", "天"),
        (None, "", ""),
    ],
)
def test_a_unit_is_written_as_reports_and_devices_print_it(unit: str | None, english: str, chinese: str) -> None:
    assert (unit_text(unit, "en"), unit_text(unit, "zh")) == (english, chinese)
