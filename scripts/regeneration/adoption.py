"""Which version of the template, and which answers, fit a repository best."""

import re
from collections import Counter
from pathlib import Path

from .git import Problem, Scratch, listing
from .merge import store_folder
from .record import RECORD, Record, holds_jinja
from .rendering import Renderer

__all__ = ["adopt", "nearest"]

RENDERED_AT_MOST = 12  # versions that are rendered, of those whose unrendered files look nearest
QUESTION = re.compile(r"[{][{] *cookiecutter[.](\w+) *[}][}]")


class Texts:
    """The lines of objects, each read once."""

    def __init__(self, git):
        self.git, self.lines = git, {}

    def of(self, name):
        if name not in self.lines:
            done = self.git.run("cat-file", "blob", name)
            self.lines[name] = set(done.stdout.decode("utf-8", "replace").splitlines())
        return self.lines[name]

    def likeness(self, render, ours):
        """How alike two sets of files are: the lines in common, less those of the render that are not here."""
        score = 0
        for path, (_, name) in render.items():
            here = self.of(ours[path][1]) if path in ours else set()
            score += 2 * len(self.of(name) & here) - len(self.of(name)) - len(here)
        return score


def likely(template, texts, ours):
    """The versions that may fit, the likeliest first, by the lines of their files that hold no Jinja."""
    scores = {}
    for commit in template.versions():
        files = listing(template, commit)
        rough = {path.partition("/")[2]: name for path, (_, name) in files.items() if path.startswith("{{")}
        # Versions that differ in neither render the same: the newest of them stands for all.
        shape = (files.get("cookiecutter.json"), *sorted(rough.items()))
        if shape in scores or "cookiecutter.json" not in files:
            continue
        score = 0
        for path, name in rough.items():
            fixed = {line for line in texts.of(name) if "{{" not in line and "{%" not in line}
            score += 2 * len(fixed & texts.of(ours[path][1])) - len(fixed) if path in ours else -len(fixed)
        scores[shape] = (score, commit)
    if not scores:
        raise Problem(f"{template.address} has no version with a cookiecutter.json: name the address of the template")
    return [commit for _, commit in sorted(scores.values(), key=lambda item: -item[0])]


def nearest(template, renderer, scratch, ours, answers):
    """The commit that renders nearest to the files of a repository.

    Returns the commit, how many of its rendered files the repository holds unchanged, and how many it renders.
    """
    texts = Texts(scratch)
    candidates = likely(template, Both(template, texts), ours)[:RENDERED_AT_MOST]
    results = renderer.render(*((commit, answers, False) for commit in candidates))
    best = None
    for commit, result in zip(candidates, results, strict=True):
        if result["folder"]:
            files = store_folder(scratch, result["folder"])
            score = texts.likeness(files, ours)
            if best is None or score > best[0]:
                best = (score, commit, sum(ours.get(path) == entry for path, entry in files.items()), len(files))
    if best is None:
        raise Problem(f"no version of {template.address} renders with these answers "
                      f"({'; '.join(results[0]['problems'])}): give others with --set QUESTION=VALUE")
    return best[1:]


class Both:
    """The lines of the template's objects, and of the repository's."""

    def __init__(self, template, texts):
        self.template, self.texts = Texts(template), texts

    def of(self, name):
        for texts in (self.texts, self.template):
            if name in texts.lines or texts.git.succeeds("cat-file", "-e", name):
                return texts.of(name)
        raise Problem(f"object {name} is missing: git fsck")


def read_back(template, commit, ours, texts):
    """The answers that the lines of a repository show, by the lines of the template that hold one question alone."""
    votes = {}
    for path, (_, name) in listing(template, commit).items():
        here = ours.get(path.partition("/")[2])
        if not path.startswith("{{") or not here:
            continue
        for line in texts.of(name):
            parts = QUESTION.split(line)
            if len(parts) != 3 or re.search("[{][{%]", parts[0] + parts[2]) or len(parts[0] + parts[2]) < 4:
                continue
            pattern = re.compile(re.escape(parts[0]) + "(.+)" + re.escape(parts[2]))
            answers = filter(None, map(pattern.fullmatch, texts.of(here[1])))
            votes.setdefault(parts[1], Counter()).update(match[1] for match in answers)
    return {name: counts.most_common(1)[0][0] for name, counts in votes.items() if counts}


