"""Check products against CF and ACDD with IOOS compliance-checker.

The checker runs as a program of its own. It belongs to the test environment of a host: no image
that processes granules has it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .. import CumulusError
from ..isolation import Died, call_apart, die_with
from .findings import Checked
from .messages import read_group
from .scan import Scan, scan

__all__ = ["check", "check_all", "is_installed"]

SECONDS = 600  # for one product
TOGETHER = 25  # products in one run of the checker
_SUITES = ("1.6", "1.7", "1.8", "1.9", "1.10", "1.11")  # versions of CF that the checker knows
_DEFAULT = "1.8"  # of a product that names no version: the one that the converter writes
_SEVERITIES = {
    "high_priorities": "error",
    "medium_priorities": "warning",
    "low_priorities": "advice",
}


@dataclass(frozen=True)
class _Prepared:
    """A product that has been scanned; ``path`` is that of the file for the checker."""

    product: Path
    about: Scan
    path: Path

    @property
    def version(self):
        return _version(self.about.conventions)


def check(product):
    """Check one product.

    Parameters
    ----------
    product : path-like
        A NetCDF file.

    Returns
    -------
    Checked

    Raises
    ------
    CumulusError
        compliance-checker is not installed or fails, the file is no NetCDF file, or some of its
        data lie in other files.
    """
    (answer,) = check_all([product])
    if isinstance(answer, CumulusError):
        raise answer
    return answer


def check_all(products):
    """Check products; those of one version of CF share runs of the checker, whose start takes long.

    Parameters
    ----------
    products : sequence of path-like

    Yields
    ------
    Checked or CumulusError
        Of each product in its order: the error that :func:`check` would raise.
    """
    try:
        program = _program()
    except CumulusError as error:
        yield from [error] * len(products)
        return
    for start in range(0, len(products), TOGETHER):
        with tempfile.TemporaryDirectory() as folder:
            prepared = [
                _prepare(Path(product), Path(folder, str(number)))
                for number, product in enumerate(products[start : start + TOGETHER])
            ]
            answers = {}  # by the number of the product
            versions = dict.fromkeys(_version_of(each) for each in prepared)
            for version in versions:
                numbers = [i for i, each in enumerate(prepared) if _version_of(each) == version]
                same = [prepared[i] for i in numbers]
                same = same if version is None else _answers(program, same)
                answers |= zip(numbers, same, strict=True)
            yield from (answers[number] for number in range(len(prepared)))


def _version_of(prepared):
    return None if isinstance(prepared, CumulusError) else prepared.version


def _prepare(product, folder):
    """Scan a product into a new folder; an error is returned."""
    folder.mkdir()
    flat = Path(folder, product.name)
    try:
        about = call_apart(scan, product, flat, seconds=SECONDS)
    except Died as error:  # a damaged file may crash the library
        return CumulusError(
            f"cannot check {str(product)!r}: reading it failed ({error}): the file is damaged, "
            "or uses a feature that crashes the installed libraries"
        )
    except CumulusError as error:
        return error
    except OSError as error:
        return CumulusError(f"cannot check {str(product)!r}: {error.strerror or error}")
    return _Prepared(product, about, flat if about.paths else product)


def _answers(program, same):
    """Return Checked or CumulusError of each product of one version of CF.

    The checker does not tell which of several products fails: then each is checked alone.
    """
    try:
        contents, failed = _run(program, same)
    except CumulusError as error:
        if len(same) == 1:
            return [error]
        failed = (str(error),)
    if failed and len(same) > 1:
        return [answer for each in same for answer in _answers(program, [each])]
    return [
        _checked(each, content, failed) for each, content in zip(same, contents, strict=True)
    ]


def _checked(prepared, content, failed):
    about = prepared.about
    claims_acdd = "ACDD" in about.conventions
    findings = [*about.findings, *_read(content, about, claims_acdd)]
    order = {severity: number for number, severity in enumerate(_SEVERITIES.values())}
    findings = sorted(dict.fromkeys(findings), key=lambda finding: order[finding.severity])
    not_checked = (*about.not_checked, *failed)
    suite = f"CF-{prepared.version}"
    return Checked(prepared.product, suite, claims_acdd, tuple(findings), not_checked)


def _read(content, about, claims_acdd):
    """Yield the Findings of the checker's messages, those of CF first."""
    for suite, groups in sorted(content.items(), reverse=True):
        for priority, severity in _SEVERITIES.items():
            if suite.startswith("acdd") and not claims_acdd:
                severity = "advice"
            for group in groups[priority]:
                yield from read_group(suite, severity, group, about)


def _version(conventions):
    """The version of CF to check against: the product's own, or the nearest one in _SUITES."""
    named = re.search(r"CF-(\d+)\.(\d+)", conventions)
    if not named:
        return _DEFAULT
    wanted = tuple(map(int, named.groups()))
    known = [tuple(map(int, suite.split("."))) for suite in _SUITES]
    nearest = max((version for version in known if version <= wanted), default=known[0])
    return ".".join(map(str, nearest))


def is_installed():
    """Whether compliance-checker is here: beside this Python, or on the search path."""
    return _find_program() is not None


def _find_program():
    name, beside = "compliance-checker", os.path.dirname(sys.executable)
    return shutil.which(name, path=beside) or shutil.which(name)


def _program():
    program = _find_program()
    if not program:
        raise CumulusError(
            "compliance-checker is not installed here: pip install compliance-checker "
            "(on a host: images do not have it)"
        )
    return program


def _run(program, same):
    """Return the checker's messages about each product by suite, and which of its checks failed."""
    names = repr(str(same[0].product)) if len(same) == 1 else f"{len(same)} products"
    seconds = SECONDS * len(same)
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = [program, "--format", "json_new", "--output", result]
        command += ["--test", f"cf:{same[0].version}", "--test", "acdd:1.3"]
        paths = [str(each.path.resolve()) for each in same]
        try:
            done = None
            done = subprocess.run(
                [*command, *paths],
                capture_output=True,
                text=True,
                timeout=seconds,
                cwd=folder,
                preexec_fn=partial(die_with, os.getpid()),
            )
            content = json.loads(result.read_text(encoding="utf-8"))
            contents = [_named(content[str(each.path.resolve())], each) for each in same]
        except (OSError, ValueError, KeyError) as error:
            lines = done.stderr.strip().splitlines() if done else [str(error)]
            lines = lines or [f"exit status {done.returncode}"]
            raise CumulusError(f"compliance-checker cannot check {names}: {lines[-1]}") from error
        except subprocess.TimeoutExpired as error:
            message = f"compliance-checker did not finish {names} in {seconds} s"
            raise CumulusError(message) from error
    broken = re.findall(r"^\S+\.(check_\w+): (.*)", done.stderr, re.MULTILINE)
    return contents, tuple(f"{name} failed: {why}" for name, why in broken)


def _named(content, prepared):
    """Messages with the product's name in place of the path that the checker was given."""
    text = json.dumps(content)
    for name in dict.fromkeys((str(prepared.path.resolve()), str(prepared.path))):
        text = text.replace(json.dumps(name)[1:-1], prepared.product.name)
    return json.loads(text)
