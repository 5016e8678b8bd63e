"""Latitudes and longitudes that files keep in many ways: the right box, or none by name."""

import math

import numpy as np
import pytest
from netcdf_files import write_variables
from samples import extent_of

NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}
TRACK = ("n",)


def corners(path, **rules):
    box = extent_of(path, **rules).box
    return box and (box.west, box.south, box.east, box.north)


def track(tmp_path, latitudes, longitudes, north=NORTH, east=EAST, names=("lat", "lon")):
    columns = zip(names, (latitudes, longitudes), (north, east), strict=True)
    variables = {name: (np.array(values, "f8"), about, TRACK) for name, values, about in columns}
    return write_variables(tmp_path / "p.nc", **variables)


# --- units decide ----------------------------------------------------------------------------

UNITS = {
    "radians": ("radian", 180 / math.pi),
    "arc minutes": ("arc_minute", 1 / 60),
    "arc seconds": ("arcsec", 1 / 3600),
    "degrees": ("degrees", 1),
    "no units": ("", 1),
}


@pytest.mark.parametrize(("units", "degrees"), UNITS.values(), ids=UNITS.keys())
def test_angles_are_converted_to_degrees(tmp_path, units, degrees):
    """Radians were taken for degrees, since the standard name was right."""
    north, east = ({"standard_name": name, "units": units} for name in ("latitude", "longitude"))
    values = np.array([[20, 21], [-60, -58]]) / degrees
    west_edge, south, east_edge, north_edge = corners(track(tmp_path, *values, north, east))
    edges = (round(edge, 5) for edge in (west_edge, south, east_edge, north_edge))
    assert tuple(edges) == (-60, 20, -58, 21)


@pytest.mark.parametrize("names", [("lat", "lon"), ("XLAT", "XLONG")])
@pytest.mark.parametrize("are_cf", [True, False])
def test_numbers_without_units_that_may_be_radians_are_left_out(tmp_path, caplog, names, are_cf):
    """Radians between 0.5 and 0.6 were a box near 0 north, 0 east."""
    north, east = ({"standard_name": kind} if are_cf else {} for kind in ("latitude", "longitude"))
    assert corners(track(tmp_path, [0.5, 0.6], [-1.5, -1.4], north, east, names)) is None
    assert "have no units, and may be radians as well as degrees" in caplog.text


def test_degrees_as_small_as_radians_need_their_unit(tmp_path):
    units = {"units": "degrees"}
    path = track(tmp_path, [0.5, 0.6], [-1.5, -1.4], units, units)
    assert corners(path) == (-1.5, 0.5, -1.4, 0.6)


@pytest.mark.parametrize("coordinates", ["", "lat lon", "gps_lat gps_lon"])
def test_lone_position_beside_a_track_counts_only_if_data_name_it(tmp_path, caplog, coordinates):
    """The port of a ship had the standard name, and was the place of its cruise."""
    named = ({**NORTH, "standard_name": "latitude"}, {**EAST, "standard_name": "longitude"})
    track = np.arange(3.0)
    path = write_variables(
        tmp_path / "p.nc", lat=(50.0, named[0]), lon=(-5.0, named[1]),
        gps_lat=(50 + track, NORTH, TRACK), gps_lon=(-5 - track, EAST, TRACK),
        field=(track, {"coordinates": coordinates}, TRACK),
    )  # fmt: skip
    boxes = {"lat lon": (-5, 50, -5, 50), "gps_lat gps_lon": (-7, 50, -5, 52)}
    assert corners(path) == boxes.get(coordinates)
    assert ("lone position beside 'gps_lat'" in caplog.text) == (not coordinates)


