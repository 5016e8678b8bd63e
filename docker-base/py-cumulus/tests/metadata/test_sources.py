"""Who is asked when and where, in which order, and what each of them may answer."""

import json
import xml.etree.ElementTree as ElementTree
from datetime import UTC, date, datetime, timedelta, timezone

import netCDF4
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import COLLECTION, extent_of, shared, write_product

from cumulus import CumulusError, collection
from cumulus.collection import MetadataRules
from cumulus.extent import Box, Extent, from_mapping
from cumulus.logutils import get_logger
from cumulus.metadata import write_granule_records
from cumulus.metadata.echo10 import render_echo10
from cumulus.metadata.filename import from_groups
from cumulus.metadata.sources import find_extent_and_gaps, from_sidecar
from cumulus.metadata.ummg import render_ummg


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.fixture
def product(tmp_path):
    return write_product(tmp_path / "p.nc")


PLACE = {"west": 1, "south": 2, "east": 3, "north": 4}


# --- order -----------------------------------------------------------------------------------

ANSWERS = {
    "extent": {"begin": utc(2001, 1, 1), "end": utc(2001, 1, 2), **PLACE},
    "groups": {"begin": "20020101T000000", "end": "20020102T000000", "lat": "N2", "lon": "E2"},
    "fixed": {"begin": utc(2004, 1, 1), "end": utc(2004, 1, 2), **PLACE, "west": 0.5},
}
FIRST = {"function": 2001, "filename": 2002, "sidecar": 2003, "fixed": 2004, "product": 2012}
WEST = {"function": 1, "filename": 2, "sidecar": 3, "fixed": 0.5, "product": -60}


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("second", FIRST)
def test_first_source_that_answers_is_used(product, tmp_path, first, second):
    sidecar = tmp_path / "p.txt"
    sidecar.write_text(
        "begin = 2003-01-01T00:00:00Z\nend = 2003-01-02T00:00:00Z\n"
        "west = 3\nsouth = 3\neast = 4\nnorth = 4\n"
    )
    order = (first, second)
    extent = extent_of(product, order, place=order, sidecar=sidecar, **ANSWERS)
    assert extent.begin.year == extent.end.year == FIRST[first]
    assert extent.box.west == WEST[first]


@pytest.mark.parametrize("first", ["function", "filename", "sidecar", "fixed"])
def test_source_that_does_not_know_leaves_it_to_the_next(product, first):
    extent = extent_of(product, (first, "product"), place=(first, "product"))
    assert extent.begin == utc(2012, 9, 6, 12)
    assert extent.box.west == -60


def test_time_and_place_have_orders_of_their_own(product):
    extent = extent_of(product, ("fixed",), place=("product",), fixed=ANSWERS["fixed"])
    assert (extent.begin.year, extent.box.west) == (2004, -60)


def test_nothing_known_is_two_warnings(tmp_path, caplog):
    (tmp_path / "p.txt").write_text("text")
    assert extent_of(tmp_path / "p.txt", ("function", "product")) == Extent()
    assert "no temporal extent found in function, product" in caplog.text
    assert "no spatial extent found in product" in caplog.text
    assert {record.levelname for record in caplog.records} == {"WARNING"}


@pytest.mark.parametrize(
    ("size", "attributes", "time", "place"),
    [
        (1, {}, "no variable has units such as", "no variable has units 'degrees_north'"),
        (0, {"units": "days since 2020-01-01"}, "'time' has no values", "no variable has"),
        (1, {"units": "degrees_north"}, "no variable has", "no variable has units 'degrees_east'"),
        (1, {"units": "days since then"}, "'time' cannot be decoded", "no variable has"),
    ],
    ids=["nothing", "no-values", "half-a-place", "undecodable"],
)
def test_warning_says_why_the_product_does_not_know(
    tmp_path, caplog, size, attributes, time, place
):
    with netCDF4.Dataset(tmp_path / "p.nc", "w") as dataset:
        dataset.createDimension("time", None)
        variable = dataset.createVariable("time", "f8", ("time",))
        variable.setncatts(attributes)
        variable[:] = [1.0] * size
    extent_of(tmp_path / "p.nc", ("filename", "product"))
    sources = "filename, product, attributes"
    assert f"no temporal extent found in {sources}; product: {time}" in caplog.text
    assert f"no spatial extent found in product, attributes; product: {place}" in caplog.text


