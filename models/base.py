"""The database handle, the column types shared by all tables, and what every audited row has in common."""

from datetime import UTC, date, datetime
from typing import Any, ClassVar

import orjson
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Parent of all models. `audited` rows may only be written inside a `Change`, which records old and new."""

    metadata = MetaData(naming_convention=NAMING)
    audited: ClassVar[bool] = True


class JsonText(TypeDecorator[Any]):
    """A JSON document stored as text: the same bytes on SQLite and PostgreSQL, read and written by orjson."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        return None if value is None else orjson.loads(value)


class UtcTime(TypeDecorator[datetime]):
    """An instant, stored as ISO 8601 text in UTC with microseconds and `Z`: sorts as text, never shifts by a zone."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value)


class IsoDate(TypeDecorator[date]):
    """A calendar date, stored as ISO 8601 text. Dates are dates: no zone, no shift (DAT-18)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Any) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Any) -> date | None:
        return None if value is None else date.fromisoformat(value)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
