"""Every change of a real product is a difference: of the starter sample's NetCDF, ECHO10 and UMM-G.

Beside test_compare_mutations.py, whose one file holds every type that the comparison knows.
"""

import json
import re
import shutil
import xml.etree.ElementTree as ElementTree

import netCDF4
import numpy as np
import pytest
from netcdf_files import rewritten
from samples import REPOSITORY

from cumulus.collection import CompareRules
from cumulus.compare import compare, compare_files

SAMPLE = REPOSITORY / "{{cookiecutter.repo_name}}" / "tests" / "sample" / "output"
RULES = CompareRules(rtol=1e-6)
VOLATILE = {
    "InsertTime",
    "LastUpdate",
    "ProductionDateTime",
    "DataGranuleSizeInBytes",
    "SizeMBDataGranule",
    "Checksum",
}
VOLATILE |= {"PGEVersion", "Value", "Algorithm"}  # within Checksum, which is ignored as a whole

pytestmark = pytest.mark.slow


def rendered(path):
    """Return a text of the sample nearly as rendered."""
    text = re.sub(r"\{%.*?%\}", "", path.read_text(encoding="utf-8"))
    return re.sub(r"\{\{.*?\}\}", "answer", text)


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """Return the files of a granule."""
    folder = tmp_path_factory.mktemp("product")
    shutil.copy(SAMPLE / "{{cookiecutter.__atb_netcdf}}", folder / "X.nc")
    for end in (".meta.xml", ".cmr.json"):
        (source,) = (path for path in SAMPLE.iterdir() if "__atb" in path.name and end in path.name)
        (folder / f"X{end}").write_text(rendered(source), encoding="utf-8")
    (folder / "X.csv").write_text("time,height\n" + "".join(f"{i},{i / 7}\n" for i in range(30)))
    return folder


def test_product_is_equal_to_itself_written_anew(product, tmp_path):
    """Other bytes with the same content are equal."""
    for path in product.iterdir():
        shutil.copy(path, tmp_path)
    with netCDF4.Dataset(tmp_path / "X.nc", "a") as dataset:
        dataset.history = "another day"
        dataset.set_auto_maskandscale(False)
        for variable in dataset.variables.values():
            variable[...] = variable[...]
    record = json.loads((product / "X.cmr.json").read_text())
    record["ProviderDates"][0]["Date"] = "another day"
    (tmp_path / "X.cmr.json").write_text(json.dumps(record, indent=7, sort_keys=True))
    text = (product / "X.meta.xml").read_text()
    (tmp_path / "X.meta.xml").write_text(re.sub(r">\s+<", "><", text))
    assert compare(product, tmp_path, RULES).counts == {"equal": 4}
    assert (tmp_path / "X.nc").read_bytes() != (product / "X.nc").read_bytes()


# --- NetCDF ----------------------------------------------------------------------------------


def netcdf_mutations(path):
    """Yield a readable name and a function that changes an open dataset."""
    with netCDF4.Dataset(path) as dataset:
        for name in dataset.ncattrs():
            if name not in RULES.ignore_attributes:
                yield f"{name} changed", lambda d, n=name: d.setncattr(n, f"{d.getncattr(n)}.")
                yield f"{name} removed", lambda d, n=name: d.delncattr(n)
        for name, variable in dataset.variables.items():
            for key in variable.ncattrs():
                if key != "_FillValue":
                    yield f"{name} {key}", lambda d, n=name, k=key: changed_attribute(d[n], k)
            yield f"{name} value", lambda d, n=name: changed_value(d[n])
    yield "attribute added", lambda d: d["time"].setncattr("more", 1)
    yield "variable added", lambda d: d.createVariable("more", "i4", ())
    yield "group added", lambda d: d.createGroup("more")
    yield "dimension added", lambda d: d.createDimension("more", 1)


def changed_attribute(variable, key):
    value = variable.getncattr(key)
    variable.setncattr(key, f"{value} " if isinstance(value, str) else value * 2 + 1)


def changed_value(variable):
    """Change the last value."""
    variable.set_auto_maskandscale(False)
    index = (-1,) * variable.ndim
    old = variable[index if index else ...]
    if variable.dtype is str:
        new = f"{old}?"
    elif variable.dtype.kind == "f":
        new = old * (1 + 1e-5) if np.isfinite(old) and old else 1
        if " since " in getattr(variable, "units", ""):
            new = old * (1 + 1e-12)  # a time may differ by rounding only
    else:
        new = b"?" if variable.dtype.kind == "S" else old ^ 1
    variable[index if index else ...] = new


def test_every_change_of_the_netcdf_file_is_found(product, tmp_path):
    """A change of each attribute, dimension, variable, and of a value of each variable counts."""
    missed, count = [], 0
    for name, mutate in netcdf_mutations(product / "X.nc"):
        shutil.copyfile(product / "X.nc", tmp_path / "X.nc")
        with netCDF4.Dataset(tmp_path / "X.nc", "a") as dataset:
            mutate(dataset)
        count += 1
        if not compare_files(product / "X.nc", tmp_path / "X.nc", RULES):
            missed.append(name)
    assert missed == []
    assert count >= 160


