"""HDF-EOS5: dimension names of swaths and grids, from a text like that of real files."""

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import judge, read_report

FIELD = """\t\t\tOBJECT={kind}_{number}
\t\t\t\t{kind}Name="{name}"
\t\t\t\tDataType=H5T_NATIVE_FLOAT
\t\t\t\tDimList=({dims})
\t\t\t\tMaxdimList=({dims})
\t\t\t\tCompressionType=HE5_HDFE_COMP_DEFLATE
\t\t\tEND_OBJECT={kind}_{number}
"""


def structure(what, number, name, sizes, fields):
    """One swath or grid of the text, as the HDF-EOS5 library writes it."""
    upper = what.upper()
    dims = "".join(f"\t\t\tOBJECT=Dimension_{n}\n\t\t\t\tDimensionName=\"{dim}\"\n\t\t\t\tSize={size}\n"
                   f"\t\t\tEND_OBJECT=Dimension_{n}\n" for n, (dim, size) in enumerate(sizes.items(), 1))
    text = {kind: "".join(FIELD.format(kind=kind, number=n, name=field,
                                       dims=(", " if n > 1 else ",").join(f'"{d}"' for d in axes))
                          for n, (field, axes) in enumerate(found.items(), 1)) for kind, found in fields.items()}
    groups = "".join(f"\t\tGROUP={kind[:-5]}\n{lines}\t\tEND_GROUP={kind[:-5]}\n" for kind, lines in
                     ((f"{kind}Field", text[kind]) for kind in text))
    return (f"\tGROUP={upper}_{number}\n\t\t{what}Name=\"{name}\"\n\t\tGROUP=Dimension\n{dims}\t\tEND_GROUP=Dimension\n"
            f"{groups}\tEND_GROUP={upper}_{number}\n")


def struct_metadata():
    first = structure("Swath", 1, "Ozone", {"nTimes": 5, "nLevels": 5},
                      {"GeoField": {"Latitude": ["nTimes"]}, "DataField": {"O3": ["nTimes", "nLevels"]}})
    second = structure("Swath", 2, "Ozone Apriori", {"nScans": 5, "nLayers": 4},
                       {"GeoField": {"Latitude": ["nScans"]}, "DataField": {"O3": ["nScans", "nLayers"]}})
    grid = structure("Grid", 1, "Daily", {"nCandidate": 2}, {"DataField": {"O3": ["YDim", "XDim"],
                                                                          "Count": ["nCandidate", "YDim", "XDim"]}})
    text = (f"GROUP=SwathStructure\n{first}{second}END_GROUP=SwathStructure\nGROUP=GridStructure\n{grid}"
            "END_GROUP=GridStructure\nGROUP=PointStructure\nEND_GROUP=PointStructure\nEND\n")
    return text


def write(path, parts):
    with h5py.File(path, "w") as file:
        for number, part in enumerate(parts):
            file[f"HDFEOS INFORMATION/StructMetadata.{number}"] = np.bytes_(part.encode().ljust(32000, b"\0"))
        for swath, last in (("Ozone", 5), ("Ozone Apriori", 4)):
            file[f"HDFEOS/SWATHS/{swath}/Data Fields/O3"] = np.ones((5, last), "f4")
            file[f"HDFEOS/SWATHS/{swath}/Geolocation Fields/Latitude"] = np.arange(5, dtype="f4")
        file["HDFEOS/GRIDS/Daily/Data Fields/O3"] = np.zeros((5, 5), "f4")
        file["HDFEOS/GRIDS/Daily/Data Fields/Count"] = np.zeros((2, 5, 5), "i2")


def dimensions(plain, tmp_path, parts):
    write(tmp_path / "in.he5", parts)
    done = plain("--report", tmp_path / "r", tmp_path / "in.he5", tmp_path / "x.nc")
    assert (done.returncode, done.stderr) == (0, "")
    assert judge(tmp_path / "in.he5", tmp_path / "x.nc", read_report(tmp_path / "r")).wrong == []
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        eos = product["HDFEOS"]
        return {f"{name} {field}": eos[f"{kind}/{name}/{where}/{field}"].dimensions for kind, name, where, field in (
            ("SWATHS", "Ozone", "Data Fields", "O3"), ("SWATHS", "Ozone", "Geolocation Fields", "Latitude"),
            ("SWATHS", "Ozone Apriori", "Data Fields", "O3"), ("GRIDS", "Daily", "Data Fields", "O3"),
            ("SWATHS", "Ozone Apriori", "Geolocation Fields", "Latitude"), ("GRIDS", "Daily", "Data Fields", "Count"))}


EXPECTED = {
    "Ozone O3": ("nTimes", "nLevels"), "Ozone Latitude": ("nTimes",),
    "Ozone Apriori O3": ("nScans", "nLayers"), "Ozone Apriori Latitude": ("nScans",),
    "Daily O3": ("YDim", "XDim"), "Daily Count": ("nCandidate", "YDim", "XDim"),
}


def test_several_swaths_and_a_grid_have_their_own_names(plain, tmp_path):
    """Fields of one name in structures of which one's name starts with the other's."""
    assert dimensions(plain, tmp_path, [struct_metadata()]) == EXPECTED


def test_text_in_several_parts_is_put_together(plain, tmp_path):
    """The library splits it where a part is full, in the middle of a word."""
    text = struct_metadata()
    middle = text.index("DimList", len(text) // 2) + 3
    assert dimensions(plain, tmp_path, [text[:500], text[500:middle], text[middle:]]) == EXPECTED


def test_swath_and_grid_of_one_name_have_their_own_names(plain, tmp_path):
    text = "".join(structure(kind, 1, "O3", {}, {"DataField": {"O3": axes}}) for kind, axes in (
        ("Swath", ["nTimes", "nLevels"]), ("Grid", ["YDim", "XDim"])))
    with h5py.File(tmp_path / "in.he5", "w") as file:
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(text)
        for kind in ("SWATHS", "GRIDS", "POINTS"):
            file[f"HDFEOS/{kind}/O3/Data Fields/O3"] = np.ones((3, 4), "f4")
    assert plain(tmp_path / "in.he5", tmp_path / "x.nc").returncode == 0
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert {kind: group["O3/Data Fields/O3"].dimensions for kind, group in product["HDFEOS"].groups.items()} == {
            "SWATHS": ("nTimes", "nLevels"), "GRIDS": ("YDim", "XDim"), "POINTS": ("dim_3", "dim_4")}


@pytest.mark.parametrize("link", ["HDFEOS INFORMATION", "HDFEOS INFORMATION/StructMetadata.0"])
def test_names_of_another_file_do_not_count(plain, tmp_path, link):
    """External links are not opened, these neither."""
    with h5py.File(tmp_path / "other.he5", "w") as file:
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(struct_metadata())
    with h5py.File(tmp_path / "in.he5", "w") as file:
        file["HDFEOS/SWATHS/Ozone/Data Fields/O3"] = np.ones((3, 4), "f4")
        file[link] = h5py.ExternalLink(tmp_path / "other.he5", link)
    assert plain(tmp_path / "in.he5", tmp_path / "x.nc").returncode == 0
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product["HDFEOS/SWATHS/Ozone/Data Fields/O3"].dimensions == ("dim_3", "dim_4")
