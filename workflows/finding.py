"""The only way to an object: nobody ever holds what she may not see.

Each function returns the object or raises `NotFound`, whose page is the same for what does not exist and for what
belongs to another site (SEC-19).
"""

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Select, select

from design.definitions import FormDef, StudyDef
from design.reader import load_study
from models import (
    Deviation,
    Export,
    FormData,
    Query,
    Site,
    StoredFile,
    Study,
    StudyEvent,
    StudyVersion,
    Subject,
    UnlockRequest,
    User,
    db,
)
from workflows import access
from workflows.refusals import NotFound, Refusal


@dataclass(frozen=True)
class FormPlace:
    """Where a form stands: participant, event, definition, and what is stored there (`data` is None before a save)."""

    subject: Subject
    event: StudyEvent
    form: FormDef
    study: StudyDef
    version_id: int
    repeat: int
    data: FormData | None

    @property
    def address(self) -> str:
        """The form's own part of its address, also the key of a draft."""
        repeat = self.repeat if self.data else "new"
        return f"{self.subject.id}/{self.event.key}/{self.form.id}/{repeat}"


def study() -> Study:
    """The study this installation runs.

    Raises:
        Refusal: nothing has been published yet.
    """
    found = db.session.scalars(select(Study).order_by(Study.id).limit(1)).first()
    if found is None or found.current_version_id is None:
        raise Refusal("no-study")
    return found


def has_study() -> bool:
    """Whether anything has been published yet."""
    return (
        db.session.scalars(select(Study.id).where(Study.current_version_id.is_not(None)).limit(1)).first() is not None
    )


@lru_cache(maxsize=64)
def _compiled(sha256: str, version_id: int) -> StudyDef:
    version = db.session.get(StudyVersion, version_id)
    assert version is not None
    return load_study(version.files)


def _hash_of(version_id: int) -> str:
    """The hash of a version, remembered for as long as the session lives."""
    known: dict[int, str] = db.session.info.setdefault("version hashes", {})
    if version_id not in known:
        selection = select(StudyVersion.sha256).where(StudyVersion.id == version_id)
        known[version_id] = db.session.scalars(selection).one()
    return known[version_id]


def design(version_id: int) -> StudyDef:
    """The compiled definitions of a published version, from the database; compiled once per process."""
    return _compiled(_hash_of(version_id), version_id)


def design_for(site: Site) -> StudyDef:
    """The definitions that new forms at a site are answered under."""
    return design(site.version_id)


def versions() -> list[StudyVersion]:
    """All published versions, oldest first."""
    return list(db.session.scalars(select(StudyVersion).order_by(StudyVersion.number)))


def sites(user: User, action: str) -> list[Site]:
    """The sites where the user may do the action, by code."""
    allowed = access.sites_for(user, action)
    selection = select(Site).order_by(Site.code)
    return list(db.session.scalars(selection if allowed is None else selection.where(Site.id.in_(allowed))))


def site(user: User, action: str, code: str) -> Site:
    """One such site by its code, or `NotFound`."""
    for found in sites(user, action):
        if found.code == code:
            return found
    raise NotFound


def subjects(user: User, action: str = "view participants") -> Select[Subject]:
    """A selection of the participants at the user's sites."""
    allowed = access.sites_for(user, action)
    selection = select(Subject).order_by(Subject.screening_number)
    return selection if allowed is None else selection.where(Subject.site_id.in_(allowed))


def subject(user: User, subject_id: int, action: str = "view participants") -> Subject:
    """One participant at the user's sites, or `NotFound`."""
    found = db.session.scalars(subjects(user, action).where(Subject.id == subject_id)).first()
    if found is None:
        raise NotFound
    return found


def event(subject: Subject, key: str) -> StudyEvent:
    """An event of a participant by its key (`SCR`, `OTV.2`), or `NotFound`."""
    event_id, _, repeat = key.partition(".")
    if repeat and not (repeat.isascii() and repeat.isdigit() and len(repeat) < 5):
        raise NotFound
    selection = select(StudyEvent).where(
        StudyEvent.subject_id == subject.id,
        StudyEvent.event_id == event_id,
        StudyEvent.repeat == int(repeat or 1),
    )
    found = db.session.scalars(selection).first()
    if found is None:
        raise NotFound
    return found


def place(user: User, subject_id: int, event_key: str, form_id: str, repeat: int | None) -> FormPlace:
    """Where a form stands; `repeat` None means the next new instance.

    Raises:
        NotFound: no such participant (for this user), event, form in this event, or instance.
        Refusal: a later version has the form here, but it is not active at the site yet (ACC-11).
    """
    person = subject(user, subject_id)
    occasion = event(person, event_key)
    instances = stored(occasion, form_id)
    data = next((each for each in instances if each.repeat == repeat), None)
    if repeat is not None and data is None and (repeat != 1 or instances):
        raise NotFound
    version_id = data.version_id if data else person.site.version_id
    definitions = design(version_id)
    form = definitions.forms.get(form_id)
    if form is None or form.under or (data is None and not _is_expected(definitions, occasion, form_id)):
        _refuse_premature(definitions, occasion, form_id)
        raise NotFound
    if repeat is None:
        if instances and not form.repeats:
            raise NotFound
        repeat = max((each.repeat for each in instances), default=0) + 1
    return FormPlace(person, occasion, form, definitions, version_id, repeat, data)