def test_every_change_of_a_dimension_is_found(product, tmp_path):
    """A new name in a rewritten file is a difference; the old name in such a file is equal."""
    assert compare_files(product / "X.nc", rewritten(tmp_path / "same.nc", product / "X.nc")) == []
    with netCDF4.Dataset(product / "X.nc") as dataset:
        names = list(dataset.dimensions)
    for name in names:
        renamed = rewritten(tmp_path / "X.nc", product / "X.nc", dimensions={name: f"{name}2"})
        assert compare_files(product / "X.nc", renamed, RULES)


# --- documents -------------------------------------------------------------------------------


def xml_mutations(text):
    """Yield a readable name and a changed document: each element in turn."""
    paths = list(ElementTree.fromstring(text).iter())
    for number, element in enumerate(paths):
        for how in ("text", "attribute", "child", "removed", "twice", "renamed"):
            if element.tag in VOLATILE and how not in ("removed", "renamed"):
                continue
            root = ElementTree.fromstring(text)
            every = list(root.iter())
            element = every[number]
            parents = {child: parent for parent in every for child in parent}
            inside = set()
            parent = element
            while parent in parents:
                parent = parents[parent]
                inside.add(parent.tag)
            if inside & VOLATILE or (how in ("removed", "twice") and element is root):
                continue
            if how == "text":
                element.text = f"{element.text or ''}?"
            elif how == "attribute":
                element.set("more", "1")
            elif how == "child":
                ElementTree.SubElement(element, "more")
            elif how == "removed":
                parents[element].remove(element)
            elif how == "twice":
                parents[element].append(element)
            else:
                element.tag += "2"
            yield f"{element.tag} {how}", ElementTree.tostring(root, "unicode")


def json_mutations(text):
    """Yield a readable name and a changed document: each value, key and item in turn."""
    ignored = {tuple(key_path.split("/")) for key_path in RULES.ignore_keys}
    for steps in _key_paths(json.loads(text)):
        keys = tuple(step for step in steps if isinstance(step, str))
        for how in ("changed", "other type", "removed", "added"):
            if keys in ignored and how in ("changed", "other type"):
                continue
            content = json.loads(text)
            parent = content
            for step in steps[:-1]:
                parent = parent[step]
            value = parent[steps[-1]]
            if how == "removed":
                del parent[steps[-1]]
            elif how == "added" and isinstance(value, dict):
                value["more"] = 1
            elif how == "added" and isinstance(value, list):
                value.append(1)
            elif how == "changed" and isinstance(value, str):
                parent[steps[-1]] += "?"
            elif how == "changed" and isinstance(value, int | float):
                parent[steps[-1]] = value * (1 + 1e-5) + 1
            elif how == "other type":
                parent[steps[-1]] = [value]
            else:
                continue
            yield f"{steps} {how}", json.dumps(content)


def _key_paths(value, steps=()):
    if not isinstance(value, dict | list):
        return
    for step, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*steps, step)
        yield from _key_paths(child, (*steps, step))


def csv_mutations(text):
    """Yield a readable name and a changed table: each cell, each row."""
    rows = [line.split(",") for line in text.splitlines()]
    for y, row in enumerate(rows):
        for x in range(len(row)):
            changed = [list(row) for row in rows]
            changed[y][x] = f"1{changed[y][x]}"
            yield f"cell {y} {x}", "\n".join(map(",".join, changed)) + "\n"
        yield f"row {y} removed", "\n".join(map(",".join, rows[:y] + rows[y + 1 :])) + "\n"


@pytest.mark.parametrize(
    ("name", "mutations", "least"),
    [
        ("X.meta.xml", xml_mutations, 100),
        ("X.cmr.json", json_mutations, 80),
        ("X.csv", csv_mutations, 90),
    ],
)
def test_every_change_of_a_document_is_found(product, tmp_path, name, mutations, least):
    """A change of each element, attribute, key, item, cell and row counts."""
    missed, count = [], 0
    for what, text in mutations((product / name).read_text(encoding="utf-8")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        count += 1
        if not compare_files(product / name, tmp_path / name, RULES):
            missed.append(what)
    assert missed == []
    assert count >= least


@pytest.mark.parametrize(
    "how", ["removed", "renamed", "emptied", "cut", "of another kind", "added"]
)
@pytest.mark.parametrize("name", ["X.nc", "X.meta.xml", "X.cmr.json", "X.csv"])
def test_every_change_of_the_set_of_files_is_found(product, tmp_path, name, how):
    """A missing file of the product is the only difference."""
    folder = tmp_path / "actual"
    shutil.copytree(product, folder)
    path = folder / name
    content = path.read_bytes()
    if how == "removed":
        path.unlink()
    elif how == "renamed":
        path.rename(folder / f"other-{name}")
    elif how == "added":
        shutil.copy(path, folder / f"other-{name}")
    elif how == "of another kind":
        path.write_bytes(b"\0\1\2")
    else:
        path.write_bytes(content[: len(content) // 2] if how == "cut" else b"")
    comparison = compare(product, folder, RULES)
    others = {result.file for result in comparison if result.status != "equal"}
    assert comparison.verdict != "equal"
    assert others <= {name, f"other-{name}"}
