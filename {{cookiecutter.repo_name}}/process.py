#!/usr/bin/env python3
"""Process handler of {{ cookiecutter.repo_name }}: process.py INPUT_DIR OUTPUT_DIR."""

import sys
from pathlib import Path

from cumulus.process import main, process_granules

HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME / "src"))  # modules of this collection


def process_granule(granule):
    """Turn the inputs of one granule into its products; an exception fails this granule only.

    granule.inputs and granule.products give the paths by their names in collection.toml;
    granule.run("program", "argument", ...) runs a further program.
    """
{%- if cookiecutter.converter == 'c' %}
    # inputs["primary"] -> products["data"], by convert/{{ cookiecutter.__c_name }}2nc.c. The starter sample's
    # times are days of the flight's year, from 1.0: {day_zero} in its table is the day before.
    year = granule.groups.get("year")
    granule.convert(day_zero=year and f"{int(year) - 1}-12-31")
{%- else %}
    granule.copy()  # inputs["primary"] -> products["data"], as it comes
{%- endif %}
    granule.check()  # the product is there, opens and holds data
    granule.write_metadata()  # ECHO10 and UMM-G beside it


def process(indir, outdir):
    """Process every granule in `indir`; complete products appear in `outdir`."""
    return process_granules(process_granule, indir, outdir, home=HOME)


if __name__ == "__main__":
    sys.exit(main(process))