def _refuse_premature(definitions: StudyDef, occasion: StudyEvent, form_id: str) -> None:
    for version in versions():
        if version.number > definitions.version and _is_expected(design(version.id), occasion, form_id):
            raise Refusal("version-inactive", site=occasion.subject.site.code, number=version.number)


def stored(occasion: StudyEvent, form_id: str) -> list[FormData]:
    """The instances of a form in an event, in order."""
    selection = select(FormData).where(FormData.study_event_id == occasion.id, FormData.form_id == form_id)
    return list(db.session.scalars(selection.order_by(FormData.repeat)))


def _is_expected(definitions: StudyDef, occasion: StudyEvent, form_id: str) -> bool:
    definition = definitions.events.get(occasion.event_id)
    return definition is not None and any(each.form_id == form_id for each in definition.forms)


def form_data(user: User, form_data_id: int) -> FormData:
    """A stored form at the user's sites, or `NotFound`."""
    data = db.session.get(FormData, form_data_id)
    if data is None:
        raise NotFound
    subject(user, data.subject_id)
    return data


def stored_file(user: User, place: FormPlace, sha256: str) -> StoredFile:
    """A file that an answer of this form points at, or `NotFound`."""
    held = place.data is not None and sha256 in str(place.data.answers)
    found = db.session.get(StoredFile, sha256) if held else None
    if found is None:
        raise NotFound
    return found


def user(by: User, user_id: int) -> User:
    """An account, for those who manage users, or `NotFound`."""
    access.require(by, "manage users", None)
    found = db.session.get(User, user_id)
    if found is None:
        raise NotFound
    return found


def users(by: User) -> list[User]:
    """All accounts, for those who manage users."""
    access.require(by, "manage users", None)
    return list(db.session.scalars(select(User).order_by(User.name_key)))


def people_at(site_id: int) -> list[User]:
    """Those who may be named in a form at a site (consenting investigator, therapist …), by name."""
    clinical = ("nurse", "investigator")
    found = db.session.scalars(select(User).where(User.active.is_(True)).order_by(User.full_name))
    return [
        person
        for person in found
        if any(g.role in clinical and g.site_id in (None, site_id) for g in access.active_grants(person))
    ]


def exports(by: User) -> list[Export]:
    """The exports a user may fetch again: those that hold no more sites than hers, newest first."""
    codes = {each.code for each in sites(by, "export")}
    found = db.session.scalars(select(Export).order_by(Export.id.desc()))
    return [each for each in found if set(each.site_codes) <= codes]


def export(by: User, export_id: int) -> Export:
    """One such export, or `NotFound`."""
    for found in exports(by):
        if found.id == export_id:
            return found
    raise NotFound


def queries(user: User) -> Select[Query]:
    """A selection of the queries at the user's sites."""
    allowed = access.sites_for(user, "view queries")
    selection = select(Query)
    return selection if allowed is None else selection.where(Query.site_id.in_(allowed))


def query(user: User, query_id: int) -> Query:
    """One query at the user's sites, or `NotFound`."""
    found = db.session.scalars(queries(user).where(Query.id == query_id)).first()
    if found is None:
        raise NotFound
    return found


def queries_named(user: User, query_ids: list[int]) -> list[tuple[int, int]]:
    """Which of these queries are at the user's sites: their ids and participants, in the order of both."""
    selection = queries(user).where(Query.id.in_(query_ids)).order_by(Query.subject_id, Query.id)
    return [(each.id, each.subject_id) for each in db.session.scalars(selection)]


def unlock_requests(user: User) -> list[UnlockRequest]:
    """The requests for unlocking at the user's sites, newest first; those of the whole study for who sees all sites."""
    allowed = access.sites_for(user, "view reviews")
    selection = select(UnlockRequest).order_by(UnlockRequest.id.desc())
    if allowed is not None:
        selection = selection.where(UnlockRequest.site_id.in_(allowed))
    return list(db.session.scalars(selection))


def unlock_request(user: User, request_id: int) -> UnlockRequest:
    """One such request, or `NotFound`."""
    for found in unlock_requests(user):
        if found.id == request_id:
            return found
    raise NotFound


def deviations(user: User) -> Select[Deviation]:
    """A selection of the protocol deviations at the user's sites."""
    allowed = access.sites_for(user, "view deviations")
    selection = select(Deviation)
    return selection if allowed is None else selection.where(Deviation.site_id.in_(allowed))


def deviation(user: User, deviation_id: int) -> Deviation:
    """One deviation at the user's sites, or `NotFound`."""
    found = db.session.scalars(deviations(user).where(Deviation.id == deviation_id)).first()
    if found is None:
        raise NotFound
    return found
