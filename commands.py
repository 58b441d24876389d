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
from sqlalchemy.exc import OperationalError, ProgrammingError
from tqdm import tqdm

import demo
from design.comparison import compare as differences
from design.definitions import StudyDef
from design.faults import StudyFaults
from models import Change, Export, User, db, trail
from models.change import System
from workflows import (
    access,
    activating,
    amending,
    cutting,
    exporting,
    finding,
    granting,
    impact,
    nightly,
    passwords,
    publishing,
    reporting,
    signatures,
)
from workflows.amendment_report import Report
from workflows.refusals import Refusal

study_group = AppGroup("study", help="Check, seal, publish and compare study definitions.")
user_group = AppGroup("user", help="Create users and grant roles.")
export_group = AppGroup("export", help="Export datasets.")
check_group = AppGroup("check", help="Judge the stored data again.")
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
        except (OperationalError, ProgrammingError) as error:
            told = str(error.orig).splitlines()[0]
            click.echo(f"The database cannot be used as it is: {told}", err=True)
            click.echo("Bring it up to date with `flask --app app db upgrade`, or check DATABASE_URL.", err=True)
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
@click.argument("old")
@click.argument("new")
@click.option("--data", "with_data", is_flag=True, help="Also say what NEW does to the data that are stored here.")
@without_traceback
def compare(old: str, new: str, with_data: bool) -> None:
    """List what differs between two versions, each a published number (v1) or a folder (crf/<study>/v2).

    With --data also a dry run on the data of every site; NEW need not be published for it, and nothing is written.
    Exit code 0: they are the same; 1: something differs; 2: a version cannot be read.
    """
    before, target = _definition(old), _definition(new)
    found = differences(before, target)
    for each in found:
        told = {"added": each.new, "removed": each.old}.get(each.kind, f"{each.old} -> {each.new}")
        click.echo(f"{each.kind:8} {each.path}: {told}")
    if target.amendment is not None:
        click.echo(f"meant for: {AMENDS[target.amendment.default]}")
    if with_data:
        for site in finding.study().sites:
            _echo_impact(site, amending.dry_run(site, target))
    sys.exit(1 if found else 0)


AMENDS = {"prospective": "new forms only", "retrospective": "forms already there as well"}


def _definition(text: str) -> StudyDef:
    """A version that is published here, or in a folder."""
    if Path(text).is_dir():
        return publishing.check(Path(text)).study
    return finding.design(amending.version(_number(text)).id)


def _echo_impact(site: Any, report: Report) -> None:
    click.echo(f"Site {site.code}:")
    for line in impact.as_lines(report):
        click.echo(f"  {line}")


def _number(text: str) -> int:
    if not text.removeprefix("v").isdigit():
        raise Refusal("no-version", number=text)
    return int(text.removeprefix("v"))


@study_group.command("activate")
@click.option("--site", "site_code", required=True, help="Site code.")
@click.option("--to", "number", required=True, help="Version, for example v2.")
@click.option("--from", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="First day.")
@click.option("--approval", required=True, help="Reference of the ethics approval.")
@click.option("--as", "username", required=True, help="Who activates it.")
@without_traceback
def activate(site_code: str, number: str, day: Any, approval: str, username: str) -> None:
    """Let a site work under a published version from a day on: new forms only.

    A later day takes effect with the nightly run (check run). Exit code 2: refused, nothing was changed.
    """
    user, site, version = _user(username), _site(site_code), amending.version(_number(number))
    with Change(by=user, action="activate version", site=site, chain=finding.study().oid) as change:
        activating.activate(change, site, version, day.date(), approval)
    count = activating.spread(user, _site(site_code))
    click.echo(f"Activated. {count} schedules renewed. Receipt {change.receipt}")


