"""A trial as its analysis reads it: participants, records, safety, endpoints, parameters, cut-off."""

from collections.abc import Callable, Mapping
from datetime import date

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
        endpoint = ENDPOINTS[code].endpoint
        return [(person, endpoint(person.history)) for person in self.of("FAS") if person.history]

    def late_toxicity(self, grade: int) -> list[tuple[Person, Outcome]]:
        """E14: first late toxicity of at least a grade; death competes, and mastectomy for terms of the breast."""
        breast = self.declaration.toxicity.get("breast", ())
        found = []
        for person, history in self._histories():
            seen = self.safety.late_occurrences(person, grade)
            days = [row.day for row in self.safety.grades(person) if row.grade is not None]
            competes = all(each.what in breast for each in seen) if seen else False
            found.append((person, events.first_of(history, seen, days, competes)))
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
