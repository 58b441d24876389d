"""The command line for what an operator scripts: `flask --app app study|user|export|audit|demo …`.

A fault of the user is one sentence and exit code 2; a finding (a broken trail, differences) is exit code 1.
"""

import getpass
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import select

import demo
from design.faults import StudyFaults
from models import Change, Export, User, db, trail
from models.change import System
from workflows import exporting, finding, granting, passwords, publishing
from workflows.refusals import Refusal

study_group = AppGroup("study", help="Check, seal, publish and compare study definitions.")
user_group = AppGroup("user", help="Create users and grant roles.")
export_group = AppGroup("export", help="Export datasets.")
audit_group = AppGroup("audit", help="Verify and read the audit trail.")
demo_group = AppGroup("demo", help="The synthetic demonstration trial.")

OPERATOR = System("command-line")


def without_traceback(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a refusal or a faulty definition into sentences and exit code 2."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except StudyFaults as faults:
            for fault in faults.faults:
                click.echo(str(fault), err=True)
            click.echo(f"{len(faults.faults)} fault(s). Nothing was changed.", err=True)
        except Refusal as refusal:
            click.echo(refusal.text("en"), err=True)
        sys.exit(2)

    return run


folder_argument = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))


@study_group.command("check")
@folder_argument
@without_traceback
def check(folder: Path) -> None:
    """Read FOLDER (crf/<study>/vN) and report every fault at once."""
    found = publishing.check(folder)
    items = sum(form.catalogue_items for form in found.study.forms.values())
    click.echo(f"{found.key}: {len(found.study.forms)} forms, {items} items, no faults. SHA-256 {found.sha256}")


@study_group.command("seal")
@folder_argument
@without_traceback
def seal(folder: Path) -> None:
    """Write the hash of FOLDER into published.toml; it must not change any more."""
    found = publishing.seal(folder)
    click.echo(f"Sealed {found.key} as {found.sha256}")


@study_group.command("publish")
@folder_argument
@click.option("--reason", default=None, help="Why, for the audit trail.")
@without_traceback
def publish(folder: Path, reason: str | None) -> None:
    """Publish a sealed FOLDER: new forms are answered under it from now on."""
    oid = publishing.check(folder).study.id
    with Change(by=OPERATOR, action="publish", reason=reason, chain=oid, about=str(folder.name)) as change:
        version = publishing.publish(change, folder)
    click.echo(f"Published version {version.number}. Receipt {change.receipt}")


@study_group.command("compare")
@click.argument("old", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, file_okay=False, path_type=Path))
@without_traceback
def compare(old: Path, new: Path) -> None:
    """List what differs between two versions. Exit code 1 when anything does."""
    found = publishing.differences(old, new)
    for difference in found:
        click.echo(f"{difference.kind:8} {difference.path}: {difference.old!s} -> {difference.new!s}")
    sys.exit(1 if found else 0)


@user_group.command("create")
@click.argument("username")
@click.argument("full_name")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh")
@without_traceback
def create_user(username: str, full_name: str, language: str) -> None:
    """Create USERNAME; a temporary password is asked for and must be changed at the first sign-in."""
    password = getpass.getpass("Temporary password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with Change(by=OPERATOR, action="create user", chain="system", about=username) as change:
        user = granting.create_user(change, username, full_name, password, language)
        user.must_change_password = True
    click.echo(f"Created {username}. Receipt {change.receipt}")


@user_group.command("grant")
@click.argument("username")
@click.argument("role")
@click.option("--site", "site_code", default=None, help="Site code; omitted: all sites.")
@without_traceback
def grant_role(username: str, role: str, site_code: str | None) -> None:
    """Give USERNAME a ROLE at a site."""
    with Change(by=OPERATOR, action="grant role", chain="system", about=username) as change:
        granting.grant(change, _user(username), role, _site(site_code))
    click.echo(f"Granted {role} to {username}. Receipt {change.receipt}")


@user_group.command("list")
@without_traceback
def list_users() -> None:
    """List all users with their roles."""
    for user in db.session.scalars(select(User).order_by(User.name_key)):
        roles = ", ".join(f"{grant.role}@{grant.site.code if grant.site else 'all'}" for grant in user.grants)
        click.echo(f"{user.username:20} {'active' if user.active else 'closed':7} {roles}")


def _user(username: str) -> User:
    found = db.session.scalars(select(User).where(User.name_key == passwords.name_key(username))).first()
    if found is None:
        raise Refusal("unknown-user")
    return found


def _site(code: str | None) -> Any:
    if code is None:
        return None
    for site in finding.study().sites:
        if site.code == code:
            return site
    raise Refusal("not-found")


@export_group.command("make")
@click.option("--as", "username", required=True, help="Whose rights and name the export is made under.")
@click.option(
    "--format", "formats", multiple=True, default=["csv"], help="csv, xlsx, parquet, spss, stata, xpt, trail."
)
@click.option(
    "--site", "site_codes", multiple=True, help="Site code; repeatable; omitted: all that the user may export."
)
@click.option("--reason", required=True, help="What it is for; kept in the audit trail.")
@without_traceback
def make_export(username: str, formats: tuple[str, ...], site_codes: tuple[str, ...], reason: str) -> None:
    """Make a package of datasets and print where the file is."""
    made = exporting.make(_user(username), list(formats), list(site_codes) or None, reason)
    click.echo(f"{exporting.folder() / made.file_name}  SHA-256 {made.sha256}")


@export_group.command("list")
@without_traceback
def list_exports() -> None:
    """List the exports made so far."""
    for made in db.session.scalars(select(Export).order_by(Export.id)):
        click.echo(f"{made.id:5} {made.made_at:%Y-%m-%d %H:%M}Z {made.file_name} {made.size:,} bytes")


@audit_group.command("verify")
@without_traceback
def verify() -> None:
    """Recompute every hash and compare the trail with the tables. Exit code 1 names the first change that does not fit."""
    faults = trail.verify_all()
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        sys.exit(1)
    for chain, seq, link in trail.heads():
        click.echo(f"{chain}: {seq:,} changes, all fit. Head {seq} {link[:16]}")


@audit_group.command("history")
@click.argument("about")
@without_traceback
def history(about: str) -> None:
    """Print who changed what in ABOUT, for example form_data/12 or form_data/12/answers/VS/1/HEIGHT."""
    for line in trail.history(about):
        click.echo(line)


@demo_group.command("load")
@without_traceback
def load_demo() -> None:
    """Fill an empty database with the synthetic trial."""
    if demo.is_loaded():
        click.echo("The database is not empty; nothing was loaded.", err=True)
        sys.exit(2)
    demo.load()
    click.echo(demo.credentials())


def register(app: Flask) -> None:
    """Add all command groups to the application."""
    for group in (study_group, user_group, export_group, audit_group, demo_group):
        app.cli.add_command(group)