def test_position_of_the_satellite_in_another_group_is_none_of_the_data(tmp_path):
    """Units alone tell less than a standard name: the box reached to the ground below the orbit."""
    named = ({**NORTH, "standard_name": "latitude"}, {**EAST, "standard_name": "longitude"})
    values = np.array([10.0, 11.0])
    path = write_variables(
        tmp_path / "p.nc",
        groups={
            "product": {"lat": (values, named[0], TRACK), "lon": (values, named[1], TRACK)},
            "geolocation": {
                "satellite_latitude": (values - 40, NORTH, TRACK),
                "satellite_longitude": (values - 40, EAST, TRACK),
            },
        },
    )
    assert corners(path) == (10, 10, 11, 11)


DIRECTIONS = {
    "degrees_west, degrees_south": ("degrees_south", "degrees_west", -1, -1),
    "deg North, deg West": ("deg North", "deg West", 1, -1),
    "degree_S, degreesE": ("degree_S", "degreesE", -1, 1),
}


@pytest.mark.parametrize(
    ("north", "east", "up", "right"), DIRECTIONS.values(), ids=DIRECTIONS.keys()
)
def test_direction_of_a_unit_is_its_sign(tmp_path, north, east, up, right):
    path = track(tmp_path, [20, 21], [58, 60], {"units": north}, {"units": east})
    south, top = sorted((20 * up, 21 * up))
    west_edge, east_edge = sorted((58 * right, 60 * right))
    assert corners(path) == (west_edge, south, east_edge, top)


REFUSED = {
    "no angle": ({"standard_name": "latitude", "units": "m"}, EAST, "units 'm', which are of no"),
    "name against units": ({"units": "degE"}, {"units": "degN"}, "'lon' is taken for a latitude"),
    "standard name against units": (
        {"standard_name": "latitude", "units": "degrees_east"},
        {"standard_name": "longitude"},
        "'lat' is taken for a latitude",
    ),
}