def test_caller_learns_why_a_part_is_unknown(product):
    """What the handler needs to refuse a granule without time or place."""
    rules = MetadataRules(time=("filename",), place=("product",))
    extent, gaps = find_extent_and_gaps(product, rules)
    assert extent.begin is None
    assert gaps == {"time": "no temporal extent found in filename, attributes"}


def test_begin_without_an_end_is_a_warning(tmp_path, caplog):
    """The record has a range that is open: the granule seems to go on for ever."""
    (tmp_path / "p.txt").write_text("text")
    extent = extent_of(
        tmp_path / "p.txt", ("filename", "product"), {"begin": "20120906T120000Z"}, fixed=PLACE,
        place=("fixed",),
    )  # fmt: skip
    assert (extent.begin, extent.end) == (utc(2012, 9, 6, 12), None)
    assert "a begin, but no end of the temporal extent in filename, product" in caplog.text


# --- function and fixed values ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "extent"),
    [
        ({}, Extent()),
        (None, Extent()),
        ({"begin": datetime(2012, 9, 6)}, Extent(utc(2012, 9, 6))),
        ({"begin": "2012-09-06T12:00:00Z"}, Extent(utc(2012, 9, 6, 12))),
        ({"begin": "2012-09-06T12:00+02:00"}, Extent(utc(2012, 9, 6, 10))),
        (
            {"begin": date(2012, 9, 6), "end": "2012-09-06"},
            Extent(utc(2012, 9, 6), utc(2012, 9, 6, 23, 59, 59)),
        ),
        (
            {"begin": "20120906", "end": "20120906"},
            Extent(utc(2012, 9, 6), utc(2012, 9, 6, 23, 59, 59)),
        ),
        (PLACE, Extent(box=Box(1, 2, 3, 4))),
        ({**PLACE, "west": 350, "east": 370 - 360}, Extent(box=Box(-10, 2, 10, 4))),
        ({**PLACE, "west": "1.5", "end": None}, Extent(box=Box(1.5, 2, 3, 4))),
        ({**PLACE, "west": 0, "east": 360}, Extent(box=Box(-180, 2, 180, 4))),
        ({**PLACE, "west": -0.05, "east": 359.95}, Extent(box=Box(-180, 2, 180, 4))),
    ],
)
def test_mapping_becomes_an_extent(known, extent):
    assert from_mapping(known, "it") == extent


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"start": 1}, "'start' is not known: expected begin, end, west"),
        ({"begin": "yesterday"}, "begin 'yesterday' is no date"),
        ({"begin": "0001-01-01T00:00+05:00"}, "not within the years 1 to 9999"),
        ({"end": "9999-12-31T23:00-05:00"}, "not within the years 1 to 9999"),
        ({**PLACE, "west": 10**400}, "must be numbers"),
        ({"begin": 2012}, "begin must be a date and time, not 2012"),
        ({"begin": utc(2013, 1, 1), "end": utc(2012, 1, 1)}, "lies before the begin"),
        ({"west": 1, "north": 2}, "west, north without south, east"),
        ({**PLACE, "west": "x"}, "must be numbers"),
        ({**PLACE, "north": 91}, "not within -90 to 90"),
        ({**PLACE, "south": float("nan")}, "not within -90 to 90"),
        ({**PLACE, "west": 361}, "not within -180 to 180"),
        ({**PLACE, "west": 0, "east": float("inf")}, "not within -180 to 180"),
        ({**PLACE, "west": -200, "east": 200}, "not within -180 to 180"),
        (7, "it: "),
    ],
)
def test_mapping_that_makes_no_sense_is_refused(known, reason):
    with pytest.raises(CumulusError, match=r"^it: ") as error:
        from_mapping(known, "it")
    assert reason in str(error.value)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))])),
       st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=999)))  # fmt: skip