def answers_for(template, commit, ours, texts, repository):
    """The answers that a repository shows: its name, its lines, its branches; those that no rule refuses."""
    questions = template.questions(commit)
    name = Path(repository.folder).name
    answers = {"data_name": name.removeprefix("docker-").lower().replace("_", "-"), "repo_name": name.lower()}
    branches = repository("for-each-ref", "--format=%(refname:lstrip=-1)", "refs/heads", "refs/remotes").split()
    answers |= {question: branch for question, choices in questions.items() if question == "release_branch"
                for branch in choices if branch in branches}
    answers |= read_back(template, commit, ours, texts)
    return {question: value for question, value in answers.items() if question in questions
            and not question.startswith("_") and not holds_jinja(value)
            and (not isinstance(questions[question], list) or value in questions[question])}


def choose(template, commit, renderer, scratch, ours, answers, settings):
    """All answers: for each choice that is not known the one whose files are here, and none that breaks a rule."""
    questions = template.questions(commit)
    for question, choices in questions.items():
        if isinstance(choices, list) and not question.startswith("_") and question not in settings:
            trials = renderer.render(*((commit, {**answers, question: choice}, False) for choice in choices))
            scores = {}
            for choice, result in zip(choices, trials, strict=True):
                files = store_folder(scratch, result["folder"]) if result["folder"] else {}
                scores[choice] = (len(files.keys() & ours.keys()), Texts(scratch).likeness(files, ours))
            if len(set(scores.values())) > 1:
                answers[question] = max(scores, key=scores.get)
    for _ in answers:
        (result,) = renderer.render((commit, answers, True))
        broken = {line.partition(":")[0] for line in result["problems"]} & answers.keys() - settings.keys()
        if not broken:
            break
        answers = {name: value for name, value in answers.items() if name not in broken}
    if result["problems"]:
        raise Problem("\n  ".join(["these answers are not allowed: give others with --set QUESTION=VALUE",
                                   *result["problems"]]))
    return result["answers"]


def adopt(repository, template, settings, folder, say):
    """Write the record of a repository that has none, and nothing else; returns the exit status."""
    target = repository.folder / RECORD
    if target.exists():
        raise Problem(f"{RECORD} is here: bin/regenerate updates by it; remove it to make another")
    scratch, renderer = Scratch(folder / "scratch", repository), Renderer(folder, template)
    ours, texts = repository.files(), Both(template, Texts(scratch))
    first = likely(template, texts, ours)[0]
    answers = {**answers_for(template, first, ours, texts, repository), **settings}
    answers = choose(template, first, renderer, scratch, ours, answers, settings)
    commit, equal, total = nearest(template, renderer, scratch, ours, answers)
    (result,) = renderer.render((commit, answers, False))
    record = Record(template.address, commit, {}, ("data",), {"template": "", "commit": "", "checkout": None,
                                                              "context": {}, "directory": None, "skip": []})
    owned = template.questions(template.target).get("_yours", "").split()
    text = record.text(template.address, commit, template.release(commit), result["answers"], owned)
    with open(target, "x", encoding="utf-8") as stream:
        stream.write(text)
    print(f"{RECORD} is written: {template.name(commit)} ({commit[:9]}) fits best; {equal} of the {total} files "
          "that it renders are here unchanged.")
    say("Answers, which you may correct in the file:",
        (f"{name} = {value!r}" for name, value in result["answers"].items()))
    say("Files of the template that are not here; after a commit, --restore PATH brings them, and --restore . all:",
        sorted(set(store_folder(scratch, result["folder"])) - ours.keys()))
    print("\nNothing else is changed. Next: git add .cruft.json, git commit, and an update.")
    return 0
