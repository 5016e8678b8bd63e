"""Report the check of products to people: findings by variable, or a line for all products."""

import shlex
import textwrap
from pathlib import Path

from .advice import Sources
from .findings import WHOLE

__all__ = ["command_for", "report", "summarize"]


def report(checked, home="."):
    """Return a report for people: findings by variable, each with its remedy.

    Parameters
    ----------
    checked : Checked
    home : path-like
        The repository of the collection.
    """
    sources = Sources(home)
    summary = _counts([checked]) or "no error, no warning"
    suites = f"{checked.suite} and ACDD-1.3" if checked.claims_acdd else checked.suite
    lines = [f"{str(checked.product)!r}: {suites}: {summary}"]
    for subject, findings in _by_subject(checked.counting).items():
        lines.append(f"  {subject}")
        for finding in findings:
            lines.append(f"    {finding.severity}: {finding.message}")
            if finding.attribute:
                remedy = sources.advice(_variable(subject), finding.attribute, finding.value)
                lines.append(f"      {remedy}")
    if advice := [finding for finding in checked.findings if finding.severity == "advice"]:
        lines.append("  advice (mostly ACDD-1.3), which does not change the exit status:")
        lines += [f"    {line}" for line in _advice_lines(advice)]
        lines.append(f"    whole product: {sources.advice(None, 'NAME')}")
        lines.append(f"    variables: {sources.further()}")
    lines += [f"  not checked: {what}" for what in checked.not_checked]
    return "\n".join(lines)


def summarize(results, home="."):
    """Return a line about all products, with the command that shows the findings.

    Parameters
    ----------
    results : list of (product, Checked or None, str)
        Products as they were named, each with its check or the reason why it has none.
    home : path-like
        The repository of the collection, if the command needs it.

    Examples
    --------
    >>> summarize([("a.nc", None, "cannot check 'a.nc': no regular file")])
    'CF: 1 product not checked: cumulus check a.nc'
    """
    counts = _counts([checked for _, checked, _ in results if checked])
    if missing := sum(checked is None for _, checked, _ in results):
        counts = ", ".join([*filter(None, [counts]), f"{_plural(missing, 'product')} not checked"])
    if not counts:
        return f"CF: no error, no warning in {_plural(len(results), 'product')}"
    products = [
        product
        for product, checked, _ in results
        if checked is None or checked.counting or checked.not_checked
    ]
    return f"CF: {counts}: {command_for(products, home)}"


def command_for(products, home="."):
    """Return the command that checks products, to be typed in the repository of the collection.

    Examples
    --------
    >>> command_for(["two words.nc"])
    "cumulus check 'two words.nc'"
    """
    program = "bin/cumulus" if Path(home, "bin", "cumulus").is_file() else "cumulus"
    command = [program, "check", *(["--home", str(home)] if str(home) != "." else [])]
    return shlex.join([*command, *map(str, products)])


def _counts(checks):
    """Errors, warnings and what could not be checked, such as "2 errors, 1 warning"; "" if none."""
    severities = [finding.severity for checked in checks for finding in checked.counting]
    parts = [
        _plural(severities.count(name), name) for name in ("error", "warning") if name in severities
    ]
    if incomplete := sum(len(checked.not_checked) for checked in checks):
        parts.append(f"{incomplete} not checked")
    return ", ".join(parts)


def _plural(count, name):
    return f"{count} {name}{'s' * (count > 1)}"


def _advice_lines(advice):
    """Lines of what is missing; variables that lack the same share a line."""
    subjects = {}
    for subject, findings in _by_subject(advice).items():
        missing = ", ".join(dict.fromkeys(each.attribute or each.message for each in findings))
        subjects.setdefault(missing, []).append(subject)
    for missing, names in subjects.items():
        yield from textwrap.wrap(f"{', '.join(names)}: {missing}", 110, subsequent_indent="  ")


def _variable(subject):
    return None if subject == WHOLE else subject


def _by_subject(findings):
    subjects = {}
    for finding in findings:
        subjects.setdefault(finding.subject, []).append(finding)
    return subjects
