"""Real granules through the rendered image: an independent reader compares every value with the input."""

import shutil

import h5py
import netCDF4
import numpy as np
import pytest
from support import render, run, shared

GRANULES = {
    # name: (answers, number of datasets that are variables, number of values compared)
    "IMPACTS_CRS_L1B_RevB_20200201_subset.h5": ({"data_name": "impacts-crs", "input_pattern": "IMPACTS_CRS_*.h5"},
                                                3, 188_445),
    "ISS_LIS_BG_V3.0_20170702_000346_FIN.nc": ({"data_name": "iss-lis-bg", "input_pattern": "ISS_LIS_BG_*.nc"},
                                               33, 188_915),
}


def is_bare_dimension(dataset):
    """A dimension scale that only gives a dimension its name and length and holds no values (netCDF-4's own form)."""
    name = dataset.attrs.get("NAME", b"")
    return dataset.attrs.get("CLASS", b"") == b"DIMENSION_SCALE" and \
        bytes(name).startswith(b"This is a netCDF dimension but not a netCDF variable")


def datasets(path):
    """Values and type of each dataset of a file that holds values, by path."""
    content = {}
    with h5py.File(path) as source:
        source.visititems(lambda name, item: content.update({name: (item[()], item.dtype)})
                          if isinstance(item, h5py.Dataset) and not is_bare_dimension(item) else None)
    return content


def variable(product, path):
    *groups, name = path.split("/")
    for group in groups:
        product = product.groups[group]
    product[name].set_auto_maskandscale(False)
    return product[name]


def values(array):
    """Values as a plain array, strings decoded."""
    flat = np.asarray(array).ravel()
    if flat.dtype.kind in "OS":
        return [item.decode() if isinstance(item, bytes) else str(item) for item in flat]
    return flat


@pytest.mark.engine
@pytest.mark.parametrize("name", GRANULES)
def test_every_value_of_a_real_granule_is_in_the_product(name, template, tmp_path, docker_base, engine):
    granule = shared(f"data/granules/{name}")
    answers, variables, minimum = GRANULES[name]
    project = render(template, tmp_path, base_image=docker_base[0], repo_name=f"docker-test-{answers['data_name']}",
                     **answers)
    for folder in ("input", "output"):
        for path in (project / "data" / folder).iterdir():
            path.unlink()
    shutil.copyfile(granule, project / "data" / "input" / name)
    # Neither granule tells time and place without a word of its owner: this test looks at the values.
    rules = project / "collection.toml"
    rules.write_text(rules.read_text().replace('required = ["time", "place"]', "required = []"))
    run("docker", "compose", "run", "--rm", "-T", "build", cwd=project, timeout=600)
    run("docker", "compose", "run", "--rm", "-T", "test", cwd=project)
    engine.images.remove(f"{project.name}:latest", force=True)

    compared = 0
    with netCDF4.Dataset(project / "data" / "test-output" / f"{granule.stem}.nc") as product:
        content = datasets(granule)
        assert len(content) == variables
        for path, (expected, dtype) in content.items():
            actual = variable(product, path)
            if dtype.kind not in "OS":
                assert actual.dtype.newbyteorder("=") == dtype.newbyteorder("="), path
            assert actual.shape == np.shape(expected), path
            np.testing.assert_array_equal(values(actual[...]), values(expected), err_msg=path)
            compared += len(values(expected))
    assert compared == minimum
    print(f"{name}: {variables} variables, {compared} values equal")
