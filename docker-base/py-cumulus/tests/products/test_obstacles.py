"""A granule whose data lie in other files is refused by name before any variable is opened."""

import ctypes

import h5py
import netCDF4
import numpy as np
import pytest
from h5py import h5d, h5g, h5p, h5s, h5t

from cumulus import CumulusError
from cumulus.browse import write_browse
from cumulus.compliance.scan import scan
from cumulus.metadata import make_record, write_metadata, write_ummg
from cumulus.process import process_granules
from cumulus.products import inspect
from cumulus.products.obstacles import DataElsewhere, refuse_data_elsewhere

SECRET = np.array([12.25, 34.5])  # degrees, in a file beside the granule


def external_storage(group, name, target):
    plan = h5p.create(h5p.DATASET_CREATE)
    plan.set_external(target.encode(), 0, 16)
    space = h5s.create_simple((2,))
    return h5py.Dataset(h5d.create(group.id, name.encode(), h5t.NATIVE_DOUBLE, space, plan))


def external_link(group, name, target):
    group[name] = h5py.ExternalLink(target, "/secret")


def virtual_dataset(group, name, target):
    layout = h5py.VirtualLayout((2,), "f8")
    layout[:] = h5py.VirtualSource(target, "/secret", (2,))
    return group.create_virtual_dataset(name, layout)


def hdf5_library():
    """The library that h5py uses: h5py itself does not compress groups."""
    with open("/proc/self/maps") as file:
        paths = {line.split()[-1] for line in file if "/libhdf5" in line and "_hl" not in line}
    return ctypes.CDLL(max(paths, key=lambda path: "h5py" in path))


def compressed_links(group, name, target):
    """External links, so many in a compressed group that no byte of them is in plain sight."""
    plan = h5p.create(h5p.GROUP_CREATE)
    assert hdf5_library().H5Pset_deflate(ctypes.c_int64(plan.id), 9) == 0
    inner = h5py.Group(h5g.create(group.id, b"packed", gcpl=plan))
    for number in range(50):
        inner[f"{name}{number}"] = h5py.ExternalLink(target, "/secret")


KINDS = {  # what makes it, where, and what the message says of it
    "external storage": (external_storage, "dataset '{}/lat' is stored in another file, {!r}"),
    "external link": (external_link, "'{}/lat' is a link into another file, {!r}"),
    "virtual dataset": (virtual_dataset, "dataset '{}/lat' shows another file, {!r}"),
    "compressed links": (compressed_links, "'{}/packed/lat0' is a link into another file, {!r}"),
}
GROUPS = {"root group": "/", "nested group": "/a/b"}


@pytest.fixture
def secret(tmp_path):
    """A file that no granule may show: as HDF5 by its path, as numbers at its beginning."""
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["secret"] = SECRET
    with open(path, "r+b") as file:
        file.write(SECRET.tobytes())
    return path


def write(path, kind, target, where="/", **options):
    """A granule of one latitude, one longitude and one time, the latitude being elsewhere."""
    with h5py.File(path, "w", **options) as file:
        group = file.require_group(where)
        dataset = KINDS[kind][0](group, "lat", str(target))
        if dataset is not None:
            dataset.attrs["units"] = "degrees_north"
        for name, units in (("lon", "degrees_east"), ("time", "seconds since 2020-01-01")):
            group[name] = [1.0, 2.0]
            group[name].attrs["units"] = units
    return path


def sentence(kind, where, target):
    return KINDS[kind][1].format(where.rstrip("/"), str(target))


@pytest.mark.parametrize("versions", ["earliest", "v110", "latest"])
@pytest.mark.parametrize("where", GROUPS.values(), ids=GROUPS)
@pytest.mark.parametrize("kind", KINDS)
def test_data_elsewhere_are_refused_by_name(tmp_path, secret, kind, where, versions):
    """Whatever version of the format the file has, and in whatever group they are."""
    options = {"libver": (versions, "latest")} if versions != "latest" else {"libver": "latest"}
    if kind == "virtual dataset":
        options["track_order"] = True
    path = write(tmp_path / "x.h5", kind, secret, where, **options)
    with pytest.raises(DataElsewhere) as error:
        refuse_data_elsewhere(path)
    assert sentence(kind, where, secret) in str(error.value)
    assert str(error.value).startswith("'x.h5' does not hold all of its data: ")
    assert str(error.value).endswith("write the values into the granule itself")


