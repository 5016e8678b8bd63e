"""What a conversion has to keep, judged with h5py and netCDF4-python: no line of the converter takes part."""

import contextlib
import faulthandler
import json
import multiprocessing
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import netCDF4
import numpy as np

STRUCTURAL = {"DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties",
              "_nc3_strict"}
PURE_DIMENSION = b"This is a netCDF dimension but not a netCDF variable"
BLOCK = 1 << 24  # elements compared at once


@dataclass
class Verdict:
    """What was found: datasets and values equal, datasets listed as left out, and everything that is wrong."""

    equal: int = 0
    values: int = 0
    attributes: int = 0
    dimensions: int = 0
    listed: int = 0
    fields: int = 0
    wrong: list = field(default_factory=list)


def read_report(path):
    """The one line of a --report."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def told(report, attributes):
    """{path or path:attribute: reason} of what the converter says it left out, or holds under another name."""
    entries = [entry for key in ("left_out", "notes", "asked") for entry in report[key]
               if ("attribute" in entry) == attributes]
    return {f"{entry['path']}:{entry['attribute']}" if attributes else entry["path"]:
            entry["reason"] if "reason" in entry else entry["note"] for entry in entries}


def is_pure_dimension(dataset):
    name = dataset.attrs.get("NAME", b"") if "CLASS" in dataset.attrs else b""
    return isinstance(name, bytes) and name.startswith(PURE_DIMENSION)


def walk(group, path="", above=()):
    """All (path, object) that hard links lead to, without loops; what h5py cannot open is given as its exception."""
    above = (*above, h5py.h5o.get_info(group.id).addr)
    for name in group:
        where = f"{path}/{name}"
        if group.id.links.get_info(name.encode("utf-8", "surrogateescape")).type != h5py.h5l.TYPE_HARD:
            yield where, None
            continue
        try:
            item = group[name]
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            yield where, error
            continue
        yield where, item
        if isinstance(item, h5py.Group) and h5py.h5o.get_info(item.id).addr not in above:
            yield from walk(item, where, above)


def find(product, path):
    """The product's dataset; netCDF-4 hides one that has a dimension's name."""
    folder, _, name = path.rpartition("/")
    hidden = f"{folder}/_nc4_non_coord_{name}"
    return next((product[name] for name in (hidden, path) if name in product), None)


def as_text(values, ends=b"\0"):
    """Texts as bytes, up to the first of the bytes that end one."""
    def text(value):
        value = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
        return value.split(ends)[0] if ends else value
    return [text(value) for value in np.asarray(values, dtype=object).ravel()]


def blocks(dataset):
    """Slices of the first axis, of about BLOCK elements; of a huge dataset only the first and the last."""
    if not dataset.shape or dataset.size <= BLOCK:
        return [()]
    rows = max(1, BLOCK // (dataset.size // dataset.shape[0]))
    starts = range(0, dataset.shape[0], rows)
    if len(starts) > 8:
        starts = [starts[0], starts[-1]]
    return [slice(start, start + rows) for start in starts]


def same_texts(old, new, dtype, verdict, padding=h5py.h5t.STR_NULLPAD):
    """Texts up to their first zero byte, without the padding of the input's type."""
    old = as_text(old, b"\0" if padding == h5py.h5t.STR_NULLTERM else b"")
    if padding == h5py.h5t.STR_SPACEPAD and dtype.itemsize > 1:
        old = [value.rstrip(b" ") for value in old]
    verdict.values += len(old)
    return old == as_text(new)


def boxed(value, dtype, shape):
    """A single sequence as an array of one object: h5py gives the sequence itself."""
    if shape != () or dtype.kind != "O" or h5py.check_string_dtype(dtype):
        return value
    values = np.empty((), object)
    values[()] = value
    return values


def same_sequence(old, new, verdict):
    """One value of a variable-length type; an empty one may be None or an empty list."""
    size = 0 if old is None else len(old)
    return size == (0 if new is None else len(new)) and (size == 0 or same_arrays(old, new, verdict))


def is_text(dtype):
    return bool(h5py.check_string_dtype(dtype)) or dtype.kind == "S"


def same_arrays(old, new, verdict):
    """Values of any type that h5py reads; those of a compound field by field, in their order."""
    old, new = np.asarray(old), np.asarray(new)
    if old.dtype.names:
        return new.dtype.names is not None and len(old.dtype.names) == len(new.dtype.names) and all(
            same_arrays(old[name], new[other], verdict)
            for name, other in zip(old.dtype.names, new.dtype.names, strict=True))
    if is_text(old.dtype):
        if new.dtype.kind == "S" and new.ndim > old.ndim:  # netCDF's compounds hold text as characters
            new = np.ascontiguousarray(new).view(f"S{new.shape[-1]}")[..., 0]
        return same_texts(old, new, old.dtype, verdict)
    if old.dtype.kind == "O":
        return old.shape == new.shape and all(
            same_sequence(one, other, verdict) for one, other in zip(old.ravel(), new.ravel(), strict=True))
    verdict.values += old.size
    if old.dtype.kind == "V":
        return old.shape == new.shape and old.tobytes() == new.tobytes()
    new = new[tuple(slice(length) for length in np.shape(old))]
    old, new = (values.astype("i1") if values.dtype == bool else values for values in (old, new))
    return np.array_equal(old, new, equal_nan=old.dtype.kind in "fc")


