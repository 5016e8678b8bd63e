"""A handler that makes the calls of the Cumulus documentation's example runs unchanged."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import netCDF4
import pytest
from programs import need
from samples import SOURCE, write_product

# Our own writing; the imports, the calls and their arguments are those of the documentation.
HANDLER = """
import glob
import os
import subprocess
import sys

from cumulus.logutils import get_logger, make_log_string
from cumulus.metadata import write_metadata
from cumulus.process import check_output

log = get_logger()


def process(indir, outdir, convention):
    short_name = os.getenv("SHORT_NAME", "hs3cpl")
    log.info(make_log_string(process="processing", message="Process started"))
    for source in sorted(glob.glob(os.path.join(indir, "*.hdf5"))):
        name = os.path.basename(source)
        log.info(make_log_string(granule_id=name, process="processing", message="Processing"))
        converter = os.path.join(os.path.dirname(__file__), "_convert")
        subprocess.check_output([converter, source, outdir])
        product = os.path.join(outdir, name.replace(".hdf5", ".nc"))
        check_output(product)
        if convention:
            subprocess.check_output(
                ["ncatted", "-h", "-a", "Conventions,global,c,c,CF-1.6", product]
            )
        log.debug("Generating metadata")
        write_metadata(product, dataname="cpl", dataid=short_name, outdir=outdir)
    log.info(make_log_string(process="processing", message="Process completed"))


if __name__ == "__main__":
    process(sys.argv[1], sys.argv[2], sys.argv[3:] == ["ncatted"])
"""

CONVERTER = '#!/bin/sh\ncp "$1" "$2/$(basename "$1" .hdf5).nc"\n'


@pytest.fixture
def run(tmp_path):
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "process.py").write_text(HANDLER)
    (tmp_path / "_convert").write_text(CONVERTER)
    (tmp_path / "_convert").chmod(0o755)
    for name in ("HS3_CPL_ATB_12203a_20120906", "HS3_CPL_OP_12203a_20120906"):
        write_product(tmp_path / "in" / f"{name}.hdf5")

    def run(*arguments, **environment):
        argv = [sys.executable, tmp_path / "process.py", tmp_path / "in", tmp_path / "out"]
        return subprocess.run(
            [*argv, *arguments],
            env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_example_handler_runs(run, tmp_path):
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(os.listdir(tmp_path / "out")) == [
        "HS3_CPL_ATB_12203a_20120906.nc",
        "HS3_CPL_ATB_12203a_20120906.nc.meta.xml",
        "HS3_CPL_OP_12203a_20120906.nc",
        "HS3_CPL_OP_12203a_20120906.nc.meta.xml",
    ]
    assert len(done.stdout.splitlines()) == 4


def test_example_handler_takes_the_short_name_from_the_environment(run, tmp_path):
    assert run(SHORT_NAME="other").returncode == 0
    path = tmp_path / "out" / "HS3_CPL_OP_12203a_20120906.nc.meta.xml"
    assert ElementTree.parse(path).findtext("Collection/ShortName") == "other"


def test_example_handler_sees_a_missing_product(run, tmp_path):
    (tmp_path / "_convert").write_text("#!/bin/sh\n")
    done = run()
    assert done.returncode != 0
    assert "output file 'HS3_CPL_ATB_12203a_20120906.nc' was not made" in done.stdout


def test_example_handler_sets_conventions_with_ncatted(run, tmp_path):
    need("ncatted")
    assert run("ncatted").returncode == 0
    with netCDF4.Dataset(tmp_path / "out" / "HS3_CPL_OP_12203a_20120906.nc") as dataset:
        assert dataset.Conventions == "CF-1.6"
