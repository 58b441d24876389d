"""Random sequences of work on the small study: what people type, and in which order they do things."""

from typing import Any

from hypothesis import strategies as st

Step = tuple[Any, ...]  # the name of a method of `Work`, and what it is called with

# What is typed. None: the item is left empty, so a correction may also take an answer away.
missing = st.sampled_from(["ND", "UNK", "NAV"]).map(lambda code: {"missing": code})
words = st.text(st.sampled_from("ab é中文😀'\"\\/{}%_\n"), min_size=1, max_size=12)
days = st.sampled_from(["2026-03-01", "2026-03-10", "2026-04-14", "2027-01-01"])
partial = st.one_of(days, st.sampled_from(["2026", "2026-02", "2026-13"]), missing)
flag = st.sampled_from(["Y", "N"])


def cells(**items: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A row in which any item may be empty."""
    offered = st.fixed_dictionaries({name: st.none() | value for name, value in items.items()})
    return offered.map(lambda row: {name: cell for name, cell in row.items() if cell is not None})


def rows(keys: list[str], row: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some rows of a repeating group, now and then one in error."""
    in_error = st.tuples(row, words).map(lambda pair: {**pair[0], "_error": pair[1]})
    return st.dictionaries(st.sampled_from(keys), row | in_error, max_size=len(keys))


height = st.sampled_from(["150.0", "165", "171.5", "130.0", "400"]) | missing  # well, soft, protected, hard, missing
weight = st.sampled_from(["60.0", "61", "125.5", "1"]) | missing
vital = cells(
    VSDAT=partial, HEIGHT=height, WEIGHT=weight, FEVER=flag, TEMP=st.sampled_from(["38.5", "36"]),
    SYMPT=st.lists(st.sampled_from("PFC"), unique=True, min_size=1), VSCOM=words, VSPULSE=st.sampled_from(["70", "80"]),
)  # fmt: skip
results = rows(["WBC", "HGB", "ALT"], cells(LBORRES=st.sampled_from(["5.1", "<0.01"]) | missing, LBCS=flag))
grades = rows(["1", "2"], cells(AEGDAT=days, AEGGR=st.sampled_from(["1", "3", "9"])))
DOCUMENTS = {
    "ICF": st.fixed_dictionaries({"ICF": st.fixed_dictionaries({"1": cells(CONSDAT=days)})}),
    "SV": st.fixed_dictionaries({"SV": st.fixed_dictionaries({"1": cells(VISDAT=days, VISND=words)})}),
    "VS": st.fixed_dictionaries({"VS": st.fixed_dictionaries({"1": vital})}),
    "LB": st.fixed_dictionaries(
        {"LBHEAD": st.fixed_dictionaries({"1": cells(LBPAN=st.sampled_from(["HEM", "CHE"]))}), "LBROWS": results}
    ),
    "AE": st.fixed_dictionaries(
        {
            "AE": st.fixed_dictionaries(
                {"1": cells(AETERM=st.sampled_from(["10061103", "10037087"]), AESTDAT=partial)}
            ),
            "AEG": grades,
        }
    ),
}

PLACES = [
    ("SCR", "VS", 1), ("SCR", "VS", 1), ("SCR", "VS", 1), ("FU1", "VS", 1), ("SCR", "SV", 1), ("FU1", "SV", 1),
    ("SCR", "LB", 1), ("SCR", "LB", 1), ("SCR", "LB", None), ("LOG", "AE", 1), ("LOG", "AE", 1), ("LOG", "AE", None),
    ("SCR", "ICF", 1), ("UNS.1", "VS", 1), ("UNS.2", "SV", 1), ("LOG", "VS", 1), ("SCR", "VS", 3),
]  # fmt: skip
who = st.sampled_from(["alice", "alice", "alice", "ines", "ines", "ines", "bob", "mona"])
reason = st.sampled_from([None, "x", "mistyped", "mistyped", "mistyped", "按病历更正"])
event_keys = st.sampled_from(["SCR", "FU1", "FU1", "UNS.1", "LOG"])
saves = st.sampled_from(PLACES).flatmap(
    lambda place: st.tuples(
        st.just("save"), who, *(st.just(part) for part in place), DOCUMENTS[place[1]], reason, st.booleans()
    )
)
work = st.one_of(
    st.tuples(st.just("screen"), who),
    st.tuples(st.just("visit"), who),
    st.tuples(st.just("mark"), who, event_keys, st.sampled_from(["missed", "planned"]), reason),
    st.tuples(st.just("in_error"), who, st.integers(0, 5), reason),
    st.tuples(st.just("not_done"), who, event_keys, st.sampled_from(["VS", "SV", "LB"]), st.sampled_from(["ND", "??"])),
    st.tuples(st.just("break_off"), who),
)
accounts = st.one_of(
    st.tuples(st.just("grant"), st.sampled_from(["nurse", "coder", "administrator"]), st.booleans(), st.booleans()),
    st.tuples(st.sampled_from(["end_grant", "reset_password", "deactivate", "reactivate"])),
)
steps = st.one_of(saves, saves, saves, work, work, accounts)