def same_values(before, after, verdict):
    if is_text(before.dtype):
        padding = before.id.get_type().get_strpad() if before.dtype.kind == "S" else h5py.h5t.STR_NULLTERM
        return same_texts(before[()], after[()], before.dtype, verdict, padding)
    if before.dtype.kind == "V" and not before.dtype.names and not before.dtype.subdtype:
        return opaque_bytes(before) == opaque_bytes(after)
    return all(same_arrays(*(boxed(data[block], data.dtype, data.shape) for data in (before, after)), verdict)
               for block in blocks(before))


def opaque_bytes(dataset):
    """The values of an opaque type as they are stored: HDF5 converts none that has a tag."""
    values = np.zeros(dataset.shape, dataset.dtype)
    dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, values, dataset.id.get_type())
    return values.tobytes()


def expected_type(dtype):
    if dtype.kind == "S" and dtype.itemsize == 1:
        return dtype  # netCDF's char
    if is_text(dtype) or dtype.kind in "OV" or dtype.subdtype:
        return None
    if dtype.kind == "b":
        return None  # an enumeration of int8 in HDF5, with its names or without
    return np.dtype("f4") if dtype.kind == "f" and dtype.itemsize < 4 else dtype.newbyteorder("=")


def element_shape(dtype):
    """The axes that an array type adds."""
    return dtype.subdtype[1] if dtype.subdtype else ()


def defines_fill(dataset):
    return dataset.id.get_create_plist().fill_value_defined() != h5py.h5d.FILL_VALUE_UNDEFINED


def is_extended(before, after):
    """Whether nothing but fill value stands behind the old end of its axes."""
    if before.ndim != after.ndim or before.ndim < 2 or np.any(np.subtract(after.shape, before.shape) < 0):
        return False
    outside = np.ones(after.shape, bool)
    outside[tuple(slice(length) for length in before.shape)] = False
    return bool(np.all(after[()][outside] == after.fillvalue))


def compare_dataset(path, before, after, verdict):
    """The same shape, type, values and fill value; counts the values that were compared."""
    if before.shape + element_shape(before.dtype) != after.shape and not is_extended(before, after):
        verdict.wrong.append(f"{path}: shape {before.shape} became {after.shape}")
        return
    expected = expected_type(before.dtype)
    if expected is not None and after.dtype.newbyteorder("=") != expected:
        verdict.wrong.append(f"{path}: type {before.dtype} became {after.dtype}")
        return
    if not same_values(before, after, verdict):
        verdict.wrong.append(f"{path}: values differ")
        return
    if expected is not None and defines_fill(before) \
            and not np.array_equal(before.fillvalue, after.fillvalue, equal_nan=before.dtype.kind == "f"):
        verdict.wrong.append(f"{path}: fill value {before.fillvalue} became {after.fillvalue}")
    verdict.equal += 1


