"""The benchmarks run at all. No time decides here: a slow machine is not a fault."""

from benchmarks import clinic, definitions, export, pages, trail
from benchmarks.serving import server
from benchmarks.timing import Line, interleaved, percentile


def test_line_says_whether_it_keeps_its_target():
    assert Line("x", 3.0, 2.0, 1.5).ratio == 1.5
    assert "ok" in str(Line("x", 3.0, 2.0, 1.5))
    assert "over" in str(Line("x", 3.1, 2.0, 1.5))
    assert "ok" not in str(Line("x", 3.0, 2.0, None)) and "over" not in str(Line("x", 3.0, 2.0, None))


def test_works_take_turns_and_warm_up_does_not_count():
    order = []
    times = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=2, warm=1)
    assert order == ["a", "b"] * 3
    assert set(times) == {"a", "b"}
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0


def test_pages_and_saves_run_beside_the_minimal_application(tmp_path):
    url = f"sqlite:///{tmp_path / 'bench.db'}"
    app = clinic.build(url, tmp_path, participants=clinic.NURSES, full=1)
    path = pages.FORM.format(who=1, visit=5)
    assert pages.statements(app, path) > 0
    with (
        server("ours", url, tmp_path) as ours,
        server("floor", f"sqlite:///{tmp_path / 'floor.db'}", tmp_path) as floor,
    ):
        mine, least = pages.typist(ours), pages.typist(floor, ours=False)
        for each in (mine, least):
            each.open()
            each.save()
            each.save()
        mine.check()
        assert mine.fields()["_revision"] == "3"


def test_trail_export_and_definitions_give_their_lines():
    lines = [*trail.measure(20, rounds=1), export.line(50, rounds=1), definitions.line(rounds=1)]
    assert all(line.ours > 0 and line.floor > 0 for line in lines)