@pytest.mark.parametrize(("north", "east", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_position_that_contradicts_itself_is_left_out_by_name(
    tmp_path, caplog, north, east, reason
):
    assert corners(track(tmp_path, [20, 21], [-60, -58], north, east)) is None
    assert reason in caplog.text


def test_bounds_are_converted_with_their_coordinate(tmp_path):
    radians = math.radians(1)
    path = write_variables(
        tmp_path / "p.nc",
        lat=(np.array([20, 21]) * radians, {"units": "rad", "standard_name": "latitude"}),
        lon=(np.array([5, 7]) * radians,
             {"units": "rad", "standard_name": "longitude", "bounds": "cells"}),
        cells=(np.array([[4, 6], [6, 8]]) * radians, {}, ("lon", "two")),
    )  # fmt: skip
    assert [round(edge, 5) for edge in corners(path)] == [4, 20, 8, 21]


# --- dimensions ------------------------------------------------------------------------------

SWATH = np.array([[20, 20, 20], [25, 25, 25]]), np.array([[178, 181, 184], [178, 181, 184]])
LEADING = {
    "time first": ((1, 2, 3), ("time", "y", "x")),
    "pixel last": ((2, 3, 1), ("y", "x", "pixel")),
    "two of them": ((1, 2, 1, 3), ("time", "y", "band", "x")),
}


@pytest.mark.parametrize(("shape", "dimensions"), LEADING.values(), ids=LEADING.keys())
def test_dimensions_of_length_one_do_not_hide_a_swath(tmp_path, shape, dimensions):
    """Box and polygon are those without the dimension."""
    plain, longer = tmp_path / "plain.nc", tmp_path / "longer.nc"
    for path, form, names in ((plain, (2, 3), ("y", "x")), (longer, shape, dimensions)):
        north, east = (values.reshape(form).astype("f8") for values in SWATH)
        write_variables(path, lat=(north, NORTH, names), lon=(east, EAST, names))
    extents = [extent_of(path, polygon=True) for path in (plain, longer)]
    assert extents[0] == extents[1]
    assert (extents[0].box.west, extents[0].box.east) == (178, -176)
    assert len(extents[0].polygon) > 3


def test_pole_within_a_swath_with_a_leading_dimension_is_found(tmp_path):
    north = np.array([[[85.0, 85], [85, 85]]])
    east = np.array([[[0.0, 90], [-90, 180]]])
    names = ("time", "y", "x")
    path = write_variables(tmp_path / "p.nc", lat=(north, NORTH, names), lon=(east, EAST, names))
    assert corners(path) == (-180, 85, 180, 90)


def test_latitude_with_a_leading_dimension_belongs_to_a_longitude_without(tmp_path):
    path = write_variables(
        tmp_path / "p.nc",
        lat=(SWATH[0][np.newaxis].astype("f8"), NORTH, ("time", "y", "x")),
        lon=(SWATH[1].astype("f8"), EAST, ("y", "x")),
    )
    assert corners(path) == (178, 20, -176, 25)


def test_axes_over_dimensions_of_other_names_are_a_grid(tmp_path):
    path = write_variables(
        tmp_path / "p.nc",
        latitude=(np.array([2.0, 1, 0]), NORTH, ("YDim",)),
        longitude=(np.arange(0.0, 360, 90), EAST, ("XDim",)),
    )
    assert corners(path) == (-180, 0, 180, 2)


def test_values_over_two_dimensions_that_are_no_axes_are_left_out(tmp_path):
    """Latitudes and longitudes of different samples have nothing to do with each other."""
    path = write_variables(
        tmp_path / "p.nc",
        lat=(np.array([2.0, 0, 1]), NORTH, ("first",)),
        lon=(np.array([7.0, 8]), EAST, ("second",)),
    )
    assert corners(path) is None


# --- usual names -----------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("Latitude", "Longitude"), ("XLAT", "XLONG"), ("lat", "lon")])
@pytest.mark.parametrize("units", [{}, {"units": "degrees"}], ids=["no units", "degrees"])
def test_usual_names_are_positions(tmp_path, names, units):
    assert corners(track(tmp_path, [20, 21], [-60, -58], units, units, names)) == (-60, 20, -58, 21)


def test_all_values_of_a_large_swath_count(tmp_path, monkeypatch):
    """Of a long time the ends suffice; of longitudes they do not."""
    monkeypatch.setattr("cumulus.products.catalogue._WHOLE", 4)
    east = np.array([[-150.0, -100, -50], [0, 50, 100]])
    north = np.arange(6.0).reshape(2, 3) + 1
    path = write_variables(
        tmp_path / "p.nc", lat=(north, {}, ("y", "x")), lon=(east, {}, ("y", "x"))
    )
    assert corners(path) == (-150, 1, 100, 6)


TRAPS = {
    "all zero": ([0, 0], [0, 0], "has no values but 0"),
    "beyond the pole": ([20, 200], [1, 2], "has values beyond 90 degrees"),
    "in metres": ([20, 21], [400_000, 2], "has values beyond 360 degrees"),
}


@pytest.mark.parametrize(("north", "east", "reason"), TRAPS.values(), ids=TRAPS.keys())
def test_usual_names_with_other_values_are_left_out_by_name(tmp_path, caplog, north, east, reason):
    assert corners(track(tmp_path, north, east, {}, {})) is None
    assert reason in caplog.text


def test_lone_position_at_zero_is_left_out_by_name(tmp_path, caplog):
    """A default that nobody set, although its attributes are right."""
    path = write_variables(tmp_path / "p.nc", lat=(0.0, NORTH), lon=(0.0, EAST))
    assert corners(path) is None
    assert "'lat' is 0 north, 0 east only" in caplog.text


def test_named_variables_count_instead_of_others(tmp_path):
    path = write_variables(
        tmp_path / "p.nc",
        lat=(np.array([1.0, 2]), NORTH, TRACK), lon=(np.array([3.0, 4]), EAST, TRACK),
        view_lat=(np.array([5.0, 6]), {}, TRACK), view_lon=(np.array([7.0, 8]), {}, TRACK),
    )  # fmt: skip
    names = {"latitude_variable": "view_lat", "longitude_variable": "/view_lon"}
    assert corners(path, **names) == (7, 5, 8, 6)


def test_named_variable_that_is_not_there_is_no_place(tmp_path, caplog):
    path = track(tmp_path, [20, 21], [-60, -58])
    assert corners(path, latitude_variable="x", longitude_variable="lon") is None
    assert "the product has no numeric variable 'x'" in caplog.text


# --- radar -----------------------------------------------------------------------------------


def radar(tmp_path, units="meters", **others):
    rays, distances = 8, np.array([1000.0, 50_000, 100_000])
    variables = {
        "range": (distances, {"units": units}),
        "azimuth": (np.arange(0.0, 360, 45), {"units": "degrees"}, ("time",)),
        "elevation": (np.full(rays, 0.5), {"units": "degrees"}, ("time",)),
        "sweep_number": (np.array([0]), {}, ("sweep",)),
        "latitude": (40.0, NORTH),
        "longitude": (-80.0, EAST),
        "altitude": (100.0, {"units": "meters"}),
    }
    return write_variables(tmp_path / "p.nc", **{**variables, **others})


def test_radar_volume_reaches_to_its_gates(tmp_path):
    """A gate 100 km north of the antenna is 0.899 degrees further north on a sphere."""
    west, south, east, north = corners(radar(tmp_path))
    degree = 111.195
    assert (north - 40, 40 - south) == pytest.approx((100 / degree, 100 / degree), abs=0.002)
    width = 100 / degree / math.cos(math.radians(40))
    assert (east + 80, -80 - west) == pytest.approx((width, width), abs=0.01)


def test_radar_that_moves_has_an_antenna_a_ray(tmp_path):
    north = np.linspace(40, 47, 8)
    east = np.full(8, -80.0)
    path = radar(tmp_path, latitude=(north, NORTH, ("time",)), longitude=(east, EAST, ("time",)))
    assert corners(path)[3] == pytest.approx(47 + 0.636, abs=0.01)  # the last looks north-west


def test_radar_with_a_range_of_no_length_has_no_place(tmp_path, caplog):
    """The antenna alone would be a part."""
    assert corners(radar(tmp_path, units="gates")) is None
    assert "the radar's range has units 'gates'" in caplog.text


# --- projections -----------------------------------------------------------------------------

NSIDC = {
    "grid_mapping_name": "polar_stereographic",
    "latitude_of_projection_origin": 90.0,
    "standard_parallel": 70.0,
    "straight_vertical_longitude_from_pole": -45.0,
    "semi_major_axis": 6378273.0,
    "semi_minor_axis": 6356889.449,
}
SNYDER = {
    "grid_mapping_name": "lambert_conformal_conic",
    "standard_parallel": [33.0, 45.0],
    "latitude_of_projection_origin": 23.0,
    "longitude_of_central_meridian": -96.0,
    "semi_major_axis": 6378206.4,
    "inverse_flattening": 294.9786982,
}
GOES = {
    "grid_mapping_name": "geostationary",
    "perspective_point_height": 35786023.0,
    "longitude_of_projection_origin": -75.0,
    "sweep_angle_axis": "x",
    "semi_major_axis": 6378137.0,
    "semi_minor_axis": 6356752.31414,
}


def projected(tmp_path, mapping, x, y, units="m", **others):
    axes = {
        axis: (np.array(values, "f8"),
               {"units": units, "standard_name": f"projection_{axis}_coordinate"})
        for axis, values in (("x", x), ("y", y))
    }  # fmt: skip
    field = (np.zeros((len(y), len(x))), {"grid_mapping": "crs"}, ("y", "x"))
    variables = {"crs": (np.int32(0), mapping), "field": field, **axes, **others}
    return write_variables(tmp_path / "p.nc", **variables)


def test_polar_grid_around_the_pole_holds_it(tmp_path):
    """Its corner at 31 degrees north is one that NSIDC publishes."""
    x, y = np.linspace(-3_850_000, 3_750_000, 305), np.linspace(5_850_000, -5_350_000, 449)
    west, south, east, north = corners(projected(tmp_path, NSIDC, x, y))
    assert (west, east, north) == (-180, 180, 90)
    assert south == pytest.approx(30.98, abs=0.005)


OTHER = {"south": (np.int32(0), {**NSIDC, "latitude_of_projection_origin": -90.0})}


def test_grid_has_the_projection_that_its_data_name(tmp_path):
    """The first grid_mapping of the file put a grid of the Arctic around the south pole."""
    axis = np.linspace(-1e6, 1e6, 5)
    projected(tmp_path, NSIDC, axis, axis, **OTHER).rename(tmp_path / "last.nc")
    field = (np.zeros((5, 5)), {"grid_mapping": "crs: x y"}, ("y", "x"))
    axes = {
        name: (axis, {"units": "m", "standard_name": f"projection_{name}_coordinate"})
        for name in "xy"
    }
    path = write_variables(
        tmp_path / "p.nc", **OTHER, crs=(np.int32(0), NSIDC), field=field, **axes
    )
    for each in (path, tmp_path / "last.nc"):
        assert corners(each)[1] > 70 and corners(each)[3] == 90


def test_grids_of_two_projections_are_left_out_by_name(tmp_path, caplog):
    axis = np.linspace(-1e6, 1e6, 5)
    second = (np.zeros((5, 5)), {"grid_mapping": "south"}, ("y", "x"))
    assert corners(projected(tmp_path, NSIDC, axis, axis, second=second, **OTHER)) is None
    assert "'crs' and 'south' are several grid_mappings" in caplog.text


def test_conic_point_is_that_of_its_textbook(tmp_path):
    """Snyder 1987, page 296: 35 degrees north, 75 degrees west."""
    edges = corners(projected(tmp_path, SNYDER, [1894410.9], [1564649.5]))
    assert edges == pytest.approx((-75, 35, -75, 35), abs=1e-5)


def test_geostationary_point_is_that_of_its_guide(tmp_path):
    """GOES-R Product Users' Guide, volume 3, page 25."""
    edges = corners(projected(tmp_path, GOES, [-0.024052], [0.095340], "rad"))
    assert edges == pytest.approx((-84.690932, 33.846162, -84.690932, 33.846162), abs=1e-5)


def test_point_below_the_satellite_is_not_the_place_of_its_grid(tmp_path):
    """The files of GOES-R have it as a latitude and a longitude without dimensions."""
    point = {
        "subpoint_lat": (0.0, {**NORTH, "standard_name": "latitude"}),
        "subpoint_lon": (-75.0, {**EAST, "standard_name": "longitude"}),
    }
    path = projected(tmp_path, GOES, [-0.024052], [0.095340], "rad", **point)
    assert corners(path) == pytest.approx((-84.690932, 33.846162, -84.690932, 33.846162), abs=1e-5)


def test_full_disk_leaves_out_its_corners_beside_the_earth(tmp_path):
    """The limb is 81.3 degrees from the point below the satellite, where cells are a degree."""
    axis = np.linspace(-0.1518, 0.1518, 543)
    west, south, east, north = corners(projected(tmp_path, GOES, axis, axis[::-1], "rad"))
    assert (south, north) == pytest.approx((-81.2, 81.2), abs=1)
    assert (west, east) == pytest.approx((-156.2, 6.2), abs=1)


UNKNOWN = {
    "another projection": (
        {**NSIDC, "grid_mapping_name": "sinusoidal"}, "m", "'sinusoidal' is not supported",
    ),
    "no figure of the Earth": (
        {key: value for key, value in NSIDC.items() if "axis" not in key}, "m",
        "has no 'semi_major_axis'",
    ),
    "axes without a length": (NSIDC, "1", "'x' has units '1'"),
}  # fmt: skip


@pytest.mark.parametrize(("mapping", "units", "reason"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_projection_that_is_not_certain_is_left_out_by_name(
    tmp_path, caplog, mapping, units, reason
):
    assert corners(projected(tmp_path, mapping, [0, 1000], [0, 1000], units)) is None
    assert reason in caplog.text
