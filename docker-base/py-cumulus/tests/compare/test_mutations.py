"""Every change of a file is a difference, and an unchanged file has none.

A file with everything that the comparison knows is described as plain data. Each mutation changes
one thing of the description; then both are written anew and compared.
"""

import copy

import netCDF4
import numpy as np
import pytest

from cumulus.collection import CompareRules
from cumulus.compare import compare_files

FILL = -9999.0
RULES = CompareRules(rtol=1e-6)


def description():
    """Describe groups by dimensions, attributes and variables with their values."""
    values = np.linspace(1, 2, 12).reshape(4, 3)
    values[0, 0], values[1, 1], values[2, 2], values[3, 0] = FILL, np.nan, np.inf, -np.inf
    texts = np.array(["a", "", "é", "d"], object)
    return {
        "/": {
            "dimensions": {"time": None, "z": 3, "unused": 2},
            "attributes": {"title": "t", "count": np.int32(3), "list": np.array([1.0, np.nan])},
            "variables": {
                "time": ("f8", ("time",), {"units": "s since 2012-09-06"}, np.arange(4.0)),
                "atb": ("f4", ("time", "z"), {"units": "km-1", "_FillValue": FILL}, values),
                "packed": ("i2", ("time",), {"scale_factor": 0.01}, np.array([1, 2, 3, -32768])),
                "flag": ("u1", ("z",), {}, np.array([0, 1, 255])),
                "big": ("u8", ("z",), {}, np.array([0, 2**63, 2**64 - 1], "u8")),
                "text": (str, ("time",), {"long_name": "x"}, texts),
                "char": ("S1", ("z",), {}, np.array(["x", "y", "z"], "S1")),
                "scalar": ("i4", (), {}, np.int32(7)),
                "none": ("f4", ("time",), {}, np.full(4, np.nan)),
            },
        },
        "/geo/deep": {
            "dimensions": {"n": 2},
            "attributes": {"note": "n"},
            "variables": {"q": ("i8", ("n",), {"valid_min": np.int64(0)}, np.array([1, 2]))},
        },
    }


def write(path, groups):
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.history = "never the same"
        for name, content in groups.items():
            group = dataset if name == "/" else dataset.createGroup(name)
            for dimension, length in content["dimensions"].items():
                group.createDimension(dimension, length)
            group.setncatts(content["attributes"])
            for variable_name, (kind, dimensions, attributes, values) in content[
                "variables"
            ].items():
                attributes = dict(attributes)
                fill = attributes.pop("_FillValue", None)
                variable = group.createVariable(variable_name, kind, dimensions, fill_value=fill)
                variable.set_auto_maskandscale(False)
                variable.setncatts(attributes)
                variable[...] = values
    return path


def mutations():
    """Yield a readable id and a function that changes one thing of a description."""
    for group, content in description().items():
        for name, length in content["dimensions"].items():
            yield f"{group} dimension {name} renamed", rename_dimension(group, name)
            if name in ("unused", "n"):
                yield f"{group} dimension {name} unlimited", put(group, "dimensions", name, None)
            if length is None:
                yield f"{group} dimension {name} fixed", put(group, "dimensions", name, 4)
            if name == "unused":
                yield f"{group} dimension {name} longer", put(group, "dimensions", name, 3)
        yield f"{group} dimension added", put(group, "dimensions", "more", 1)
        for name, value in content["attributes"].items():
            for how, change in attribute_changes(value):
                yield f"{group} attribute {name} {how}", attribute(group, None, name, change)
        yield f"{group} attribute added", put(group, "attributes", "more", "x")
        yield f"{group} group renamed", rename_group(group)
        for name, variable in content["variables"].items():
            yield f"{group} {name} removed", drop(group, "variables", name)
            yield f"{group} {name} renamed", rename(group, name)
            yield f"{group} {name} attribute added", attribute(group, name, "more", lambda _: "x")
            for key, value in variable[2].items():
                for how, change in attribute_changes(value):
                    yield f"{group} {name} {key} {how}", attribute(group, name, key, change)
            yield from value_mutations(group, name, variable)
    yield "group added", lambda groups: groups.update({"/more": groups["/geo/deep"]})


