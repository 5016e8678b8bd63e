"""Group the files of an input directory into granules, and say why a granule cannot start."""

import functools
from array import array
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from .. import CumulusError
from ..logutils.logger import log_warning
from .listing import list_files
from .patterns import compile_pattern, fill_pattern, fits, id_groups, match_id
from .product_names import product_names

__all__ = ["Candidate", "group_files"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The files of one granule.

    It keeps nothing but file names, because a run may have a hundred thousand granules.

    Attributes
    ----------
    id : str
    names : tuple of str
        File name of each role, in the order of ``collection.inputs``.
    inputs : dict of str to pathlib.Path
        Input file of each role.
    groups : dict of str to str
        Named groups of the id pattern: ``id``, and others such as ``date`` and ``begin``.
    """

    id: str
    names: tuple
    indir: object = field(repr=False)
    collection: object = field(repr=False)

    @property
    def inputs(self):
        roles = self.collection.inputs
        return {role: Path(self.indir, name) for role, name in zip(roles, self.names, strict=True)}

    @property
    def groups(self):
        primary = self.names[tuple(self.collection.inputs).index("primary")]
        return id_groups(self.collection, primary)


def group_files(collection, indir):
    """Find the granules of an input directory.

    Parameters
    ----------
    collection : cumulus.collection.Collection
    indir : path-like
        Files in its subdirectories, and names that begin with a dot, do not count.

    Returns
    -------
    candidates : list of Candidate
        Granules with all their files, in the order of their primary files' names.
    failed : dict of str to str
        Granule id (or file name, where there is no id) and why it cannot be processed.

    Raises
    ------
    CumulusError
        The directory is absent or unreadable, is empty, or nothing in it matches.
    """
    grouping = _Grouping(collection, indir)
    grouping.identify()
    grouping.complete()
    grouping.report_orphans()
    grouping.warn_of_other_files()
    grouping.refuse_shared_products()
    failed = grouping.failed
    return [granule for granule in grouping.candidates if granule.id not in failed], failed


class _Grouping:
    """The files of an input directory on their way to granules.

    Attributes
    ----------
    candidates : list of Candidate
    failed : dict of str to str
        Why a granule (or a file without an id) cannot be processed.
    """

    def __init__(self, collection, indir):
        self._collection, self._indir = collection, indir
        self._primary = compile_pattern(collection.inputs["primary"])
        self._names, self._unusable = list_files(indir, collection.links)
        if not self._names and not any(map(self._primary.fullmatch, self._unusable)):
            raise CumulusError(f"input directory {str(indir)!r} holds no files")
        self._primaries = {}  # primary file of each granule id
        self._failed_files = {}  # the file that each key of failed is about
        self._serving = set()  # files that belong to a granule as another role than the primary
        self._aside = []  # files whose names match a pattern, and which make no granule
        self.candidates, self.failed = [], {}

    def identify(self):
        """Set the primary file of each id; two files with the same id fail, naming both."""
        shared = defaultdict(list)
        for name in filter(self._primary.fullmatch, self._names):
            granule_id = id_groups(self._collection, name).get("id")
            if not granule_id:
                self._fail(
                    name,
                    "the name matches [inputs].primary but not [granule].id "
                    f"({self._collection.id_pattern.pattern}) of collection.toml",
                    name,
                )
            elif granule_id in self._primaries:
                shared[granule_id].append(name)
            else:
                self._primaries[granule_id] = name
        for granule_id, others in shared.items():
            files = " and ".join(map(repr, (self._primaries.pop(granule_id), *others)))
            reason = f"{files} would give the same products; nothing was made of either"
            self._fail(granule_id, reason)
        self._fail_unusable()
        self._refuse_nothing()

    def _fail(self, key, reason, name=None):
        self.failed[key], self._failed_files[key] = reason, name

    def _fail_unusable(self):
        """Fail what has the name of a primary file and is no file, by its id if that is free."""
        for name, reason in self._unusable.items():
            if not self._primary.fullmatch(name):
                continue
            granule_id = id_groups(self._collection, name).get("id")
            is_taken = granule_id in self.failed or granule_id in self._primaries
            self._fail(granule_id if granule_id and not is_taken else name, reason, name)

    def _refuse_nothing(self):
        if self._primaries or self.failed:
            return
        count = len(self._names)
        raise CumulusError(
            f"no file in {str(self._indir)!r} matches {self._collection.inputs['primary']!r} "
            "([inputs].primary in collection.toml); it holds "
            f"{count} other file{'s' * (count != 1)}: {_few(self._names)}"
        )

    def complete(self):
        """Find the files of each granule's other roles; missing or ambiguous files fail it."""
        for granule_id, primary in self._primaries.items():
            files = self._files_of(granule_id, primary)
            self._serving.update(name for name in files if name != primary)
            if granule_id not in self.failed:
                self.candidates.append(Candidate(granule_id, files, self._indir, self._collection))
        for key in list(self.failed):
            name = self._failed_files.get(key, self._primaries.get(key))
            if name in self._serving:
                self._aside.append(name)
                del self.failed[key]

    def _files_of(self, granule_id, primary):
        """Return the file names of a granule's roles."""
        files, groups = [], id_groups(self._collection, primary)
        for role, template in self._collection.inputs.items():
            if role == "primary":
                files.append(primary)
                continue
            texts = fill_pattern(template, groups)
            matches = self._matching(texts, template)
            if len(matches) == 1:
                files.append(matches[0])
                continue
            wanted = template.replace("{id}", granule_id)
            if matches:
                reason = f"is ambiguous: {len(matches)} files match {wanted!r}, one is allowed"
                reason += f": {matches[:3]}"
            else:
                refused = [why for name, why in self._unusable.items() if fits(name, texts)]
                reason = f"is missing: {'; '.join(refused) or f'no file matches {wanted!r}'}"
            self.failed[granule_id] = f"input {role!r} {reason}"
        return tuple(files)

    @functools.cached_property
    def _backwards(self):
        """The names as they are read from their ends, in order; few patterns need them."""
        return sorted(name[::-1] for name in self._names)

    def _matching(self, texts, template):
        """Return the names that consist of the texts of a filled pattern.

        A name without wildcards is looked up. A binary search finds those that begin with the first
        text, or end with the last one where only that has a placeholder, as of ``*_{id}.met``; only
        these are matched.
        """
        if len(texts) == 1:
            index = bisect_left(self._names, texts[0])
            names = self._names[index : index + 1]  # not a text of its own for each granule
            return names if names == texts else []
        first, *others = template.split("*")
        if "{" not in first and "{" in "".join(others[-1:]):
            names = (name[::-1] for name in _beginning(self._backwards, texts[-1][::-1]))
        else:
            names = _beginning(self._names, texts[0])
        return sorted(name for name in names if fits(name, texts))

    def report_orphans(self):
        """Fail an id that has a file of another role and no primary file.

        A file whose id no primary file could have is set aside.
        """
        sample = next(iter(self._primaries.values()), None)
        for role, template in self._collection.inputs.items():
            # With a * in the pattern it is unknown where the id ends.
            if role == "primary" or template.count("{") != 1 or "*" in template:
                continue
            before, placeholder, after = template.partition("{id}")
            for name in self._names if placeholder else ():
                if not (name.startswith(before) and name.endswith(after)):
                    continue
                granule_id = name[len(before) : len(name) - len(after)]
                if self._primary.fullmatch(name) or self._is_known(granule_id):
                    continue
                if sample and not self._is_possible(granule_id, sample):
                    self._aside.append(name)
                    continue
                reason = f"input 'primary' is missing; {role!r} is there: {name!r}"
                self.failed[granule_id] = reason

    def _is_known(self, granule_id):
        return not granule_id or granule_id in self._primaries or granule_id in self.failed

    def _is_possible(self, granule_id, sample):
        """Whether a primary file, named like the sample, could have this id."""
        start, end = match_id(self._collection, sample).span("id")
        name = sample[:start] + granule_id + sample[end:]
        matches = self._primary.fullmatch(name)
        return matches and id_groups(self._collection, name).get("id") == granule_id

    def warn_of_other_files(self):
        """Name, once a run, files that are set aside or that match no pattern of [inputs]."""
        if self._aside:
            message = "no granules of their own, though their names match"
            log_warning(f"{message}: {_few(self._aside)}", "process")
        patterns = [compile_pattern(template) for template in self._collection.inputs.values()]
        others = [
            name
            for name in self._names
            if name not in self._serving
            and not any(pattern.fullmatch(name) for pattern in patterns)
        ]
        if others:
            message = "matching no pattern of [inputs] in collection.toml"
            log_warning(f"{message}: {_few(others)}", "process")

    def refuse_shared_products(self):
        """Fail granules that would make a product of the same name.

        Hashes of the names are compared first: all names at once would take much memory.
        """
        hashes = array("q")
        for granule in self.candidates:
            try:
                names = product_names(self._collection, granule.groups)
                hashes.extend(map(hash, names.values()))
            except CumulusError as error:
                self.failed[granule.id] = str(error)
        repeated = {value for value, after in pairwise(sorted(hashes)) if value == after}
        if not repeated:
            return
        owners = defaultdict(list)
        for granule in self.candidates:
            if granule.id not in self.failed:
                for name in product_names(self._collection, granule.groups).values():
                    if hash(name) in repeated:
                        owners[name].append(granule.id)
        for name, ids in owners.items():
            for granule_id in ids if len(ids) > 1 else ():
                others = ", ".join(repr(other) for other in ids if other != granule_id)
                self.failed[granule_id] = f"product {name!r} would also be made by {others}"


def _few(names):
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")


def _beginning(names, start):
    """Yield those of sorted names that begin so."""
    index = bisect_left(names, start)
    while index < len(names) and names[index].startswith(start):
        yield names[index]
        index += 1
