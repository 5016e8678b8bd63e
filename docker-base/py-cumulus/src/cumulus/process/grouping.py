"""Group the files of an input directory into granules, and find what keeps one from starting."""

import os
import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IFDIR, S_IFIFO, S_IFMT, S_IFSOCK, S_ISREG

from .. import CumulusError
from ..files import user_remedy
from ..logutils.logger import log_warning

__all__ = ["Candidate", "group_files", "product_names"]

MAX_NAME = 255  # bytes of a file name on every common file system


@dataclass(frozen=True, slots=True)
class Candidate:
    """The files of one granule.

    It keeps file names alone, because there may be a hundred thousand of it.

    Attributes
    ----------
    id : str
    names : tuple of str
        File name of each role, in the order of ``collection.inputs``.
    inputs : dict of str to pathlib.Path
        Input file of each role.
    groups : dict of str to str
        Named groups of the id pattern: ``id``, and what else it names (``date``, ``begin``).
    """

    id: str
    names: tuple
    indir: object = field(repr=False)
    collection: object = field(repr=False)

    @property
    def inputs(self):
        roles = self.collection.inputs
        return {
            role: Path(self.indir, name) for role, name in zip(roles, self.names, strict=True)
        }

    @property
    def groups(self):
        return _groups(self.collection, self.names[tuple(self.collection.inputs).index("primary")])


def group_files(collection, indir):
    """Find the granules of an input directory.

    Parameters
    ----------
    collection : cumulus.collection.Collection
    indir : path-like
        Only its own files count; names that begin with a dot never do.

    Returns
    -------
    candidates : list of Candidate
        Granules whose files are all there, in the order of their primary files' names.
    failed : dict of str to str
        Granule id (or file name, where there is no id) and why it cannot be processed.

    Raises
    ------
    CumulusError
        The directory is absent or unreadable, is empty, or nothing in it matches.
    """
    primary = collection.inputs["primary"]
    pattern = _pattern(primary)
    names, unusable = _list_files(indir, pattern)
    primaries, failed = _identify(collection, [one for one in names if pattern.fullmatch(one)])
    known = {name: name for name in failed} | primaries
    for name, why in unusable.items():
        granule_id = _groups(collection, name).get("id")
        key = name if not granule_id or granule_id in known else granule_id
        failed[key], known[key] = why, name
    if not primaries and not failed:
        raise CumulusError(
            f"no file in {str(indir)!r} matches {primary!r} ([inputs].primary in collection.toml); "
            f"it holds {len(names)} other file{'s' * (len(names) != 1)}: {_few(names)}"
        )
    candidates, serving = [], set()  # files that serve other granules
    backwards = sorted(name[::-1] for name in names)
    for granule_id, name in primaries.items():
        files = _complete(collection, granule_id, name, (names, backwards), failed)
        serving.update(one for one in files if one != name)
        if granule_id not in failed:
            candidates.append(Candidate(granule_id, files, indir, collection))
    aside = [known[one] for one in failed if known.get(one) in serving]
    failed = {one: why for one, why in failed.items() if known.get(one) not in serving}
    aside += _report_orphans(collection, names, primaries, failed)
    if aside:
        log_warning(f"no granules of their own, though their names match: {_few(aside)}", "process")
    if strange := _matching_nothing(collection, names):
        where = "[inputs] in collection.toml"
        log_warning(f"matching no pattern of {where}: {_few(strange)}", "process")
    _refuse_shared_products(collection, candidates, failed)
    return [one for one in candidates if one.id not in failed], failed


def _few(names):
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")


def _matching_nothing(collection, names):
    """Files that are no input of anything, perhaps because of their extension."""
    patterns = [_pattern(template) for template in collection.inputs.values()]
    return [name for name in names if not any(one.fullmatch(name) for one in patterns)]


def product_names(collection, groups):
    """Return the file name of each product of a granule.

    Raises
    ------
    CumulusError
        A name is hidden, no UTF-8, has a slash, or is longer than 255 bytes.
    """
    names = {key: template.format(**groups) for key, template in collection.products.items()}
    for key, name in names.items():
        length = len(os.fsencode(name))
        if length > MAX_NAME:
            raise CumulusError(
                f"the name of product {key!r} would be {length} bytes long, "
                f"file systems allow {MAX_NAME}: {name[:40]!r}..."
            )
        if "/" in name or name.startswith(".") or not _is_text(name):
            raise CumulusError(f"product {key!r} cannot be named {name!r}")
    if len(set(names.values())) < len(names):
        raise CumulusError(
            f"two of its products would have the same name: {sorted(names.values())}"
        )
    return names


