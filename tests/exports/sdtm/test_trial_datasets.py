"""The trial's own datasets, from one participant of the demonstration as she stood after her treatment."""

from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine

from app import create_app
from demo import loading
from exports import sdtm
from exports.tables import Scope
from models import db
from settings import Settings
from tests.exports.sdtm.tiny_mapping import rows
from workflows import finding


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> sdtm.Datasets:
    folder = tmp_path_factory.mktemp("trial")
    address = f"sqlite:///{folder / 'trial.db'}"
    app: Flask = create_app(Settings(database_url=address, mode="demo", instance_dir=folder, secret_key="x" * 40))
    with app.app_context():
        db.create_all()
        loading.load(1, quiet=True, until=date(2015, 6, 30))
        scope = Scope(1, {version.id: finding.design(version.id) for version in finding.versions()})
        with create_engine(address).connect() as connection:
            return sdtm.build(connection, scope, Path("crf/carbon-breast/sdtm"))


def test_nothing_was_left_unmapped(made):
    assert made.notes == []


def test_the_course_is_one_record_per_session_and_sums_to_the_prescription(made):
    doses = rows(made["EX"], "EXSCAT", "EXDOSE", "EXDOSU")
    breast = [dose for phase, dose, _ in doses if phase == "WHOLE BREAST AND NODAL DRAINAGE"]
    boost = [dose for phase, dose, _ in doses if phase == "BOOST"]
    assert (len(breast), sum(breast)) == (16, 48) and (len(boost), sum(boost)) == (6, 24)
    assert {unit for _, _, unit in doses} == {"Gy (RBE)"}
    planned = [row["ECDOSTOT"] for row in made["EC"].rows if row["ECMOOD"] == "SCHEDULED"]
    assert sorted(planned) == [24, 48]


def test_demographics_agree_with_consent_and_exposure(made):
    (person,) = made["DM"].rows
    first, last = made["EX"].rows[0], made["EX"].rows[-1]
    assert (person["RFXSTDTC"], person["RFXENDTC"]) == (first["EXSTDTC"], last["EXENDTC"])
    consent = next(row for row in made["DS"].rows if row["DSDECOD"] == "INFORMED CONSENT OBTAINED")
    assert person["RFICDTC"] == consent["DSSTDTC"]
    assert (first["EXSTDY"], consent["DSSTDY"]) == (1, -22)


def test_elements_follow_each_other_without_a_gap(made):
    elements = rows(made["SE"], "ETCD", "SESTDTC", "SEENDTC")
    assert [code for code, _, _ in elements] == ["SCRN", "CIRTWB", "CIRTBST", "FU"]
    assert [end for _, _, end in elements[:-1]] == [start for _, start, _ in elements[1:]]


def test_adverse_events_keep_their_chinese_and_are_flagged_as_not_coded(made):
    event = made["AE"].rows[0]
    assert event["AETERM"] == "放射性皮炎" and event["AEDECOD"] is None and event["AELLT"] == "Dermatitis radiation"
    assert ("AEUNCOD", "Y") in rows(made["SUPPAE"], "QNAM", "QVAL")
    history = [
        row for row in made["FA"].rows if row["FACAT"].startswith("GRADE HISTORY") and row["FAOBJ"] == event["AETERM"]
    ]
    assert [row["FAORRES"] for row in history] == ["1", "2"] and event["AETOXGR"] == "2"


def test_a_laboratory_result_in_words_is_standardised_and_has_no_number(made):
    found = [row for row in made["LB"].rows if row["LBCAT"] == "VIROLOGY"]
    assert {(row["LBORRES"], row["LBSTRESC"], row["LBSTRESN"]) for row in found} == {("阴性", "NEGATIVE", None)}


def test_the_keys_of_a_dataset_find_one_record(made):
    for name, dataset in made.items():
        keys = rows(dataset, *dataset.keys)
        assert len(keys) == len(set(keys)), name


def test_required_variables_have_values_but_for_the_preferred_term(made):
    blank = [
        (name, variable.name)
        for name, dataset in made.items()
        for variable in dataset.variables
        if variable.core == "Req" and None in dataset.column(variable.name)
    ]
    assert blank == [("AE", "AEDECOD")]


def test_what_hangs_on_a_record_points_at_one_that_exists(made):
    for name in [name for name in made if name.startswith("SUPP")] + ["RELREC"]:
        for row in made[name].rows:
            if row["USUBJID"] and row["IDVARVAL"]:
                parents = made[row["RDOMAIN"]].rows
                found = [
                    p for p in parents if p["USUBJID"] == row["USUBJID"] and str(p[row["IDVAR"]]) == row["IDVARVAL"]
                ]
                assert len(found) == 1, row


def test_nobody_is_named(made):
    """Initials, pathology numbers and the relation of a witness are masked in the study, and stay out of every file."""
    masked = {"SUBJINI", "PATHNO", "ICFREL", "IMUID"}
    studies = made.sources.studies.values()
    assert masked <= {item.id for study in studies for item in study.items.values() if item.masked}
    for source in made.sources.tables.values():
        assert not masked & set(source.columns)