def test_any_time_is_written_in_utc_and_reads_back(begin, length):
    try:
        extent = Extent(begin, begin + length)
        utc_begin, utc_end = (moment.astimezone(UTC) for moment in (extent.begin, extent.end))
    except OverflowError:
        return
    record = _record(extent)
    times = json.loads(render_ummg(record))["TemporalExtent"]
    root = ElementTree.fromstring(render_echo10(record))
    if single := times.get("SingleDateTime"):
        assert length < timedelta(milliseconds=1)
        assert abs(datetime.fromisoformat(single) - utc_begin) < timedelta(milliseconds=1)
        assert root.findtext("Temporal/SingleDateTime") == single
        return
    times = times["RangeDateTime"]
    for name, moment in (("BeginningDateTime", utc_begin), ("EndingDateTime", utc_end)):
        assert abs(datetime.fromisoformat(times[name]) - moment) < timedelta(milliseconds=1)
        assert root.findtext(f"Temporal/RangeDateTime/{name}") == times[name]
    assert times["BeginningDateTime"] <= times["EndingDateTime"] or "." in str(times)


def _record(extent):
    from cumulus.metadata.record import GranuleRecord

    return GranuleRecord("a", "x", "1", utc(2026, 1, 1), 1, "ab", extent=extent)


# --- file names ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "box"),
    [
        ({"lat": "20.5", "lon": "-60"}, Box(-60, 20.5, -60, 20.5)),
        ({"lat": "S05", "lon": "060w"}, Box(-60, -5, -60, -5)),
        ({"lat": "00N", "lon": "W000"}, Box(0, 0, 0, 0)),
        ({"lat": "10", "lon": "359"}, Box(-1, 10, -1, 10)),
        ({"west": "170E", "south": "10S", "east": "170W", "north": "0"}, Box(170, -10, -170, 0)),
        ({"west": "0", "south": "10S", "east": "360", "north": "0"}, Box(-180, -10, 180, 0)),
    ],
)
def test_file_name_gives_the_place(product, groups, box):
    assert extent_of(product, groups=groups, place=("filename",)).box == box


@pytest.mark.parametrize(
    "groups",
    [{"lat": "N20S", "lon": "1"}, {"lat": "91", "lon": "0"}, {"lat": "x", "lon": "0"},
     {"west": "1"}, {"lat": "1"}, {"lat": "\u0661", "lon": "0"}, {"lat": "-20.5S", "lon": "0"},
     {"lat": "S-20", "lon": "0"}, {"lat": "060W", "lon": "20N"}, {"lat": "1", "lon": "N2"},
     {"lat": "0", "lon": "+60W"}],
)  # fmt: skip
def test_file_name_that_is_no_place_is_left_out_with_a_warning(product, caplog, groups):
    assert extent_of(product, groups=groups, place=("filename",)).box is None
    assert "file name" in caplog.text or groups == {"lat": "1"}


# --- sidecars --------------------------------------------------------------------------------

MET = """
GROUP                  = INVENTORYMETADATA
  GROUPTYPE            = MASTERGROUP
  GROUP                  = RANGEDATETIME
    OBJECT                 = RANGEBEGINNINGDATE
      NUM_VAL              = 1
      VALUE                = "2012-09-06"
    END_OBJECT             = RANGEBEGINNINGDATE
    OBJECT                 = RANGEBEGINNINGTIME
      VALUE                = "11:59:58.250"
    END_OBJECT             = RANGEBEGINNINGTIME
    OBJECT                 = RANGEENDINGDATE
      VALUE                = "2012-09-06"
    END_OBJECT             = RANGEENDINGDATE
    OBJECT                 = RANGEENDINGTIME
      VALUE                = "12:30:00.000"
    END_OBJECT             = RANGEENDINGTIME
  END_GROUP              = RANGEDATETIME
  GROUP                  = BOUNDINGRECTANGLE
    OBJECT                 = WESTBOUNDINGCOORDINATE
      VALUE                = 179.5
    END_OBJECT             = WESTBOUNDINGCOORDINATE
    OBJECT                 = NORTHBOUNDINGCOORDINATE
      VALUE                = 20.0
    END_OBJECT             = NORTHBOUNDINGCOORDINATE
    OBJECT                 = EASTBOUNDINGCOORDINATE
      VALUE                = -179.5
    END_OBJECT             = EASTBOUNDINGCOORDINATE
    OBJECT                 = SOUTHBOUNDINGCOORDINATE
      VALUE                = -10
    END_OBJECT             = SOUTHBOUNDINGCOORDINATE
  END_GROUP              = BOUNDINGRECTANGLE
END_GROUP              = INVENTORYMETADATA
END
"""
KNOWN = Extent(
    utc(2012, 9, 6, 11, 59, 58, 250000), utc(2012, 9, 6, 12, 30), Box(179.5, -10, -179.5, 20)
)
LINES = """# a comment
time_coverage_start = "2012-09-06T11:59:58.250Z"
time_coverage_end: 2012-09-06T12:30:00Z
geospatial_lon_min = 179.5;
geospatial_lon_max = -179.5
geospatial_lat_min = -10
geospatial_lat_max = 20
"""


