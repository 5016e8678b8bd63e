"""The library's imports keep to its plan: rooms lie on floors; none reaches up or in a circle."""

import ast
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[1] / "src" / "cumulus"
# From the top floor down; a room imports from its own floor and from those below.
FLOORS = (
    {"__main__", "commands"},
    {"process", "sample", "task", "campaign"},
    {"metadata", "browse", "compare", "compliance", "convert", "metadata_rules"},
    {"collection", "products"},
    {"extent", "files", "isolation", "logutils", "image_sources", "checkout"},
    {""},  # the package itself: CumulusError and __version__
)
MOST_ROOMS = 20


def module_name(path):
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in LIBRARY.rglob("*.py")}


def imports_of(name):
    """Yield (line, module) of each import from the library, those within functions included."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            source = source_of(node, package)
            if source is not None:
                for alias in node.names:
                    inner = f"{source}.{alias.name}".lstrip(".")
                    yield node.lineno, inner if inner in MODULES else source
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "cumulus":
                    yield node.lineno, alias.name.partition(".")[2]


def source_of(node, package):
    """Name the module that a "from" import reads, without "cumulus"; None for other packages."""
    if not node.level:
        first, _, rest = node.module.partition(".")
        return rest if first == "cumulus" else None
    above = package.split(".")[: len(package.split(".")) - node.level + 1] if package else []
    return ".".join([*above, *(node.module.split(".") if node.module else [])])


IMPORTS = [(name, *found) for name in sorted(MODULES) for found in imports_of(name)]


def room_of(name):
    return name.partition(".")[0]


def floor_of(name):
    return next(number for number, rooms in enumerate(FLOORS) if room_of(name) in rooms)


def say(name, line, imported):
    return f"{MODULES[name].relative_to(LIBRARY)}:{line} imports {imported or 'cumulus'}"


def circle(edges):
    """Return the names of one circle among (importer, imported) pairs, or an empty list."""
    graph = {}
    for importer, imported in edges:
        if importer != imported:
            graph.setdefault(importer, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_imports_are_read():
    """Relative, absolute and function-level ones, or the other tests would mean nothing."""
    seen = {(name, imported) for name, _, imported in IMPORTS}
    assert ("__main__", "commands.compare") in seen
    assert ("process.granule", "browse.scene") in seen  # within a function
    assert ("compare.netcdf", "compare.packing") in seen  # from . import packing
    tree = ast.parse("from cumulus.files import look_at; from os import path; from .. import model")
    sources = [source_of(node, "compare.html") for node in tree.body]
    assert sources == ["files", None, "compare"]


def test_library_has_few_rooms():
    rooms = sorted({room_of(name) or "__init__" for name in MODULES})
    assert len(rooms) <= MOST_ROOMS, f"{len(rooms)} modules and packages in cumulus/: {rooms}"


def test_every_room_has_a_floor():
    unknown = {room_of(name) for name in MODULES} - set().union(*FLOORS)
    assert not unknown, f"add {sorted(unknown)} to FLOORS, beside what may import the same"


def test_no_import_reaches_up():
    upward = [say(*one) for one in IMPORTS if floor_of(one[0]) > floor_of(one[2])]
    assert not upward, "a floor imports from a higher one:\n" + "\n".join(upward)


def test_no_submodule_imports_from_the_face_of_its_own_package():
    """A face imports its submodules, so that one which imports the face makes a circle."""
    own = [say(*one) for one in IMPORTS if one[2] and one[0].startswith(f"{one[2]}.")]
    assert not own, "import from the submodule that defines it:\n" + "\n".join(own)


@pytest.mark.parametrize("of", ["modules", "rooms"])
def test_no_imports_make_a_circle(of):
    """Imports within functions count: they hide a circle, they do not mend it."""
    key = room_of if of == "rooms" else str
    names = circle((key(name), key(imported)) for name, _, imported in IMPORTS if imported)
    steps = {step for pair in pairwise(names) for step in (pair, pair[::-1])}
    lines = [say(*one) for one in IMPORTS if (key(one[0]), key(one[2])) in steps]
    assert not names, f"circle {' - '.join(names)}:\n" + "\n".join(lines)


def test_a_circle_is_noticed():
    assert set(circle([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")])) == {"a", "b", "c"}
    assert circle([("a", "b"), ("b", "c"), ("a", "c")]) == []
