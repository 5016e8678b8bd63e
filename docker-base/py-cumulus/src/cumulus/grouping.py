"""Group the files of an input directory into granules, and find what keeps one from starting."""

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from . import CumulusError
from .delivery import user_remedy

__all__ = ["Candidate", "group_files", "product_names"]

MAX_NAME = 255  # bytes of a file name on every common file system


@dataclass(frozen=True)
class Candidate:
    """The files of one granule, and the names that its id pattern found.

    Attributes
    ----------
    inputs : dict of str to pathlib.Path
        Input file of each role.
    groups : dict of str to str
        Named groups of the id pattern: ``id``, and what else it names (``date``, ``begin``).
    """

    id: str
    inputs: dict = field(hash=False)
    groups: dict = field(hash=False)


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
    names = _list_files(indir)
    primary = collection.inputs["primary"]
    matching = [name for name in names if _pattern(primary).fullmatch(name)]
    candidates, failed = _identify(collection, indir, matching)
    candidates = [_complete(collection, one, indir, names, failed) for one in candidates]
    used = {file.name for one in candidates for file in one.inputs.values()}
    for name in names:
        if name not in used and name not in matching:
            _report_orphan(collection, name, failed)
    if not matching and not failed:
        found = ", ".join(repr(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")
        raise CumulusError(
            f"no file in {str(indir)!r} matches {primary!r} ([inputs].primary in collection.toml); "
            f"it holds {len(names)} other file{'s' * (len(names) != 1)}: {found}"
        )
    _refuse_shared_products(collection, candidates, failed)
    return [one for one in candidates if one.id not in failed], failed


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


def _list_files(indir):
    try:
        with os.scandir(indir) as entries:
            names = [one.name for one in entries if not one.name.startswith(".") and one.is_file()]
    except FileNotFoundError as error:
        raise CumulusError(f"input directory {str(indir)!r} does not exist") from error
    except NotADirectoryError as error:
        raise CumulusError(f"input {str(indir)!r} is not a directory") from error
    except OSError as error:
        raise CumulusError(
            f"cannot read input directory {str(indir)!r} as uid {os.geteuid()}: {error.strerror}"
            + user_remedy(indir, error)
        ) from error
    if not names:
        raise CumulusError(f"input directory {str(indir)!r} holds no files")
    return sorted(names)


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


def _identify(collection, indir, names):
    """Give each primary file its id; two files with one id fail, naming both."""
    by_id, failed = defaultdict(list), {}
    for name in names:
        match = collection.id_pattern.fullmatch(name)
        groups = {key: value or "" for key, value in match.groupdict().items()} if match else {}
        if groups.get("id"):
            by_id[groups["id"]].append((name, groups))
        else:
            failed[name] = (
                "the name matches [inputs].primary but not [granule].id "
                f"({collection.id_pattern.pattern}) of collection.toml"
            )
    candidates = []
    for granule_id, found in by_id.items():
        if len(found) > 1:
            files = " and ".join(repr(name) for name, _ in found)
            failed[granule_id] = f"{files} would give the same products; nothing was made of either"
        else:
            name, groups = found[0]
            candidates.append(Candidate(granule_id, {"primary": Path(indir, name)}, groups))
    return candidates, failed


def _complete(collection, candidate, indir, names, failed):
    """Add the files of the other roles; what is missing or ambiguous fails the granule."""
    inputs = dict(candidate.inputs)
    for role, template in collection.inputs.items():
        if role == "primary":
            continue
        pattern = _pattern(template, candidate.groups)
        found = [name for name in names if pattern.fullmatch(name)]
        if len(found) == 1:
            inputs[role] = Path(indir, found[0])
            continue
        wanted = template.replace("{id}", candidate.id)
        if found:
            reason = f"{len(found)} files match {wanted!r}, one is allowed: {found[:3]}"
        else:
            reason = f"no file matches {wanted!r}"
        failed[candidate.id] = f"input {role!r} is {'ambiguous' if found else 'missing'}: {reason}"
    return Candidate(candidate.id, inputs, candidate.groups)


def _report_orphan(collection, name, failed):
    """A file that belongs to a granule whose primary file is not there is an incomplete set."""
    for role, template in collection.inputs.items():
        # With a * in the pattern nobody can say where the id ends.
        if role == "primary" or "{id}" not in template or "*" in template:
            continue
        before, _, after = template.partition("{id}")
        if "{" not in before + after and _pattern(template).fullmatch(name):
            granule_id = name[len(before) : len(name) - len(after)]
            failed.setdefault(
                granule_id, f"input 'primary' is missing; {role!r} is there: {name!r}"
            )


def _refuse_shared_products(collection, candidates, failed):
    owners = defaultdict(list)
    for one in candidates:
        if one.id in failed:
            continue
        try:
            for name in product_names(collection, one.groups).values():
                owners[name].append(one.id)
        except CumulusError as error:
            failed[one.id] = str(error)
    for name, ids in owners.items():
        if len(ids) > 1:
            for granule_id in ids:
                others = ", ".join(repr(other) for other in ids if other != granule_id)
                failed[granule_id] = f"product {name!r} would also be made by {others}"
