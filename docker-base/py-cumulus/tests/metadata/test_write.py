"""ECHO10 and UMM-G: valid against NASA's schemas, and saying what is true."""

import hashlib
import json
import os
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta
from pathlib import Path

import netCDF4
import pytest
from samples import shared, write_product

from cumulus import CumulusError
from cumulus.collection.model import AccessConstraints, MetadataRules
from cumulus.extent import Box, Extent
from cumulus.metadata import make_record, write_metadata, write_ummg
from cumulus.metadata.echo10 import render_echo10
from cumulus.metadata.record import GranuleRecord
from cumulus.metadata.ummg import render_ummg

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def record(**changes):
    content = {
        "granule_ur": "CPL_A.nc",
        "short_name": "hs3cpl",
        "version": "1",
        "written": NOW,
        "size": 1 << 20,
        "sha256": "ab" * 32,
    }
    return GranuleRecord(**(content | changes))


FULL = {
    "data_format": "NetCDF-4",
    "extent": Extent(
        datetime(2012, 9, 6, 12, tzinfo=UTC),
        datetime(2012, 9, 6, 12, 0, 0, 250000, tzinfo=UTC),
        Box(179.5, -10.0, -179.5, 20.0),
    ),
    "input_granules": ("CPL_A.hdf5", "CPL_A.met"),
    "access_url": "https://example.org/CPL_A.nc",
}

RECORDS = {
    "least": {},
    "full": FULL,
    "open end": {"extent": Extent(begin=datetime(2012, 9, 6, tzinfo=UTC))},
    "markup in names": {"granule_ur": "<a>&\"'.nc", "input_granules": ("]]>",)},
    "line ends in names": {"granule_ur": "a\n\r\tb.nc", "input_granules": ("a\nb",)},
    "long name": {"granule_ur": "x" * 250},
    "poles": {"extent": Extent(box=Box(-180.0, -90.0, 180.0, 90.0))},
    "polygon": {
        "extent": Extent(
            box=Box(179.0, 0.0, -179.0, 1.0),
            polygon=((179.0, 0.0), (-179.0, 0.000001), (-179.0, 1.0), (179.0, 1.0), (179.0, 0.0)),
        )
    },
    "commit": {"revision": "0123456789abcdef" * 2 + "01234567"},
    "edited commit": {"revision": "0123456789abcdef" * 2 + "01234567+"},
    "long revision": {"revision": "v" * 50},
    "early year": {"extent": Extent(begin=datetime(1, 2, 3, tzinfo=UTC))},
    "instant": {"extent": Extent(datetime(2012, 9, 6, 12), datetime(2012, 9, 6, 12))},
    "identity": {"granule_ur": "CPL_A", "file_name": "CPL_A.nc"},
    "constraints": {"access_constraints": AccessConstraints(0, "public")},
    "constraint without a description": {"access_constraints": AccessConstraints(1.5)},
    "tiny numbers": {"extent": Extent(box=Box(-1e-6, -1e-6, 1e-6, 1e-6)), "size": 1},
}
every_record = pytest.mark.parametrize("changes", RECORDS.values(), ids=RECORDS.keys())


@pytest.fixture(scope="module")
def echo10():
    path = shared("schemas/echo10/Granule.xsd")
    etree = pytest.importorskip("lxml.etree")
    return etree.XMLSchema(etree.parse(path))


@pytest.fixture(scope="module")
def ummg():
    path = shared("schemas/ummg/v1.6.6/umm-g-json-schema.json")
    jsonschema = pytest.importorskip("jsonschema")
    checker = jsonschema.FormatChecker()
    if "date-time" not in checker.checkers:
        pytest.skip("jsonschema cannot check dates: install jsonschema[format]")
    return jsonschema.Draft7Validator(json.loads(path.read_text()), format_checker=checker)


@every_record
def test_echo10_is_valid(echo10, changes):
    from lxml import etree

    document = etree.fromstring(render_echo10(record(**changes)).encode())
    assert echo10.validate(document), echo10.error_log


@every_record
def test_echo10_is_valid_for_a_second_validator(changes):
    path = shared("schemas/echo10/Granule.xsd")
    schema = _second_schema(path)
    schema.validate(render_echo10(record(**changes)))


_schemas = {}


