"""What sidecars say in other ways than begin, end and a bounding box."""

import json

import pytest

from cumulus.extent import Box
from cumulus.metadata.sources import from_sidecar

NOON = "2012-09-06T12:00:00+00:00"


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "a.met"
        path.write_text(text)
        return from_sidecar(path)

    return read


def odl(**values):
    return "".join(
        f"OBJECT = {name}\n  NUM_VAL = 1\n  VALUE = {value}\nEND_OBJECT = {name}\n"
        for name, value in values.items()
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"TemporalExtent": {"SingleDateTime": "2012-09-06T12:00:00Z"}}',
        "<G><Temporal><SingleDateTime>2012-09-06T12:00:00Z</SingleDateTime></Temporal></G>",
        odl(CALENDARDATE='"2012-09-06"', TIMEOFDAY='"12:00:00.000"'),
        "<G><SingleDateTime><TimeofDay>12:00:00</TimeofDay><CalendarDate>2012-09-06</CalendarDate>"
        "</SingleDateTime></G>",
    ],
    ids=["UMM-G", "ECHO10", "ODL", "XML of ECS"],
)
def test_one_moment_is_begin_and_end(read, text):
    extent = read(text)
    assert [each.isoformat() for each in (extent.begin, extent.end)] == [NOON, NOON]


def test_range_comes_before_one_moment(read):
    """A moment beside a range is of something else."""
    extent = read("begin = 2012-09-06T12:00:00Z\nSingleDateTime = 2013-01-01T00:00:00Z")
    assert (extent.begin.isoformat(), extent.end) == (NOON, None)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("2012-09-06T24:00:00Z", "2012-09-07T00:00:00+00:00"),
        ("2012-12-31T24:00:00.000Z", "2013-01-01T00:00:00+00:00"),
        ("2012-12-31 24:00", "2013-01-01T00:00:00+00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31T23:59:60.500Z", "2017-01-01T00:00:00.500000+00:00"),
        ("20161231T235960Z", "2017-01-01T00:00:00+00:00"),
        ("2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00+00:00"),
    ],
)
def test_end_of_a_day_and_leap_seconds_are_times(read, end, expected):
    """Both are the moment at which the next day begins."""
    assert read(f"begin = 2012-09-06T00:00:00Z\nend = {end}").end.isoformat() == expected


def test_end_of_a_day_is_a_time_in_met_files(read):
    extent = read(
        odl(
            RANGEBEGINNINGDATE='"2012-09-06"',
            RANGEBEGINNINGTIME='"00:00:00"',
            RANGEENDINGDATE='"2012-09-06"',
            RANGEENDINGTIME='"24:00:00"',
        )
    )
    assert extent.end.isoformat() == "2012-09-07T00:00:00+00:00"


@pytest.mark.parametrize(
    "end",
    ["2012-09-06T24:00:01Z", "2012-09-06T12:00:60Z", "2012-09-06T25:00:00Z", "9999-12-31T24:00Z"],
)
def test_other_times_that_do_not_exist_are_left_out(read, caplog, end):
    assert read(f"begin = 2012-09-06T00:00:00Z\nend = {end}").end is None
    assert "is no date" in caplog.text


def umm(**geometry):
    return json.dumps({"SpatialExtent": {"HorizontalSpatialDomain": {"Geometry": geometry}}})


def points(*pairs):
    return [{"Longitude": east, "Latitude": north} for east, north in pairs]


def polygon(*pairs, **more):
    return {"Boundary": {"Points": points(*pairs)}, **more}


def echo(*pairs, around="<GPolygon><Boundary>%s</Boundary></GPolygon>"):
    inner = "".join(
        f"<Point><PointLongitude>{east}</PointLongitude><PointLatitude>{north}</PointLatitude></Point>"
        for east, north in pairs
    )
    return f"<Granule><Spatial><Geometry>{around % inner}</Geometry></Spatial></Granule>"


def gring(east, north, numbers="(1, 2, 3, 4)", flag="N"):
    values = {"GRINGPOINTLONGITUDE": east, "GRINGPOINTLATITUDE": north}
    return odl(EXCLUSIONGRINGFLAG=f'"{flag}"', **values, GRINGPOINTSEQUENCENO=numbers)