def leaves(values, prefix=""):
    """(FIELD or OUTER.INNER, values) of each field that is no compound; arrays are the values' last axes."""
    for name in values.dtype.names:
        if values[name].dtype.names:
            yield from leaves(values[name], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", values[name]


def compare_fields(path, before, group, listed, verdict):
    """Each field is a variable of the group with the same values, or listed."""
    for name, old in leaves(np.asarray(before[()], dtype=before.dtype.base)):
        where = f"{path}/{name}"
        if where in listed and not listed[where].startswith("converted as "):
            verdict.listed += 1
            continue
        match = re.match(r"converted as '(.*)': ", listed.get(where, ""))
        field = find(group, match[1] if match else name)
        if field is None:
            verdict.wrong.append(f"{where}: dropped in silence")
        elif field.shape != old.shape:
            verdict.wrong.append(f"{where}: shape {old.shape} became {field.shape}")
        elif (expected := expected_type(old.dtype)) is not None and field.dtype.newbyteorder("=") != expected:
            verdict.wrong.append(f"{where}: type {old.dtype} became {field.dtype}")
        elif not same_arrays(old, boxed(field[()], field.dtype, field.shape), verdict):
            verdict.wrong.append(f"{where}: values differ")
        else:
            verdict.equal += 1
            verdict.fields += 1


def is_empty(value):
    return isinstance(value, h5py.Empty) or np.size(value) == 0 or (np.size(value) == 1 and stripped(value) == [b""])


def stripped(texts):
    return [text.rstrip() for text in as_text(texts)]


def compare_attributes(path, before, after, listed, verdict):
    """Every attribute that is not HDF5's own bookkeeping is there with the same values, or listed."""
    for name in before.attrs:
        if name in STRUCTURAL or f"{path}:{name}" in listed or (path == "/" and name in ("Conventions", "history")):
            continue
        if name in ("CLASS", "NAME") and before.attrs.get("CLASS") == b"DIMENSION_SCALE":
            continue
        if name not in after.attrs:
            verdict.wrong.append(f"{path}:{name} is missing")
            continue
        try:
            old, new = before.attrs[name], after.attrs[name]
        except (OSError, RuntimeError, TypeError, ValueError, UnicodeDecodeError):
            continue
        if is_empty(old):
            same = is_empty(new)
        elif isinstance(old, (str, bytes)) or np.asarray(old).dtype.kind in "OSU":
            same = not isinstance(new, h5py.Empty) and stripped(old) == stripped(new)
        elif name == "_FillValue" and isinstance(after, h5py.Dataset):
            same = np.allclose(np.ravel(old).astype("f8"), np.ravel(new).astype("f8"), equal_nan=True)
        else:
            same = np.array_equal(np.ravel(old), np.ravel(new), equal_nan=np.asarray(old).dtype.kind == "f")
        if same:
            verdict.attributes += 1
        else:
            verdict.wrong.append(f"{path}:{name}: {old!r} became {new!r}")


def path_of(path, depth):
    """The path's first parts."""
    return "/".join(path.split("/")[:depth + 1])


def described(group, answer):
    """{path of a variable: (name, length, unlimited) of each dimension} into the answer, down all groups."""
    for name, variable in group.variables.items():
        answer[f"{group.path.rstrip('/')}/{name}"] = [(dim.name, dim.size, dim.isunlimited())
                                                      for dim in variable.get_dims()]
    for inner in group.groups.values():
        described(inner, answer)


def send_dimensions(path, pipe):
    answer = {}
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with contextlib.suppress(OSError, RuntimeError, UnicodeError), netCDF4.Dataset(path) as file:
        described(file, answer)
        pipe.send(answer)


def dimensions_of(path):
    """What netCDF4 sees of the variables' dimensions; {} where it cannot, or crashes: hence a process of its own."""
    receiver, sender = multiprocessing.Pipe(False)
    process = multiprocessing.get_context("fork").Process(target=send_dimensions, args=(path, sender))
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(5) else {}
    except EOFError:
        return {}
    finally:
        process.kill()
        process.join()
        receiver.close()


def legal(name):
    """The name as netCDF accepts it."""
    return re.sub(r"^[^\w]|[\x00-\x1f\x7f/]| $", "_", name)


def compare_dimensions(input_path, product_path, report, verdict):
    """The same names, lengths and unlimitedness, where the NetCDF library itself sees names in the input."""
    before, after = dimensions_of(input_path), dimensions_of(product_path)
    parted = {entry["path"] for entry in report["notes"] if "is called 'unlimited_dim_" in entry["note"]}
    for entry in report["variables"]:
        if entry["path"] in parted:
            continue
        old = before.get(entry["path"].replace("/_nc4_non_coord_", "/"), [])
        new = after.get(entry["name"], [])
        for axis, (one, other) in enumerate(zip(old, new, strict=True) if old else ()):
            was_fixed_and_empty = one[1:] == (0, False)
            one = (legal(one[0]), *one[1:])  # noqa: PLW2901
            if not one[0].startswith("phony_dim_") and one != (other[:2] + (False,) if was_fixed_and_empty else other):
                verdict.wrong.append(f"{entry['path']}: dimension {axis} {one} became {other}")
            verdict.dimensions += not one[0].startswith("phony_dim_")


def judge(input_path, product_path, report):
    """Compare the product with the input; nothing may be missing that the report does not list."""
    verdict = Verdict()
    listed, listed_attributes = told(report, False), told(report, True)
    renamed = {path: match[1] for path, reason in listed.items()
               if (match := re.match(r"converted as '(.*)': (?:netCDF forbids|the name is)", reason))}
    with netCDF4.Dataset(product_path):
        pass  # it opens
    compare_dimensions(input_path, product_path, report, verdict)
    with h5py.File(input_path) as before, h5py.File(product_path) as after:
        compare_attributes("/", before, after, listed_attributes, verdict)
        for path, item in walk(before):
            target = "".join(f"/{renamed.get(path_of(path, depth), name)}" for depth, name in
                             enumerate(path[1:].split("/"), 1)).replace("/_nc4_non_coord_", "/")
            if path in listed and path not in renamed:
                verdict.listed += 1
                continue
            if any(path.startswith(f"{other}/") for other in listed if other not in renamed):
                continue
            if isinstance(item, h5py.Datatype) and isinstance(after.get(target), h5py.Datatype):
                continue
            if isinstance(item, h5py.Datatype) or not isinstance(item, (h5py.Group, h5py.Dataset)):
                verdict.wrong.append(f"{path}: {item!r} is not listed")
                continue
            found = find(after, target)
            if found is None:
                verdict.wrong.append(f"{path}: dropped in silence")
                continue
            if isinstance(item, h5py.Dataset):
                if is_pure_dimension(item):
                    verdict.equal += 1
                    continue
                if isinstance(found, h5py.Group):
                    compare_fields(path, item, found, listed, verdict)
                else:
                    compare_dataset(path, item, found, verdict)
            compare_attributes(path, item, found, listed_attributes, verdict)
    return verdict
