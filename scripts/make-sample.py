#!/usr/bin/env python3
"""Write the starter sample: two small granules of the HS3 CPL shape, and the products expected of them.

Both are computed here from the same formulas, the inputs written with h5py and the products with netCDF4-python:
the converter that they test has no part in them.  With the same library versions the bytes are the same each time.
"""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

try:
    import h5py
    import netCDF4
    import numpy as np
except ImportError as error:
    sys.exit(f"make-sample: this Python has no {error.name}: scripts/venv, then .venv/bin/python "
             "scripts/make-sample.py")

SAMPLE = Path(__file__).resolve().parent.parent / "{{cookiecutter.repo_name}}" / "tests" / "sample"
RECORDS, BINS, LAYERS, CHANNELS, WAVELENGTHS = 40, 60, 10, 4, 3
MISSING = np.float32(-999.9)
EPOCH = "days since 2011-12-31 00:00:00"
LENGTHS = {"time": RECORDS, "altitude": BINS, "layer": LAYERS, "channel": CHANNELS, "wavelength": WAVELENGTHS}

record = np.arange(RECORDS)
height = np.arange(BINS)
both = record[:, None] * 7 + height * 13  # varies along both axes, without any rounding


@dataclass
class Variable:
    """A dataset of the granule and the variable that it becomes.

    `data` has the type and byte order of both; `layout` are h5py's storage options; `attributes` are the product's,
    of which the granule has those named in `delivered`.
    """

    path: str
    data: object
    dims: str = ""
    name: str = ""
    attributes: dict = field(default_factory=dict)
    layout: dict = field(default_factory=dict)
    delivered: tuple = ()
    fill: object = None


def deflated(*chunks):
    return {"chunks": chunks, "shuffle": True, "compression": "gzip", "compression_opts": 6}


def named(long_name, units="", standard_name="", **more):
    return {key: value for key, value in
            {"units": units, "standard_name": standard_name, "long_name": long_name, **more}.items() if value != ""}


def profiles(path, long_name, units, scale, **more):
    """A quantity of records x bins; the lowest bins lie below the ground and hold the fill value."""
    data = ((both % 97 + 1) * scale).astype("f4")
    data[:, BINS - 6:] = MISSING
    return Variable(path, data, "time altitude", layout=deflated(16, BINS), fill=MISSING,
                    attributes=named(long_name, units, coordinates="latitude longitude"), **more)


def along_time(path, data, long_name, units, standard_name="", **more):
    return Variable(path, data, "time", attributes=named(long_name, units, standard_name), **more)


