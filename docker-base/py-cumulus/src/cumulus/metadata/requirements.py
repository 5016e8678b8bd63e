"""What a record must say, as [metadata] required and [collection] spatial have it."""

from .. import CumulusError
from ..collection.validators import find_line

__all__ = ["refuse_missing_parts"]


def refuse_missing_parts(record, collection):
    """Refuse a record that lacks a part of the extent that its collection requires.

    Parameters
    ----------
    record : cumulus.metadata.record.GranuleRecord
    collection : cumulus.collection.Collection

    Raises
    ------
    CumulusError
        It lacks the time (begin or end) or the place; the message gives the reason, and the lines
        of collection.toml that mend or waive it.
    """
    required, extent = collection.metadata.required, record.extent
    problems = []
    if "time" in required and not (extent.begin and extent.end):
        problems.append(_problem(record, collection, "time", ("metadata", "required")))
    if extent.box is None and collection.spatial != "none":
        if "place" in required:
            problems.append(_problem(record, collection, "place", ("metadata", "required")))
        elif collection.spatial:  # CMR refuses the record
            problems.append(_problem(record, collection, "place", ("collection", "spatial")))
    if problems:
        raise CumulusError("; ".join(problems))


def _problem(record, collection, part, rule):
    lines = _Lines(collection.path)
    converters = sorted(collection.path.parent.glob("convert/*2nc.c"))
    table = "".join(
        f"give its variable units in the table of convert/{path.name}, " for path in converters[:1]
    )
    waiver = f"remove {part!r} from" if rule[-1] == "required" else 'set "none" in'
    return (
        f"the record lacks the {part}: {record.gaps[part]}; {table}name a source that knows it in "
        f"{lines.name('metadata', part)}, or {waiver} {lines.name(*rule)}"
    )


class _Lines:
    """Names keys of a collection.toml, with their lines where it has them."""

    def __init__(self, path):
        self._path = path
        self._text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""

    def name(self, table, key):
        line = find_line(self._text, (table, key))
        return f"[{table}] {key} ({self._path.name}{f', line {line}' if line else ''})"
