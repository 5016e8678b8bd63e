"""Real granules of GHRC with the extents that GHRC's own archive states."""

import csv
from datetime import datetime, timedelta

import pytest
from samples import SHARED, extent_of, shared

from cumulus.collection.model import SOURCES
from cumulus.extent import Box, Extent

SECOND, DEGREES = timedelta(seconds=1), 0.0105  # a hundredth; the archive rounds to thousandths
NO_TIME = "no temporal extent found"
NO_PLACE = "no spatial extent found"

# What collection.toml has in one line where the general rule does not suffice: named groups of
# [granule] id, keys of [metadata], or the table [metadata.fixed].
BY_NAME = {"date": "20170715", "begin": "150000", "end": "152959"}
SHIS = {"begin": "20110910T012413", "end": "20110910T021638"}
GLOBE = {"place": ("fixed",), "fixed": Extent(box=Box(-178.75, -88.75, 178.75, 88.75))}
STATION = {"latitude_variable": "Location_latitude", "longitude_variable": "Location_longitude"}
MOSAIC = {"latitude_variable": "y0", "longitude_variable": "x0"}

# granule -> (settings, what is left out with which reason, where GHRC is rougher and why)
GRANULES = {
    "IMPACTS_nexrad_20200214_211404_kcle.nc": ({}, {}, {}),
    "IMPACTS_mrms_20220113_194432_DBZ.nc": ({}, {}, {}),
    "IMPACTS_SBU_skyler1_20220218_055831_rhi_mid.nc": ({}, {}, {}),
    "amsua15_2020.205_15437_1048_1231_WI.nc": (
        {}, {"time": "no variable has units such as"}, {},
    ),
    "CPEX_3B_HHR_E_MS_MRG_3IMERG_20170715_S150000_E152959_0900_V04B.nc": (
        {"groups": BY_NAME}, {}, {},
    ),
    "IMPACTS_HIWRAP_L1B_RevC_20200201_subset.h5": (
        {}, {"time": "no variable has units such as"}, {},
    ),
    "IMPACTS_ASOS_20200111_kadg.nc": ({}, {"place": "no variable has units 'degrees_north'"}, {}),
    "CPEX_HAMSR_L2_realtime_20170602T1500_20170602T1600.nc": ({}, {}, {}),
    "ISS_LIS_BG_V2.0_20210628_142555_NRT.nc": ({}, {}, {}),
    "IMPACTS_wrfout_d01_2020011812_30_GFS.nc": (
        {}, {}, {"time": "GHRC adds three hours to the only time that the file has"},
    ),
    "OR_GLM-L3-GLMF-M6_G16_T05_e20210807162700.nc": (
        {}, {}, {"place": "GHRC's west edge is 1.15 degrees east of the grid's north-west corner"},
    ),
    "f17_ssmis_201911v7.nc": (
        {}, {}, {"place": "GHRC's box from 0.125 to -0.125 is a sliver in CMR, and not the globe"},
    ),
    "IMPACTS_UALB_parsivel_20220228.nc": ({}, {}, {}),
    "CPEX_MASC_Fri_Jun__2_16-17-34_2017.he5": (
        {}, {"time": "no variable has units such as", "place": "which its name or its units"}, {},
    ),
    "IMPACTS_SBU_ceilo_20200102_2356_chm15k_RT.nc": (
        {}, {"place": "0 north, 0 east only, a default value"}, {},
    ),
    "IMPACTS_SBU_ceilo_20200227_0000_cl51k_MAN.nc": (
        STATION, {"time": "'time' cannot be decoded"}, {},
    ),
    "SHIS_rdr20110910T012413end20110910T021638sdr20160427T062645_rad.nc": (
        {"groups": SHIS}, {}, {},
    ),
    "CPEX_ascat_20170715_203900_metopa_55722_eps_o_coa_2401_ovw_l2.nc": (
        {}, {}, {"time": "GHRC takes the whole orbit, of which the samples are nine minutes"},
    ),
    "tltglhmam_6.0.nc": (GLOBE, {}, {}),
    "IMPACTS_nexrad_20200101_235800_mosaic_east.nc": (
        MOSAIC, {"time": "no variable has units such as"}, {},
    ),
}  # fmt: skip


def expected():
    """The archive's extents by granule."""
    with open(shared("data/ghrc/expected.tsv"), encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}


def extent(name, caplog):
    settings = dict(GRANULES[name][0])
    place = settings.pop("place", SOURCES)
    caplog.clear()
    return extent_of(shared(f"data/ghrc/{name}"), SOURCES, place=place, **settings)


@pytest.mark.parametrize("name", GRANULES)
def test_time_of_a_real_granule_is_that_of_its_archive(name, caplog):
    """Equal within a second, left out with its reason, or explained where GHRC's is rougher."""
    _, left_out, rougher = GRANULES[name]
    row, ours = expected()[name], extent(name, caplog)
    begin, end = (datetime.fromisoformat(row[key]) for key in ("begin", "end"))
    if "time" in left_out:
        assert (ours.begin, ours.end) == (None, None)
        assert NO_TIME in caplog.text and left_out["time"] in caplog.text
    elif "time" in rougher:
        assert begin - SECOND <= ours.begin <= ours.end <= end + SECOND
    else:
        assert abs(ours.begin - begin) <= SECOND and abs(ours.end - end) <= SECOND


@pytest.mark.parametrize("name", GRANULES)
def test_place_of_a_real_granule_is_that_of_its_archive(name, caplog):
    """Equal within 0.01 degrees, left out with its reason, or explained where GHRC's is rougher."""
    _, left_out, rougher = GRANULES[name]
    row, box = expected()[name], extent(name, caplog).box
    if "place" in left_out:
        assert box is None
        assert NO_PLACE in caplog.text and left_out["place"] in caplog.text
        return
    edges = {edge: abs(getattr(box, edge) - float(row[edge])) for edge in ROUGHER.get(name, EDGES)}
    assert max(edges.values()) <= DEGREES
    assert ("place" in rougher) == (name in ROUGHER)


EDGES = ("west", "south", "east", "north")
# The edges that GHRC's box has right.
ROUGHER = {
    "OR_GLM-L3-GLMF-M6_G16_T05_e20210807162700.nc": ("south", "east", "north"),
    "f17_ssmis_201911v7.nc": ("south", "north"),
}


def test_every_granule_with_an_extent_is_tried():
    assert set(GRANULES) == set(expected()) == {
        path.name for path in (SHARED / "data/ghrc").iterdir() if path.suffix != ".tsv"
    }


def test_most_granules_need_no_configuration(caplog):
    """Of the twenty, time and place are right, or left out, without a line of collection.toml."""
    wrong = []
    for name, row in expected().items():
        ours = extent_of(shared(f"data/ghrc/{name}"), SOURCES, place=SOURCES)
        begin, end = (datetime.fromisoformat(row[key]) for key in ("begin", "end"))
        if ours.begin and not begin - SECOND <= ours.begin <= ours.end <= end + SECOND:
            wrong.append(name)
        if ours.box and any(
            abs(getattr(ours.box, edge) - float(row[edge])) > DEGREES
            for edge in ROUGHER.get(name, EDGES)
        ):
            wrong.append(name)
    assert wrong == []
