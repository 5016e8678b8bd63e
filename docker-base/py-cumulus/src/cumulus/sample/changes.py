"""What accepting would change: new, changed and gone products, and how they differ."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass

from .. import CumulusError
from ..files import files_of
from .manifest import refuse_odd_names, states_of

__all__ = ["Change", "plan"]

NOWHERE = 127  # status of bin/cumulus where neither py-cumulus nor the image is here
_COMPARE = ("compare", "data/output", "data/test-output", "--rules", "collection.toml")
_SHOWN = 240  # characters of a difference


@dataclass(frozen=True)
class Change:
    """What happens to one expected product.

    Attributes
    ----------
    name : str
        Path of the product below data/output.
    before, after : tuple of (str, int), or None
        Hash and size, None where there is no such file.
    difference : str
        The first difference, in one line.
    """

    name: str
    before: tuple | None
    after: tuple | None
    difference: str = ""

    @property
    def kind(self):
        """Return new, gone or changed."""
        return "new" if self.before is None else "gone" if self.after is None else "changed"

    @property
    def sizes(self):
        """Return the sizes before and after, in one text."""
        sizes = [f"{state[1]:,}" for state in (self.before, self.after) if state]
        return " -> ".join(sizes if len(set(sizes)) > 1 else sizes[:1]) + " bytes"


def plan(repository, take_all):
    """Return the changes to make.

    Parameters
    ----------
    repository : cumulus.sample.repository.Repository
    take_all : bool
        Whether products count that differ only in what [compare] ignores or tolerates.

    Returns
    -------
    changes : list of Change
    tolerated : int
        How many products differ only within the rules, and stay.
    same : int
        How many products are the same, byte for byte.

    Raises
    ------
    CumulusError
        There are no products, one is not a regular file, or the comparison failed.
    """
    before = _products(repository, repository.expected)
    after = _products(repository, repository.actual)
    if not after:
        raise CumulusError(
            "data/test-output holds no products: docker compose run test, or make native"
        )
    refuse_odd_names(after)
    names = before.keys() | after.keys()
    different = sorted(name for name in names if before.get(name) != after.get(name))
    compared = _comparison(repository) if before and different else {}
    changes, tolerated = [], 0
    for name in different:
        # What was compared and is not listed is among ignore_files.
        status, differences = compared.get(name, ("equal", [])) if compared else ("", [])
        if status == "equal" and not take_all:
            tolerated += 1
            continue
        both = name in before and name in after
        line = _first_line(differences, compared) if both else ""
        changes.append(Change(name, before.get(name), after.get(name), line))
    return changes, tolerated, len(names) - len(different)


def _products(repository, folder):
    """The states of the products in a folder, by name: all that the comparison counts."""
    names = files_of(folder)
    for name in sorted(names):
        if not (folder / name).is_file():  # such as a link to what was not fetched, or a pipe
            shown = folder.relative_to(repository.home) / name
            raise CumulusError(
                f"{shown} is not a regular file: fetch what it leads to, or remove it"
            )
    return states_of(names, folder)


def _comparison(repository):
    """Status and differences of each product, by name; None where nothing here can compare."""
    program = repository.home / "bin" / "cumulus"
    done = subprocess.run(
        [sys.executable, str(program), *_COMPARE, "--json", "-"],
        cwd=repository.home,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == NOWHERE:
        return None
    try:
        results = json.loads(done.stdout)["files"]
    except ValueError:
        message = re.search("^cumulus: (.*)", done.stderr, re.MULTILINE | re.DOTALL)
        reason = message[1] if message else done.stderr
        raise CumulusError(
            f"the comparison failed: {reason.strip() or 'it ended without any output'}"
        ) from None
    return {result["file"]: (result["status"], _messages(result)) for result in results}


def _messages(result):
    """What the comparison says of a file, a sentence a difference."""
    messages = [difference["message"] for difference in result["differences"]]
    return messages or [result["reason"]] * bool(result["reason"])


def _first_line(differences, compared):
    if compared is None:
        return "bytes differ; not compared: neither py-cumulus nor the image is here"
    if not differences:
        return "equal within the rules of [compare]"
    letters = (letter if letter.isprintable() else " " for letter in str(differences[0]))
    line = " ".join("".join(letters).split())
    more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
    return (line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "...") + more
