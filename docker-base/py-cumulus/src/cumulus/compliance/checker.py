"""Check products against CF and ACDD, and say what to write where.

The rules are those of IOOS compliance-checker, which runs as a program of its own: it is for the
test environment of a host and never for an image that processes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import netCDF4

from .. import CumulusError
from ..isolation import Died, call_apart
from ..products.obstacles import refuse_data_elsewhere
from .advice import Sources

__all__ = ["Checked", "Finding", "check", "report"]

WHOLE = "(whole product)"
SECONDS = 600  # for one product
_SUITES = ("1.6", "1.7", "1.8", "1.9", "1.10", "1.11")  # versions of CF that the checker knows
_WRITTEN = "1.8"  # what the converter writes, for products that say nothing
_SEVERITIES = {
    "high_priorities": "error",
    "medium_priorities": "warning",
    "low_priorities": "advice",
}
_MISSING = re.compile(r'variable "(?P<name>.+)" missing the following attributes:')
# CF only recommends an order of dimensions, and no row of a converter's table changes it.
_ORDER = "not in the recommended order"
_ORDER_ADVICE = "the dimensions are not in the order T, Z, Y, X that CF recommends"
# How messages name the attribute that is to be set: the first of these that fits. In others a
# name may be a common word or an attribute that is there already, and nothing is suggested.
_NAMED = (
    r"([A-Za-z]\w*) global attribute",
    r"global attribute (\w+)",
    r"^Attr (\w+)",
    r"^(\w+)(?:/\w+)* (?:attribute )?not (?:present|found)",
    r"recommended that the (\w+) attribute",
    r"""[Aa]ttribute ["']?(long_name|flag_meanings|calendar|_FillValue)\b""",
    r"(?:include|define) an? (\w+) attribute",
    r"(?:'s|should have) (\w+) (?:is a required )?attribute",
    r"must map to the correct (\w+)",
    r"(\w+)'? attribute (?:of variable|is required|must be|for variable|needs)",
    r"\b(standard_name|units|flag_values|flag_meanings|cell_methods|featureType|Conventions)\b",
)
_UNSURE = re.compile(
    r"(?:must|should) not (?:have|be present)|must be unset|deprecated|requires exactly"
)
_SINCE_CF_1_9 = re.compile(r"datatype is (?:uint\d+|int64)")


@dataclass(frozen=True)
class Finding:
    """One thing that a convention asks for and a product lacks.

    Attributes
    ----------
    severity : str
        "error" and "warning" count, "advice" does not.
    place : str
        Name of the variable, or `WHOLE`.
    attribute : str
        The attribute to set, or the column of the table; "" where the message does not tell.
    message : str
    """

    suite: str
    severity: str
    place: str
    attribute: str
    message: str


@dataclass(frozen=True)
class Checked:
    """What was found in one product.

    Attributes
    ----------
    product : pathlib.Path
    suite : str
        "CF-1.8" or another version.
    claims_acdd : bool
        The product's Conventions name ACDD: what that asks for counts.
    findings : tuple of Finding
    note : str
        What the checker could not do.
    """

    product: Path
    suite: str
    claims_acdd: bool
    findings: tuple[Finding, ...] = field(default=())
    note: str = ""

    @property
    def counting(self):
        """Findings that make the product fail."""
        return [one for one in self.findings if one.severity != "advice"]


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
        compliance-checker is not installed or breaks, the file is no NetCDF, or some of its data
        lie in other files.
    """
    product = Path(product)
    program = _program()
    try:
        conventions, names = call_apart(_read, product, seconds=SECONDS)
    except Died as error:  # a damaged file may crash the library
        raise CumulusError(
            f"cannot check {str(product)!r}: reading it failed ({error}): the file is damaged, "
            "or uses a feature that crashes the installed libraries"
        ) from error
    version = _version(conventions)
    claims_acdd = "ACDD" in conventions
    content, note = _run(program, product, (f"cf:{version}", "acdd:1.3"))
    findings = []
    for suite, groups in sorted(content.items(), reverse=True):  # CF first
        for priority, severity in _SEVERITIES.items():
            if suite.startswith("acdd") and not claims_acdd:
                severity = "advice"
            for group in groups[priority]:
                findings += _findings(suite, severity, group, names)
    return Checked(product, f"CF-{version}", claims_acdd, tuple(dict.fromkeys(findings)), note)


def _read(product):
    """Return what the product says of its conventions, and its variables' standard names."""
    try:
        refuse_data_elsewhere(product)
        with netCDF4.Dataset(product) as dataset:
            names = {}
            groups = [dataset]
            while groups:
                group = groups.pop()
                groups += group.groups.values()
                for name, variable in group.variables.items():
                    standard = getattr(variable, "standard_name", None)
                    # How the checker calls one that is empty.
                    names[name] = "" if standard is None else str(standard) or "undefined"
            return str(getattr(dataset, "Conventions", "")), names
    except OSError as error:
        why = error.strerror or error
        raise CumulusError(f"cannot check {str(product)!r}: {why}") from error


