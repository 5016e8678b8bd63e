"""Files of as many parts as one likes, for tests and benchmarks of how the work grows with them."""

import numpy as np


def datasets(file, count):
    """Small datasets of one group, of a few lengths."""
    for number in range(count):
        file[f"dataset_{number}"] = np.arange(10.0 + number % 7)


def groups(file, count):
    """Groups of one dataset each."""
    for number in range(count):
        file[f"group_{number}/data"] = np.arange(10.0)


def scales(file, count):
    """Dimension scales, each with a variable along it."""
    for number in range(count):
        scale = file.create_dataset(f"scale_{number}", data=np.arange(3.0))
        scale.make_scale()
        file.create_dataset(f"data_{number}", data=np.arange(3.0)).dims[0].attach_scale(scale)


def attributes(file, count):
    """Attributes of one dataset, which HDF5 keeps in an index of their own."""
    file["data"] = np.arange(10.0)
    for number in range(count):
        file["data"].attrs[f"attribute_{number}"] = number
