"""What a granule may hold, piece by piece: the property "kept, or listed with a reason" on files made for it."""

import subprocess

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import judge, read_report
from programs import need


@pytest.fixture
def convert(plain, tmp_path):
    """Fill an HDF5 file with the function, convert it, check everything in it; returns the product and messages."""
    def check(fill, **options):
        granule, product = tmp_path / "in.h5", tmp_path / "out.nc"
        with h5py.File(granule, "w", **options) as file:
            fill(file)
        done = plain("--report", tmp_path / "report", granule, product)
        assert done.returncode == 0, done.stderr
        assert judge(granule, product, read_report(tmp_path / "report")).wrong == []
        opened = netCDF4.Dataset(product)
        opened.set_auto_maskandscale(False)
        return opened, done.stderr
    return check


def table(variables="", attributes='{"/none", "x", "y"}'):
    """A converter's source with these rows."""
    return f"""#include "hdf5_to_netcdf.h"
static const struct variable variables[] = {{ {variables or '{"/none", "", "", "", "", ""}'} }};
static const struct attribute attributes[] = {{ {attributes} }};
int main(int argc, char **argv)
{{
    const struct tables tables = {{variables, ROWS(variables), attributes, ROWS(attributes)}};
    return convert_main(argc, argv, &tables);
}}
"""


TYPES = ["i1", "u1", "<i2", ">i2", "<u2", ">u4", "<i4", ">i8", "<u8", "<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "?"]


@pytest.mark.parametrize("layout", [{}, {"chunks": (3, 4)}, {"chunks": (3, 4), "compression": "gzip", "shuffle": True},
                                    {"chunks": (3, 4), "fletcher32": True},
                                    {"chunks": (3, 4), "compression": "gzip", "fletcher32": True},
                                    {"chunks": (3, 4), "maxshape": (None, None), "compression": "gzip"}],
                         ids=["contiguous", "chunked", "deflated", "checksum", "deflated and checksum", "unlimited"])
def test_every_number_type_in_every_layout(convert, layout):
    """Both byte orders, negative and large values, NaN and infinities."""
    def fill(file):
        for dtype in TYPES:
            data = np.arange(-30, 40).reshape(7, 10).astype(dtype)
            if data.dtype.kind == "f":
                data[0, :3] = np.nan, np.inf, -np.inf
            file.create_dataset(dtype, data=data, **layout)
            file[f"scalar {dtype}"] = data[6, 9]
    product, _ = convert(fill)
    assert len(product.variables) == 2 * len(TYPES)


def test_strings_of_every_kind(convert):
    def fill(file):
        file["variable"] = "text ü"
        file["several"] = np.array(["a", "", "ccc"], dtype=object)
        file["fixed"] = np.array([b"a", b"bb ", b""], "S4")
        file["scalar"] = np.bytes_("06Sep12")
        file.create_dataset("chunked", data=np.array(["x"] * 1000, dtype=object), chunks=(100,), compression="gzip")
        file.create_dataset("unwritten", (5,), dtype=h5py.string_dtype())
        space = h5py.h5t.C_S1.copy()
        space.set_size(6)
        space.set_strpad(h5py.h5t.STR_SPACEPAD)
        padded = h5py.h5d.create(file.id, b"padded", space, h5py.h5s.create_simple((2,)))
        padded.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([b"ab    ", b" c    "], "S6"), mtype=space)
        file.create_dataset("many", data=np.array([f"{n}" for n in range(100_000)], dtype=object))
    product, _ = convert(fill)
    assert product["padded"][:].tolist() == ["ab", " c"]
    assert product["scalar"].shape == ()


def test_characters_stay_characters(convert):
    """netCDF writes them as strings of one byte; each as a string of any length would take thirty times the room."""
    def fill(file):
        data = np.array([[b"a", b"", b"\xb5"]] * 1000, "S1")
        file.create_dataset("c", data=data, chunks=(100, 3), compression="gzip")
        file["c"].attrs["_FillValue"] = np.bytes_(b"x")
        file.create_dataset("filled", (9,), "S1", fillvalue=b"z")[2] = b"y"
        file["scalar"] = np.bytes_(b"q")
    product, messages = convert(fill)
    assert messages == ""
    assert all(product[name].dtype == np.dtype("S1") for name in ("c", "filled", "scalar"))
    assert product["c"]._FillValue == b"x" and product["filled"]._FillValue == b"z"
    assert product["filled"][:].tobytes() == b"zzyzzzzzz"


