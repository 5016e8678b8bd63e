"""Any small HDF5 file: what is in it is in the product, or listed; and other programs open the product."""

import shutil
import subprocess

import h5netcdf
import h5py
import hypothesis.strategies as st
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import judge, read_report
from hypothesis import HealthCheck, given, settings

NAMES = st.one_of(st.sampled_from(["a", "b", "time", "x y", "é", "_c", "@d", "dim_3", "9"]),
                  st.text("abcXYZ01_-. ", min_size=1, max_size=6).filter(lambda name: name.strip(". ") == name))
NUMBERS = st.sampled_from(["i1", "u1", "<i2", ">i2", "<u4", ">i8", "<u8", "<f4", ">f8", "<f2", "?"])
TEXTS = st.sampled_from([h5py.string_dtype(), "S3", h5py.string_dtype("ascii", 5)])
EXOTIC = st.sampled_from([h5py.ref_dtype, h5py.vlen_dtype("i4"), np.dtype("V3"), h5py.vlen_dtype(">f8"),
                          h5py.enum_dtype({"OFF": 0, "ON/OFF": 4}, basetype=">i2")])
FIELD_NAMES = st.sampled_from(["a", "b", "time", "x y", "é", "@d", "km/h", "v.1"])  # no OUTER.INNER
FIELD_NUMBERS = NUMBERS.filter(lambda kind: kind != "?")  # they are filled with bytes that are no booleans
LEAVES = st.one_of(FIELD_NUMBERS, TEXTS, EXOTIC, st.tuples(FIELD_NUMBERS, st.sampled_from([(2,), (2, 3)])))


def compounds(leaves):
    """Compounds of a few fields; a pair of type and shape is an array."""
    fields = st.dictionaries(FIELD_NAMES, leaves, min_size=1, max_size=4)
    return fields.map(lambda named: np.dtype([(name, *kind) if isinstance(kind, tuple) else (name, kind)
                                              for name, kind in named.items()]))


COMPOUNDS = compounds(st.one_of(LEAVES, compounds(LEAVES)))
SHAPES = st.lists(st.integers(0, 5), max_size=3).map(tuple)
FILTERS = st.sampled_from([{}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True}, {"fletcher32": True},
                           {"compression": "lzf"}, {"compression": "gzip", "fletcher32": True}])
VALUES = st.one_of(st.text("aé \n", max_size=5), st.integers(-2**31, 2**31), st.floats(width=32),
                   st.lists(st.integers(0, 9), max_size=4), st.lists(st.sampled_from(["", "a", "ü"]), min_size=1),
                   st.just(h5py.Empty("f4")), st.booleans())
DATASET = st.fixed_dictionaries({
    "kind": st.just("dataset"), "name": NAMES, "dtype": st.one_of(NUMBERS, TEXTS, EXOTIC, COMPOUNDS), "shape": SHAPES,
    "chunked": st.booleans(), "unlimited": st.booleans(), "filters": FILTERS, "fill": st.sampled_from([None, 0, 7]),
    "written": st.sampled_from(["all", "some", "none"]), "scale": st.booleans(),
    "attributes": st.dictionaries(NAMES, VALUES, max_size=3)})
LINK = st.fixed_dictionaries({"kind": st.sampled_from(["soft", "external", "hard"]), "name": NAMES, "target": NAMES})
GROUP = st.fixed_dictionaries({"kind": st.just("group"), "name": NAMES,
                               "attributes": st.dictionaries(NAMES, VALUES, max_size=2)})
MEMBERS = st.lists(st.tuples(st.integers(0, 2), st.one_of(DATASET, DATASET, LINK, GROUP)), max_size=8)


