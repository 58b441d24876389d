"""What goes on beside data entry at a site, from the first day on.

Every eight weeks or so, if anything was entered since, the monitor comes and asks; the nurse answers within days; the
investigator signs and judges deviations; the data manager freezes what is over; the monitor looks at the answers.
"""

from collections.abc import Generator
from datetime import date, timedelta

from demo import deviations, monitoring, questions, signing
from demo.filling import working_day
from demo.office import Office
from workflows import delegating, planning_verification, reviewing_trail
from workflows.reviewing_trail import Look

Days = Generator[date, None, None]
FIRST_VISIT, BETWEEN = timedelta(days=45), 56
NURSE_LINE = ("enter data", "coordinate")
INVESTIGATOR_LINE = ("consent", "enter data", "sign", "coordinate")
Plan = tuple[date, str, int, str]  # from when, scope, share of participants, why
PLANS: tuple[Plan, ...] = (
    (date(2015, 3, 2), "all", 20, "监查计划1.0版：20%受试者全部项目，其余为关键项目"),
    (date(2020, 1, 6), "critical", 100, "监查计划2.0版：基于风险，仅核查关键项目"),
)
OUTCOME = "所列更改均有源记录及更正原因；未见夜间录入异常。建议中心录入后当日复核。"


def story(office: Office) -> Days:
    """All that is done at a site beside data entry. Each `yield` is the next day on which somebody acts."""
    _open_site(office)
    plans, since, days = list(PLANS), office.start, _visit_days(office)
    _plan_due(office, plans)
    for number, day in enumerate(days):
        yield day
        _plan_due(office, plans)
        if office.leads and number == len(days) - 2:
            _review_trail(office)
        stays = office.leads and day == days[-1]
        fresh = monitoring.entered_since(office, since)
        if len(fresh) >= monitoring.FEWEST or stays:
            since = day
            yield from _monitor(office, number, day, fresh, stays)
        yield from _follow_up(office, day)


def _monitor(office: Office, number: int, day: date, fresh: list[monitoring.Place], stays: bool) -> Days:
    """A visit of two days; the last one goes on."""
    visit_id = monitoring.begin(office, number)
    monitoring.work(office, visit_id, fresh, looks_back=number % 3 == 2)
    if not stays:
        yield working_day(day + timedelta(days=1))
        monitoring.finish(office, visit_id, day)


def _follow_up(office: Office, day: date) -> Days:
    """What the site, the data manager and the monitor make of it in the weeks after."""
    yield working_day(day + timedelta(days=office.dice.randint(4, 7)))
    questions.answer(office)
    yield working_day(day + timedelta(days=12))
    signing.sign_due(office)
    deviations.settle(office)
    signing.close_casebooks(office)
    yield working_day(day + timedelta(days=18))
    questions.review_answers(office)


def _visit_days(office: Office) -> list[date]:
    """Every eight weeks, at the two sites in turn; the last visit of the leading site has only just begun."""
    day, days = office.start + FIRST_VISIT + timedelta(days=0 if office.leads else BETWEEN // 2), []
    last = office.end - timedelta(days=3)
    while day < last - timedelta(days=25 if office.leads else 0):
        days.append(working_day(day))
        day += timedelta(days=BETWEEN + office.dice.randint(-4, 4))
    return [*days, working_day(last)] if office.leads else days


def _open_site(office: Office) -> None:
    """Before anybody is screened the principal investigator writes herself into the delegation log, then the nurse."""
    desk = office.desk
    for person, tasks in ((desk.investigator, INVESTIGATOR_LINE), (desk.nurse, NURSE_LINE)):
        with office.act(desk.investigator, "delegate") as change:
            delegating.delegate(change, desk.site, person, tasks, office.today)


def _plan_due(office: Office, plans: list[Plan]) -> None:
    """Put the plans into force whose day has come."""
    site, seed = office.desk.site, f"{office.desk.study_oid}-{office.desk.site.code}"
    while plans and plans[0][0] <= office.today:
        since, scope, percent, why = plans.pop(0)
        with office.act(office.manager, "plan verification", reason=why) as change:
            planning_verification.add_plan(change, site, since, scope, percent, seed)


def _review_trail(office: Office) -> None:
    """The data manager looks at a year of the trail of one site and says what she thinks of it."""
    look = Look(office.desk.site, office.today - timedelta(days=365), office.today)
    with office.act(office.manager, "review trail") as change:
        shown = reviewing_trail.fingerprint(reviewing_trail.find(office.manager, look))
        reviewing_trail.sign_off(change, look, shown, OUTCOME)