def attribute_changes(value):
    array = np.asarray(value)
    yield "removed", lambda _: None
    if isinstance(value, str):
        yield "changed", lambda text: text + "2"
        yield "emptied", lambda _: ""
        yield "as number", lambda _: 1
        yield "as list of texts", lambda text: [text, text]
    else:
        yield "changed", lambda number: number + array.dtype.type(1)
        yield "as text", str
        other = "f4" if array.dtype == "f8" else "f8"
        yield "of another type", lambda number: np.asarray(number).astype(other)
        yield "twice", lambda number: np.append(number, number)
        if array.dtype.kind == "f":
            yield "nan", lambda number: number * np.nan


def value_mutations(group, name, variable):
    kind, dimensions, _, values = variable
    if len(dimensions) > 1:
        yield f"{group} {name} transposed", retype(group, name, dimensions=dimensions[::-1])
    if kind not in (str, "S1"):
        other = "i4" if kind != "i4" else "i8"
        if not np.isnan(np.asarray(values, "f8")).any() and kind != "u8":
            yield f"{group} {name} other type", retype(group, name, kind=other)
        yield f"{group} {name} as double", retype(group, name, kind="f4" if kind == "f8" else "f8")
    for index in np.ndindex(np.shape(values)):
        for how, new in new_values(kind, np.asarray(values)[index]):
            yield f"{group} {name}{list(index)} {how}", value(group, name, index, new)


def new_values(kind, old):
    if kind is str:
        yield from (("changed", old + "x"), ("other", "zz"))
    elif kind == "S1":
        yield from (("changed", b"q"), ("null", b"\0"))
    elif np.dtype(kind).kind in "iu":
        limits = np.iinfo(kind)
        yield "one off", int(old) + (1 if old < limits.max else -1)
        if old != limits.max:
            yield "largest", limits.max
    else:
        special = {"fill": FILL, "nan": np.nan, "inf": np.inf, "-inf": -np.inf, "zero": 0.0}
        special["a little more"] = old * (1 + 1e-5) if np.isfinite(old) and old else 1.5
        special["other sign"] = -old if old else 2.5
        for how, new in special.items():
            if not (new == old or (np.isnan(new) and np.isnan(old))):
                yield how, new


def put(group, part, name, value_):
    return lambda groups: groups[group][part].update({name: value_})


def drop(group, part, name):
    return lambda groups: groups[group][part].pop(name)


def rename(group, name):
    def change(groups):
        variables = groups[group]["variables"]
        variables[name + "2"] = variables.pop(name)

    return change


def rename_group(group):
    def change(groups):
        groups["/other" if group != "/" else "/moved"] = groups.pop(group)

    return change


def rename_dimension(group, name):
    def change(groups):
        content = groups[group]
        content["dimensions"][name + "2"] = content["dimensions"].pop(name)
        for key, (kind, dimensions, attributes, values) in content["variables"].items():
            renamed = tuple(
                name + "2" if dimension == name else dimension for dimension in dimensions
            )
            content["variables"][key] = (kind, renamed, attributes, values)

    return change


def attribute(group, variable, name, change_value):
    def change(groups):
        content = groups[group]
        attributes = content["variables"][variable][2] if variable else content["attributes"]
        new = change_value(attributes.get(name))
        if new is None:
            del attributes[name]
        else:
            attributes[name] = new

    return change


def retype(group, name, kind=None, dimensions=None):
    def change(groups):
        old_kind, old_dimensions, attributes, values = groups[group]["variables"][name]
        if dimensions:
            values = np.ones((3, 4)) if values.shape == (4, 3) else values
        new = (kind or old_kind, dimensions or old_dimensions, attributes, values)
        groups[group]["variables"][name] = new

    return change


def value(group, name, index, new):
    def change(groups):
        kind, dimensions, attributes, values = groups[group]["variables"][name]
        values = np.array(values)
        values[index] = new
        groups[group]["variables"][name] = (kind, dimensions, attributes, values)

    return change


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write(tmp_path_factory.mktemp("mutations") / "original.nc", description())


def possible(changed):
    """Return whether NetCDF can hold it: a fill value has the variable's type."""
    return all(
        not isinstance(attributes.get("_FillValue"), str | np.ndarray | list)
        for content in changed.values()
        for _, _, attributes, _ in content["variables"].values()
    )


