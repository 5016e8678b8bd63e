"""Compare a product with the expected one, with netCDF4-python alone."""

import netCDF4
import numpy as np

IGNORED = {"history", "_NCProperties"}


def attributes(thing):
    return {name: thing.getncattr(name) for name in thing.ncattrs() if name not in IGNORED}


def differences(expected_path, actual_path):
    """Everything in which two flat NetCDF files differ: dimensions, variables, types, filters, values, attributes."""
    found = []

    def same(what, expected, actual):
        if type(expected) is not type(actual) or not np.array_equal(expected, actual):
            found.append(f"{what}: expected {expected!r}, found {actual!r}")

    with netCDF4.Dataset(expected_path) as expected, netCDF4.Dataset(actual_path) as actual:
        expected.set_auto_maskandscale(False)
        actual.set_auto_maskandscale(False)
        for what, one, other in (("global attributes", attributes(expected), attributes(actual)),
                                 ("dimensions", {n: len(d) for n, d in expected.dimensions.items()},
                                  {n: len(d) for n, d in actual.dimensions.items()}),
                                 ("groups", expected.groups, actual.groups)):
            same(what, sorted(one), sorted(other))
            for name in one.keys() & other.keys():
                same(f"{what}: {name}", one[name], other[name])
        same("variables", sorted(expected.variables), sorted(actual.variables))
        for name in expected.variables.keys() & actual.variables.keys():
            one, other = expected[name], actual[name]
            same(f"{name}: dimensions", one.dimensions, other.dimensions)
            same(f"{name}: type", one.dtype, other.dtype)
            same(f"{name}: byte order", one.endian(), other.endian())
            same(f"{name}: chunks", one.chunking(), other.chunking())
            same(f"{name}: filters", one.filters(), other.filters())
            same(f"{name}: values", one[...], other[...])
            same(f"{name}: attributes", sorted(attributes(one)), sorted(attributes(other)))
            for key in attributes(one).keys() & attributes(other).keys():
                same(f"{name}:{key}", one.getncattr(key), other.getncattr(key))
    return found
