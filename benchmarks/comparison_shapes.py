"""Pairs whose comparison must cost no more than their work: many files, and many parts of one file."""

import json
import shutil

import netCDF4
import numpy as np

SIDES = "expected", "actual"


def products(folder, count, identical=False):
    """Directories of so many products: NetCDF files alone, or each with a record in XML and in JSON."""
    models = [_product(folder / f"{side}.nc", side) for side in SIDES]
    for side, model in zip(SIDES, models[:1] * 2 if identical else models, strict=True):
        (folder / side).mkdir()
        for number in range(count):
            shutil.copyfile(model, folder / side / f"{number:05}.nc")
            if not identical:
                (folder / side / f"{number:05}.cmr.xml").write_text(_xml(60, side))
                (folder / side / f"{number:05}.cmr.json").write_text(_json(60, side))


def _product(path, side):
    """Twelve variables of 1,000 values; the history differs, which does not count."""
    with netCDF4.Dataset(path, "w") as file:
        file.history = side
        file.createDimension("time", 50)
        file.createDimension("altitude", 20)
        for number in range(12):
            variable = file.createVariable(f"v{number}", "f4", ("time", "altitude"), zlib=True, fill_value=-9.0)
            variable.units, variable.long_name = "m", f"variable {number}"
            variable[:] = np.arange(1000).reshape(50, 20) * (number + 1)
    return path


def _xml(count, side):
    elements = "".join(f"<Item><Name>n{number}</Name><Value>{number}</Value></Item>" for number in range(count))
    return f"<Granule><InsertTime>{side}</InsertTime>{elements}</Granule>"


def _json(count, side):
    items = [{"name": f"n{number}", "value": number} for number in range(count)]
    return json.dumps({"ProviderDates": [{"Date": side}], "items": items})


def variables(folder, count):
    """Every other one of so many variables has other values."""
    for side in SIDES:
        with netCDF4.Dataset(folder / side, "w") as file:
            file.createDimension("x", 3)
            for number in range(count):
                values = file.createVariable(f"v{number}", "f4", ("x",))
                values[:] = number + (number % 2 if side == "actual" else 0)


def attributes(folder, count):
    for side in SIDES:
        with netCDF4.Dataset(folder / side, "w") as file:
            for number in range(count):
                file.setncattr(f"a{number}", f"{number} {side}")


def names(folder, count):
    """No variable of one side is in the other."""
    for side in SIDES:
        with netCDF4.Dataset(folder / side, "w") as file:
            for number in range(count):
                file.createVariable(f"{side}{number}", "f4", ())[...] = number


def groups(folder, count):
    for side in SIDES:
        with netCDF4.Dataset(folder / side, "w") as file:
            for number in range(count):
                group = file.createGroup(f"g{number}")
                group.note = side
                group.createVariable("v", "f4", ())[...] = number


def keys(folder, count):
    for side in SIDES:
        (folder / side).write_text(json.dumps({f"{side}{number}": number for number in range(count)}))


def elements(folder, count):
    for side in SIDES:
        items = "".join(f"<Item><Name>{side}{number}</Name></Item>" for number in range(count))
        (folder / side).write_text(f"<Granule>{items}</Granule>")


def rows(folder, count):
    for side in SIDES:
        shift = side == "actual"
        lines = "".join(f"{number},{number * 1.5 + shift},x\n" for number in range(count))
        (folder / side).write_text(f"a,b,c\n{lines}")


def files(folder, count):
    """Directories of so many texts that differ."""
    for side in SIDES:
        (folder / side).mkdir()
        for number in range(count):
            (folder / side / f"{number:06}.txt").write_text(f"{side} {number}")


def field(folder, megabytes):
    """Every value of one variable differs."""
    values = np.random.default_rng(7).random((megabytes * 250, 1000), "f4")
    for side in SIDES:
        with netCDF4.Dataset(folder / side, "w") as file:
            file.createDimension("y", megabytes * 250)
            file.createDimension("x", 1000)
            file.createVariable("v", "f4", ("y", "x"))[:] = values
        values += 0.5


# Name: what makes the pair, and the smaller number.
GROWING = {
    "variables that differ": (variables, 3000),
    "attributes that differ": (attributes, 20_000),
    "variables of other names": (names, 5000),
    "groups": (groups, 3000),
    "JSON keys": (keys, 200_000),
    "XML elements": (elements, 100_000),
    "rows of a table": (rows, 300_000),
    "files": (files, 50_000),
}
