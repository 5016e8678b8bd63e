"""The manifest of a sample, data/MANIFEST.sha256: a line a file, with its hash, size and name."""

import re

from .. import CumulusError
from ..files import checksum

__all__ = ["manifest_text", "read_manifest", "refuse_odd_names", "state_of", "states_of"]

_LINE = re.compile(r"([0-9a-f]{64}) +([0-9]+) (.+)")


def state_of(path):
    """Return what the manifest says of a file: hash, and size in bytes."""
    return checksum(path), path.stat().st_size


def states_of(names, folder):
    """Return the states of files in a folder, by name."""
    return {name: state_of(folder / name) for name in names}


def read_manifest(path):
    """Return the states that a manifest records, by name; None where there is no manifest.

    Raises
    ------
    CumulusError
        A line is not hash, size and name.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
    except FileNotFoundError:
        return None
    rows = [_LINE.fullmatch(line) for line in lines]
    if None in rows:
        raise CumulusError(
            f"line {rows.index(None) + 1} of data/{path.name} is not hash, size and name: "
            "mend it, or write it anew: bin/fetch-data --manifest"
        )
    return {row[3]: (row[1], int(row[2])) for row in rows}


def manifest_text(states):
    """Return the manifest of files, given their states by name."""
    refuse_odd_names(states)
    return "".join(
        f"{digest} {size:>12} {name}\n" for name, (digest, size) in sorted(states.items())
    )


def refuse_odd_names(names):
    """Refuse names that a line of the manifest cannot hold.

    Raises
    ------
    CumulusError
        A name holds a line break, another control character, or bytes that are not text.
    """
    if odd := [name for name in names if not name.isprintable()]:
        raise CumulusError(
            f"the manifest cannot hold the file name {odd[0]!r}: rename the file, without line "
            "breaks and the like"
        )
