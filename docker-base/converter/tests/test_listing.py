"""What --list and --table print of a granule."""

import re
import subprocess

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import dimensions_of
from converter.tests.products import attributes
from converter.tests.test_features import table

HOSTILE = ["quote\"d", "back\\slash", "what??/", "??=", "{{a}}", "{% b %}", "{#c", "gr\u00fcn", "tab\tand\nline", "a*",
           "ab", "x[1]", "x1", "\u202eright to left", "100%", "*/ //", "0"]


def printed(converter, granule):
    """The table as text; nothing is said on the way."""
    done = subprocess.run([converter.program, "--table", granule], capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout


def program(printed_table, source):
    """A converter's source with the printed table in place of its own."""
    return re.sub(r"static const struct variable variables.*?};\n", lambda _: printed_table, source, count=1,
                  flags=re.DOTALL)


def content(path):
    """Everything that a table may speak of: names, dimensions and attributes of all variables."""
    def walk(group):
        yield from ((f"{group.path}/{name}", {key: str(value) for key, value in attributes(variable).items()})
                    for name, variable in group.variables.items())
        for inner in group.groups.values():
            yield from walk(inner)
    with netCDF4.Dataset(path) as product:
        return dict(walk(product)), dimensions_of(path)


def same_product(build, converter, granule, folder):
    """The printed table gives what a converter without any gives."""
    text = printed(converter, granule).decode()
    assert not re.search(r"\{[{%#]", text)
    again = build(program(text, table()))
    assert converter(granule, folder / "before.nc").returncode == 0
    done = again(granule, folder / "after.nc")
    assert done.returncode == 0, done.stderr
    assert content(folder / "before.nc") == content(folder / "after.nc")
    return text


def test_printed_table_gives_the_same_product(build, plain, sample, tmp_path):
    for granule, _ in sample:
        same_product(build, plain, granule, tmp_path)


@pytest.mark.parametrize("name", ["IMPACTS_AVAPS_PQC_20220208_142943.nc", "IMPACTS_CRS_L1B_RevB_20200201_subset.h5",
                                  "ISS_LIS_BG_V3.0_20170702_000346_FIN.nc"])
def test_printed_table_of_a_real_granule_gives_the_same_product(build, plain, shared, tmp_path, name):
    same_product(build, plain, shared / "granules" / name, tmp_path)


def test_printed_table_of_hostile_names_gives_the_same_product(build, plain, tmp_path):
    """Quotes, trigraphs, globs, braces of templates, letters that turn their direction."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        for number, name in enumerate(HOSTILE):
            file[f"g/{name}"] = np.arange(number + 2)
            file[f"g/{name}"].attrs.update({"units": name, "long_name": name * 3, "n": number})
        file["long"] = 1
        file["long"].attrs["long_name"] = "x" * 5000
    text = subprocess.run([plain.program, "--table", tmp_path / "in.h5"], capture_output=True, check=True).stdout
    text = text.decode()  # forbidden names are noted on standard error
    assert not re.search(r"\{[{%#]", text) and "gr\u00fcn" in text
    again = build(program(text, table()))
    for converter, name in ((plain, "before.nc"), (again, "after.nc")):
        assert converter(tmp_path / "in.h5", tmp_path / name).returncode == 0
    assert content(tmp_path / "before.nc") == content(tmp_path / "after.nc")


def test_printed_table_keeps_unlimited_dimensions_and_scales(build, plain, tmp_path):
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        file.createDimension("time", None)
        inner = file.createGroup("inner")
        inner.createDimension("x", 3)
        file.createVariable("time", "f8", ("time",))[:3] = 1
        inner.createVariable("a", "i4", ("time", "x"))[:5] = 1
        inner.createVariable("x", "i4", ("x",))[:] = 1
    text = same_product(build, plain, tmp_path / "in.nc", tmp_path)
    assert '{"/inner/a", "", "time x", "", "", ""},' in text


def test_printed_table_says_what_the_file_says_alone(build, plain, tmp_path):
    """The converter's own table may still be that of the starter sample, and not fit."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["a"], file["b"] = np.zeros((2, 3)), 2
        file["a"].attrs["units"] = "K"
    own = build(table('{"/a", "new", "time", "m"}, {"/b", DROP}'))
    assert own("--list", tmp_path / "in.h5").returncode == 2
    text = printed(own, tmp_path / "in.h5")
    assert text == printed(plain, tmp_path / "in.h5") and b'{"/a", "", "dim_2 dim_3", "K", "", ""},' in text


def test_printed_table_leaves_each_granule_its_own_begin(build, plain, tmp_path):
    """A table printed of one day's granule gives a granule of another day the units of that day."""
    for day in ("23", "30"):
        with h5py.File(tmp_path / f"{day}.h5", "w") as file:
            file["time"], file["T"] = np.arange(3.0), np.zeros(3)
            file["time"].attrs["units"] = f"seconds since 2017-10-{day}T18:00:00Z"
            file["T"].attrs["units"] = "K"
    text = printed(plain, tmp_path / "23.h5").decode()
    assert '{"/time", "", "dim_3", "" /* each file\'s own */, "", ""},' in text
    assert '{"/T", "", "dim_3", "K", "", ""},' in text
    assert build(program(text, table()))(tmp_path / "30.h5", tmp_path / "out.nc").returncode == 0
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["time"].units == "seconds since 2017-10-30T18:00:00Z"


def test_list_shows_type_dimensions_and_units_in_columns(plain, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["a"], file["longer"], file["\u00fc"] = np.zeros((2, 3), "f4"), "text", np.int16(1)
        file["a"].attrs["units"] = "K"
    assert plain("--list", tmp_path / "in.h5").stdout.splitlines() == [
        "variable '/a':      /a       float   (dim_2=2, dim_3=3)  K",
        "variable '/longer': /longer  string  ()",
        "variable '/\u00fc':      /\u00fc       short   ()"]