@pytest.mark.slow
def test_every_mutation_is_found(original, tmp_path):
    """Each of more than a thousand mutations is a difference."""
    missed, count = [], 0
    for name, mutate in mutations():
        changed = copy.deepcopy(description())
        mutate(changed)
        if not possible(changed):
            continue
        path = write(tmp_path / "changed.nc", changed)
        count += 1
        if not compare_files(original, path, RULES):
            missed.append(name)
    assert missed == []
    assert count >= 200


@pytest.mark.parametrize("options", [{}, {"zlib": True}, {"chunksizes": (2, 2)}])
def test_how_values_are_stored_is_no_difference(tmp_path, options):
    for name, choice in (("a.nc", {}), ("b.nc", options)):
        with netCDF4.Dataset(tmp_path / name, "w") as dataset:
            dataset.createDimension("a", 4)
            dataset.createDimension("b", 3)
            variable = dataset.createVariable("v", "f4", ("a", "b"), **choice)
            variable[...] = np.arange(12.0).reshape(4, 3)
    assert compare_files(tmp_path / "a.nc", tmp_path / "b.nc") == []


def test_byte_order_is_no_difference(tmp_path):
    for name, order in (("a.nc", "little"), ("b.nc", "big")):
        with netCDF4.Dataset(tmp_path / name, "w") as dataset:
            dataset.createDimension("a", 4)
            kind = np.dtype("i4").newbyteorder(order)
            variable = dataset.createVariable("v", kind, ("a",), endian=order)
            variable[:] = np.arange(4, dtype=kind)
    with netCDF4.Dataset(tmp_path / "b.nc") as dataset:
        assert dataset["v"].endian() == "big"
    assert compare_files(tmp_path / "a.nc", tmp_path / "b.nc") == []


def test_file_written_anew_is_equal(original, tmp_path):
    again = write(tmp_path / "again.nc", description())
    with netCDF4.Dataset(again, "a") as dataset:
        dataset.history = "ignored"
        dataset.date_created = "ignored"
    assert again.read_bytes() != original.read_bytes()
    assert compare_files(original, again, RULES) == []


# --- types of the user's own -----------------------------------------------------------------


def special_types(
    path, *, compound=(1, 2.5), nested=3, array=(1, 2), ragged=(1, 2), choice=1, member=1
):
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("n", 2)
        inner = np.dtype([("k", "i4")])
        dataset.createCompoundType(inner, "inner_t")
        outer = np.dtype([("i", "i4"), ("x", "f8"), ("inner", inner), ("a", "i4", (2,))])
        pair = dataset.createCompoundType(outer, "pair_t")
        row = dataset.createVLType("i4", "row_t")
        color = dataset.createEnumType("u1", "color_t", {"red": 0, "green": member})
        dataset.createVariable("compound", pair, ("n",))[:] = np.array(
            [(0, 0.0, (0,), (0, 0)), (*compound, (nested,), array)], outer
        )
        variable = dataset.createVariable("ragged", row, ("n",))
        variable[0], variable[1] = np.array([5], "i4"), np.array(ragged, "i4")
        dataset.createVariable("color", color, ("n",))[:] = [0, choice]
    return path


CHANGES = {
    "compound member": {"compound": (2, 2.5)},
    "compound real": {"compound": (1, 3.5)},
    "nested compound": {"nested": 4},
    "array in a compound": {"array": (1, 3)},
    "ragged value": {"ragged": (1, 3)},
    "ragged length": {"ragged": (1, 2, 3)},
    "enum value": {"choice": 0},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_change_of_a_special_type_is_found(tmp_path, change):
    expected, actual = special_types(tmp_path / "a.nc"), special_types(tmp_path / "b.nc", **change)
    assert compare_files(expected, actual)


def test_change_of_an_enum_member_that_no_value_uses_is_found(tmp_path):
    expected = special_types(tmp_path / "a.nc", choice=0)
    actual = special_types(tmp_path / "b.nc", choice=0, member=2)
    assert any("color_t" in difference.message for difference in compare_files(expected, actual))


def test_special_types_written_anew_are_equal(tmp_path):
    expected, actual = special_types(tmp_path / "a.nc"), special_types(tmp_path / "b.nc")
    with netCDF4.Dataset(actual, "a") as dataset:
        dataset.history = "ignored"
    assert compare_files(expected, actual) == []