def _second_schema(path):
    xmlschema = pytest.importorskip("xmlschema")
    return _schemas.setdefault(path, _schemas.get(path) or xmlschema.XMLSchema(str(path)))


@every_record
def test_ummg_is_valid(ummg, changes):
    errors = list(ummg.iter_errors(json.loads(render_ummg(record(**changes)))))
    assert errors == []


@every_record
def test_names_read_back_from_both(changes):
    changed = record(**changes)
    assert (
        ElementTree.fromstring(render_echo10(changed)).findtext("GranuleUR") == changed.granule_ur
    )
    assert json.loads(render_ummg(changed))["GranuleUR"] == changed.granule_ur


def text(changes, path):
    return ElementTree.fromstring(render_echo10(record(**changes))).findtext(path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("InsertTime", "2026-11-22T01:02:03Z"),
        ("LastUpdate", "2026-11-22T01:02:03Z"),
        ("Collection/ShortName", "hs3cpl"),
        ("Collection/VersionId", "1"),
        ("DataGranule/SizeMBDataGranule", "1.05"),
        ("DataGranule/DataGranuleSizeInBytes", "1048576"),
        ("DataGranule/Checksum/Value", "ab" * 32),
        ("DataGranule/Checksum/Algorithm", "SHA-256"),
        ("DataGranule/ProducerGranuleId", "CPL_A.nc"),
        ("DataGranule/DayNightFlag", "UNSPECIFIED"),
        ("DataGranule/ProductionDateTime", "2026-11-22T01:02:03Z"),
        ("Temporal/RangeDateTime/BeginningDateTime", "2012-09-06T12:00:00Z"),
        ("Temporal/RangeDateTime/EndingDateTime", "2012-09-06T12:00:00.250Z"),
        (".//WestBoundingCoordinate", "179.5"),
        (".//EastBoundingCoordinate", "-179.5"),
        ("PGEVersionClass/PGEVersion", "unknown"),
        ("InputGranules/InputGranule[2]", "CPL_A.met"),
        ("OnlineAccessURLs/OnlineAccessURL/URL", "https://example.org/CPL_A.nc"),
        ("Orderable", "true"),
        ("DataFormat", "NetCDF-4"),
    ],
)
def test_echo10_says(path, value):
    assert text(FULL, path) == value


@pytest.mark.parametrize(
    "path", ["Temporal", "Spatial", "InputGranules", "OnlineAccessURLs", "DataFormat"]
)
def test_echo10_leaves_out_what_is_unknown(path):
    assert ElementTree.fromstring(render_echo10(record())).find(path) is None


def test_ummg_says_all_of_it():
    content = json.loads(render_ummg(record(**FULL)))
    file = content["DataGranule"]["ArchiveAndDistributionInformation"][0]
    assert (file["SizeInBytes"], file["Size"], file["SizeUnit"]) == (1048576, 1.05, "MB")
    assert file["Checksum"] == {"Value": "ab" * 32, "Algorithm": "SHA-256"}
    assert file["Format"] == "NetCDF-4"
    times = content["TemporalExtent"]["RangeDateTime"]
    assert times["EndingDateTime"] == "2012-09-06T12:00:00.250Z"
    domain = content["SpatialExtent"]["HorizontalSpatialDomain"]
    assert domain["Geometry"]["BoundingRectangles"][0]["WestBoundingCoordinate"] == 179.5
    assert content["InputGranules"] == ["CPL_A.hdf5", "CPL_A.met"]
    assert content["RelatedUrls"][0]["URL"] == "https://example.org/CPL_A.nc"


@pytest.mark.parametrize(
    ("revision", "echo10"),
    [("v1.2.3", "v1.2.3"), ("ab" * 20, "ababababab"), ("ab" * 20 + "+", "ababababa+"),
     ("v1.2.3-beta4", None)],
)  # fmt: skip
def test_revision_is_whole_in_ummg_and_fits_into_echo10(revision, echo10):
    assert text({"revision": revision}, "PGEVersionClass/PGEVersion") == echo10
    content = json.loads(render_ummg(record(revision=revision)))
    assert content["PGEVersionClass"] == {"PGEVersion": revision}