def _version(conventions):
    """The version of CF to check against: the product's own, or the nearest that is known."""
    said = re.search(r"CF-(\d+)\.(\d+)", conventions)
    if not said:
        return _WRITTEN
    wanted = tuple(map(int, said.groups()))
    known = [tuple(map(int, one.split("."))) for one in _SUITES]
    nearest = max((one for one in known if one <= wanted), default=known[0])
    return ".".join(map(str, nearest))


def _program():
    """Where compliance-checker is: beside this Python, or on the path."""
    here = os.path.dirname(sys.executable)
    found = shutil.which("compliance-checker", path=here) or shutil.which("compliance-checker")
    if not found:
        raise CumulusError(
            "compliance-checker is not installed here: pip install compliance-checker "
            "(on a host: images do not have it)"
        )
    return found


def _run(program, product, suites):
    """Return the checker's findings by suite, and its warnings about itself."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = [program, "--format", "json", "--output", result]
        command += [part for suite in suites for part in ("--test", suite)]
        try:
            done = None
            done = subprocess.run(
                [*command, product.resolve()],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                cwd=folder,
            )
            content = json.loads(result.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            lines = done.stderr.strip().splitlines() if done else [str(error)]
            lines = lines or [f"exit status {done.returncode}"]
            message = f"compliance-checker cannot check {str(product)!r}: {lines[-1]}"
            raise CumulusError(message) from error
        except subprocess.TimeoutExpired as error:
            message = f"compliance-checker did not finish {str(product)!r} in {SECONDS} s"
            raise CumulusError(message) from error
    broken = re.findall(r"^\S+\.(check_\w+): (.*)", done.stderr, re.MULTILINE)
    return content, "; ".join(f"{name} broke off: {why}" for name, why in broken)


def _findings(suite, severity, group, names):
    """Yield the findings of one group of messages."""
    section = group["name"]
    if missing := _MISSING.fullmatch(section):
        for attribute in group["msgs"]:
            message = f"the attribute {attribute} is missing"
            yield Finding(suite, severity, missing["name"], attribute, message)
        return
    for message in group["msgs"]:
        place = _place(message, names)
        if _ORDER in message:
            yield Finding(suite, "advice", place, "", _ORDER_ADVICE)
            continue
        attribute = _attribute(section, message)
        if suite.startswith("cf") and not message.startswith("§"):
            message = f"{section}: {message}"
        yield Finding(suite, severity, place, attribute, message)


def _place(message, names):
    """Return the variable that a message is about: the first that it names."""
    if "global attribute" in message:
        return WHOLE
    if said := re.match(r"standard_name (\S+) is not defined", message):
        using = [name for name, standard in names.items() if standard.split()[:1] == [said[1]]]
        return using[0] if using else WHOLE
    found = []
    for name in names:
        if place := re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", message):
            found.append((place.start(), -len(name), name))
    return min(found)[2] if found else WHOLE


def _attribute(section, message):
    """Return the attribute that is to be set or the column to be changed, "" if that is unsure."""
    if "Naming" in section:
        return "name" if message.startswith("variable ") else ""
    if _SINCE_CF_1_9.search(message):
        return "Conventions"
    if _UNSURE.search(message):
        return ""
    found = (re.search(pattern, message) for pattern in _NAMED)
    return next((one[1] for one in found if one), "")


def report(checked, home="."):
    """Return a report for people: by variable, with what to add to which file.

    Parameters
    ----------
    checked : Checked
    home : path-like
        The repository of the collection.
    """
    sources = Sources(home)
    counts = Counter(one.severity for one in checked.counting)
    said = [f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items()]
    summary = ", ".join(said) or "nothing to mend"
    suites = f"{checked.suite} and ACDD-1.3" if checked.claims_acdd else checked.suite
    lines = [f"{str(checked.product)!r}: {suites}: {summary}"]
    for place, findings in _by_place(checked.counting).items():
        lines.append(f"  {place}")
        for one in findings:
            lines.append(f"    {one.severity}: {one.message}")
            if one.attribute:
                lines.append(f"      {sources.advice(_variable(place), one.attribute)}")
    if advice := [one for one in checked.findings if one.severity == "advice"]:
        lines.append("  further advice, mostly of ACDD-1.3, which does not count:")
        lines += [f"    {line}" for line in _advice_lines(advice)]
        lines.append(f"    whole product: {sources.advice(None, 'NAME')}")
        lines.append(f"    variables: {sources.further()}")
    if checked.note:
        lines.append(f"  not checked: {checked.note}")
    return "\n".join(lines)


def _advice_lines(advice):
    """What is missing, and where: places that lack the same share a line."""
    lacking = {}
    for place, findings in _by_place(advice).items():
        said = ", ".join(dict.fromkeys(one.attribute or one.message for one in findings))
        lacking.setdefault(said, []).append(place)
    for said, places in lacking.items():
        yield from textwrap.wrap(f"{', '.join(places)}: {said}", 110, subsequent_indent="  ")


def _variable(place):
    return None if place == WHOLE else place


def _by_place(findings):
    places = {}
    for one in findings:
        places.setdefault(one.place, []).append(one)
    return places