@pytest.mark.parametrize("size", [10_000, 1_000_000], ids=["small", "large"])
@pytest.mark.parametrize("kind", KINDS)
def test_file_of_the_netcdf_library_is_refused_as_well(tmp_path, secret, kind, size):
    """Its groups keep the order in which they were made; a large file is always walked through."""
    path = tmp_path / "x.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("n", size // 8)
        dataset.createVariable("data", "f8", ("n",))[:] = np.arange(size // 8)
    refuse_data_elsewhere(path)
    with h5py.File(path, "r+") as file:
        KINDS[kind][0](file, "lat", str(secret))
    with pytest.raises(DataElsewhere, match="does not hold all of its data"):
        refuse_data_elsewhere(path)


def browse(path, folder):
    write_browse(path, folder / "x.png")


STEPS = {
    "inspect": lambda path, folder: inspect(path),
    "record": lambda path, folder: make_record(path, "X"),
    "seed call": lambda path, folder: write_metadata(path, "X", outdir=folder),
    "UMM-G": lambda path, folder: write_ummg(path, "X", outdir=folder),
    "browse": browse,
    "cumulus check": lambda path, folder: scan(path),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", STEPS)
def test_step_that_opens_a_product_refuses_it_and_writes_nothing(tmp_path, secret, step, kind):
    """Each step for itself: a handler may leave any of them out."""
    if step == "browse":
        pytest.importorskip("matplotlib")
    path = write(tmp_path / "x.nc", kind, secret)
    (tmp_path / "made").mkdir()
    with pytest.raises(CumulusError, match="does not hold all of its data"):
        STEPS[step](path, tmp_path / "made")
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", ["check", "write_metadata"])
def test_granule_with_data_elsewhere_fails_alone_and_is_not_delivered(repository, kind, step):
    """The report names the dataset; granules before and after it are made."""
    target = repository.home / "secret"
    target.write_bytes(SECRET.tobytes())
    for name in ("CPL_A", "CPL_C"):
        with h5py.File(repository.input / f"{name}.hdf5", "w") as file:
            file["lat"] = [1.0]
    write(repository.input / "CPL_B.hdf5", kind, target)

    def make(granule):
        granule.copy()
        getattr(granule, step)()
        for path in granule.products.values():
            path.touch() if path.exists() else path.write_text("x")

    summary = process_granules(make, repository.input, repository.output, home=repository.home)
    assert summary.processed == ["CPL_A", "CPL_C"]
    assert sentence(kind, "/", target) in summary.failed["CPL_B"]
    assert summary.failed["CPL_B"].startswith("'CPL_B.nc' does not hold all of its data: ")
    assert not any("CPL_B" in name for name in repository.products())


def test_file_like_the_one_before_is_refused_all_the_same(tmp_path, secret):
    """The layout that an earlier granule had does not tell where the data of another one lie."""
    inspect(write_netcdf(tmp_path / "a.nc"))
    path = write_netcdf(tmp_path / "b.nc")
    with h5py.File(path, "r+") as file:
        del file["lat"]
        external_storage(file, "lat", str(secret)).attrs["units"] = "degrees_north"
    with pytest.raises(DataElsewhere, match="dataset '/lat' is stored in another file"):
        inspect(path)


def write_netcdf(path):
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("n", 2)
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east"),
                            ("time", "seconds since 2020-01-01")):  # fmt: skip
            variable = dataset.createVariable(name, "f8", ("n",))
            variable[:], variable.units = [1.0, 2.0], units
    return path


def test_virtual_dataset_of_the_same_file_is_read(tmp_path):
    """Its data lie in the granule, and its position is in the record."""
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["stored"] = SECRET
        layout = h5py.VirtualLayout((2,), "f8")
        layout[:] = h5py.VirtualSource(".", "/stored", (2,))
        file.create_virtual_dataset("lat", layout).attrs["units"] = "degrees_north"
        file["lon"] = [1.0, 2.0]
        file["lon"].attrs["units"] = "degrees_east"
    refuse_data_elsewhere(path)
    box = make_record(path, "X").extent.box
    assert (box.south, box.north) == (12.25, 34.5)


def circle(file):
    file["group/back"] = file["/"]


def soft_links(file):
    file["soft"], file["nowhere"] = h5py.SoftLink("/group/x"), h5py.SoftLink("/absent")


def committed_type(file):
    file["type"] = np.dtype([("n", "i4")])


def references(file):
    file.attrs["reference"] = file["group/x"].ref
    file.create_dataset("region", data=file["group/x"].regionref[:], dtype=h5py.regionref_dtype)


def never_written(file):
    file.create_dataset("chunked", (5,), "f8", chunks=(5,))
    file.create_dataset("contiguous", (5,), "f8")
    file["null"] = h5py.Empty("f4")


@pytest.mark.parametrize("content", [circle, soft_links, committed_type, references, never_written])
@pytest.mark.parametrize("versions", ["earliest", "latest"])
def test_what_stays_within_the_file_passes(tmp_path, content, versions):
    with h5py.File(tmp_path / "x.h5", "w", libver=versions) as file:
        file["group/x"] = np.zeros(100_000)  # large enough to be walked through
        content(file)
    refuse_data_elsewhere(tmp_path / "x.h5")


def test_user_defined_link_is_named(tmp_path):
    """Nobody knows where it leads; no library here follows one."""
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        file["x"] = [1.0]
        file["odd"] = h5py.ExternalLink("other.h5", "/x")
    content = path.read_bytes()
    assert content.count(b"\x01\x08\x40") == 1  # a link message of type 64
    path.write_bytes(content.replace(b"\x01\x08\x40", b"\x01\x08\x41"))
    with pytest.raises(CumulusError):
        inspect(path)
    with open(path, "ab") as file:
        file.write(bytes(800_000))  # a large file is walked through
    with pytest.raises(DataElsewhere, match="'/odd' is a user-defined link"):
        refuse_data_elsewhere(path)


@pytest.mark.parametrize("content", [b"", b"CDF\x01", b"text", b"\x89HDF\r\n\x1a\n"])
def test_other_formats_and_torn_files_are_left_to_others(tmp_path, content):
    """What is no HDF5 file passes; a torn one is an error of the system."""
    path = tmp_path / "x"
    path.write_bytes(content + bytes(800_000))
    if content.startswith(b"\x89HDF"):
        with pytest.raises(OSError):
            refuse_data_elsewhere(path)
    else:
        refuse_data_elsewhere(path)