@pytest.mark.parametrize(
    ("size", "echo10", "ummg"),
    [
        (1014520, "1.01", 1.01),
        (395_123_456, "395.12", 395.12),
        (999_999, "1.0", 1.0),
        (58184, "0.0582", 0.0582),
        (4321, "0.00432", 0.00432),
        (1, "0.000001", 1e-06),
    ],
)
def test_size_is_in_millions_of_bytes_and_never_zero(size, echo10, ummg):
    """Two decimals as CMR shows them; a small file has three digits that count."""
    assert text({"size": size}, "DataGranule/SizeMBDataGranule") == echo10
    assert text({"size": size}, "DataGranule/DataGranuleSizeInBytes") == str(size)
    (file,) = json.loads(render_ummg(record(size=size)))["DataGranule"][
        "ArchiveAndDistributionInformation"
    ]
    assert (file["Size"], file["SizeUnit"], file["SizeInBytes"]) == (ummg, "MB", size)


@pytest.mark.parametrize(
    ("microseconds", "is_instant"), [(0, True), (400, True), (1000, False), (None, False)]
)
def test_observations_of_one_moment_are_a_single_date_time(microseconds, is_instant):
    """Begin and end that are written the same are one moment; an unknown end is none."""
    begin = datetime(2012, 9, 6, 12, tzinfo=UTC)
    end = None if microseconds is None else begin + timedelta(microseconds=microseconds)
    changes = {"extent": Extent(begin, end)}
    times = json.loads(render_ummg(record(**changes)))["TemporalExtent"]
    single = text(changes, "Temporal/SingleDateTime")
    if is_instant:
        assert (single, times) == (
            "2012-09-06T12:00:00Z",
            {"SingleDateTime": "2012-09-06T12:00:00Z"},
        )
    else:
        assert (single, list(times)) == (None, ["RangeDateTime"])


def test_access_constraints_are_in_both():
    changes = {"access_constraints": AccessConstraints(0, "public")}
    content = json.loads(render_ummg(record(**changes)))
    assert content["AccessConstraints"] == {"Value": 0, "Description": "public"}
    assert (text(changes, "RestrictionFlag"), text(changes, "RestrictionComment")) == (
        "0",
        "public",
    )
    assert "AccessConstraints" not in json.loads(render_ummg(record()))
    assert text({}, "RestrictionFlag") is None


@pytest.mark.parametrize(
    ("template", "granule_ur"),
    [("", "CPL_A.nc"), ("{id}", "CPL_A"), ("{data}", "CPL_A.nc"), ("{id}.v2", "CPL_A.v2")],
)
def test_granule_id_drives_the_granule_ur_alone(product, template, granule_ur):
    """ProducerGranuleId and the name of the file stay the product's name."""
    granule_record = make_record(
        product,
        "x",
        groups={"id": "CPL_A"},
        names={"data": "CPL_A.nc"},
        rules=MetadataRules(granule_id=template),
    )
    content = json.loads(render_ummg(granule_record))
    data = content["DataGranule"]
    assert content["GranuleUR"] == granule_ur
    assert data["Identifiers"][0]["Identifier"] == "CPL_A.nc"
    assert data["ArchiveAndDistributionInformation"][0]["Name"] == "CPL_A.nc"
    root = ElementTree.fromstring(render_echo10(granule_record))
    assert root.findtext("GranuleUR") == granule_ur
    assert root.findtext("DataGranule/ProducerGranuleId") == "CPL_A.nc"


@pytest.mark.parametrize(
    ("spatial", "polygon", "box"),
    [
        ("", True, True),
        ("geodetic", True, True),
        ("cartesian", False, True),
        ("none", False, False),
    ],
)
def test_geometry_is_that_of_the_collection(product, spatial, polygon, box):
    """A cartesian collection gets a box for a polygon, one without spatial coverage nothing."""
    ring = ((-60.0, 20.0), (-58.0, 20.0), (-58.0, 22.0), (-60.0, 20.0))
    extent = Extent(box=Box(-60.0, 20.0, -58.0, 22.0), polygon=ring)
    known = make_record(product, "x", spatial=spatial, extent=extent).extent
    assert (bool(known.polygon), bool(known.box)) == (polygon, box)


