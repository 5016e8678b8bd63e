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
from functools import partial
from pathlib import Path

from .. import CumulusError
from ..isolation import Died, call_apart, die_with
from .findings import Checked
from .messages import read_group
from .scan import scan

__all__ = ["check", "is_installed"]

SECONDS = 600  # for one product
_SUITES = ("1.6", "1.7", "1.8", "1.9", "1.10", "1.11")  # versions of CF that the checker knows
_DEFAULT = "1.8"  # of a product that names no version: the one that the converter writes
_SEVERITIES = {
    "high_priorities": "error",
    "medium_priorities": "warning",
    "low_priorities": "advice",
}


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
    product = Path(product)
    program = _program()
    with tempfile.TemporaryDirectory() as folder:
        flat = Path(folder, product.name)
        try:
            about = call_apart(scan, product, flat, seconds=SECONDS)
        except Died as error:  # a damaged file may crash the library
            raise CumulusError(
                f"cannot check {str(product)!r}: reading it failed ({error}): the file is damaged, "
                "or uses a feature that crashes the installed libraries"
            ) from error
        version = _version(about.conventions)
        suites = (f"cf:{version}", "acdd:1.3")
        content, failed = _run(program, flat if about.paths else product, suites, product)
    claims_acdd = "ACDD" in about.conventions
    findings = [*about.findings, *_read(content, about, claims_acdd)]
    order = {severity: number for number, severity in enumerate(_SEVERITIES.values())}
    findings = sorted(dict.fromkeys(findings), key=lambda finding: order[finding.severity])
    not_checked = (*about.not_checked, *failed)
    return Checked(product, f"CF-{version}", claims_acdd, tuple(findings), not_checked)


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


def _run(program, path, suites, product):
    """Return the checker's messages about a file by suite, and which of its checks failed."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = [program, "--format", "json", "--output", result]
        command += [part for suite in suites for part in ("--test", suite)]
        try:
            done = None
            done = subprocess.run(
                [*command, path.resolve()],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                cwd=folder,
                preexec_fn=partial(die_with, os.getpid()),
            )
            text = result.read_text(encoding="utf-8")
            content = json.loads(text.replace(json.dumps(str(path))[1:-1], product.name))
        except (OSError, ValueError) as error:
            lines = done.stderr.strip().splitlines() if done else [str(error)]
            lines = lines or [f"exit status {done.returncode}"]
            message = f"compliance-checker cannot check {str(product)!r}: {lines[-1]}"
            raise CumulusError(message) from error
        except subprocess.TimeoutExpired as error:
            message = f"compliance-checker did not finish {str(product)!r} in {SECONDS} s"
            raise CumulusError(message) from error
    broken = re.findall(r"^\S+\.(check_\w+): (.*)", done.stderr, re.MULTILINE)
    return content, tuple(f"{name} failed: {why}" for name, why in broken)