TRIANGLE = ((0, 0), (10, 0), (5, 10), (0, 0))
ACROSS = ((179, -1), (-179, -1), (-179, 1), (179, 1), (179, -1))
HOLE = {"ExclusiveZone": {"Boundaries": [{"Points": points((50, 50), (51, 50), (51, 51))}]}}
# A side from 0 to 90 east, both ends at 60 north, rises to atan(tan(60) / cos(45)) = 67.792346
# degrees, one from 0 to 10 east at 5 north to atan(tan(5) / cos(5)) = 5.019002 degrees.
SQUARE = ((0, 60), (0, 50), (90, 50), (90, 60))
AROUND = ((0, 80), (90, 80), (180, 80), (-90, 80), (0, 80))
PLACES = {
    "UMM-G polygon": (umm(GPolygons=[polygon(*TRIANGLE)]), Box(0, 0, 10, 10)),
    "UMM-G polygon with a hole": (umm(GPolygons=[polygon(*TRIANGLE, **HOLE)]), Box(0, 0, 10, 10)),
    "UMM-G polygons": (
        umm(GPolygons=[polygon(*TRIANGLE), polygon((-20, 0), (-10, 0), (-15, 5), (-20, 0))]),
        Box(-20, 0, 10, 10),
    ),
    "UMM-G polygon across the antimeridian": (
        umm(GPolygons=[polygon(*ACROSS)]), Box(179, -1.000152, -179, 1.000152),
    ),
    "UMM-G points": (umm(Points=points((170, 1), (-170, 5), (175, -3))), Box(170, -3, -170, 5)),
    "UMM-G point": (umm(Points=points((-60.5, 20))), Box(-60.5, 20, -60.5, 20)),
    "UMM-G line": (umm(Lines=[{"Points": points((0, 0), (0, 20))}]), Box(0, 0, 0, 20)),
    "ECHO10 polygon": (echo(*TRIANGLE[:3]), Box(0, 0, 10, 10)),
    "ECHO10 point": (echo((-60, 20), around="%s"), Box(-60, 20, -60, 20)),
    "sides are great circles": (
        umm(GPolygons=[polygon(*SQUARE, SQUARE[0])]), Box(0, 50, 90, 67.792346),
    ),
    "around the north pole": (umm(GPolygons=[polygon(*AROUND)]), Box(-180, 80, 180, 90)),
    "around the south pole": (
        umm(GPolygons=[polygon(*((x, -y) for x, y in AROUND))]), Box(-180, -90, 180, -80),
    ),
    "GRing": (gring("(0, 0, 10, 10)", "(5, 0, 0, 5)"), Box(0, 0, 10, 5.019002)),
    "GRing over lines": (gring("(0, 0,\n   10, 10)", "(5, 0,\n 0, 5)"), Box(0, 0, 10, 5.019002)),
    "GRing out of order": (
        gring("(0, 10, 0, 10)", "(5, 0, 0, 5)", "(1, 3, 2, 4)"), Box(0, 0, 10, 5.019002),
    ),
    "GRing that is a hole": (
        gring("(0, 0, 10, 10)", "(5, 0, 0, 5)")
        + gring("(40, 40, 50)", "(5, 0, 0)", "(1, 2, 3)", "Y"),
        Box(0, 0, 10, 5.019002),
    ),
    "box before polygon": (
        umm(
            BoundingRectangles=[
                {
                    "WestBoundingCoordinate": 0, "SouthBoundingCoordinate": 1,
                    "EastBoundingCoordinate": 2, "NorthBoundingCoordinate": 3,
                }
            ],
            GPolygons=[polygon(*TRIANGLE)],
        ),
        Box(0, 1, 2, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "box"), PLACES.values(), ids=PLACES.keys())
def test_polygons_lines_and_points_are_a_place(read, text, box):
    """The place is the smallest box that holds them."""
    known = read(text).box
    edges = [(known.west, known.south, known.east, known.north)]
    assert edges == [pytest.approx((box.west, box.south, box.east, box.north), abs=1e-5)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (umm(Points=points((1, "x"))), "no longitude and latitude"),
        (umm(Points=points((1, 95))), "out of range"),
        (umm(GPolygons=[polygon((0, 1), (180, 1), (90, 2))]), "180 degrees long"),
        (umm(GPolygons=[polygon((0, 1), (90, -1), (180, 1), (-90, -1))]), "which pole"),
        (gring("(0, 1, 2)", "(0, 1)"), "3 longitudes and 2 latitudes"),
        (gring("(0, 1, 2)", "(0, 1, 0)", "(1, 2)"), "2 sequence numbers"),
    ],
)
def test_shape_that_is_not_certain_is_left_out_with_the_reason(read, caplog, text, reason):
    assert read(text).box is None
    assert reason in caplog.text


def boxes(*several):
    names = ("West", "South", "East", "North")
    return umm(
        BoundingRectangles=[
            {f"{name}BoundingCoordinate": value for name, value in zip(names, box, strict=True)}
            for box in several
        ]
    )


@pytest.mark.parametrize(
    "several",
    [
        ((170, -10, 180, 20), (-180, -10, -170, 20)),
        ((-180, -10, -170, 20), (170, -10, 180, 20)),
        ((170, -10, 180, 5), (-180, 0, -170, 20)),
        ((170, -10, -170, 20), (170, -10, -170, 20)),
    ],
    ids=["west first", "east first", "of different latitudes", "the same twice"],
)
def test_two_boxes_on_both_sides_of_the_antimeridian_are_one(read, several):
    assert read(boxes(*several)).box == Box(170, -10, -170, 20)


@pytest.mark.parametrize(
    "several",
    [
        ((170, -10, 179, 20), (-180, -10, -170, 20)),
        ((-180, -10, 180, 20), (170, -10, -170, 20)),
        ((0, 0, 1, 1), (5, 0, 6, 1)),
        ((170, 0, 175, 1), (175, 0, 180, 1), (-180, 0, -170, 1)),
    ],
)
def test_other_boxes_are_several_places_and_left_out(read, caplog, several):
    assert read(boxes(*several)).box is None
    assert "different values of" in caplog.text