def _is_text(name):
    """Whether the name is valid UTF-8, which the NetCDF library and metadata need."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _list_files(indir, primary):
    """Return the sorted names of the files, and of what is no file why it cannot be a primary."""
    names, unusable = [], {}
    try:
        with os.scandir(indir) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                try:
                    mode = entry.stat().st_mode
                    problem = f"{entry.name!r} is a {_kind(mode)}, not a file"
                except OSError as error:
                    mode, problem = 0, f"cannot read {entry.name!r}: {error.strerror}"
                if S_ISREG(mode):
                    names.append(entry.name)
                elif primary.fullmatch(entry.name):
                    unusable[entry.name] = problem
    except FileNotFoundError as error:
        raise CumulusError(f"input directory {str(indir)!r} does not exist") from error
    except NotADirectoryError as error:
        raise CumulusError(f"input {str(indir)!r} is not a directory") from error
    except OSError as error:
        raise CumulusError(
            f"cannot read input directory {str(indir)!r} as uid {os.geteuid()}: {error.strerror}"
            + user_remedy(indir, error)
        ) from error
    if not names and not unusable:
        raise CumulusError(f"input directory {str(indir)!r} holds no files")
    return sorted(names), unusable


def _kind(mode):
    kinds = {S_IFDIR: "directory", S_IFIFO: "pipe", S_IFSOCK: "socket"}
    return kinds.get(S_IFMT(mode), "device")


def _pattern(template, groups=None):
    """Turn a file name pattern into a regular expression; only ``*`` and placeholders are special.

    With ``groups`` the placeholders stand for these values, without they match any text.
    """
    parts = []
    for text in re.split(r"(\*|\{\w+\})", template):
        if text == "*":
            parts.append(".*")
        elif text.startswith("{") and text.endswith("}"):
            parts.append(".+" if groups is None else re.escape(groups[text[1:-1]]))
        else:
            parts.append(re.escape(text.replace("{{", "{").replace("}}", "}")))
    return re.compile("".join(parts), re.DOTALL)


def _groups(collection, name):
    """What the named groups of the id pattern find in a file name; {} where it does not match."""
    match = collection.id_pattern.fullmatch(name)
    return {key: value or "" for key, value in match.groupdict().items()} if match else {}


def _identify(collection, names):
    """Return the primary file of each id; two files with one id fail, naming both."""
    primaries, failed, shared = {}, {}, defaultdict(list)
    for name in names:
        granule_id = _groups(collection, name).get("id")
        if not granule_id:
            failed[name] = (
                "the name matches [inputs].primary but not [granule].id "
                f"({collection.id_pattern.pattern}) of collection.toml"
            )
        elif granule_id in primaries:
            shared[granule_id].append(name)
        else:
            primaries[granule_id] = name
    for granule_id, others in shared.items():
        files = " and ".join(repr(name) for name in (primaries.pop(granule_id), *others))
        failed[granule_id] = f"{files} would give the same products; nothing was made of either"
    return primaries, failed


def _complete(collection, granule_id, primary, names, failed):
    """Return the file names of a granule's roles; what is missing or ambiguous fails it."""
    files, groups = [], _groups(collection, primary)
    for role, template in collection.inputs.items():
        if role == "primary":
            files.append(primary)
            continue
        found = _matching(template, groups, *names)
        if len(found) == 1:
            files.append(found[0])
            continue
        wanted = template.replace("{id}", granule_id)
        if found:
            reason = f"{len(found)} files match {wanted!r}, one is allowed: {found[:3]}"
        else:
            reason = f"no file matches {wanted!r}"
        failed[granule_id] = f"input {role!r} is {'ambiguous' if found else 'missing'}: {reason}"
    return tuple(files)


def _matching(template, groups, names, backwards):
    """Return the names that match a file name pattern.

    Parameters
    ----------
    names, backwards : list of str
        The names, sorted; the same spelt backwards, sorted: for patterns such as ``*_{id}.met``.
    """
    pattern, (first, *others) = _pattern(template, groups), template.split("*")
    if "{" not in first and "{" in "".join(others[-1:]):
        end = others[-1].format(**groups)
        found = [name[::-1] for name in _beginning(backwards, end[::-1])]
    else:
        found = _beginning(names, first.format(**groups))
    return sorted(name for name in found if pattern.fullmatch(name))


def _beginning(names, start):
    """Yield those of sorted names that begin so."""
    place = bisect_left(names, start)
    while place < len(names) and names[place].startswith(start):
        yield names[place]
        place += 1


def _report_orphans(collection, names, primaries, failed):
    """A file that belongs to a granule whose primary file is not there is an incomplete set.

    Returns the names that are none: no primary file could have such an id.
    """
    templates = {  # with a * in the pattern nobody can say where the id ends
        role: template.partition("{id}")
        for role, template in collection.inputs.items()
        if role != "primary" and template.count("{") == 1 and "*" not in template
    }
    primary, aside = _pattern(collection.inputs["primary"]), []
    sample = next(iter(primaries.values()), None)
    for role, (before, placeholder, after) in templates.items():
        for name in names if placeholder else ():
            if name.startswith(before) and name.endswith(after) and not primary.fullmatch(name):
                granule_id = name[len(before) : len(name) - len(after)]
                if not granule_id or granule_id in primaries or granule_id in failed:
                    continue
                if sample and not _could_be(collection, primary, granule_id, sample):
                    aside.append(name)
                    continue
                failed[granule_id] = f"input 'primary' is missing; {role!r} is there: {name!r}"
    return aside


def _could_be(collection, primary, granule_id, sample):
    """Whether a primary file, named like the sample, could have this id."""
    start, end = collection.id_pattern.fullmatch(sample).span("id")
    name = sample[:start] + granule_id + sample[end:]
    return primary.fullmatch(name) and _groups(collection, name).get("id") == granule_id


def _refuse_shared_products(collection, candidates, failed):
    """Fail granules that would make a product of the same name.

    Names are compared by their hashes first: all names at once would take much memory.
    """
    seen, twice = set(), set()
    for one in candidates:
        try:
            for name in product_names(collection, one.groups).values():
                (twice if hash(name) in seen else seen).add(hash(name))
        except CumulusError as error:
            failed[one.id] = str(error)
    if not twice:
        return
    owners = defaultdict(list)
    for one in candidates:
        if one.id not in failed:
            for name in product_names(collection, one.groups).values():
                if hash(name) in twice:
                    owners[name].append(one.id)
    for name, ids in owners.items():
        if len(ids) > 1:
            for granule_id in ids:
                others = ", ".join(repr(other) for other in ids if other != granule_id)
                failed[granule_id] = f"product {name!r} would also be made by {others}"