def add_dataset(group, spec):
    shape, dtype, options = spec["shape"], np.dtype(spec["dtype"]), {}
    is_number = dtype.kind in "iuf" and not dtype.metadata
    is_plain = dtype.names and not dtype.hasobject  # h5py writes these from bytes
    if spec["chunked"] and shape and all(shape):
        options = {"chunks": tuple(max(1, length - 1) for length in shape), **(spec["filters"] if is_number else {})}
        options["maxshape"] = tuple(None if spec["unlimited"] else length for length in shape)
    if spec["fill"] is not None and is_number:
        options["fillvalue"] = spec["fill"]
    dataset = group.create_dataset(spec["name"], shape, dtype, **options)
    if is_number and spec["written"] != "none" and 0 not in shape:
        values = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
        dataset[...] = values
        if spec["written"] == "some" and shape and options.get("maxshape", [0])[0] is None:
            dataset.resize(shape[0] + 3, axis=0)
    elif is_plain and spec["written"] != "none" and 0 not in shape:
        dataset[...] = np.resize(np.arange(97, 122, dtype="u1"), np.prod((*shape, dtype.itemsize), dtype=int)) \
            .view(dtype).reshape(shape)
    elif h5py.check_string_dtype(dtype) and 0 not in shape:
        dataset[...] = "ab"
    if spec["scale"] and len(shape) == 1 and is_number:
        dataset.make_scale()
    return dataset


def add(group, spec):
    if spec["name"] in group or spec["name"] in (".", ".."):
        return
    if spec["kind"] == "soft":
        group[spec["name"]] = h5py.SoftLink(spec["target"])
    elif spec["kind"] == "external":
        group[spec["name"]] = h5py.ExternalLink("absent.h5", "/x")
    elif spec["kind"] == "hard":
        if group.get(spec["target"], getlink=True).__class__ is h5py.HardLink:
            group[spec["name"]] = group[spec["target"]]
    else:
        made = add_dataset(group, spec) if spec["kind"] == "dataset" else group.create_group(spec["name"])
        for name, value in spec["attributes"].items():
            made.attrs[name] = value


def attach_scales(file):
    """Each axis gets the first scale of its length, as writers with scales do."""
    datasets = []
    file.visititems(lambda _, item: datasets.append(item) if isinstance(item, h5py.Dataset) else None)
    scales = [item for item in datasets if item.is_scale]
    for item in datasets:
        for axis, length in enumerate(item.shape if not item.is_scale else ()):
            for scale in (scale for scale in scales if scale.shape == (length,)):
                item.dims[axis].attach_scale(scale)
                break


def write(path, members):
    with h5py.File(path, "w", track_order=len(members) % 2 == 0) as file:
        groups = [file, file.create_group("g"), file.create_group("g/h")]
        for where, spec in members:
            add(groups[where], spec)
        attach_scales(file)


def holds_opaque(path):
    """Whether a committed type of the file is opaque."""
    with h5py.File(path) as file:
        return any(isinstance(item, h5py.Datatype) and item.id.get_class() == h5py.h5t.OPAQUE
                   for item in map(file.get, file))


@pytest.mark.filterwarnings("ignore:WARNING. variable")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow,
                                 HealthCheck.data_too_large])
@given(members=MEMBERS)
def test_any_file_is_kept_or_listed_and_opens(plain, tmp_path, members):
    """Groups, types, storage, filters, fill values, scales, attributes and links, in every combination."""
    granule, product = tmp_path / "in.h5", tmp_path / "out.nc"
    product.unlink(missing_ok=True)
    write(granule, members)
    done = plain("--report", tmp_path / "report", granule, product)
    if done.returncode == 4:
        assert "no variable is left of its data" in done.stderr and not product.exists()
        return
    assert done.returncode == 0, done.stderr
    assert judge(granule, product, read_report(tmp_path / "report")).wrong == []
    if not holds_opaque(product):  # h5netcdf opens no file with such a type, netCDF4-python passes over it
        with netCDF4.Dataset(product) as one, h5netcdf.File(product, "r") as other:
            assert list(one.variables) == list(other.variables) and list(one.groups) == list(other.groups)
            assert all(variable.dimensions == other[name].dimensions for name, variable in one.variables.items())
    if ncdump := shutil.which("ncdump"):
        told = subprocess.run([ncdump, product], capture_output=True, text=True, errors="replace", timeout=30,
                              check=False)
        assert (told.returncode, told.stderr) == (0, "")
