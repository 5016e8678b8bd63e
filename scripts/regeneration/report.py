"""What an update says: before it starts, what came, and what to do next."""

import os

from .git import write_tree

__all__ = ["changelog_between", "files_changed", "lines_for_the_owner", "questions_changed"]


def questions_changed(recorded, answers):
    """One line for each question that is new or gone; `answers` are those of the new version."""
    for name, value in answers.items():
        if name not in recorded:
            yield f"new question: {name} = {value!r}   (another answer: --set {name}=VALUE)"
    for name, value in recorded.items():
        if name not in answers:
            yield f"question gone: {name} (your answer was {value!r})"


def sections(text):
    """The sections of a changelog: (heading, heading below it) -> lines that are not blank."""
    parts, heading, lower = {}, "", ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading, lower = line, ""
        elif line.startswith("### "):
            lower = line
        elif line.strip() and heading:
            parts.setdefault((heading, lower), []).append(line)
    return parts


def changelog_between(old, new):
    """What a changelog says that its earlier version does not, under its headings."""
    before, heading = sections(old), ""
    for (upper, lower), lines in sections(new).items():
        known = set(before.get((upper, lower), []))
        added = [line for line in lines if line not in known]
        if added:
            yield from [upper] if upper != heading else []
            yield from [lower] if lower else []
            yield from added
            heading = upper


def files_changed(ours, merged):
    """One line for each file that the update changes."""
    for path in sorted({*ours, *merged.files}):
        if path not in merged.conflicts and ours.get(path) != merged.files.get(path):
            what = "new" if path not in ours else "gone" if path not in merged.files else "changed"
            yield f"{what:8}{path}"


def lines_for_the_owner(scratch, base, theirs):
    """How new repositories' files of the owner differ from those that the recorded version renders."""
    trees = [write_tree(scratch, entries) for entries in (base, theirs)]
    shown = os.fsdecode(scratch.run("diff", "--no-color", "--no-renames", "--unified=1", *trees).stdout)
    return [line for line in shown.splitlines() if not line.startswith(("diff --git", "index ", "--- "))]