@pytest.mark.parametrize(
    "text",
    [MET, LINES, render_echo10(_record(KNOWN)), render_ummg(_record(KNOWN)),
     "\ufeff" + render_ummg(_record(KNOWN)), MET.replace("\n", "\r\n")],
    ids=["ODL", "lines", "ECHO10", "UMM-G", "byte order mark", "CRLF"],
)  # fmt: skip
def test_sidecar_is_read_in_every_language(product, tmp_path, text):
    sidecar = tmp_path / "a.met"
    sidecar.write_text(text, encoding="utf-8", newline="")
    assert extent_of(product, ("sidecar",), place=("sidecar",), sidecar=sidecar) == KNOWN


def test_sidecars_of_other_centres_are_read(product):
    """Records from NASA's CMR, made by GES DISC and another centre."""
    path = shared("schemas/echo10/echo10_real_GESDISC.xml")
    extent = extent_of(product, ("sidecar",), place=("sidecar",), sidecar=path)
    root = ElementTree.parse(path).getroot()
    begin = root.findtext(".//BeginningDateTime")
    assert extent.begin == datetime.fromisoformat(begin)
    assert extent.box is None or extent.box.west == float(
        root.findtext(".//WestBoundingCoordinate")
    )


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("west = 1\nwest = 2\nsouth = 0\neast = 3\nnorth = 1", "2 different values of west"),
        (
            "RangeBeginningDate = 2012-09-06\nRangeBeginningTime = 01:00\nRangeBeginningTime = 2",
            "2 different values of begin",
        ),
        ("west = 1\nsouth = 99\neast = 3\nnorth = 100", "not within -90 to 90"),
        ("begin = 2013-01-01\nend = 2012-01-01", "lies before the begin"),
        ("begin = last year", "is no date"),
    ],
)
def test_sidecar_that_contradicts_itself_is_left_out_with_a_warning(
    product, tmp_path, caplog, text, warning
):
    (tmp_path / "a.txt").write_text(text)
    order = ("sidecar",)
    assert extent_of(product, order, place=order, sidecar=tmp_path / "a.txt") == Extent()
    assert warning in caplog.text


def test_time_of_a_sidecar_counts_where_its_place_is_wrong(product, tmp_path):
    (tmp_path / "a.txt").write_text("begin = 2012-01-01\nwest = 999")
    order = ("sidecar",)
    extent = extent_of(product, order, place=order, sidecar=tmp_path / "a.txt")
    assert (extent.begin, extent.box) == (utc(2012, 1, 1), None)


def test_padded_lines_of_a_sidecar_take_no_time(tmp_path):
    """With a pattern that had to try where the value ends it was hours."""
    sidecar = tmp_path / "padded.met"
    sidecar.write_text(f"title = a{' ' * 100_000}b ;\n  begin = '2012-09-06'  ;  \n")
    assert from_sidecar(sidecar).begin == utc(2012, 9, 6)


def test_sidecar_with_many_values_of_one_name_takes_no_time(tmp_path):
    """A polygon of 200,000 points: each value was looked for among all before it."""
    points = [{"Longitude": number / 1e5, "Latitude": 0} for number in range(200_000)]
    sidecar = tmp_path / "large.json"
    sidecar.write_text(json.dumps({"Points": points, "BeginningDateTime": "2012-09-06"}))
    assert from_sidecar(sidecar).begin == utc(2012, 9, 6)