def test_float_with_another_bias_keeps_its_values(convert):
    def fill(file):
        kind = h5py.h5t.IEEE_F32LE.copy()
        kind.set_ebias(300)
        data = h5py.h5d.create(file.id, b"tiny", kind, h5py.h5s.create_simple((3,)))
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1e-60, 2e-55, 3e-50]))
    product, _ = convert(fill)
    assert product["tiny"].dtype == np.float64
    assert np.allclose(product["tiny"][:], [1e-60, 2e-55, 3e-50], rtol=1e-6, atol=0)


def test_attributes_that_netcdf_does_not_show_as_they_are_are_noted(convert):
    """They are in the product; readers of HDF5 see the first two, and the values of the others."""
    def fill(file):
        file["image"] = np.zeros((2, 2))
        file["image"].attrs["CLASS"] = np.bytes_("IMAGE")
        file["image"].attrs["_Format"] = 5
        file["image"].attrs["matrix"] = np.ones((2, 3))
        file["image"].attrs.create("state", 1, dtype=h5py.enum_dtype({"on": 1}))
    product, messages = convert(fill)
    assert product["image"].matrix.tolist() == [1] * 6 and product["image"].state == 1
    hidden = "kept, but the netCDF library hides attributes of this name"
    assert sorted(messages.splitlines()) == [
        f"_convert: note: '/image:CLASS': {hidden}", f"_convert: note: '/image:_Format': {hidden}",
        "_convert: note: '/image:matrix': its values are written as a list: netCDF attributes have no shape",
        "_convert: note: '/image:state': its numbers are kept, the names of its enumeration are not"]


def test_text_that_is_not_utf8_is_taken_for_latin1(convert):
    """Readers of NetCDF-4 stop at anything else; old files have it in strings and units."""
    def fill(file):
        file["sites"] = np.array([b"Z\xfcrich", b"Bern"], "S8")
        file["sites"].attrs["units"] = np.bytes_(b"\xb5m")
    product, messages = convert(fill)
    assert product["sites"].units == "µm"
    assert product["sites"][:].tolist() == ["Zürich", "Bern"]
    noted = "its text is not UTF-8: it is read as Latin-1"
    assert messages.splitlines() == [f"_convert: note: '/sites:units': {noted}", f"_convert: note: '/sites': {noted}"]


