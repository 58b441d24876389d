"""A tiny study in two versions, and a database with participants whose answers can be counted by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, create_engine, event, insert

from design.definitions import StudyDef
from design.reader import load_study
from exports.tables import Scope
from models import (
    ChainHead,
    Change,
    ChangeEntries,
    FormData,
    Site,
    Study,
    StudyEvent,
    StudyVersion,
    Subject,
    db,
)
from models.clock import now

STUDY = """id = "tiny"
version = {version}
en = "Tiny study"
zh = "微型研究"
protocol = "1.0"
languages = ["en", "zh"]
missing = "ND"
[[sites]]
code = "01"
en = "First"
zh = "第一中心"
timezone = "Asia/Shanghai"
[[sites]]
code = "02"
en = "Second"
zh = "第二中心"
timezone = "Asia/Shanghai"
[[events]]
id = "SCR"
number = 10
en = "Screening"
zh = "筛选"
kind = "scheduled"
forms = ["VS", "LB"]
[[events]]
id = "LOG"
number = 990
en = "Logs"
zh = "日志"
kind = "log"
forms = ["AE*"]
"""
LISTS = """[ND]
ND = { en = "Not done", zh = "未做" }
NA = { en = "Not applicable", zh = "不适用" }
UNK = { en = "Unknown", zh = "不详" }
[SEX]
F = { en = "%s", zh = "女" }
M = { en = "Male", zh = "男" }
[PLACE]
"L/1" = { en = "Left one", zh = "左一" }
"L-1" = { en = "Left minus one", zh = "左负一" }
[SYMP]
P = { en = "Pain", zh = "疼痛" }
C = { en = "Cough", zh = "咳嗽" }
"""
VS = """id = "VS"
en = "Vital signs"
zh = "生命体征"
[[items]]
id = "HEIGHT"
en = "Height"
zh = "身高"
type = "number"
digits = 1
unit = "cm"
hard = "100..220"
sdtm = "VS (VSTESTCD=HEIGHT)"
%s[[items]]
id = "SEX"
en = "Sex"
zh = "性别"
type = "code"
codelist = "SEX"
[[items]]
id = "ONSET"
en = "Onset"
zh = "起病"
type = "partial_date"
[[items]]
id = "SYMP"
en = "Symptoms"
zh = "症状"
type = "multi"
codelist = "SYMP"
[[items]]
id = "PATHNO"
en = "Pathology number"
zh = "病理号"
type = "text"
masked = true
[[items]]
id = "NOTE"
en = "Note"
zh = "备注"
type = "text"
length = 2000
"""
EXTRA = {1: '[[items]]\nid = "PULSE"\nen = "Pulse"\nzh = "脉搏"\ntype = "integer"\n', 2: ""}
LB = """id = "LB"
en = "Laboratory"
zh = "实验室"
[[items]]
id = "LBDAT"
en = "Date"
zh = "日期"
type = "date"
[[groups]]
id = "LBROWS"
en = "Results"
zh = "结果"
repeats = true
rows = "lab"
[[items]]
id = "LBRES"
group = "LBROWS"
en = "Result"
zh = "结果值"
type = "labvalue"
"""
AE = """id = "AE"
en = "Adverse events"
zh = "不良事件"
repeats = true
title = "AETERM"
[[items]]
id = "AETERM"
en = "Term"
zh = "名称"
type = "text"
[[items]]
id = "SUBJID"
en = "Subject number"
zh = "受试者编号"
type = "auto"
auto = "subject_number"
[[items]]
id = "SITES"
en = "Places"
zh = "部位"
type = "multi"
codelist = "PLACE"
"""
AEG = """id = "AEG"
en = "Grades"
zh = "分级"
under = "AE"
title = "AGGR"
[[items]]
id = "AGGR"
en = "Grade"
zh = "级别"
type = "integer"
"""
LAB = "key,en,zh\nWBC,White cells,白细胞\nHGB,Haemoglobin,血红蛋白\n"


def version(number: int) -> StudyDef:
    """Version 1 asks PULSE; version 2 dropped it and calls the code F a woman."""
    lab = LB.replace(
        '[[items]]\nid = "LBDAT"', '[[groups]]\nid = "LB"\nen = "Head"\nzh = "表头"\n[[items]]\nid = "LBDAT"'
    )
    return load_study(
        {
            "study.toml": STUDY.format(version=number),
            "codelists.toml": LISTS % ("Female" if number == 1 else "Woman"),
            "checks.toml": "",
            "forms/VS.toml": VS % EXTRA[number],
            "forms/LB.toml": lab,
            "forms/AE.toml": AE,
            "forms/AEG.toml": AEG,
            "tables/lab.csv": LAB,
        }
    )


VERSIONS = {1: version(1), 2: version(2)}


def scope(**more: Any) -> Scope:
    """Everything, unless told otherwise."""
    return Scope(1, VERSIONS, **more)


class Database:
    """A connection, what tests put into it, and how many statements it was asked."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.events, self.statements = connection, {}, []
        self._put(Study, id=1, oid="tiny", secret="s", current_version_id=2)
        for number in (1, 2):
            self._put(StudyVersion, id=number, study_id=1, number=number, sha256=f"{number}" * 64, files={},
                      published_at=now())  # fmt: skip
        for number, name in ((1, "First"), (2, "Second")):
            self._put(Site, id=number, study_id=1, code=f"0{number}", name_en=name, name_zh=name,
                      timezone="Asia/Shanghai", version_id=2)  # fmt: skip
        self._put(ChainHead, chain="tiny", seq=7, link="ab" * 32)
        event.listen(connection, "before_cursor_execute", lambda *of: self.statements.append(of[2]))

    def _put(self, model: Any, **values: Any) -> Any:
        return self.connection.execute(insert(model).values(**values)).inserted_primary_key[0]

    def subject(self, site: int = 1, number: str | None = None) -> int:
        """A participant with a screening visit and a log."""
        count = len(self.events) // 2 + 1
        subject_id = self._put(
            Subject, study_id=1, site_id=site, screening_number=f"0{site}-S{count:03}", number=number,
            place=count if number else None, status="screening", possible_duplicate=False, created_at=now(),
        )  # fmt: skip
        for position, name in ((1000, "SCR"), (1_000_000, "LOG")):
            self.events[subject_id, name] = self._put(
                StudyEvent, subject_id=subject_id, event_id=name, repeat=1, position=position,
                projected=False,                state="planned",
            )  # fmt: skip
        return subject_id

    def form(self, subject: int, form: str, answers: dict, name: str = "SCR", number: int = 2, **more: Any) -> int:
        """A stored form, answered under a study version."""
        values = {
            "repeat": 1,
            "entry": "complete",
            "protection": "open",
            "findings": [],
            "overrides": {},
        } | more
        return self._put(
            FormData, subject_id=subject, study_event_id=self.events[subject, name], form_id=form,
            version_id=number, answers=answers, revision=1, saved_at=now(), saved_by="Alice", **values,
        )  # fmt: skip

    def change(self, seq: int, entries: list[dict], chain: str = "tiny", **more: Any) -> None:
        """A change with its entries."""
        values = {"user_name": "Alice", "action": "save form", "about": "", "site_id": None} | more
        reason = values.pop("reason", None)
        key = self._put(Change.__table__, chain=chain, seq=seq, at=now(), body="{}", leaf="", prev=f"{seq}",
                        link=f"{seq:064}", **values)  # fmt: skip
        self._put(ChangeEntries, change_id=key, reason=reason, entries=entries, detail=None)


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """A fresh database."""
    engine = create_engine(f"sqlite:///{folder / 'tiny.db'}")
    db.metadata.create_all(engine)
    with engine.connect() as connection:
        # The rows are put in by hand, so the triggers that guard the trail are taken out of this database.
        for name in connection.exec_driver_sql("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.exec_driver_sql(f'drop trigger "{name[0]}"')
        yield Database(connection)
    engine.dispose()


def cells(**values: Any) -> dict:
    """The document of a form whose items all stand once, in the group of the form."""
    return {"VS": {"1": values}}


def column(table: Any, name: str) -> list:
    """A column as a list."""
    return list(table.columns[name])


def parsed(text: str) -> Any:
    """JSON text as a value."""
    return orjson.loads(text)
