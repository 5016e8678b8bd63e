"""Products of any layout: the record holds every valid sample and no more, or names its gap."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from netcdf_files import write_variables
from samples import extent_of

REFERENCE = datetime(2012, 9, 6, tzinfo=UTC)
ANGLES = {"degrees": 1.0, "radian": 180 / np.pi, "arc_minute": 1 / 60, "degree": 1.0}
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


@st.composite
def layouts(draw):
    """How a product is built; see :func:`write`."""
    kind = draw(st.sampled_from(["grid", "grid of other dimensions", "track", "swath"]))
    rows, columns = draw(st.integers(2, 5)), draw(st.integers(2, 6))
    step = draw(st.sampled_from([0.25, 1, 7.5, 30]))
    return {
        "kind": kind,
        "south": draw(st.integers(-85, 60)),
        "up": draw(st.sampled_from([0.5, 2.5])),
        "shape": (rows, columns),
        "west": draw(st.sampled_from([-300, -200, -180, -10, 0, 20, 74.25, 170, 350, 365])),
        "step": step,
        "turn": draw(st.sampled_from([1, -1])),
        "angle": draw(st.sampled_from(sorted(ANGLES))),
        "direction": draw(st.booleans()),
        "leading": draw(st.integers(0, 2)),
        "packing": draw(st.sampled_from(["none", "scaled", "float32"])),
        "holes": draw(st.sets(st.integers(0, rows * columns - 1), max_size=3)),
        "unit": draw(st.sampled_from(sorted(UNITS))),
        "times": draw(st.sampled_from(["one", "two", "two, one named", "offsets", "unsaid"])),
        "transposed": draw(st.booleans()),
    }


def positions(layout):
    """Latitudes and longitudes in degrees, of the form in which they are stored."""
    rows, columns = layout["shape"]
    north = layout["south"] + layout["up"] * np.arange(rows)
    east = layout["west"] + layout["step"] * np.arange(columns)[:: layout["turn"]]
    if layout["kind"].startswith("grid"):
        return north, east
    north, east = np.meshgrid(north, east, indexing="ij")
    if layout["kind"] == "track":
        return north.ravel(), east.ravel()
    return (north.T, east.T) if layout["transposed"] else (north, east)


def dimensions(layout):
    if layout["kind"] == "grid":
        return ("lat",), ("lon",)
    if layout["kind"] == "grid of other dimensions":
        return ("YDim",), ("XDim",)
    names = ("n",) if layout["kind"] == "track" else ("y", "x")
    return names, names


def stored(layout, values, name, names, holes):
    """A variable as write_variables takes it: with units, packed, with leading dimensions."""
    unit = layout["angle"]
    about = {"standard_name": name, "units": unit}
    if layout["direction"] and unit.startswith("degree"):
        about["units"] = {"latitude": "degrees_north", "longitude": "degrees_east"}[name]
    values = values / ANGLES[unit]
    missing = np.zeros(values.shape, bool)
    missing.flat[list(holes)] = True
    if layout["packing"] == "scaled":
        scale = 0.25 / ANGLES[unit] / 100
        values = np.rint(values / scale).astype("i4")
        about |= {"scale_factor": scale, "_FillValue": np.int32(-(2**31))}
        values[missing] = -(2**31)
    else:
        values = values.astype("f4" if layout["packing"] == "float32" else "f8")
        about["_FillValue"] = values.dtype.type(-9999)
        values[missing] = -9999
    if len(names) > 1 or layout["kind"] == "track":
        leading = ("time", "band")[: layout["leading"]]
        values = values.reshape((1,) * len(leading) + values.shape)
        names = (*leading, *names)
    return values, about, names


def times(layout):
    """Variables of time, and begin and end, or None and None where nothing is certain."""
    count, unit = 3, layout["unit"]
    values = np.array([2.0, 0.0, 1.0])
    about = {"units": f"{unit} since 2012-09-06", "standard_name": "time"}
    other = {"units": f"{unit} since 2012-09-07", "standard_name": "time"}
    known = REFERENCE, REFERENCE + timedelta(seconds=2 * UNITS[unit])
    single = {"obs": (values, about, ("record",))}
    if layout["times"] == "one":
        return single, known
    if layout["times"] == "two, one named":
        data = (np.zeros(count), {"units": "K", "coordinates": "obs"}, ("record",))
        return {"tai": (values, other, ("record",)), **single, "data": data}, known
    if layout["times"] == "two":
        return {"first": (values, other, ("record",)), **single}, (None, None)
    if layout["times"] == "offsets":
        reference = (np.array([0.0]), about, ("start",))
        offset = (values, {"units": unit, "long_name": "offset from reference time"}, ("record",))
        return {"start": reference, "offset": offset}, known
    return {"obs": (values, {"units": unit, "long_name": "time of day"}, ("record",))}, (None, None)


def write(path, layout):
    north, east = positions(layout)
    holes = set() if layout["kind"].startswith("grid") else layout["holes"]
    names = dimensions(layout)
    variables, interval = times(layout)
    variables |= {
        "lat": stored(layout, north, "latitude", names[0], holes),
        "lon": stored(layout, east, "longitude", names[1], holes),
    }
    valid = np.ones(north.size if names[0] == names[1] else 1, bool)
    valid[list(holes)] = False
    if names[0] == names[1]:
        north, east = north.ravel()[valid], east.ravel()[valid]
    write_variables(path, **variables)
    return north, east, interval


def smallest_width(east):
    """Degrees of the smallest arc that holds all longitudes, by trying each as its west end."""
    turned = east % 360
    return min(float(((turned - start) % 360).max()) for start in turned)


@given(layouts())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_record_holds_every_valid_sample_and_no_more_than_one_beyond(tmp_path_factory, layout):
    """Or it leaves out, by name, what is not certain."""
    path = tmp_path_factory.mktemp("any") / "p.nc"
    north, east, interval = write(path, layout)
    extent = extent_of(path)
    assert (extent.begin, extent.end) == interval
    box, near = extent.box, 2e-3
    if not north.size:
        assert box is None
        return
    assert box.south - near <= north.min() and north.max() <= box.north + near
    assert box.south >= north.min() - layout["up"] - near
    assert box.north <= north.max() + layout["up"] + near
    width = 360.0 if (box.west, box.east) == (-180, 180) else (box.east - box.west) % 360
    assert width == 360 or ((east - box.west + near) % 360 <= width + 2 * near).all()
    assert width <= smallest_width(east) + layout["step"] + near