def navigation():
    """What every CPL granule has: time, position, attitude, sun, and the sizes."""
    seconds = record * 10
    return [
        Variable("Dec_JDay", 250.5 + record * 10 / 86400, "time", "time",
                 named("time of the profile", EPOCH, "time", axis="T", calendar="standard"),
                 delivered=("units",)),
        Variable("Bin_Alt", (18000 - 300 * height).astype(">f4"), "altitude", "altitude",
                 named("altitude of the centre of the range bin", "m", "altitude", axis="Z", positive="up")),
        Variable("Latitude", (20 + 0.05 * record).astype("f4"), "time", "latitude",
                 named("latitude of the aircraft", "degrees_north", "latitude"), delivered=("units",)),
        Variable("Longitude", (-60 + 0.05 * record).astype("f4"), "time", "longitude",
                 named("longitude of the aircraft", "degrees_east", "longitude"), deflated(RECORDS), ("units",)),
        along_time("Plane_Alt", (18500 + record % 5).astype("f4"), "altitude of the aircraft", "m"),
        along_time("Plane_Heading", (45 + record / 4).astype("f4"), "heading of the aircraft", "degree",
                   "platform_orientation"),
        along_time("Plane_Pitch", (2 + record % 3 / 8).astype("f4"), "pitch of the aircraft", "degree",
                   "platform_pitch"),
        along_time("Plane_Roll", (record % 7 / 8 - 0.375).astype("f4"), "roll of the aircraft", "degree",
                   "platform_roll"),
        along_time("Solar_Azimuth_Angle", (100 + record / 8).astype("f4"), "solar azimuth angle", "degree",
                   "solar_azimuth_angle"),
        along_time("Solar_Elevation_Angle", (30 + record / 16).astype("f4"), "solar elevation angle", "degree",
                   "solar_elevation_angle"),
        along_time("Gnd_Hgt", np.zeros(RECORDS, "f4"), "height of the ground above mean sea level", "m"),
        along_time("Hour", np.full(RECORDS, 12, "i4"), "hour of the day, UTC", "1"),
        along_time("Minute", (seconds // 60).astype("i4"), "minute of the hour", "1"),
        along_time("Second", (seconds % 60).astype("i4"), "second of the minute", "1"),
        Variable("Start_JDay", np.float64(250.5), attributes=named("start of the granule", EPOCH)),
        Variable("End_JDay", np.float64(250.5 + 390 / 86400), attributes=named("end of the granule", EPOCH)),
        Variable("Hori_Res", np.float32(2000), attributes=named("horizontal resolution", "m")),
        Variable("Bin_Width", np.float32(300), attributes=named("width of a range bin", "m")),
        Variable("Date", np.bytes_("06Sep12"), attributes=named("date of the flight")),
        Variable("Project", "HS3", attributes=named("name of the project")),
        Variable("NumRecs", np.int32(RECORDS), attributes=named("number of profiles", "1")),
        Variable("NumBins", np.int32(BINS), attributes=named("number of range bins", "1")),
        Variable("NumWave", np.int32(WAVELENGTHS), attributes=named("number of wavelengths", "1")),
        Variable("MaxLayers", np.int32(LAYERS), attributes=named("largest number of layers", "1")),
    ]


def layers():
    """What both kinds of granule say of the layers found; layers that are not there hold the fill value."""
    layer = np.arange(LAYERS)[:, None]
    there = layer < record % 4
    top = 16000 - 1500 * layer + 30 * record
    kinds = np.where(there, layer % 3 + 1, 0).astype("i1")

    def altitude(path, long_name, data):
        return Variable(path, np.where(there, data, MISSING).astype("f4"), "layer time", fill=MISSING,
                        layout=deflated(LAYERS, RECORDS), delivered=("_FillValue",),
                        attributes=named(long_name, "m", coordinates="latitude longitude"))

    return [
        along_time("NumLayers", there.sum(axis=0).astype("i2"), "number of layers", "1"),
        Variable("Layer_Type", kinds, "layer time", layout={"chunks": (4, 16), "compression": "gzip"},
                 attributes=named("type of the layer", "1", coordinates="latitude longitude")),
        altitude("Layer_Top_Alt", "altitude of the layer's top", top),
        altitude("Layer_Bot_Alt", "altitude of the layer's bottom", top - 600),
    ]


def atb_granule():
    """An attenuated total backscatter granule."""
    profile = {"layout": {}, "dims": "altitude"}
    return [
        *navigation(), *layers(),
        profiles("ATB_355", "attenuated total backscatter at 355 nm", "km-1 sr-1", 1e-4),
        profiles("ATB_532", "attenuated total backscatter at 532 nm", "km-1 sr-1", 2e-4),
        profiles("ATB_1064", "attenuated total backscatter at 1064 nm", "km-1 sr-1", 3e-4),
        profiles("Depol_Ratio", "depolarization ratio at 1064 nm", "1", 0.005),
        Variable("Mole_Back", ((height + 1) * np.array([[4], [2], [1]]) * 1e-5).astype(">f8"), "wavelength altitude",
                 layout={"chunks": (WAVELENGTHS, 20), "fletcher32": True},
                 attributes=named("molecular backscatter", "km-1 sr-1")),
        Variable("Pressure", (80 + 16 * height).astype("f4"), attributes=named("air pressure", "hPa", "air_pressure"),
                 **profile),
        Variable("Temperature", (210 + height * 1.5).astype("f4"),
                 attributes=named("air temperature", "K", "air_temperature"), **profile),
        Variable("RH", (height % 50 * 2).astype("f4"),
                 attributes=named("relative humidity", "percent", "relative_humidity"), **profile),
        Variable("Saturate", ((record + np.arange(CHANNELS)[:, None]) % 3).astype("i1"), "channel time",
                 attributes=named("saturated range bins", "1")),
        along_time("Frame_Top", (19000 + record % 2 * 30).astype(">i2"), "altitude of the top of the frame", "m"),
        *(Variable(f"Cali_{wavelength}", np.float64(value), attributes=named("calibration constant", "1"))
          for wavelength, value in ((355, 1.25), (532, 2.5), (1064, 5.0))),
        Variable("NumChans", np.int32(CHANNELS), attributes=named("number of channels", "1")),
    ]


def op_granule():
    """An optical properties granule."""
    depth = (np.arange(1, LAYERS + 1)[:, None] / 64 + record / 128).astype("f4")
    return [
        *navigation(), *layers(),
        profiles("Extinction_532", "extinction coefficient", "km-1", 1e-3),
        profiles("Extinction_1064", "extinction coefficient", "km-1", 5e-4),
        *(Variable(f"Layer_OD_{wavelength}", depth * factor, "layer time", layout=deflated(LAYERS, RECORDS),
                   attributes=named("optical depth of the layer", "1", coordinates="latitude longitude"))
          for wavelength, factor in ((532, np.float32(1)), (1064, np.float32(0.5)))),
    ]


def write_input(path, variables):
    """The granule as the instrument's team delivers it: plain HDF5, without dimension scales or CF attributes."""
    # The empty user block lets every detector of binary files, on which Cookiecutter relies, see one.
    with h5py.File(path, "w", userblock_size=512) as granule:
        granule.attrs["Campaign"] = "HS3"
        granule.attrs["Flight_Number"] = np.int32(12203)
        granule.attrs["Wavelengths"] = np.array([355, 532, 1064], "f4")
        for variable in variables:
            dataset = granule.create_dataset(variable.path, data=variable.data, fillvalue=variable.fill,
                                             **variable.layout)
            for name in variable.delivered:
                dataset.attrs[name] = variable.fill if name == "_FillValue" else np.bytes_(variable.attributes[name])


def write_product(path, variables):
    """The product expected of it."""
    with netCDF4.Dataset(path, "w", format="NETCDF4") as product:
        product.setncatts({
            "Conventions": "CF-1.8", "history": "written by scripts/make-sample.py",
            "Campaign": "HS3", "Flight_Number": np.int32(12203), "Wavelengths": np.array([355, 532, 1064], "f4"),
            "title": "STARTER SAMPLE: HS3 Cloud Physics Lidar profiles",
            "institution": "STARTER SAMPLE: NASA Goddard Space Flight Center",
            "source": "STARTER SAMPLE: Cloud Physics Lidar (CPL) on the NASA Global Hawk",
            "references": "STARTER SAMPLE: https://cpl.gsfc.nasa.gov/",
            "comment": "Converted from the HDF5 granule; values are as delivered"})
        for name in dict.fromkeys(name for variable in variables for name in variable.dims.split()):
            product.createDimension(name, LENGTHS[name])
        for variable in variables:
            write_variable(product, variable)


def write_variable(product, variable):
    data = variable.data.decode() if isinstance(variable.data, bytes) else variable.data
    kind = str if isinstance(data, str) else np.asarray(data).dtype
    chunks = variable.layout.get("chunks")
    made = product.createVariable(
        variable.name or variable.path, kind, variable.dims.split(), fill_value=variable.fill,
        endian="big" if getattr(kind, "byteorder", "=") == ">" else "native",
        chunksizes=chunks, shuffle=variable.layout.get("shuffle", False),
        compression="zlib" if "compression" in variable.layout else None,
        complevel=variable.layout.get("compression_opts", 4), fletcher32=variable.layout.get("fletcher32", False))
    made.set_auto_maskandscale(False)
    made[...] = data
    made.setncatts(variable.attributes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLE, help="default: the template's tests/sample")
    folder = parser.parse_args().folder
    for kind, variables in (("atb", atb_granule()), ("op", op_granule())):
        for part, name, write in (
            ("input", f"__{kind}_input", write_input),
            ("output", f"__{kind}_netcdf", write_product),
            ("output", f"__{kind}_unchanged", write_input),  # expected where there is no converter
        ):
            path = folder / part / f"{{{{cookiecutter.{name}}}}}"
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, variables)
            print(f"{path.stat().st_size:6d} {path}")


if __name__ == "__main__":
    main()
