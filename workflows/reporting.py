"""Tables, listings and figures: one for a page, or all of them as a package; from the data as they are, or of a cut."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from design.definitions import StudyDef
from exports import as_csv, tables
from exports.analysis import declaration, frames, outputs, printing, rendering, workbook
from exports.analysis.people import Person
from exports.analysis.registry import REGISTRY, Output
from exports.analysis.trial import Trial
from exports.tables import Scope
from models import ChainHead, DataCut, Site, StudyVersion, User, db
from models.change import Change
from models.clock import today
from models.replay import one_state
from workflows import access, cutting, finding
from workflows.refusals import NotFound, Refusal

HOME = Path(__file__).resolve().parent.parent / "crf"
STYLE = (
    "body{font-family:system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}"
    "th,td{border-bottom:1px solid #ccc;padding:.2rem .6rem;text-align:left}.footnotes{font-size:.85rem;color:#555}"
)
FILTERS = ("site", "machine", "stage", "subtype")
Progress = Callable[[int, int], None]
_read: dict[tuple[object, ...], Trial] = {}  # the trial read last: pages of the same data do not read them again
_reading = threading.Lock()


@dataclass(frozen=True)
class Chosen:
    """Which participants an output shows: those that have each value given, empty for all."""

    site: str = ""
    machine: str = ""
    stage: str = ""
    subtype: str = ""

    def keeps(self, person: Person) -> bool:
        """Whether a participant is among them."""
        wanted = {name: getattr(self, name) for name in FILTERS if getattr(self, name)}
        return all(value_of(person, name) == value for name, value in wanted.items())


def value_of(person: Person, name: str) -> str:
    """A participant's value of a filter."""
    if name == "site":
        return person.site
    if name == "machine":
        return person.machine_group
    found = person.described.get(name.upper())
    return str(found.code if found.code is not None else found.value) if found and found.value is not None else ""


def declared() -> declaration.Declaration:
    """What the study says of its analysis (`crf/<study>/analysis.toml`).

    Raises:
        Refusal: it says nothing.
    """
    found = declaration.read(_path())
    if found is None:
        raise Refusal("no-analysis")
    return found


def _path() -> Path:
    return HOME / finding.study().oid / "analysis.toml"


def contents(language: str) -> list[tuple[str, str, str]]:
    """Number, kind and title of every output, in order; none where the study declares no analysis."""
    if not _path().is_file():
        return []
    return [(id, REGISTRY[id].kind, REGISTRY[id].title.of(language)) for id in outputs.ids()]


def heading(output: Output, language: str) -> str:
    """The number and title of an output."""
    return rendering.heading(output, language)


def fragment(output: Output, language: str) -> str:
    """An output as a part of a page; every text in it is escaped."""
    return rendering.html(output, language).replace("<table>", '<table class="data data-tight">')


def as_csv_text(output: Output, language: str) -> str:
    """The cells of an output, or the data of a figure, with the keys of the records behind them."""
    return rendering.as_csv(output, language)


def file_name(output: Output) -> str:
    """What a file of an output is called."""
    return rendering.file_name(output)