@study_group.command("amend")
@click.option("--site", "site_code", required=True, help="Site code.")
@click.option("--to", "number", required=True, help="Version, for example v2.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--as", "username", default=None, help="Who moves the forms; not needed for a dry run.")
@click.option("--reason", default="", help="Why, for the audit trail.")
@without_traceback
def amend(site_code: str, number: str, dry_run: bool, username: str | None, reason: str) -> None:
    """Move the stored forms of a site to a version that is active there, while people keep working.

    One change per participant. An interrupted run is started again with the same words and goes on where it stopped.
    Exit code 0: done, or dry run; 2: refused.
    """
    site, version = _site(site_code), amending.version(_number(number))
    if dry_run:
        _echo_impact(site, amending.dry_run(site, finding.design(version.id)))
        return
    if username is None:
        raise click.UsageError("Who moves the forms? Give --as, or --dry-run.")
    told = tqdm(desc="Forms", disable=None, file=sys.stderr)

    def progress(done: int, total: int) -> None:
        told.total = total
        told.update(done - told.n)

    run = amending.run(_user(username), site, version, reason, progress)
    told.close()
    _echo_impact(_site(site_code), Report.of(run.report))


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
    if role not in access.ROLES:
        click.echo(f"There is no role {role!r}. There are {', '.join(access.ROLES)}.", err=True)
        sys.exit(2)
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


@user_group.command("close")
@click.argument("username")
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
@without_traceback
def close_user(username: str, reason: str) -> None:
    """Close the account of USERNAME: she can no longer sign in; her name is never used again."""
    with Change(by=OPERATOR, action="deactivate user", reason=reason, chain="system", about=username) as change:
        granting.deactivate(change, _user(username))
    click.echo(f"Closed {username}. Receipt {change.receipt}")


@user_group.command("reset-password")
@click.argument("username")
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
@without_traceback
def reset_password(username: str, reason: str) -> None:
    """Give USERNAME a temporary password, printed once: the way back for an administrator who is locked out."""
    with Change(by=OPERATOR, action="reset password", reason=reason, chain="system", about=username) as change:
        password = granting.temporary_password()
        granting.reset_password(change, _user(username), password)
    click.echo(f"Temporary password of {username}, to be changed at the next sign-in: {password}")


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
    raise click.UsageError(f"There is no site {code}.")


@export_group.command("cut")
@click.argument("name")
@click.option("--as", "username", required=True, help="Whose rights and name the cut is made under.")
@click.option(
    "--as-of", "as_of", required=True, help="A past day (its end at the first site) or an instant with offset."
)
@click.option("--reason", required=True, help="What it is for; kept in the audit trail.")
@without_traceback
def make_cut(name: str, username: str, as_of: str, reason: str) -> None:
    """Give a past instant the NAME under which every export can show the data as they were."""
    user, study = _user(username), finding.study()
    with Change(by=user, action="cut data", reason=reason, chain=study.oid) as change:
        cut = cutting.make(change, name, cutting.instant(as_of, finding.study()))
    click.echo(f"{cut.name}: data as of {cut.as_of:%Y-%m-%d %H:%M:%S}Z, change {cut.seq} {cut.link[:16]}")


@export_group.command("cuts")
@click.option("--as", "username", required=True, help="Whose rights are used.")
@without_traceback
def list_cuts(username: str) -> None:
    """List the data cuts."""
    for cut in cutting.every(_user(username)):
        click.echo(f"{cut.name:20} {cut.as_of:%Y-%m-%d %H:%M:%S}Z change {cut.seq} {cut.link[:16]} by {cut.made_by}")


@export_group.command("diff")
@click.argument("first")
@click.argument("second")
@click.option("--as", "username", required=True, help="Whose rights and name the comparison is made under.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write CSV or XLSX here instead of lines.")
@without_traceback
def compare_cuts(first: str, second: str, username: str, out: Path | None) -> None:
    """What changed between the cuts FIRST and SECOND: which answers, who, why, through which query."""
    user = _user(username)
    cuts = cutting.named(user, first), cutting.named(user, second)
    if out is not None:
        out.write_bytes(cutting.fetch_differences(user, *cuts, "xlsx" if out.suffix == ".xlsx" else "csv"))
        click.echo(f"Written: {out}")
        return
    found = cutting.differences(user, *cuts)
    names = ("SUBJECT", "EVENT", "FORM", "ROW", "ITEM", "OLD", "NEW", "LAST_BY", "REASON", "QUERIES")
    for row in zip(*(found.columns[name] for name in names), strict=True):
        subject, event, form, place, item, old, new, who, why, queries = ("" if cell is None else cell for cell in row)
        asked = f" (query {queries})" if queries else ""
        click.echo(f"{subject} {event} {form}/{place}/{item}: {old or '-'} -> {new or '-'}  {who}: {why or '-'}{asked}")
    click.echo(f"{found.rows} answers differ.")


