"""What a page of an earlier study version left behind: answers no longer asked, and names it still posts."""

from design import amendments
from design.definitions import ItemDef
from forms.crf_input import Posted
from forms.crf_words import cell_text
from views.shell import language
from workflows import finding
from workflows.finding import FormPlace


def retained(place: FormPlace) -> list[tuple[str, str, str]]:
    """The answers of a form that its version no longer asks: question, row, answer in words, as they were asked last."""
    if place.data is None:
        return []
    kept = amendments.retained(place.study, place.form, place.data.answers)
    if not kept:
        return []
    earlier = [finding.design(version.id) for version in reversed(finding.versions())]
    lines = []
    for path, cell in kept.items():
        _group, row, item_id = path.split("/")
        study = next((each for each in earlier if item_id in each.items), place.study)
        item = study.items.get(item_id)
        name = item.label.text(language()) if item else item_id
        lines.append((name, row if row != "1" else "", cell_text(study, item, cell, language())))
    return lines


def carried(place: FormPlace, posted: Posted) -> Posted:
    """What a page that was opened under an earlier version posts, under the names of this one.

    Only for a stored form, whose save is refused as stale afterwards and shows all of it again. What is no longer asked
    falls away here; its saved answer stays with the form.
    """
    if place.data is None:
        return posted
    asked = {item.id: item for item in amendments.document_items(place.study, place.form)}
    known = _ever_asked(place.form.id)
    moved = place.study.amendment.moved if place.study.amendment else {}
    result: dict[str, list[str]] = {}
    for name, values in posted.items():
        head, _slash, last = name.rpartition("/")
        item_id, tilde, rest = last.partition("~")
        if not head or head.startswith("_") or not item_id or item_id in asked:
            result[name] = values
            continue
        to: ItemDef | None = asked.get(moved.get(item_id, ""))
        if to is not None:
            result[f"{to.group_id}/{head.rpartition('/')[2]}/{to.id}{tilde}{rest}"] = values
        elif item_id not in known:
            result[name] = values
    return result


def _ever_asked(form_id: str) -> set[str]:
    studies = [finding.design(version.id) for version in finding.versions()]
    return {
        item.id
        for study in studies
        if form_id in study.forms
        for item in amendments.document_items(study, study.forms[form_id])
    }
