"""Report the check of a product to people: findings by variable, with their remedies."""

import textwrap
from collections import Counter

from .advice import Sources
from .findings import WHOLE

__all__ = ["report"]


def report(checked, home="."):
    """Return a report for people: findings by variable, each with its remedy.

    Parameters
    ----------
    checked : Checked
    home : path-like
        The repository of the collection.
    """
    sources = Sources(home)
    counts = Counter(finding.severity for finding in checked.counting)
    parts = [f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items()]
    summary = ", ".join(parts) or "no error, no warning"
    suites = f"{checked.suite} and ACDD-1.3" if checked.claims_acdd else checked.suite
    lines = [f"{str(checked.product)!r}: {suites}: {summary}"]
    for subject, findings in _by_subject(checked.counting).items():
        lines.append(f"  {subject}")
        for finding in findings:
            lines.append(f"    {finding.severity}: {finding.message}")
            if finding.attribute:
                lines.append(f"      {sources.advice(_variable(subject), finding.attribute)}")
    if advice := [finding for finding in checked.findings if finding.severity == "advice"]:
        lines.append("  advice (mostly ACDD-1.3), which does not change the exit status:")
        lines += [f"    {line}" for line in _advice_lines(advice)]
        lines.append(f"    whole product: {sources.advice(None, 'NAME')}")
        lines.append(f"    variables: {sources.further()}")
    if checked.note:
        lines.append(f"  not checked: {checked.note}")
    return "\n".join(lines)


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
