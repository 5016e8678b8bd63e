"""Accept the products in data/test-output as the expected ones in data/output, and record why."""

import shlex
import sys
from pathlib import Path

from .. import CumulusError
from .changes import plan
from .exchange import Exchange
from .last_run import refuse_incomplete_run, refuse_outdated
from .manifest import manifest_text
from .reasons import in_one_line, reason_of, record_text
from .repository import FOLDERS

__all__ = ["ACCEPTED", "DECLINED", "accept", "check_options"]

ACCEPTED, DECLINED = 0, 1  # exit statuses


def check_options(because, yes):
    """Refuse, before anything is compared, a missing reason and one that is none.

    Raises
    ------
    CumulusError
        `yes` without a reason, or a reason that answers another question.
    """
    if yes and not in_one_line(because or ""):
        raise CumulusError(
            "--yes needs --because TEXT: a reviewer wants to know why the products are right"
        )
    reason_of(because or "")


def accept(repository, because=None, yes=False, take_all=False, look=None):
    """Show what would change, ask, and replace the expected products; return the exit status.

    Parameters
    ----------
    repository : cumulus.sample.repository.Repository
    because : str, optional
        The reason; asked for where it is not given.
    yes : bool
        Do not ask.
    take_all : bool
        Also take products that differ only in what [compare] ignores or tolerates.
    look : callable, optional
        Called before a person is asked; prints what else is known of the products.

    Raises
    ------
    CumulusError
        It cannot be done, and nothing was changed.
    cumulus.sample.exchange.Behind
        The products are accepted, and something that follows from it cannot be done.
    """
    repository.make_folders()
    with repository.locked():
        repository.source()  # a mistake there is better known before
        exchange = Exchange(repository)
        exchange.finish()
        refuse_incomplete_run(repository)
        changes, tolerated, same = plan(repository, take_all)
        beside = list(_recorded_too(repository, changes))
        _show(changes, beside, tolerated, same)
        if not changes:
            _say_nothing_to_accept(repository, exchange)
            return ACCEPTED
        refuse_outdated(repository)
        because = _ask(because, yes, look)
        if not because:
            print("nothing was accepted", file=sys.stderr)
            return DECLINED
        _replace(repository, exchange, changes, beside, because)
        _say_next(repository, len(changes))
        return ACCEPTED


def _recorded_too(repository, changes):
    """Yield what the manifest will record anew beside the changes: inputs, edited products."""
    recorded, now = repository.recorded() or {}, repository.states()
    accepted = {f"output/{change.name}" for change in changes}
    for name in sorted((now.keys() | recorded.keys()) - accepted):
        if now.get(name) != recorded.get(name):
            kind = "new" if name not in recorded else "gone" if name not in now else "changed"
            yield f"recorded too: data/{name} ({kind})"


def _show(changes, beside, tolerated, same):
    for change in changes:
        print(f"  {change.kind:7}  {change.name}  {change.sizes}")
        if change.difference:
            print(f"           {change.difference}")
    gone = [line for line in beside if line.endswith(" (gone)")]
    for line in beside:
        if len(gone) < 2 or line not in gone:
            print(f"  {line}")
    if len(gone) > 1:  # such as the starter sample that the first own granules replace
        print(f"  recorded too: {len(gone)} files are gone from data/input and data/output")
    summary = f"{same or 'no'} {'product is' if same < 2 else 'products are'} the same"
    if tolerated:
        summary += (
            f", {tolerated} differ only in what [compare] ignores or tolerates and stay "
            "(--all takes them too)"
        )
    print(summary)


def _ask(because, yes, look):
    """Return the reason in one line; None where the answer is no."""
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise CumulusError(
            "there is no terminal to ask on: bin/accept-products --yes --because 'why they are "
            "right'"
        )
    if look and not yes:
        look()
    question = "Why are they right? One line for the reviewer; nothing: accept nothing\n> "
    try:
        if not yes and input("Accept? [y/N] ").strip().lower() not in ("y", "yes"):
            return None
        return reason_of(because or input(question))
    except EOFError:
        return None


def _replace(repository, exchange, changes, beside, because):
    """Prepare everything, decide, and carry it out."""
    states = repository.states()
    for change in changes:
        states.pop(f"output/{change.name}", None)
        if change.after:
            states[f"output/{change.name}"] = change.after
    try:
        exchange.prepare(
            {change.name: change.after for change in changes},
            manifest_text(states),
            record_text(exchange.record, changes, beside, because),
        )
    except BaseException as error:
        exchange.clear()
        if isinstance(error, OSError):
            raise CumulusError(
                f"cannot prepare the new data/{repository.expected.name}: {error}; nothing was "
                "changed"
            ) from error
        raise
    exchange.decide()
    exchange.finish()


def _say_nothing_to_accept(repository, exchange):
    """Say so; say what else disagrees, or mend it where nothing is lost by that."""
    print("nothing to accept")
    recorded = repository.recorded() or {}
    if list(repository.drift(recorded)):
        remedy = repository.remedy(recorded)
        print(f"but data/ is not what data/{repository.manifest.name} records; {remedy}")
    elif updated := exchange.mirror():
        folder = repository.source().relative_to(repository.home)
        print(f"{folder}: {len(updated)} files brought up to date with data/")


def _say_next(repository, count):
    print(f"{count} product{'s' * (count != 1)} accepted. Next:\n")
    source = repository.source()
    names = [f"data/{repository.manifest.name}", "data/ACCEPTED.md"]
    if isinstance(source, Path):
        names.append(str(source.relative_to(repository.home)))
    print(f"  git add {shlex.join(names)} && git commit")
    if isinstance(source, str):
        for folder in FOLDERS:
            target = shlex.quote(f"{source.rstrip('/')}/{folder}")
            print(f"  aws s3 sync --delete data/{folder} {target}")
    elif source is None:
        print(
            "\nOthers and CI do not get these products yet: name an S3 URI in collection.toml "
            "([sample] uri) and\ncopy data/input and data/output there, or keep a small sample in "
            "this repository: uri = 'tests/sample'"
        )
