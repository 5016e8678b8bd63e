"""Products of the whole corpus open in the tools that their users have, or are listed with the cause."""

import re
import shutil
import subprocess

import netCDF4
import pytest
from programs import need
from support import ROOT

OPAQUE = "h5netcdf opens no file with an opaque type"
SEQUENCES = "xarray decodes no sequences that h5netcdf reads"
# What a tool cannot open, with the cause; docs/converter.md has the same table.
EXCEPTIONS = {
    ("nccopy", "h5repack_layouto.h5"): "9 EB of values, none of them stored",
    ("ncks", "h5repack_layouto.h5"): "9 EB of values, none of them stored",
    **{("xarray with h5netcdf", name): OPAQUE for name in (
        "h5diff_dset1.h5", "h5diff_dset2.h5", "h5diff_dset3.h5", "h5repack_objs.h5")},
    **{("xarray with h5netcdf", name): SEQUENCES for name in (
        "tempty.h5", "tvldtypes5.h5", "flavored_vlarrays-format1.6.h5", "vlunicode_endian.h5")},
    ("xarray", "CRM032_test1.nc"): "its only time is the fill value; the input itself fails alike",
}
# Hours or gigabytes: what reads all values does not get these, of which only a few are stored.
LARGE = ("tbigdims.h5", "tiny_huge_1d_over_maxint.hdf5", "chunked_v4_datasets.hdf5", "h5diff_hyper2.h5")
OWN_TYPES = "ncks: WARNING File contains "  # ... user-defined types, which it copies with --udt
COMMANDS = {
    "ncdump": ["ncdump", "-h", "{product}"],
    "nccopy": ["nccopy", "{product}", "{copy}"],
    "ncatted": ["ncatted", "-h", "-a", "Conventions,global,c,c,CF-1.6", "{product}", "{copy}"],
    "ncks": ["ncks", "-h", "--udt", "{product}", "{copy}"],
}


def short_name(path):
    """The file's name without the project that it comes from."""
    return path.name.removesuffix(".product").rpartition("__")[2]


@pytest.fixture(scope="module")
def products(plain, shared, tmp_path_factory):
    """The product of every readable file, by one process."""
    folder = tmp_path_factory.mktemp("products")
    inputs = [path for kind in ("hdf5", "granules") for path in sorted((shared / kind).iterdir())]
    pairs = "".join(f"{path}\0{folder / path.name}.product\0" for path in inputs)
    assert plain("--batch", input=pairs, timeout=300).returncode == 0
    made = sorted(folder.iterdir())
    assert len(made) >= 150
    yield made
    shutil.rmtree(folder)


def fails(tool, product, copy):
    """What the tool says of a product that it does not open, or None."""
    copy.unlink(missing_ok=True)
    command = [word.format(product=product, copy=copy) for word in COMMANDS[tool]]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, errors="replace")
    except subprocess.TimeoutExpired:
        return "takes longer than 60 s"
    told = [line for line in done.stderr.splitlines() if not line.startswith(OWN_TYPES)]
    return f"{done.returncode}: {done.stderr}" if done.returncode or any(told) else None


def expected(tool):
    return {name for other, name in EXCEPTIONS if other == tool}


@pytest.mark.parametrize("tool", COMMANDS)
def test_command_opens_every_product(products, tmp_path, tool):
    """With status 0 and no message; nccopy, ncatted and ncks copy it."""
    need(tool)
    failures = {short_name(product): text for product in products
                if tool not in ("nccopy", "ncks") or short_name(product) not in LARGE
                if (text := fails(tool, product, tmp_path / "copy.nc"))}
    assert failures.keys() == expected(tool), failures


def open_all(group):
    """Reads what there is, of each variable one value."""
    for variable in group.variables.values():
        assert variable.dimensions is not None and variable.ncattrs() is not None
        if variable.size:
            variable[(0,) * variable.ndim]
    for child in group.groups.values():
        open_all(child)


@pytest.mark.filterwarnings("ignore")
def test_netcdf4_python_opens_every_product(products):
    """All groups and variables, with a value of each."""
    for product in products:
        with netCDF4.Dataset(product) as opened:
            open_all(opened)


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
@pytest.mark.filterwarnings("ignore")
def test_xarray_opens_every_product(products, engine):
    """As a tree of groups, decoded."""
    xarray = pytest.importorskip("xarray")
    failures = {}
    for product in products:
        try:
            xarray.open_datatree(product, engine=engine).close()
        except Exception as error:  # whatever it raises is the finding
            failures[short_name(product)] = repr(error)
    assert failures.keys() == expected("xarray") | expected(f"xarray with {engine}"), failures


def test_exceptions_are_those_of_the_documentation():
    """Neither list is forgotten when the other changes."""
    text = (ROOT / "docs" / "converter.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| `([^`|]+)` \| ([^|]+) \|$", text.partition("## Tools that")[2], re.MULTILINE)
    documented = {(tool, name): cause for tools, name, cause in rows for tool in tools.split(", ")}
    assert documented == EXCEPTIONS