@export_group.command("make")
@click.option("--as", "username", required=True, help="Whose rights and name the export is made under.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    default=["csv"],
    help="csv, xlsx, parquet, spss, stata, xpt, odm, sdtm, trail.",
)
@click.option(
    "--site", "site_codes", multiple=True, help="Site code; repeatable; omitted: all that the user may export."
)
@click.option("--reason", required=True, help="What it is for; kept in the audit trail.")
@click.option("--cut", help="A data cut: the data as they were then; omitted: as they are now.")
@without_traceback
def make_export(
    username: str, formats: tuple[str, ...], site_codes: tuple[str, ...], reason: str, cut: str | None
) -> None:
    """Make a package of datasets and print where the file is."""
    user = _user(username)
    chosen = cutting.named(user, cut) if cut else None
    formats = tuple("excel" if name == "xlsx" else name for name in formats)
    unknown = sorted(set(formats) - set(exporting.FORMATS))
    if unknown:
        click.echo(f"No such format: {', '.join(unknown)}. There are {', '.join(exporting.FORMATS)}.", err=True)
        sys.exit(2)
    made = exporting.make(user, list(formats), list(site_codes) or None, reason, chosen)
    click.echo(f"{exporting.folder() / made.file_name}  SHA-256 {made.sha256}")


@export_group.command("tlf")
@click.option("--as", "username", required=True, help="Whose rights and name they are made under.")
@click.option("--cut", help="A data cut; omitted: the data as they are now.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--reason", required=True, help="What it is for; kept in the audit trail.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The zip to write.")
@without_traceback
def make_outputs(username: str, cut: str | None, language: str, reason: str, out: Path) -> None:
    """All tables, listings and figures with the analysis datasets, as one zip."""
    user = _user(username)
    chosen = cutting.named(user, cut) if cut else None
    digest = reporting.package(user, language, reason, chosen, out)
    click.echo(f"{out}  SHA-256 {digest}")


@export_group.command("list")
@without_traceback
def list_exports() -> None:
    """List the exports made so far."""
    for made in db.session.scalars(select(Export).order_by(Export.id)):
        click.echo(f"{made.id:5} {made.made_at:%Y-%m-%d %H:%M}Z {made.file_name} {made.size:,} bytes")


@check_group.command("run")
@without_traceback
def run_checks() -> None:
    """Run every check on every stored form and look at every visit's date; for the night. A second run changes nothing."""
    for activation in activating.come_into_force():
        number = finding.design(activation.version_id).version
        click.echo(f"{activation.site.code}: version {number} is in force from {activation.from_date}")
    report = nightly.run(lambda number, acts: click.echo(f"{number}: {acts} query act(s)"))
    acts = ", ".join(f"{act} {count}" for act, count in sorted(report.acts.items())) or "nothing to do"
    click.echo(f"{report.participants} participants, {report.changed} changed: {acts}.")


@audit_group.command("verify")
@without_traceback
def verify() -> None:
    """Recompute every hash and compare the trail with the tables. Exit code 1 names the first change that does not fit."""
    faults: list[object] = [*trail.verify_all(), *signatures.verify_signatures()]
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
    lines = list(trail.history(about))
    for line in lines:
        click.echo(line)
    if not lines:
        click.echo(
            f"The trail tells nothing about {about!r}. Name it as a change does: form_data/12, subject/3.", err=True
        )
        sys.exit(2)


@demo_group.command("load")
@without_traceback
def load_demo() -> None:
    """Fill an empty database with the synthetic trial."""
    demo.load()
    click.echo(demo.credentials())


def register(app: Flask) -> None:
    """Add all command groups to the application."""
    for group in (study_group, user_group, export_group, check_group, audit_group, demo_group):
        app.cli.add_command(group)