@pytest.mark.parametrize(("spatial", "warns"), [("", True), ("none", False)])
def test_missing_place_is_no_warning_where_the_collection_has_none(
    tmp_path, caplog, spatial, warns
):
    """A collection without spatial coverage hears nothing about a place, and keeps its time."""
    path = tmp_path / "g.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("time", 2)
        variable = dataset.createVariable("time", "f8", ("time",))
        variable.setncatts({"units": "days since 2012-01-01", "standard_name": "time"})
        variable[:] = [1, 2]
    made = make_record(path, "x", spatial=spatial)
    assert ("no spatial extent" in caplog.text, "place" in made.gaps) == (warns, warns)
    assert (made.extent.begin, made.extent.box) == (datetime(2012, 1, 2, tzinfo=UTC), None)


def test_producer_id_too_long_for_echo10_is_left_out_there():
    assert text({"granule_ur": "x" * 129}, "DataGranule/ProducerGranuleId") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"granule_ur": "x" * 251},
        {"short_name": "x" * 86},
        {"version": "1" * 81},
        {"input_granules": ("x" * 256,)},
        {"revision": "1" * 51},
        {"access_url": "https://" + "x" * 1017},
        {"granule_ur": "\x01.nc"},
        {"input_granules": ("a\udcff",)},
    ],
)
def test_what_the_schemas_cannot_hold_is_refused(changes):
    with pytest.raises(CumulusError, match=r"are allowed|cannot hold"):
        record(**changes)


def test_file_of_two_roles_is_one_input(product):
    assert make_record(product, "x", input_granules=["a", "a"]).input_granules == ("a",)


# --- write_metadata --------------------------------------------------------------------------


@pytest.fixture
def product(tmp_path):
    return write_product(tmp_path / "CPL_A.nc")


def test_call_of_the_seed_works_unchanged(product, tmp_path):
    outdir = tmp_path / "out"
    outdir.mkdir()
    path = write_metadata(str(product), dataname="cpl", dataid="hs3cpl", outdir=str(outdir))
    assert path == f"{outdir}/CPL_A.nc.meta.xml"
    assert ElementTree.parse(path).findtext("Collection/ShortName") == "hs3cpl"
    assert os.listdir(outdir) == ["CPL_A.nc.meta.xml"]


def test_size_checksum_and_format_are_the_products(product, tmp_path):
    root = ElementTree.parse(write_metadata(product, "hs3cpl", outdir=tmp_path)).getroot()
    content = product.read_bytes()
    assert int(root.findtext("DataGranule/DataGranuleSizeInBytes")) == len(content)
    assert root.findtext("DataGranule/Checksum/Value") == hashlib.sha256(content).hexdigest()
    assert root.findtext("DataFormat") == "NetCDF-4"


def test_time_of_writing_is_now(product):
    assert abs((make_record(product, "x").written - datetime.now(UTC)).total_seconds()) < 10


@pytest.mark.parametrize("name", ["a\nb.nc", "a\rb.nc", "a\x1bb.nc", "a\u2028b.nc"])
def test_name_with_a_control_character_is_no_granule_ur(tmp_path, name):
    """A catalogue would take it for two names, or for another one."""
    write_product(tmp_path / name)
    with pytest.raises(CumulusError, match="cannot be a GranuleUR"):
        write_metadata(tmp_path / name, "hs3cpl", outdir=tmp_path)
    assert not list(tmp_path.glob("*.xml"))


@pytest.mark.parametrize("dataid", ["", "  ", None])
def test_empty_dataid_is_one_sentence(product, dataid):
    with pytest.raises(CumulusError, match="needs dataid"):
        write_metadata(product, dataid)


def test_version_comes_from_the_argument_then_the_environment(product, monkeypatch):
    assert make_record(product, "x").version == "1"
    monkeypatch.setenv("VERSION", "3")
    assert make_record(product, "x").version == "3"
    assert make_record(product, "x", version="2").version == "2"


def test_access_url_is_filled_and_quoted(product):
    granule_record = make_record(
        product,
        "hs3cpl",
        provider="GHRC_DAAC",
        groups={"id": "CPL A"},
        names={"data": "CPL_A.nc"},
        rules=MetadataRules(access_url="https://x/{provider}/{short_name}/{version}/{id}/{data}"),
    )
    assert granule_record.access_url == "https://x/GHRC_DAAC/hs3cpl/1/CPL%20A/CPL_A.nc"