def note_download(user: User, path: Path) -> None:
    """A package leaves the system: recorded before the first byte does (AUD-10).

    Raises:
        Forbidden: the role may not export.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    detail, chain = {"file": path.name, "sha256": digest}, finding.study().oid
    with Change(by=user, action="download outputs", about=path.name, chain=chain, detail=detail) as change:
        access.require(change, "export")


def one(user: User, id: str, chosen: Chosen, cut: DataCut | None = None) -> Output:
    """One output of the participants at the user's sites.

    Raises:
        Forbidden: no role allows it. NotFound: there is no such output. Refusal: no analysis; a cut of another trail.
    """
    access.require(user, "view analysis")
    if id not in outputs.ids():
        raise NotFound
    return outputs.make(_trial(user, chosen, cut), id)


def values(user: User, cut: DataCut | None = None) -> dict[str, list[str]]:
    """What can be chosen in each filter: the values that participants have."""
    people = _trial(user, Chosen(), cut).people
    return {name: sorted({value for each in people if (value := value_of(each, name))}) for name in FILTERS}


def _trial(user: User, chosen: Chosen, cut: DataCut | None) -> Trial:
    allowed = access.sites_for(user, "view analysis")
    sites = None if allowed is None else frozenset(allowed)
    seq = cut.seq if cut else db.session.scalar(select(ChainHead.seq).where(ChainHead.chain == finding.study().oid))
    key = (seq, sites, chosen, today(), _path().stat().st_mtime_ns if _path().is_file() else 0)
    with _reading:
        if key not in _read:
            made = _make(Scope(finding.study().id, _versions(), sites), chosen, cut)
            while len(_read) > 3:
                del _read[next(iter(_read))]
            _read[key] = made
        return _read[key]


def _versions() -> dict[int, StudyDef]:
    return {version.id: finding.design(version.id) for version in finding.versions()}


def _make(scope: Scope, chosen: Chosen, cut: DataCut | None) -> Trial:
    said = declared()
    if cut is None:
        with one_state() as connection:
            return _read_trial(connection, scope, said, chosen, cut)
    with TemporaryDirectory(prefix="cut-") as work, cutting.opened(cut, Path(work)) as connection:
        return _read_trial(connection, scope, said, chosen, cut)


def _read_trial(
    connection: Connection, scope: Scope, said: declaration.Declaration, chosen: Chosen, cut: DataCut | None
) -> Trial:
    published = set(connection.execute(select(StudyVersion.id)).scalars())
    scope.versions = {key: study for key, study in scope.versions.items() if key in published}
    newest = max(scope.versions.values(), key=lambda study: study.version)
    zone = connection.execute(select(Site.timezone).order_by(Site.code)).scalars().first() or "UTC"
    day = cut.as_of.astimezone(ZoneInfo(zone)).date() if cut else today(zone)
    return Trial(tables.read(connection, scope), said, newest, day, chosen.keeps)


def package(
    user: User, language: str, reason: str, cut: DataCut | None, path: Path, progress: Progress | None = None
) -> str:
    """All outputs (HTML, XLSX, PDF, CSV, SVG) and the analysis datasets as one zip; its SHA-256. It is recorded.

    Raises:
        Forbidden: the role may not export. Refusal: no reason; no analysis.
    """
    access.require(user, "export")
    if len(reason.strip()) < 3:
        raise Refusal("bad-reason")
    trial, study = _trial(user, Chosen(), cut), finding.study().oid
    chain = study
    with TemporaryDirectory(prefix=".outputs-", dir=path.parent) as folder:
        work = Path(folder)
        _write(trial, study, language, work, progress)
        unfinished = path.with_name(path.name + ".part")
        _zip(work, unfinished)
        digest = hashlib.sha256(unfinished.read_bytes()).hexdigest()
        detail = {"sha256": digest, "language": language, "analysis": hashlib.sha256(_path().read_bytes()).hexdigest()}
        detail |= {"cut": cut.name} if cut else {}
        with Change(
            by=user, action="export outputs", reason=reason, chain=chain, about=path.name, detail=detail
        ) as change:
            access.require(change, "export")
        unfinished.replace(path)
    return digest


def _write(trial: Trial, study: str, language: str, work: Path, progress: Progress | None) -> None:
    made, ids = [], outputs.ids()
    for name in ("html", "csv", "svg", "datasets"):
        (work / name).mkdir()
    for number, id in enumerate(ids, start=1):
        output = outputs.make(trial, id)
        made.append(output)
        name = rendering.file_name(output)
        (work / "html" / f"{name}.html").write_text(_page(output, language), encoding="utf-8")
        (work / "csv" / f"{name}.csv").write_text(rendering.as_csv(output, language), encoding="utf-8", newline="")
        if output.draw:
            (work / "svg" / f"{name}.svg").write_text(output.draw(language), encoding="utf-8")
        if progress is not None:
            progress(number, len(ids))
    workbook.write(made, work / "outputs.xlsx", language)
    (work / "outputs.pdf").write_bytes(printing.write(made, study, language, _midnight(trial)))
    for table in frames.make(trial):
        as_csv.write(table, work / "datasets" / f"{table.name}.csv")


def _midnight(trial: Trial) -> datetime:
    """The time that stands in the document: of the data, so that the same cut gives the same bytes."""
    return datetime.combine(trial.cut_off, time(), UTC)


def _page(output: Output, language: str) -> str:
    title = rendering.heading(output, language)
    tongue = "zh-CN" if language.startswith("zh") else "en"
    head = f'<!doctype html><html lang="{tongue}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    return f"{head}<style>{STYLE}</style></head><body>{rendering.html(output, language)}</body></html>"


def _zip(work: Path, target: Path) -> None:
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for each in sorted(path for path in work.rglob("*") if path.is_file()):
            entry = ZipInfo(each.relative_to(work).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr, entry.compress_type = 0o644 << 16, ZIP_DEFLATED
            archive.writestr(entry, each.read_bytes())
