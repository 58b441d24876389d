"""A trial as its analysis reads it: participants, records, safety, endpoints, parameters, cut-off."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial

from design.definitions import StudyDef
from exports.analysis import events, gathering
from exports.analysis.competing import EVENT, IncidenceCurve, aalen_johansen
from exports.analysis.declaration import Declaration, Parameter
from exports.analysis.events import Endpoint, History, Outcome
from exports.analysis.people import Person
from exports.analysis.records import Records
from exports.analysis.safety import Safety
from exports.shape import Table
from exports.survival import Curve, kaplan_meier

KM, AJ = "KM", "AJ"


class EndpointDef:
    """An endpoint: its code, both names, how it is estimated, and what it is read from."""

    def __init__(self, code: str, en: str, zh: str, method: str, endpoint: Endpoint) -> None:
        self.code, self.en, self.zh, self.method, self.endpoint = code, en, zh, method, endpoint


ENDPOINTS = {
    each.code: each
    for each in (
        EndpointDef("CCR", "Time to clinical complete response", "至临床完全缓解时间", AJ, events.time_to_response),
        EndpointDef("LC", "Local failure", "局部失败", AJ, events.local_control),
        EndpointDef("LRC", "Locoregional failure", "局部区域失败", AJ, events.locoregional_control),
        EndpointDef("PFS", "Progression-free survival", "无进展生存", KM, events.progression_free),
        EndpointDef("DMFS", "Distant-metastasis-free survival", "无远处转移生存", KM, events.distant_free),
        EndpointDef("SFBP", "Surgery-free breast preservation", "免手术保乳", KM, events.surgery_free),
        EndpointDef("BP", "Mastectomy", "乳房切除", AJ, events.breast_preservation),
        EndpointDef("OS", "Overall survival", "总生存", KM, events.overall_survival),
        EndpointDef("BCSS", "Death from breast cancer", "乳腺癌死亡", AJ, events.cancer_specific_survival),
        EndpointDef("NEWC", "New primary cancer", "新发原发癌", AJ, events.new_cancer),
    )
}

SENSITIVITY = {
    each.code: each
    for each in (
        EndpointDef(
            "PFSTHER",
            "Progression-free survival, new therapy ignored",
            "无进展生存（忽略新治疗）",
            KM,
            partial(events.progression_free, ignore_therapy=True),
        ),
        EndpointDef(
            "PFSGAP",
            "Progression-free survival, censored before missed images",
            "无进展生存（缺失影像前删失）",
            KM,
            partial(events.progression_free, censor_gaps=True),
        ),
        EndpointDef(
            "PFSNEWC",
            "Progression-free survival, new cancers are events",
            "无进展生存（新发癌计为事件）",
            KM,
            partial(events.progression_free, with_new_cancers=True),
        ),
        EndpointDef("LCKM", "Local control, Kaplan-Meier", "局部控制（Kaplan-Meier）", KM, events.local_control),
        EndpointDef(
            "BCSSUNK",
            "Death from breast cancer or unknown cause",
            "乳腺癌或原因不明死亡",
            AJ,
            partial(events.cancer_specific_survival, unknown_counts=True),
        ),
        EndpointDef(
            "SFBPAJ",
            "Surgery of the breast, death competes",
            "乳腺手术（死亡为竞争事件）",
            AJ,
            partial(events.surgery_free, competing_death=True),
        ),
        EndpointDef(
            "BPKM",
            "Breast preservation, death is an event",
            "保乳（死亡计为事件）",
            KM,
            partial(events.breast_preservation, composite=True),
        ),
    )
}


class Trial:
    """Everything an output needs. `people` are those the reader may see and asked for."""

    def __init__(
        self,
        tables: Mapping[str, Table],
        declaration: Declaration,
        study: StudyDef,
        cut_off: date,
        keep: Callable[[Person], bool] | None = None,
    ) -> None:
        self.tables, self.declaration, self.study, self.cut_off = tables, declaration, study, cut_off
        self.parameters: dict[str, Parameter] = declaration.parameters_of(study)
        self.records = Records(tables, declaration)
        image = declaration.sources["image"].table if "image" in declaration.sources else ""
        planned = [e.id for e in study.events.values() if any(form.form_id == image for form in e.forms)]
        everybody = gathering.build(self.records, self.parameters, cut_off, planned)
        self._outcomes: dict[str, list[tuple[Person, Outcome]]] = {}
        self.people: list[Person] = [each for each in everybody if keep is None or keep(each)]
        self.safety = Safety(self.records, self.parameters, study, cut_off)

    def of(self, name: str) -> list[Person]:
        """The participants of an analysis set."""
        return [person for person in self.people if name in person.sets]

    def value(self, parameter: str) -> object:
        """The value of a parameter."""
        return self.parameters[parameter].value

    def outcomes(self, code: str) -> list[tuple[Person, Outcome]]:
        """An endpoint of everybody in the full analysis set."""
        if code not in self._outcomes:
            endpoint = (ENDPOINTS | SENSITIVITY)[code].endpoint
            self._outcomes[code] = [(person, endpoint(history)) for person, history in self._histories()]
        return self._outcomes[code]

    def late_toxicity(self, grade: int, of_breast: bool = False) -> list[tuple[Person, Outcome]]:
        """E14: first late toxicity of at least a grade; death competes, and for terms of the breast mastectomy does."""
        terms = self.declaration.toxicity.get("breast", ()) if of_breast else None
        found = []
        for person, history in self._histories():
            seen = self.safety.late_occurrences(person, grade, terms)
            days = [row.day for row in self.safety.grades(person) if row.grade is not None]
            found.append((person, events.first_of(history, seen, days, mastectomy=of_breast)))
        return found

    def lymphoedema(self) -> list[tuple[Person, Outcome]]:
        """E16."""
        found = []
        for person, history in self._histories():
            days = [day for each in self.records.of("arm", person.subject) if (day := each.day())]
            found.append((person, events.first_of(history, self.safety.swollen(person), days, mastectomy=False)))
        return found

    def _histories(self) -> list[tuple[Person, History]]:
        return [(person, person.history) for person in self.of("FAS") if person.history]


def survival_of(outcomes: list[tuple[Person, Outcome]]) -> Curve:
    """Kaplan-Meier of outcomes."""
    return kaplan_meier([o.months for _, o in outcomes], [o.cause == EVENT for _, o in outcomes])


def incidence_of(outcomes: list[tuple[Person, Outcome]]) -> IncidenceCurve:
    """Aalen-Johansen of outcomes."""
    return aalen_johansen([o.months for _, o in outcomes], [o.cause for _, o in outcomes])