def test_name_that_is_no_utf_8_is_quoted_byte_by_byte(product):
    """The name of one file of a granule, as the operating system gives it to Python."""
    rules = MetadataRules(access_url="https://x/{other}")
    granule_record = make_record(product, "x", names={"other": "caf\udce9.txt"}, rules=rules)
    assert granule_record.access_url == "https://x/caf%E9.txt"


@pytest.mark.parametrize("template", ["https://{data", "https://data}", "https://{file.x}"])
def test_access_url_that_is_no_template_is_one_sentence(product, template):
    with pytest.raises(CumulusError, match=r"access_url: .* is no template"):
        make_record(product, "x", rules=MetadataRules(access_url=template))


def test_unknown_placeholder_of_access_url_is_one_sentence(product):
    with pytest.raises(CumulusError, match="'bucket' is not known"):
        make_record(product, "x", rules=MetadataRules(access_url="https://{bucket}"))


def test_absent_product_is_one_sentence(tmp_path):
    with pytest.raises(CumulusError, match=r"cannot read '.*absent.nc': No such file"):
        write_metadata(tmp_path / "absent.nc", "x", outdir=tmp_path)


def test_absent_directory_is_one_sentence(product, tmp_path):
    with pytest.raises(CumulusError, match=r"cannot write '.*CPL_A.nc.meta.xml': No such file"):
        write_metadata(product, "x", outdir=tmp_path / "absent")


def test_ummg_is_named_as_cumulus_recognises_it(product, tmp_path):
    path = write_ummg(product, "hs3cpl", outdir=tmp_path)
    assert path == f"{tmp_path}/CPL_A.cmr.json"
    assert json.loads(Path(path).read_text())["CollectionReference"]["ShortName"] == "hs3cpl"


def test_record_can_be_read_by_others_as_the_umask_allows(product, tmp_path):
    mask = os.umask(0o022)
    try:
        path = write_metadata(product, "x", outdir=tmp_path)
    finally:
        os.umask(mask)
    assert os.stat(path).st_mode & 0o777 == 0o644


def test_records_of_the_dropsonde_say_what_the_inventory_of_ghrc_says():
    """GHRC's inventory: 2022-02-08 14:29:42 to 14:34:22, N 42.799, W -65.896."""
    granule_record = make_record(shared("data/granules/IMPACTS_AVAPS_PQC_20220208_142943.nc"), "x")
    root = ElementTree.fromstring(render_echo10(granule_record))
    times = root.find("Temporal/RangeDateTime")
    assert times.findtext("BeginningDateTime") == "2022-02-08T14:29:42Z"
    assert times.findtext("EndingDateTime")[:19] == "2022-02-08T14:34:22"
    assert round(float(root.findtext(".//NorthBoundingCoordinate")), 3) == 42.799
    assert round(float(root.findtext(".//WestBoundingCoordinate")), 3) == -65.896
    assert json.loads(render_ummg(granule_record))["TemporalExtent"]["RangeDateTime"] == {
        "BeginningDateTime": times.findtext("BeginningDateTime"),
        "EndingDateTime": times.findtext("EndingDateTime"),
    }


@pytest.mark.parametrize(
    ("granule", "before", "keyword"),
    [
        ("granules/IMPACTS_AVAPS_PQC_20220208_142943.nc", "NetCDF-3", "netCDF-3"),
        ("granules/IMPACTS_AVAPS_P3B_202002202248_R0.ict", "", "ICARTT"),
        ("granules/IMPACTS_CRS_L1B_RevB_20200201_subset.h5", "NetCDF-4", "netCDF-4"),
        ("granules/ISS_LIS_BG_V3.0_20170702_000346_FIN.nc", "NetCDF-4", "netCDF-4"),
        ("hdf5/hdf5src1.10.8__tdset.h5", "HDF5", "HDF5"),
    ],
)
def test_records_of_real_files_are_valid(echo10, ummg, granule, before, keyword):
    """Formats are GCMD's keywords with format = "auto"; without it they are as before."""
    from lxml import etree

    path = shared(f"data/{granule}")
    rules = MetadataRules(format="auto")
    assert make_record(path, "x").data_format == before
    granule_record = make_record(path, "x", input_granules=[granule], rules=rules)
    assert granule_record.data_format == keyword
    assert echo10.validate(etree.fromstring(render_echo10(granule_record).encode())), (
        echo10.error_log
    )
    assert list(ummg.iter_errors(json.loads(render_ummg(granule_record)))) == []
