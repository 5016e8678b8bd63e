"""The record .cruft.json, and which files are the owner's."""

import fnmatch
import json
import re
from dataclasses import dataclass

from hooks.post_gen_project import without_credentials

from .git import Problem

__all__ = ["RECORD", "Owned", "Record"]

RECORD = ".cruft.json"
REMEDY = "restore it from an earlier commit, or remove it and make another: --adopt URL"
JINJA = re.compile(r"[{][{%#]")


@dataclass(frozen=True)
class Record:
    """Where a repository comes from: the template's address and commit, and the answers to its questions."""

    template: str
    commit: str
    answers: dict
    skip: tuple
    state: dict

    @classmethod
    def read(cls, text):
        """The record in this text; a Problem where it is none."""
        try:
            state = json.loads(text)
            answers = state["context"]["cookiecutter"]
            answers = {name: value for name, value in answers.items() if not name.startswith("_")}
            template, commit, skip = state["template"], state["commit"], tuple(state.get("skip") or ())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Problem(f"{RECORD} is no record of a template ({error!r}): {REMEDY}") from error
        if not (isinstance(template, str) and re.fullmatch(r"[0-9a-f]{7,64}", str(commit))):
            raise Problem(f"{RECORD} names no commit of a template: {REMEDY}")
        return cls(template, commit, answers, skip, state)

    def changed(self, settings):
        """The answers with the given settings; a Problem where one holds Jinja, which rendering would run."""
        answers = {**self.answers, **settings}
        for name, value in answers.items():
            if JINJA.search(json.dumps(value, ensure_ascii=False)):
                raise Problem(f"the answer to {name} in {RECORD} holds Jinja ({value!r}), and an answer is only data: "
                              f"give another with --set {name}=VALUE")
        return answers

    def text(self, address, commit, checkout, answers, owned):
        """The record of a repository that has been brought to `commit`; keys of other tools stay."""
        address = without_credentials(address)
        skip = list(dict.fromkeys([*self.skip, *owned]))
        state = {**self.state, "template": address, "commit": commit, "checkout": checkout,
                 "context": {"cookiecutter": {**answers, "_template": address}}, "skip": skip}
        return json.dumps(state, indent=2, ensure_ascii=False) + "\n"


class Owned:
    """Which files are the owner's, so that an update leaves them alone.

    cookiecutter.json of the template lists them in `_yours`; `skip` of the record adds the owner's own. The folders in
    `_yours_once_edited` are the template's until one of their files differs from the render.
    """

    def __init__(self, questions, skip, base, ours):
        self.patterns = [*questions.get("_yours", "").split(), *skip]
        for folder in questions.get("_yours_once_edited", "").split():
            part = {path: entry for path, entry in base.items() if path.startswith(f"{folder}/")}
            if part != {path: entry for path, entry in ours.items() if path.startswith(f"{folder}/")}:
                self.patterns.append(folder)

    def __contains__(self, path):
        return any(fnmatch.fnmatchcase(path, pattern) or path.startswith(pattern.rstrip("/") + "/")
                   for pattern in self.patterns)
