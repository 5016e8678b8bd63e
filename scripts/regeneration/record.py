"""The record .cruft.json, and which files are the owner's."""

import fnmatch
import json
import re
from dataclasses import dataclass

from hooks.post_gen_project import without_credentials

from .git import Problem

__all__ = ["RECORD", "Owned", "Record", "holds_jinja"]

RECORD = ".cruft.json"
REMEDY = "restore it from an earlier commit, or remove it and make another: --adopt URL"
JINJA = re.compile(r"[{][{%#]")


def holds_jinja(answer):
    """Whether rendering would run a part of an answer."""
    return JINJA.search(json.dumps(answer, ensure_ascii=False))


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

    def answers_with(self, settings):
        """The recorded answers, where one holds Jinja its setting; a Problem without it, as rendering would run it."""
        answers = dict(self.answers)
        for name in filter(lambda name: holds_jinja(self.answers[name]), self.answers):
            if name not in settings:
                raise Problem(f"the answer to {name} in {RECORD} holds Jinja ({answers[name]!r}), and an answer is "
                              f"only data: give another with --set {name}=VALUE")
            answers[name] = settings[name]
        for name in filter(lambda name: holds_jinja(settings[name]), settings):
            raise Problem(f"--set {name} holds Jinja ({settings[name]!r}), and an answer is only data: give another")
        return answers

    def text(self, address, commit, checkout, answers, owned):
        """The record of a repository that has been brought to `commit`; keys of other tools stay."""
        address = without_credentials(address)
        if commit == self.commit:
            checkout = self.state.get("checkout") or checkout
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
        self.patterns, self.given_up = [*questions.get("_yours", "").split(), *skip], []
        for folder in questions.get("_yours_once_edited", "").split():
            if inside(folder, base) != inside(folder, ours):
                self.given_up.append(folder)

    def may_begin(self, path):
        """Whether an update brings this file of the owner where neither the repository nor the old render has it."""
        return path in self and not any(path.startswith(f"{folder}/") for folder in self.given_up)

    def __contains__(self, path):
        return any(fnmatch.fnmatchcase(path, pattern) or path.startswith(pattern.rstrip("/") + "/")
                   for pattern in [*self.patterns, *self.given_up])


def inside(folder, files):
    """The files below a folder."""
    return {path: entry for path, entry in files.items() if path.startswith(f"{folder}/")}
