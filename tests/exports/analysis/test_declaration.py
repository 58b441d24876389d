"""The declaration names only what the study has, and says so when it is wrong."""

import pytest

from design.reader import read_study
from exports.analysis import declaration
from exports.layout import plan
from tests.exports.analysis import hand


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_item_of_the_declaration_is_in_the_tables_of_every_version(version):
    study = read_study(hand.ROOT / version)
    tables = {layout.name: {column.name for column in layout.columns} for layout in plan([study])}
    for source in hand.declared().sources.values():
        assert source.table in tables, source.name
        assert set(source.items.values()) <= tables[source.table], source.name
        assert set(source.header_items.values()) <= tables.get(source.header or "", set()), source.name


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_code_of_the_declaration_is_in_its_code_list(version):
    study = read_study(hand.ROOT / version)
    items = {item.id: item for form in study.forms.values() for item in form.items}
    for source in hand.declared().sources.values():
        for word, codes in source.codes.items():
            item = items[(source.items | source.header_items)[word]]
            assert item.codelist is not None, (source.name, word)
            assert set(codes) <= set(study.codelists[item.codelist].codes), (source.name, word)


def test_every_parameter_and_term_of_the_declaration_is_in_the_study():
    study, found = hand.study(), hand.declared()
    for name, each in found.parameters.items():
        assert "id" not in each or each["id"] in study.parameters, name
    terms = study.tables[found.toxicity["terms"]].rows
    named = [*found.toxicity["haematological"], *found.toxicity["breast"], found.toxicity["dermatitis"]]
    assert set(named) <= set(terms)
    assert set(found.toxicity["resolving"]) | set(found.toxicity["lasting"]) <= set(terms)


def test_a_parameter_has_the_value_of_the_study_and_says_where_it_is_from():
    found = hand.declared().parameters_of(hand.study())
    assert found["acute_days"].value == hand.study().parameters["ACUTE_DAYS"].value
    assert found["acute_days"].text("en") == "Acute until (days) = 90 (ACUTE_DAYS, assumed)"
    assert found["acute_anchor"].text("zh") == "急性期起算：首次或末次照射 = first（分析声明，待确认）"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[sources.x]\ntable = 'T'", "sources.x: give table and items"),
        ("[sources.x]\ntable = 'T'\nitems = { a = 'A' }\ncodes.b = { w = ['1'] }", "no such item"),
        ("[[subject]]\nname = 'AGE'\nfrom = 'x.age'\ngroup = 'g'", "no item x.age"),
        ("[parameters]\np = { value = 1 }", "parameters.p"),
    ],
)
def test_a_wrong_declaration_is_refused_with_its_place(text, fault):
    with pytest.raises(ValueError, match=fault):
        declaration.parse(text)


def test_a_study_without_a_declaration_has_none(tmp_path):
    assert declaration.read(tmp_path / declaration.NAME) is None
