"""How migrations run: on the application's own engine, each upgrade in one transaction, on both databases."""

from typing import Any

from alembic import context
from flask import current_app

from models.base import IsoDate, JsonText, UtcTime
from models.engine import schema_may_change

database = current_app.extensions["migrate"].db


def render_item(kind: str, thing: Any, _context: Any) -> Any:
    """Write our column types as the text they are: a migration must not depend on today's models."""
    if kind == "type" and isinstance(thing, JsonText | UtcTime | IsoDate):
        return "sa.Text()"
    return False


def run() -> None:
    """Upgrade or downgrade; on SQLite tables are altered by copying them."""
    options = dict(current_app.extensions["migrate"].configure_args)
    options |= {"render_as_batch": True, "transactional_ddl": True, "render_item": render_item}
    with database.engine.connect() as connection, schema_may_change(connection):
        context.configure(connection=connection, target_metadata=database.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations need the database; there is no offline mode.")
run()