@pytest.mark.parametrize("text", ["", "{", "<a", "[" * 10000, "<!DOCTYPE x>", "\0\0", "="])
def test_sidecar_that_is_nothing_says_nothing(product, tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    order = ("sidecar",)
    assert extent_of(product, order, place=order, sidecar=tmp_path / "a.txt") == Extent()


@given(st.text())
def test_no_sidecar_stops_a_granule(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("sidecar") / "a"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert from_sidecar(path) is not None


WORDS = st.text("0123456789TZNSEW.-+:", max_size=16)


@given(st.dictionaries(st.sampled_from(["date", "begin", "end", "lat", "lon", *PLACE]), WORDS))
def test_no_file_name_stops_a_granule(groups):
    extent = from_groups(groups)
    assert extent.begin is None or extent.end is None or extent.begin <= extent.end


# --- through the granule ---------------------------------------------------------------------


@pytest.fixture
def granule(tmp_path):
    """A granule that is converted already; its collection.toml gets further lines."""
    from cumulus.process.granule import Granule

    def granule(metadata="", inputs="", **files):
        text = COLLECTION.replace("[products]", f"{inputs}\n[products]")
        (tmp_path / "collection.toml").write_text(f"{text}\n[metadata]\n{metadata}\n")
        rules = collection.load(tmp_path / "collection.toml")
        names = {key: template.format(id="CPL_A") for key, template in rules.products.items()}
        write_product(tmp_path / names["data"])
        return Granule(
            id="CPL_A",
            inputs={"primary": tmp_path / "CPL_A.hdf5", **files},
            products={key: tmp_path / name for key, name in names.items()},
            collection=rules,
            home=tmp_path,
            groups={"id": "CPL_A"},
        )

    return granule


def written(granule):
    return json.loads(granule.products["cmr"].read_text())


def begin_of(content):
    return content["TemporalExtent"]["RangeDateTime"]["BeginningDateTime"]


def test_function_of_the_handler_is_asked_with_declared(granule):
    declared = granule()
    declared.write_metadata(
        lambda asked: {"begin": datetime(2001, 1, 1), **PLACE} if asked is declared else {}
    )
    content = written(declared)
    assert begin_of(content) == "2001-01-01T00:00:00Z"
    assert (
        ElementTree.parse(declared.products["metadata"]).findtext(".//WestBoundingCoordinate")
        == "1.0"
    )


def test_function_that_no_order_asks_is_a_mistake(granule):
    declared = granule('time = ["product"]\nplace = ["product"]')
    with pytest.raises(CumulusError, match="lists 'function'"):
        declared.write_metadata({"begin": datetime(2001, 1, 1)})


def test_sidecar_is_the_input_of_that_role(granule, tmp_path):
    (tmp_path / "CPL_A.met").write_text(MET)
    declared = granule(
        'sidecar = "ancillary"', 'ancillary = "{id}.met"', ancillary=tmp_path / "CPL_A.met"
    )
    declared.write_metadata()
    content = written(declared)
    assert begin_of(content) == "2012-09-06T11:59:58.250Z"
    assert content["InputGranules"] == ["CPL_A.hdf5", "CPL_A.met"]


def test_warning_says_whose_it_is(granule, capsys):
    get_logger()
    granule('place = ["fixed"]').write_metadata()
    assert 'granule_id="CPL_A"' in (line := capsys.readouterr().out)
    assert 'level="warn"' in line


def test_fixed_values_fill_what_nothing_else_knows(granule):
    declared = granule(
        'place = ["fixed"]\n[metadata.fixed]\nwest = 350\nsouth = 0\neast = 10.5\nnorth = 1\n'
    )
    declared.write_metadata()
    assert Box(-10, 0, 10.5, 1) == declared.collection.metadata.fixed.box
    content = written(declared)
    corners = content["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]["BoundingRectangles"]
    assert corners[0]["WestBoundingCoordinate"] == -10
    assert begin_of(content) == "2012-09-06T12:00:00Z"  # the product knows


def test_revision_of_the_image_is_in_both_records(granule, monkeypatch):
    monkeypatch.setenv("IMAGE_REVISION", "0123456789abcdef0123456789abcdef01234567")
    declared = granule()
    declared.write_metadata()
    echo10 = ElementTree.parse(declared.products["metadata"])
    assert echo10.findtext("PGEVersionClass/PGEVersion") == "0123456789"
    assert (
        written(declared)["PGEVersionClass"]["PGEVersion"]
        == "0123456789abcdef0123456789abcdef01234567"
    )


def test_records_that_are_not_declared_are_not_written(granule, tmp_path):
    declared = granule()
    for key in ("metadata", "cmr"):
        del declared.products[key]
    write_granule_records(declared)
    assert not list(tmp_path.glob("*.json")) + list(tmp_path.glob("*.xml"))
