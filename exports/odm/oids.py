"""How things are called in ODM files: one prefix per kind of thing, so that no two identifiers collide."""


def study(oid: str) -> str:
    """The study."""
    return f"ST.{oid}"


def version(number: int) -> str:
    """One version of the study's design."""
    return f"MDV.{number}"


def event(event_id: str) -> str:
    """A visit of the schedule."""
    return f"SE.{event_id}"


def form(form_id: str) -> str:
    """A form."""
    return f"F.{form_id}"


def group(group_id: str) -> str:
    """An item group."""
    return f"IG.{group_id}"


def item(item_id: str) -> str:
    """An item."""
    return f"IT.{item_id}"


def codelist(codelist_id: str) -> str:
    """A code list."""
    return f"CL.{codelist_id}"


def table(table_id: str) -> str:
    """The answers that a lookup table allows."""
    return f"CL.table.{table_id}"


def unit(name: str) -> str:
    """A unit of measurement. The name is spelled by its characters' numbers: an identifier takes no `²` and no `/`."""
    return "MU." + "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):x}" for char in name)


def condition(item_id: str) -> str:
    """When an item is asked."""
    return f"COND.{item_id}"


def method(item_id: str) -> str:
    """How an item is derived."""
    return f"MT.{item_id}"


def user(user_id: int | None, name: str) -> str:
    """A person, or a part of the system that acts."""
    return f"USR.{user_id}" if user_id is not None else f"USR.{name}"


def site(code: str) -> str:
    """A treatment centre."""
    return f"LOC.{code}"


def signature(meaning: str) -> str:
    """What a signature means."""
    return f"SIG.{meaning}"
