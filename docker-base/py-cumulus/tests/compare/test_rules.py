"""Comparison of NetCDF files: hard pairs, rules, coordinates, stored chunks."""

import h5py
import netCDF4
import numpy as np
import pytest
from netcdf_files import rewritten

from cumulus.collection import CompareRules, Tolerance
from cumulus.compare import compare, compare_files, located, netcdf
from cumulus.compare import stored_chunks as compare_chunks
from cumulus.compare.located import Coordinates

RULES = CompareRules(rtol=1e-6)


def granule(path, change=None, *, date="2026-01-01", zlib=True):
    """Write a small curtain with coordinates, a packed variable, a group and a text."""
    rng = np.random.default_rng(0)
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.setncatts({"title": "t", "history": date, "date_created": date})
        dataset.createDimension("time", 200)
        dataset.createDimension("z", 50)
        options = {"zlib": zlib}
        time = dataset.createVariable("time", "f8", ("time",), **options)
        time.units, time[:] = "seconds since 2012-09-06", np.arange(200.0)
        z = dataset.createVariable("z", "f4", ("z",))
        z.units, z[:] = "m", np.linspace(0, 18000, 50)
        lat = dataset.createVariable("lat", "f8", ("time",))
        lat.units, lat.standard_name = "degrees_north", "latitude"
        lat[:] = np.linspace(10, 30, 200)
        atb = dataset.createVariable("atb", "f4", ("time", "z"), fill_value=-9999.0, **options)
        atb.units = "km-1 sr-1"
        temp = dataset.createVariable("temp", "i2", ("time",), fill_value=-32768, **options)
        temp.units = "K"
        temp.scale_factor, temp.add_offset = 0.01, 273.15
        group = dataset.createGroup("geo")
        group.note = "n"
        group.createVariable("q", "i4", ("time",))[:] = np.arange(200)
        group.createVariable("flight", str, ())[...] = "12203a"
        dataset.set_auto_maskandscale(False)
        values = rng.random((200, 50)).astype("f4")
        values[3, 4], values[5, 6] = -9999.0, np.nan
        atb[:] = values
        temp[:] = (rng.random(200) * 1000).astype("i2")
        temp[7] = -32768
        if change:
            change(dataset)
    return path


def put(name, index, value):
    def change(dataset):
        dataset[name][index] = value

    return change


def scaled(dataset, index, factor):
    dataset["atb"][index] *= factor


def attribute(name, key, value):
    return lambda dataset: (dataset[name] if name else dataset).setncattr(key, value)