def test_name_that_is_not_utf8_is_taken_for_latin1(plain, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        h5py.h5d.create(file.id, b"\xb5 radius", h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((2,)))
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert "converted as 'µ radius': netCDF forbids its name" in done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert list(product.variables) == ["µ radius"]


def test_group_is_dropped_by_its_own_path_alone(build, tmp_path):
    """A glob that matches a group speaks of the datasets beside it."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        for name in ("Scratch/x", "Scratch/deep/y", "Data/z", "Datum"):
            file[name] = 1
    done = build(table('{"/Scratch", DROP}, {"/Dat*", DROP}'))(tmp_path / "in.h5", tmp_path / "out.nc")
    assert sorted(done.stderr.splitlines()) == [
        "_convert: note: '/Datum': dropped by the table",
        "_convert: note: '/Scratch': dropped by the table, with all that is in it"]
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert list(product.groups) == ["Data"] and list(product.variables) == []


def test_row_that_names_a_group_is_no_use_unless_it_drops(build, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["g/x"] = 1
    done = build(table('{"/g", "h"}', '{"/g/x", "a", "b"}'))("--list", tmp_path / "in.h5")
    assert "note: '/g': a row of the variables table matches nothing here" in done.stdout


def test_second_variable_of_a_name_is_noted(build, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["a"], file["b"] = 1, 2
    done = build(table('{"/a", "x"}, {"/b", "x"}'))(tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.stderr == "_convert: note: '/b': converted as 'x_2': the name is that of '/a'\n"


def test_units_of_the_variables_table_do_not_take_those_of_a_group(build, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["Data/x"] = np.arange(3)
        file["Data"].attrs["units"] = "kept"
    build(table('{"/Data*", "", "", "m"}'))(tmp_path / "in.h5", tmp_path / "out.nc")
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["Data"].units == "kept"


def test_fill_value_of_the_table_for_strings_is_a_string(build, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = "text"
    build(table("", '{"/x", "_FillValue", "none"}'))(tmp_path / "in.h5", tmp_path / "out.nc")
    done = subprocess.run([need("nccopy"), tmp_path / "out.nc", tmp_path / "copy.nc"], capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_table_can_remove_the_flags_of_an_enumeration(build, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.create_dataset("x", data=[0, 1], dtype=h5py.enum_dtype({"off": 0, "on": 1}))
    build(table("", '{"/x", "flag_meanings", ""}'))(tmp_path / "in.h5", tmp_path / "out.nc")
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["x"].ncattrs() == []


def test_text_after_a_zero_byte_is_left_out_by_name(convert):
    """numpy pads with zeros, so that a zero byte may stand within a string; netCDF's strings end there."""
    def fill(file):
        file["ends early"] = np.array([b"a\0b", b"c"], "S4")
        file["whole"] = np.array([b"ab", b"c\0\0\0"], "S4")
        file["whole"].attrs["ends early"] = np.bytes_(b"a\0b")
        file["whole"].attrs["whole"] = np.bytes_(b"ab\0\0")
    product, messages = convert(fill)
    assert product["ends early"][:].tolist() == ["a", "c"] and product["whole"][:].tolist() == ["ab", "c"]
    reason = "the text after its first zero byte: netCDF strings end there"
    assert messages.splitlines() == [
        f"_convert: left out '/whole:ends early': {reason}", f"_convert: left out '/ends early': {reason}"]


def test_enumerations_keep_their_type_with_their_names_as_flags(convert):
    """NetCDF-4's own type for its tools, CF's flags for others."""
    def fill(file):
        file.create_dataset("e", data=[0, 5, 5], dtype=h5py.enum_dtype({"RED": 0, "BLUE": 5}, basetype=">i2"))
        file["bool"] = np.array([True, False])
    product, _ = convert(fill)
    assert product["e"][:].tolist() == [0, 5, 5]
    for name, members in (("e", {"RED": 0, "BLUE": 5}), ("bool", {"FALSE": 0, "TRUE": 1})):
        variable = product[name]
        assert dict(zip(variable.flag_meanings.split(), variable.flag_values.tolist(), strict=True)) == members
        assert variable.datatype.enum_dict == members and variable.dtype == ("i2" if name == "e" else "i1")


def test_enumeration_with_a_value_that_has_no_name_keeps_its_numbers(convert):
    """ncdump and nccopy stop at such a value."""
    def fill(file):
        kind = h5py.enum_dtype({"RED": 1, "BLUE": 5}, basetype="i2")
        file.create_dataset("odd", data=[1, 7], dtype=kind)
        file.create_dataset("fill", data=[1, 5], dtype=kind, fillvalue=9)
        file.create_dataset("unwritten", (3,), dtype=kind)
        file.create_dataset("named", data=[1, 5], dtype=kind)
        file["named"].attrs["_FillValue"] = np.int16(5)
    product, stderr = convert(fill)
    for name in ("odd", "fill", "unwritten"):
        assert product[name].datatype == np.dtype("i2") and product[name].flag_meanings in ("RED BLUE", "BLUE RED")
        assert f"note: '/{name}': its numbers are kept: a value or its fill value has no name in its enu" in stderr
    assert product["named"].datatype.enum_dict == {"RED": 1, "BLUE": 5}


def test_what_is_not_supported_is_listed_by_reason(convert):
    def fill(file):
        file["reference"] = np.array([file.ref], dtype=h5py.ref_dtype)
        file.create_dataset("references", (2,), dtype=h5py.vlen_dtype(h5py.ref_dtype))
        file["empty"] = h5py.Empty("f4")
        file["type"] = np.dtype("f8")
        file["external"] = h5py.ExternalLink("other.h5", "/x")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["long double"] = np.zeros(2, np.longdouble)
        file["kept"] = 1
    _, stderr = convert(fill)
    for name, reason in {"reference": "reference: not supported", "references": "reference: not supported",
                         "empty": "it has no value", "type": "named data type: not supported",
                         "external": "external link", "dangling": "without a target",
                         "long double": "wider than 8 bytes: not supported"}.items():
        assert any(line.startswith(f"_convert: left out '/{name}': ") and reason in line
                   for line in stderr.splitlines()), name


def test_named_enumeration_is_kept_under_its_name(plain, tmp_path):
    """Every enumeration of a netCDF-4 file is named: nothing of it is lost."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        kind = file.createEnumType(np.int8, "cloud", {"clear": 0, "cloudy": 1})
        file.createDimension("x", 2)
        file.createVariable("c", kind, ("x",))[:] = [0, 1]
    done = plain("--strict", tmp_path / "in.nc", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "")
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert (product["c"].datatype.name, list(product.enumtypes)) == ("cloud", ["cloud"])
        assert product["c"].flag_meanings == "clear cloudy"


def test_virtual_dataset_is_left_out_by_a_true_reason(convert):
    """Its source may be in the same file, and is converted there."""
    def fill(file):
        file["source"] = np.arange(4)
        layout = h5py.VirtualLayout((4,), "i8")
        layout[:] = h5py.VirtualSource(".", "source", (4,))
        file.create_virtual_dataset("v", layout)
    product, stderr = convert(fill)
    assert list(product.variables) == ["source"]
    assert stderr == ("_convert: left out '/v': virtual dataset: its data lie in other datasets, of this file or of "
                      "others\n")


def test_links_are_noted_and_the_object_converted_once(convert):
    def fill(file):
        file["a/x"] = np.arange(3)
        file["b"] = file["a/x"]
        file["soft"] = h5py.SoftLink("/a/x")
        file["a/loop"] = file["/"]
    product, stderr = convert(fill)
    assert list(product.groups) == ["a"]
    assert "note: '/soft': soft link" in stderr
    assert "note: '/b': another name of '/a/x'" in stderr
    assert "note: '/a/loop': another name of '/'" in stderr


def test_a_filter_without_plug_in_leaves_out_its_dataset_only(convert):
    def fill(file):
        file.create_dataset("lzf", data=np.arange(100), compression="lzf")
        file["kept"] = 1
    product, stderr = convert(fill)
    assert list(product.variables) == ["kept"]
    assert stderr == "_convert: left out '/lzf': no plug-in for its filter 32000 (lzf)\n"


def test_filters_that_netcdf_lacks_are_decoded(convert):
    def fill(file):
        file.create_dataset("scaleoffset", data=np.arange(100), chunks=(10,), scaleoffset=0)
        file.create_dataset("level 9", data=np.arange(100.), chunks=(10,), compression=9)
    product, _ = convert(fill)
    assert product["scaleoffset"].filters()["zlib"]
    assert product["level 9"].filters()["complevel"] == 9


def test_dimension_scales_name_the_dimensions(convert):
    """Also where the scale lies in a sibling group: the dimension moves up to where both see it."""
    def fill(file):
        file["geo/time"] = np.arange(4.0)
        file["height"] = np.arange(3.0)
        file["geo/time"].make_scale("t")
        file["height"].make_scale()
        file["science/x"] = np.zeros((4, 3))
        file["science/x"].dims[0].attach_scale(file["geo/time"])
        file["science/x"].dims[1].attach_scale(file["height"])
    product, _ = convert(fill)
    assert product["science/x"].dimensions == ("time", "height")
    assert list(product.dimensions) == ["time", "height"] or set(product.dimensions) == {"time", "height"}
    assert product["height"].dimensions == ("height",)


def test_unlimited_dimensions_stay_unlimited(convert):
    def fill(file):
        file.create_dataset("time", data=np.arange(5.0), maxshape=(None,), chunks=(2,))
        file["time"].make_scale()
        file.create_dataset("x", data=np.ones((5, 3)), maxshape=(None, 3), chunks=(2, 3), compression="gzip")
        file["x"].dims[0].attach_scale(file["time"])
        file.create_dataset("alone", data=np.arange(7), maxshape=(None,), chunks=(4,))
    product, _ = convert(fill)
    assert product.dimensions["time"].isunlimited() and len(product.dimensions["time"]) == 5
    assert product["x"].dimensions == ("time", "dim_3")
    assert product["alone"].dimensions == ("unlimited_dim_7",)


def test_axes_of_one_length_without_scales_share_a_dimension(convert):
    def fill(file):
        file["a"], file["b"] = np.zeros((4, 5)), np.zeros(5)
        file["square"] = np.zeros((5, 5))
    product, _ = convert(fill)
    assert product["a"].dimensions == ("dim_4", "dim_5")
    assert product["b"].dimensions == ("dim_5",)
    assert product["square"].dimensions == ("dim_5", "dim_5_2")


def test_zero_length_axes_and_sparse_chunks(convert):
    def fill(file):
        file.create_dataset("zero", (0, 5), "f4")
        file.create_dataset("sparse", (1000, 10), "f4", chunks=(10, 10), compression="gzip", fillvalue=-1)[500] = 3
        file.create_dataset("sparse zero", (1000,), "i4", chunks=(10,))[500] = 3
        file.create_dataset("never", (1000, 1000), "f8", fillvalue=7)
        partly = file.create_dataset("attribute differs", (40,), "f4", chunks=(10,), fillvalue=-1)
        partly[:5] = 2
        partly.attrs["_FillValue"] = np.float32(-9)
    product, _ = convert(fill)
    assert product["sparse"]._FillValue == -1
    assert "_FillValue" not in product["sparse zero"].ncattrs()
    assert product["attribute differs"]._FillValue == -9


def test_attributes_of_every_kind_and_size(convert):
    def fill(file):
        data = file.create_dataset("x", data=np.arange(3.0))
        for where in (file, data, file.create_group("g")):
            where.attrs["text"] = "ü"
            where.attrs["bytes"] = np.bytes_("fixed")
            where.attrs["empty text"] = ""
            where.attrs["texts"] = ["a", "bb", ""]
            where.attrs["number"] = np.float32(1.5)
            where.attrs["numbers"] = np.arange(5, dtype=">i8")
            where.attrs["matrix"] = np.ones((2, 3), "u2")
            where.attrs["bool"] = True
            where.attrs["huge"] = "x" * 1_000_000
            where.attrs["many"] = np.arange(100_000.0)
            where.attrs["null"] = h5py.Empty("f4")
            where.attrs["@odd name"] = 1
    product, stderr = convert(fill, libver=("v108", "v110"))
    assert len(product.huge) == 1_000_000
    assert stderr.count("converted as '_odd name': netCDF forbids its name") == 3
    assert product["x"].getncattr("_odd name") == 1


def test_fill_value_attribute_gets_the_type_of_its_variable(convert):
    def fill(file):
        file["x"] = np.arange(3, dtype="i2")
        file["x"].attrs["_FillValue"] = -999.0
        file["y"] = np.arange(3.0)
        file["y"].attrs["_FillValue"] = "none"
    product, stderr = convert(fill)
    assert product["x"]._FillValue == -999 and product["x"]._FillValue.dtype == np.int16
    assert stderr == "_convert: left out '/y:_FillValue': it is not a single value of the variable's type\n"


def test_names_that_netcdf_forbids_are_changed_and_noted(convert):
    def fill(file):
        for name in ("@x", " y", "(a)", "z ", "n" * 300, "a b", "tab\t", "é"):
            file[name] = 1
        file["@g/x"] = 1
    product, stderr = convert(fill)
    assert len(product.variables) == 8
    assert "note: '/@x': converted as '_x': netCDF forbids its name" in stderr
    assert product["_g"]["x"][...] == 1


def test_boxes_of_large_and_odd_shapes(convert):
    """Larger than a box along one axis, several, or all; streamed and moved as stored."""
    rng = np.random.default_rng(1)

    def fill(file):
        file["long"] = rng.random(1_300_001)
        file["wide"] = rng.random((3, 700_000))
        file["deep"] = rng.random((30, 40, 50, 20))
        file.create_dataset("chunked", data=rng.random((301, 1999)), chunks=(64, 300), compression="gzip",
                            scaleoffset=None, shuffle=True)
        file.create_dataset("decoded", data=rng.integers(0, 99, (301, 1999)), chunks=(64, 300), scaleoffset=0)
        file.create_dataset("large chunk", data=rng.random((3, 1_000_000)), chunks=(2, 900_000))
    convert(fill)


STRUCT_METADATA = """GROUP=SwathStructure
\tGROUP=SWATH_1
\t\tSwathName="Ozone"
\t\tGROUP=DataField
\t\t\tOBJECT=DataField_1
\t\t\t\tDataFieldName="O3"
\t\t\t\tDataType=H5T_NATIVE_FLOAT
\t\t\t\tDimList=("nTimes","nLevels")
\t\t\tEND_OBJECT=DataField_1
\t\tGROUP=GeoField
\t\t\tOBJECT=GeoField_1
\t\t\t\tGeoFieldName="Latitude"
\t\t\t\tDimList=("nTimes")
END
"""


def test_hdf_eos5_dimension_names_come_from_the_struct_metadata(convert):
    def fill(file):
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(STRUCT_METADATA)
        file["HDFEOS/SWATHS/Ozone/Data Fields/O3"] = np.zeros((5, 5), "f4")
        file["HDFEOS/SWATHS/Ozone/Geolocation Fields/Latitude"] = np.zeros(5, "f4")
    product, _ = convert(fill)
    swath = product["HDFEOS/SWATHS/Ozone"]
    assert swath["Data Fields/O3"].dimensions == ("nTimes", "nLevels")
    assert swath["Geolocation Fields/Latitude"].dimensions == ("nTimes",)


def test_table_names_moves_and_describes(build, tmp_path):
    converter = build(table('{"/g/t", "/time", "time", "s", "time", "long"}, {"/g/*", "", "time", "K", "", ""}',
                            '{"/g/x", "_FillValue", "-1"}, {"/g/x", "valid_range", "0 10"},'
                            '{"/g/x", "scale_factor", "0.5"}, {"/g/x", "old", ""}, {"/g", "note", "group"}'))
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["g/t"], file["g/x"] = np.arange(3.0), np.arange(3, dtype="i2")
        file["g/x"].attrs.update({"units": "C", "old": 1})
    assert converter(tmp_path / "in.h5", tmp_path / "out.nc").returncode == 0
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["time"].dimensions == ("time",)
        x = product["g/x"]
        assert (x.units, x._FillValue, x.valid_range.tolist(), x.scale_factor) == ("K", -1, [0, 10], 0.5)
        assert x.valid_range.dtype == np.int16 and "old" not in x.ncattrs()
        assert product["g"].note == "group"


@pytest.mark.parametrize("row, status, message", [
    ('{"/x", "", "a b", "", "", ""}', 2, "cannot convert '/x': the table names 2 dimensions, the dataset has 1"),
], ids=["rank"])
def test_table_that_does_not_fit_fails_by_name(build, tmp_path, row, status, message):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = np.arange(3)
    done = build(table(row))(tmp_path / "in.h5", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (status, f"_convert: {message}\n")


def test_attribute_value_that_is_no_number_fails_by_name(build, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = np.arange(3)
    done = build(table("", '{"/x", "valid_min", "low"}'))(tmp_path / "in.h5", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (
        2, "_convert: cannot convert '/x': the table's value 'low' of valid_min must be numbers of the variable's "
           "type, separated by blanks\n")
