"""Data cuts: named instants of the trial, and the data as they were then, rebuilt from the trail."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from exports import as_csv, as_excel, cut_differences
from exports.shape import Table
from exports.tables import Scope
from models import DataCut, Study, User, db, rebuild
from models.change import Change
from models.clock import now
from models.replay import one_state
from workflows import access, entering, finding
from workflows.refusals import NotFound, Refusal

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def instant(text: str, study: Study) -> datetime:
    """The instant that a person means: an ISO instant with its offset, or a day, then its end at the study's first site.

    Raises:
        Refusal: it is neither, or it is not past.
    """
    zone = ZoneInfo(study.sites[0].timezone)
    try:
        if len(text.strip()) == len("2027-03-14"):
            following = date.fromisoformat(text.strip()) + timedelta(days=1)
            found = datetime.combine(following, time(), zone) - timedelta(microseconds=1)
        else:
            found = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
    except (ValueError, OverflowError):
        raise Refusal("cut-instant") from None
    if found.tzinfo is None:
        raise Refusal("cut-instant")
    if found > now():
        raise Refusal("cut-future")
    return found


def make(change: Change, name: str, as_of: datetime) -> DataCut:
    """Name an instant. What the data were then is read from the trail whenever it is asked for.

    Raises:
        Forbidden: the role may not. Refusal: a name that is taken or no name; nothing was stored yet; not past.
    """
    access.require(change, "export")
    study, name = finding.study(), name.strip()
    if not NAME.fullmatch(name):
        raise Refusal("cut-name")
    if as_of > now():
        raise Refusal("cut-future")
    taken = select(DataCut.id).where(DataCut.study_id == study.id, DataCut.name_key == name.casefold())
    if db.session.scalar(taken) is not None:
        raise Refusal("cut-taken", name=name)
    last = rebuild.last_change(db.session.connection(), study.oid, as_of)
    if last is None:
        raise Refusal("cut-empty")
    cut = DataCut(
        study_id=study.id,
        name=name,
        name_key=name.casefold(),
        as_of=as_of,
        seq=last[0],
        link=last[1],
        made_by=entering.saver(change),
        made_at=now(),
    )
    db.session.add(cut)
    db.session.flush()
    change.about = f"data_cut/{cut.id}"
    return cut


def every(user: User) -> list[DataCut]:
    """All cuts, newest first.

    Raises:
        Forbidden: the role may not export.
    """
    access.require(user, "export")
    return list(db.session.scalars(select(DataCut).order_by(DataCut.id.desc())))


def named(user: User, name: str) -> DataCut:
    """A cut by its name.

    Raises:
        Forbidden: the role may not export. NotFound: there is none.
    """
    for cut in every(user):
        if cut.name_key == name.strip().casefold():
            return cut
    raise NotFound


def differences(user: User, first: DataCut, second: DataCut) -> Table:
    """What changed between two cuts at the sites that the user may export, oldest cut first.

    Raises:
        Forbidden: the role may not export, or not read the trail, which names who changed what.
    """
    access.require(user, "export")
    access.require(user, "view trail")
    first, second = sorted((first, second), key=lambda cut: cut.seq)
    study, sites = finding.study(), finding.sites(user, "export")
    readable = {site.id for site in finding.sites(user, "view trail")}
    versions = {version.id: finding.design(version.id) for version in finding.versions()}
    scope = Scope(study.id, versions, frozenset(site.id for site in sites if site.id in readable))
    with one_state() as connection:
        return cut_differences.read(connection, scope, study.oid, first.seq, second.seq)


def fetch_differences(user: User, first: DataCut, second: DataCut, kind: str) -> bytes:
    """The same as a file (`csv` or `xlsx`); what leaves the system is recorded.

    Raises:
        Forbidden: as `differences`.
    """
    detail = {"cuts": [first.name, second.name], "format": kind}
    chain = finding.study().oid
    with Change(by=user, action="export cut differences", chain=chain, detail=detail) as change:
        access.require(change, "export")
    found = differences(user, first, second)
    with TemporaryDirectory(prefix="cuts-") as folder:
        path = Path(folder) / f"differences.{kind}"
        as_csv.write(found, path) if kind == "csv" else as_excel.write([found], path, [])
        return path.read_bytes()


@contextmanager
def opened(cut: DataCut, work: Path) -> Iterator[Connection]:
    """The database as it was at a cut; its file lives in `work` for as long as the block.

    Raises:
        Refusal: the trail is no longer the one that was cut.
    """
    study, seq, link = db.session.get_one(Study, cut.study_id), cut.seq, cut.link
    chain = study.oid
    db.session.commit()  # ends the read transaction: it must not stay open while rows are rebuilt
    with one_state() as source, TemporaryDirectory(prefix=".cut-", dir=work) as folder:
        found = source.execute(select(Change.link).where(Change.chain == chain, Change.seq == seq)).scalar()
        if found != link:
            raise Refusal("cut-broken")
        with rebuild.database(source, chain, seq, Path(folder) / "cut.sqlite") as connection:
            yield connection