def repack(dataset):
    """Pack the same temperatures in steps of 0.02 K, which rounds half of them."""
    temp = dataset["temp"]
    valid = temp[:] != -32768
    temp.scale_factor = 0.02
    temp[:] = np.where(valid, temp[:] // 2, -32768)


# Pairs of files; no other tool judges all of them rightly.
EQUAL = {
    "same": {},
    "uncompressed": {"zlib": False},
    "volatile attributes": {"date": "2026-11-22"},
    "within the tolerance": {"change": lambda d: scaled(d, (10, 10), 1.0000005)},
}
DIFFERENT = {
    "values": lambda d: scaled(d, slice(20, 25), 1.5),
    "a new NaN": put("atb", (7, 8), np.nan),
    "fill became NaN": put("atb", (3, 4), np.nan),
    "NaN became fill": put("atb", (5, 6), -9999.0),
    "units": attribute("atb", "units", "m-1 sr-1"),
    "type of an attribute": attribute("temp", "scale_factor", np.float32(0.01)),
    "packing": repack,
    "value in a group": put("geo/q", 5, -1),
    "attribute of a group": attribute("geo", "note", "changed"),
    "text": put("geo/flight", (), "12203b"),
    "one variable more": lambda d: d.createVariable("extra", "f4", ("time",)),
    "title": attribute("", "title", "other"),
    "text as string": lambda d: d.setncattr_string("title", "t"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return granule(tmp_path_factory.mktemp("base") / "base.nc")


@pytest.mark.parametrize("case", EQUAL)
def test_pair_that_is_equal(base, tmp_path, case):
    """Storage, volatile attributes and rounding do not count."""
    assert compare_files(base, granule(tmp_path / "other.nc", **EQUAL[case]), RULES) == []


def test_pair_that_was_rewritten_by_another_program_is_equal(base, tmp_path):
    """Chunks, compression and the order of attributes do not count."""
    assert compare_files(base, rewritten(tmp_path / "other.nc", base), RULES) == []


@pytest.mark.parametrize("case", DIFFERENT)
def test_pair_that_differs(base, tmp_path, case):
    """The difference is reported, and nothing else."""
    differences = compare_files(base, granule(tmp_path / "other.nc", DIFFERENT[case]), RULES)
    assert len({difference.variable for difference in differences}) == 1


@pytest.mark.parametrize("options", [{"skip": ("lat",)}, {"kinds": {"atb": "f8"}}])
def test_missing_variable_and_other_type_are_found(base, tmp_path, options):
    """Another type with equal values is a difference."""
    assert compare_files(base, rewritten(tmp_path / "other.nc", base, **options), RULES)


# --- where, and what to read -----------------------------------------------------------------


def test_difference_says_where_and_how_much(base, tmp_path):
    """The message has index and coordinates of the worst value, both values, counts and sizes."""

    def change(dataset):
        dataset["atb"][10, 20] += 2
        dataset["atb"][0, 0] += 1

    (difference,) = compare_files(base, granule(tmp_path / "other.nc", change), RULES)
    values = difference.values
    assert (difference.category, difference.variable) == ("value", "/atb")
    assert (values.index, values.differing, values.total) == ((10, 20), 2, 10_000)
    assert values.coordinates == {"time": "2012-09-06T00:00:10Z", "z": "7346.939 m"}
    assert values.largest == pytest.approx(2) and values.shape == (200, 50)
    assert float(values.actual) == pytest.approx(float(values.expected) + 2)
    assert "worst at [10][20] (time 2012-09-06T00:00:10Z, z 7346.939 m): expected 0." in str(
        difference
    )


def test_coordinates_attribute_and_marked_variables_say_where(tmp_path):
    """Auxiliary coordinates are named for dimensions without a variable of their name."""

    def write(path, value):
        with netCDF4.Dataset(path, "w") as dataset:
            dataset.createDimension("record", 3)
            dataset.createDimension("bin", 2)
            for name, dimensions, attributes in (
                ("clock", ("record",), {"units": "days since 2011-12-31"}),
                ("height", ("bin",), {"units": "m", "axis": "Z"}),
                ("count", ("bin",), {}),
                ("where", ("record", "bin"), {"units": "degrees_north"}),
            ):
                variable = dataset.createVariable(name, "f8", dimensions)
                variable.setncatts(attributes)
                variable[...] = 1.5
            for name, attributes in (("a", {}), ("b", {"coordinates": "where clock"})):
                variable = dataset.createVariable(name, "i4", ("record", "bin"))
                variable.setncatts(attributes)
                variable[...] = value
        return path

    a, b = compare_files(write(tmp_path / "a.nc", 1), write(tmp_path / "b.nc", 2))
    time = "2012-01-01T12:00:00Z"
    assert a.values.coordinates == {"clock": time, "height": "1.5 m"}
    assert b.values.coordinates == {"where": "1.5 degrees_north", "clock": time}


def test_variables_are_searched_for_coordinates_once(tmp_path, monkeypatch):
    """Not once for each variable that differs: their number squared would take minutes."""
    looked_at = []

    def is_marked(variable):
        looked_at.append(variable.name)
        return usual(variable)

    usual = located._is_marked
    monkeypatch.setattr(located, "_is_marked", is_marked)
    with netCDF4.Dataset(tmp_path / "many.nc", "w") as dataset:
        dataset.createDimension("x", 3)
        group = dataset.createGroup("inner")
        for number in range(40):
            holder = group if number % 2 else dataset
            holder.createVariable(f"v{number}", "i4", ("x",))
        coordinates = Coordinates()
        for variable in [*dataset.variables.values(), *group.variables.values()]:
            assert coordinates.at(variable, (1,)) == {}
    assert sorted(looked_at) == sorted(f"v{number}" for number in range(40))


def test_coordinate_of_an_inner_group_hides_one_of_the_same_name(tmp_path):
    with netCDF4.Dataset(tmp_path / "groups.nc", "w") as dataset:
        dataset.createDimension("x", 2)
        group = dataset.createGroup("inner")
        for holder, value in ((dataset, 1), (group, 2)):
            for name in ("near", "far") if holder is dataset else ("near",):
                variable = holder.createVariable(name, "f8", ("x",))
                variable.axis, variable.units = "X", "m"
                variable[:] = value
        outer, inner = (holder.createVariable("v", "i4", ("x",)) for holder in (dataset, group))
        coordinates = Coordinates()
        assert coordinates.at(outer, (0,)) == {"near": "1 m", "far": "1 m"}
        assert coordinates.at(inner, (0,)) == {"near": "2 m", "far": "1 m"}


@pytest.mark.parametrize(
    ("units", "calendar", "time"),
    [
        ("hours since 2012-9-6 15:15:42.5 -6:00", "standard", "2012-09-06T22:15:42.5Z"),
        ("days since 2012-02-30", "360_day", "2012-03-01T00:00:00Z"),
        ("furlongs since 2012-09-06", "standard", None),
    ],
)
def test_place_in_time_is_in_utc_of_the_calendar(tmp_path, units, calendar, time):
    """The time zone of the units counts; a value that is no time is left out."""
    path = tmp_path / "times.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("time", 1)
        clock = dataset.createVariable("time", "f8", ("time",))
        clock.units, clock.calendar = units, calendar
        clock[:] = 1
        at = Coordinates().at(dataset.createVariable("value", "i4", ("time",)), (0,))
    assert at == ({"time": time} if time else {})


def test_result_as_json_holds_everything(base, tmp_path):
    """The JSON has all that the text has."""
    comparison = compare(base, granule(tmp_path / "other.nc", put("atb", (0, 0), 5.0)), RULES)
    content = comparison.as_json()
    (file,) = content["files"]
    (difference,) = file["differences"]
    assert (content["verdict"], content["counts"]) == ("different", {"different": 1})
    assert (file["file"], file["kind"], difference["file"]) == ("base.nc", "NetCDF/HDF5", "base.nc")
    assert difference["values"]["index"] == [0, 0] and difference["values"]["rtol"] == 1e-6
    assert comparison.paths(comparison.files[0]) == (base, tmp_path / "other.nc")


# --- rules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "equal"),
    [
        (CompareRules(unpack=True), False),
        (CompareRules(unpack=True, atol=0.011), True),
        (CompareRules(variables={"temp": Tolerance(unpack=True, atol=0.011)}), True),
        (CompareRules(variables={"temp": Tolerance(unpack=True, atol=0.009)}), False),
        (CompareRules(variables={"temp": Tolerance(atol=1e6)}), False),
        (CompareRules(unpack=True, atol=0.011, variables={"temp": Tolerance(unpack=False)}), False),
    ],
)
def test_packing_may_differ_only_where_a_rule_allows_it(base, tmp_path, rules, equal):
    """With unpack, values are compared after unpacking, with a tolerance in the variable's unit."""
    assert (compare_files(base, granule(tmp_path / "other.nc", repack), rules) == []) == equal


def test_unpacked_fill_is_no_number(base, tmp_path):
    """A fill value never equals a temperature, whatever the tolerance."""
    rules = CompareRules(unpack=True, atol=1e9)

    def change(dataset):
        repack(dataset)
        dataset["temp"][7] = 5

    (difference,) = compare_files(base, granule(tmp_path / "other.nc", change), rules)
    assert difference.values.changes == {"fill -> valid": 1}


def test_same_packing_is_compared_as_stored_even_if_it_might_differ(base, tmp_path):
    """With the same packing, a step of the packing is a difference."""
    change = put("temp", 0, 1)
    (difference,) = compare_files(
        base, granule(tmp_path / "other.nc", change), CompareRules(unpack=True)
    )
    assert not difference.values.unpacked


@pytest.mark.parametrize(
    ("entry", "equal"),
    [
        ("units", True),
        ("atb/units", True),
        ("/atb/units", True),
        ("temp/units", False),
        ("/units", False),
    ],
)
def test_attribute_is_ignored_by_name_or_by_path(base, tmp_path, entry, equal):
    """A path ignores one attribute, a name all attributes of that name."""
    other = granule(tmp_path / "other.nc", attribute("atb", "units", "m-1 sr-1"))
    rules = CompareRules(ignore_attributes=("history", "date_created", entry))
    assert (compare_files(base, other, rules) == []) == equal


@pytest.mark.parametrize(
    ("entry", "equal"),
    [("geo/q", True), ("/geo/q", True), ("geo/*", True), ("q", False), ("geo", False)],
)
def test_values_of_an_ignored_variable_do_not_count(base, tmp_path, entry, equal):
    """Variables are ignored by path; * matches any part of it."""
    other = granule(tmp_path / "other.nc", put("geo/q", 5, -1))
    assert (compare_files(base, other, CompareRules(ignore_variables=(entry,))) == []) == equal


def test_name_with_brackets_is_a_name(tmp_path):
    """Brackets in a name are not read as a pattern."""
    paths = [tmp_path / name for name in "ab"]
    for value, path in enumerate(paths):
        path.write_text(f"T [K],x\n{value},1\n")
    assert compare_files(*paths)
    assert compare_files(*paths, CompareRules(ignore_variables=("T [K]",))) == []


def test_attributes_of_an_ignored_variable_count(base, tmp_path):
    """An ignored variable must exist; only its values are ignored."""
    other = granule(tmp_path / "other.nc", attribute("atb", "units", "m-1 sr-1"))
    assert compare_files(base, other, CompareRules(ignore_variables=("*",)))


def test_ignored_file_does_not_count(tmp_path):
    """An ignored file may differ, be missing or be extra."""
    for name, files in (("a", ("x", "log.txt")), ("b", ("x", "other.txt"))):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).write_text("")
    rules = CompareRules(ignore_files=("*.txt",))
    assert compare(tmp_path / "a", tmp_path / "b", rules).counts == {"equal": 1}


@pytest.mark.parametrize("form", ["NETCDF4_CLASSIC", "NETCDF3_CLASSIC", "NETCDF3_64BIT_DATA"])
def test_other_format_is_a_difference(tmp_path, form):
    """The format is a difference, since a program may read only one of them."""
    paths = tmp_path / "a.nc", tmp_path / "b.nc"
    for path, name in zip(paths, ("NETCDF4", form), strict=True):
        with netCDF4.Dataset(path, "w", format=name) as dataset:
            dataset.createDimension("d", 2)
            dataset.createVariable("v", "f4", ("d",))[:] = 1.0
    (difference,) = compare_files(*paths)
    assert (difference.category, difference.expected, difference.actual) == (
        "kind",
        "NETCDF4",
        form,
    )


def test_library_fill_value_is_no_measurement(tmp_path):
    """A value never written has the library's fill value where the variable names none."""

    def write(path, written):
        with netCDF4.Dataset(path, "w") as dataset:
            dataset.createDimension("d", 3)
            dataset.createVariable("v", "f4", ("d",))[:written] = 1.0
        return path

    (difference,) = compare_files(write(tmp_path / "a.nc", 2), write(tmp_path / "b.nc", 3))
    assert difference.values.changes == {"fill -> valid": 1}


@pytest.mark.parametrize(
    ("name", "units", "equal"),
    [
        ("x", "m", True),
        ("x", "seconds since 1970-01-01", False),
        ("x", "seconds SINCE 1970-01-01", False),
        ("Start_Time", "s", False),
        ("geo/julian_day", "days", False),
        ("LST_Daytime", "K", True),
        ("Dec_JDay", "Days", False),
        ("Radar_Altimeter", "m", True),
        ("rain_centimetres", "cm", True),
        ("maritime_fraction", "1", True),
        ("altimeter_time", "s", False),
    ],
)
def test_general_tolerance_is_not_for_times(tmp_path, name, units, equal):
    """Times have no general tolerance: 1e-6 of the seconds since 1970 is half an hour."""

    def write(path, value):
        with netCDF4.Dataset(path, "w") as dataset:
            dataset.createVariable(name, "f8").units = units
            dataset[name][...] = value
        return path

    paths = write(tmp_path / "a.nc", 1580561999.5), write(tmp_path / "b.nc", 1580561000.5)
    assert (compare_files(*paths, RULES) == []) == equal
    own = CompareRules(rtol=1e-6, variables={name: Tolerance(rtol=1e-6)})
    assert compare_files(*paths, own) == []


def test_compound_and_ragged_numbers_have_the_tolerance_too(tmp_path):
    """Real numbers have a tolerance, integers have none."""

    def write(path, real, whole):
        with netCDF4.Dataset(path, "w") as dataset:
            dataset.createDimension("d", 1)
            kind = np.dtype([("real", "f8"), ("whole", "i4")])
            compound = dataset.createCompoundType(kind, "pair")
            dataset.createVariable("c", compound, ("d",))[:] = np.array([(real, whole)], kind)
            row = dataset.createVLType("f8", "row")
            dataset.createVariable("r", row, ("d",))[0] = np.array([real, 1.0])
        return path

    a = write(tmp_path / "a.nc", 1.0, 10_000_000)
    assert compare_files(a, write(tmp_path / "b.nc", 1.0000001, 10_000_000), RULES) == []
    assert len(compare_files(a, write(tmp_path / "c.nc", 1.0001, 10_000_000), RULES)) == 2
    assert len(compare_files(a, write(tmp_path / "d.nc", 1.0, 10_000_001), RULES)) == 1


def test_field_of_a_compound_may_be_a_time(tmp_path):
    """Each field of a compound has the tolerance of its own name."""

    def write(path, seconds, measured):
        kind = np.dtype([("real", "f8"), ("start_time", "f8")])
        with h5py.File(path, "w") as file:
            file["table"] = np.array([(measured, seconds)], kind)
        return path

    a = write(tmp_path / "a.h5", 1580561999.5, 1.0)
    assert compare_files(a, write(tmp_path / "b.h5", 1580561999.5, 1.0000001), RULES) == []
    later = write(tmp_path / "c.h5", 1580561000.5, 1.0)
    assert len(compare_files(a, later, RULES)) == 1
    own = CompareRules(rtol=1e-6, variables={"table": Tolerance(rtol=1e-6)})
    assert compare_files(a, later, own) == []


def bytes_of(path, stored, kind="i1", **attributes):
    """Write a file with a variable as another program would pack it."""
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("n", len(stored))
        variable = dataset.createVariable("v", kind, ("n",))
        variable.set_auto_maskandscale(False)
        variable.setncatts(attributes)
        variable[:] = np.array(stored, kind)
    return path


@pytest.mark.parametrize(("value", "equal"), [(20.0, True), (-5.6, False)])
def test_unsigned_is_meant_where_it_says_so(tmp_path, value, equal):
    """The byte -56 is 200 where the attribute _Unsigned is "true"."""
    rules = CompareRules(unpack=True, atol=1e-5)
    packed = bytes_of(tmp_path / "a.nc", [-56], scale_factor=0.1, _Unsigned="true")
    plain = bytes_of(tmp_path / "b.nc", [value], "f4")
    assert (compare_files(packed, plain, rules) == []) == equal
    assert (compare_files(plain, packed, rules) == []) == equal
    signed = bytes_of(tmp_path / "c.nc", [-56], scale_factor=0.1, _Unsigned="false")
    assert compare_files(packed, signed, rules) != []


@pytest.mark.parametrize(
    ("kind", "value", "scaling", "equal"),
    [
        ("i4", 10_000_001, {}, False),
        ("i8", 2**60, {"scale_factor": 1.0}, False),
        ("i8", 10_000_001, {"scale_factor": 0.5}, True),
    ],
)
def test_integers_that_nothing_scales_stay_exact(tmp_path, kind, value, scaling, equal):
    """Integers with other fill values are unpacked and stay exact."""
    expected, actual = (
        bytes_of(tmp_path / f"{i}.nc", [value + i, -1 - i], kind, missing_value=-1 - i, **scaling)
        for i in (0, 1)
    )
    rules = CompareRules(rtol=1e-6, unpack=True)
    assert (compare_files(expected, actual, rules) == []) == equal


@pytest.mark.parametrize(("highest", "equal"), [(400, True), (401, False)])
def test_limits_of_packed_values_are_compared_unpacked(tmp_path, highest, equal):
    """valid_range is packed like the values, and is compared unpacked."""
    rules = CompareRules(unpack=True)
    limits = {"valid_range": np.array([-100, highest], "i2"), "valid_min": np.int16(-100)}
    expected = bytes_of(tmp_path / "a.nc", [100], "i2", scale_factor=0.5, **limits)
    limits = {"valid_range": np.array([-50.0, 200.0]), "valid_min": -50.0}
    actual = bytes_of(tmp_path / "b.nc", [50.0], "f8", **limits)
    for pair in ((expected, actual), (actual, expected)):
        assert [difference.name for difference in compare_files(*pair, rules)] == [
            "valid_range"
        ] * (not equal)


def test_no_value_of_unsigned_bytes_may_be_written_as_the_number_meant(tmp_path):
    rules = CompareRules(unpack=True)
    packed = bytes_of(tmp_path / "a.nc", [-1, 5], missing_value=np.uint8(255), _Unsigned="true")
    plain = bytes_of(tmp_path / "b.nc", [-9, 5], "f4", missing_value=np.float32(-9))
    assert compare_files(packed, plain, rules) == []


@pytest.mark.parametrize("value", [-9999.0, np.nan])
def test_fill_values_differ_also_where_one_is_nan(tmp_path, value):
    """Equal fill values are the same, though NaN is unequal to itself."""
    fills = {"_FillValue": np.float32("nan"), "missing_value": np.array([-999, -9999], "f4")}
    expected, actual = (
        bytes_of(tmp_path / f"{stored}.nc", [stored, 1.0], "f4", **fills)
        for stored in (-999.0, value)
    )
    (difference,) = compare_files(expected, actual)
    assert list(difference.values.changes) in (["fill -> fill"], ["fill -> NaN"])
    assert compare_files(actual, bytes_of(tmp_path / "x.nc", [value, 1.0], "f4", **fills)) == []


def test_nan_as_the_only_fill_value_makes_no_other_number_one(tmp_path):
    fill = netCDF4.default_fillvals["f4"]
    named = {"_FillValue": np.float32("nan")}
    expected = bytes_of(tmp_path / "a.nc", [fill], "f4", **named)
    (difference,) = compare_files(expected, bytes_of(tmp_path / "b.nc", [1.0], "f4", **named))
    assert not difference.values.changes


def test_missing_value_of_another_precision_is_recognized(tmp_path):
    """-999.9 in double precision is rounded to the variable's single precision."""
    expected = bytes_of(tmp_path / "a.nc", [-999.9], "f4", missing_value=-999.9)
    actual = bytes_of(tmp_path / "b.nc", [1.0], "f4", missing_value=-999.9)
    (difference,) = compare_files(expected, actual)
    assert difference.values.changes == {"fill -> valid": 1}


# --- stored chunks ---------------------------------------------------------------------------


def many_chunks(path, change=None, **options):
    """Write a variable of 8 x 8 chunks with a chunk that is never written."""
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("y", 64)
        dataset.createDimension("x", 64)
        options = {"zlib": True, "chunksizes": (8, 8), "fill_value": -1.0} | options
        variable = dataset.createVariable("v", "f4", ("y", "x"), **options)
        variable[:56] = np.arange(56 * 64.0).reshape(56, 64)
        variable[56:, 8:] = 2.0
        dataset.history = str(path)
        if change:
            change(variable)
    return path


@pytest.fixture
def inflated(monkeypatch):
    """Return the list of blocks whose values are read."""
    seen, unequal = [], compare_chunks.Chunks.unequal

    def watched(self, *arguments):
        for block in unequal(self, *arguments):
            seen.append(block)
            yield block

    monkeypatch.setattr(compare_chunks.Chunks, "unequal", watched)
    monkeypatch.setattr("cumulus.compare.values.BLOCK", 8 * 64 * 4)
    return seen


def test_chunks_that_are_stored_alike_are_not_inflated(tmp_path, inflated):
    """Chunks with the same bytes, or never written in both files, are not inflated."""
    expected, actual = many_chunks(tmp_path / "a.nc"), many_chunks(tmp_path / "b.nc")
    assert netcdf.differences(expected, actual, CompareRules()) == []
    assert inflated == []


def test_only_chunks_that_differ_are_inflated(tmp_path, inflated):
    """The only chunk that differs is inflated, and its value is reported."""
    expected = many_chunks(tmp_path / "a.nc")
    actual = many_chunks(tmp_path / "b.nc", lambda variable: variable.__setitem__((13, 60), -5.0))
    (difference,) = netcdf.differences(expected, actual, CompareRules())
    assert difference.values.index == (13, 60)
    assert inflated == [(slice(8, 16), slice(0, 64))]


def test_value_in_a_chunk_that_one_file_lacks_is_found(tmp_path):
    """A chunk that only one file has is compared with the fill value."""
    expected = many_chunks(tmp_path / "a.nc")
    actual = many_chunks(tmp_path / "b.nc", lambda variable: variable.__setitem__((60, 1), 7.0))
    (difference,) = compare_files(expected, actual)
    assert difference.values.changes == {"fill -> valid": 1} and difference.values.index == (60, 1)


def test_chunks_that_neither_file_has_may_still_differ(tmp_path):
    """Chunks never written have the fill values, which differ."""
    expected = many_chunks(tmp_path / "a.nc")
    actual = many_chunks(tmp_path / "b.nc", fill_value=-2.0)
    assert [difference.name for difference in compare_files(expected, actual)] == ["_FillValue"]
    with h5py.File(tmp_path / "a.h5", "w") as a, h5py.File(tmp_path / "b.h5", "w") as b:
        for file, fill in ((a, 1.0), (b, 2.0)):
            file.create_dataset("v", (4,), "f4", chunks=(2,), fillvalue=fill)
    (difference,) = compare_files(tmp_path / "a.h5", tmp_path / "b.h5")
    assert difference.values.differing == 4


@pytest.mark.parametrize(
    "options", [{"zlib": False}, {"complevel": 1}, {"shuffle": False}, {"chunksizes": (64, 2)}]
)
def test_files_that_are_stored_otherwise_are_compared_by_value(tmp_path, options):
    """Other storage gives the same result."""
    expected = many_chunks(tmp_path / "a.nc")
    assert compare_files(expected, many_chunks(tmp_path / "b.nc", **options)) == []
    change = many_chunks(tmp_path / "c.nc", lambda v: v.__setitem__((13, 60), -5.0), **options)
    assert compare_files(expected, change)[0].values.index == (13, 60)


def test_contiguous_data_that_are_the_same_are_not_read_as_values(tmp_path, inflated):
    """Contiguous data are compared by bytes first, by values if these differ."""
    expected = many_chunks(tmp_path / "a.nc", zlib=False, chunksizes=None, contiguous=True)
    actual = many_chunks(tmp_path / "b.nc", zlib=False, chunksizes=None, contiguous=True)
    assert netcdf.differences(expected, actual, CompareRules()) == []
    assert inflated == []
    with netCDF4.Dataset(actual, "a") as dataset:
        dataset["v"][60, 60] = 5.0
    (difference,) = netcdf.differences(expected, actual, CompareRules())
    assert difference.values.index == (60, 60) and len(inflated) == 8


@pytest.mark.parametrize("longest", [(None, 6), (8, None), (None, None), (8, 9)])
def test_changed_chunk_is_found_whatever_may_grow(tmp_path, longest):
    """A changed chunk is a difference also where the HDF5 library gives wrong offsets."""
    values = np.arange(24.0).reshape(4, 6)
    for name in ("a.h5", "b.h5"):
        with h5py.File(tmp_path / name, "w", libver="latest") as file:
            file.create_dataset("v", data=values, chunks=(2, 2), maxshape=longest)
        values[3, 1] = -1
    (difference,) = compare_files(tmp_path / "a.h5", tmp_path / "b.h5")
    assert (difference.values.index, difference.values.differing) == ((3, 1), 1)


def test_file_with_a_user_block_is_compared_by_value(tmp_path):
    """With a user block the offsets of chunks are not used."""
    for name, last in (("a.h5", 1.0), ("b.h5", 2.0)):
        with h5py.File(tmp_path / name, "w", userblock_size=1024) as file:
            data = file.create_dataset("v", (8,), "f4", chunks=(4,))
            data[:] = 1.0
            data[7] = last
    (difference,) = compare_files(tmp_path / "a.h5", tmp_path / "b.h5")
    assert difference.values.index == (7,)


def test_variable_that_is_called_like_a_dimension_is_found_under_its_other_name(tmp_path):
    """The NetCDF library stores such a variable under another name, and it is compared."""

    def write(path, value):
        with netCDF4.Dataset(path, "w") as dataset:
            dataset.createDimension("x", None)
            dataset.createDimension("y", 4)
            variable = dataset.createVariable("x", "f4", ("y",), chunksizes=(2,))
            variable[:] = value
            variable.note = "n"
            dataset.createVariable("v", "f4", ("x",))[:] = [1, 2, 3, 4]
            dataset.history = str(path)
        return path

    expected = write(tmp_path / "a.nc", 1)
    assert compare_files(expected, write(tmp_path / "b.nc", 1)) == []
    assert [
        difference.variable for difference in compare_files(expected, write(tmp_path / "c.nc", 2))
    ] == ["/x"]
