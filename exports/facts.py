"""What the manifest says about where the data come from: study, versions and their hashes, sites, head of the
chain.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from exports.tables import Scope
from models import ChainHead, Change, Site, Study, StudyVersion

EPOCH = datetime(1980, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Facts:
    """Facts read in the same transaction as the data."""

    study_oid: str
    versions: list[dict[str, Any]]
    site_codes: list[str]
    chain: dict[str, Any]
    last_at: datetime  # of the last change


def read(connection: Connection, scope: Scope) -> Facts:
    """The facts of a scope."""
    oid = connection.execute(select(Study.oid).where(Study.id == scope.study_id)).scalar_one()
    versions = connection.execute(
        select(StudyVersion.number, StudyVersion.sha256, StudyVersion.published_at)
        .where(StudyVersion.study_id == scope.study_id)
        .order_by(StudyVersion.number)
    )
    sites = select(Site.code).where(Site.study_id == scope.study_id).order_by(Site.code)
    if scope.site_ids is not None:
        sites = sites.where(Site.id.in_(scope.site_ids))
    head = connection.execute(select(ChainHead.seq, ChainHead.link).where(ChainHead.chain == oid)).first()
    last_at = connection.execute(select(func.max(Change.at)).where(Change.chain == oid)).scalar()
    return Facts(
        study_oid=oid,
        versions=[
            {"number": row.number, "sha256": row.sha256, "published_at": row.published_at.isoformat()}
            for row in versions
        ],
        site_codes=list(connection.execute(sites).scalars()),
        last_at=last_at or EPOCH,
        chain={"name": oid, "seq": head.seq if head else 0, "link": head.link if head else None},
    )
