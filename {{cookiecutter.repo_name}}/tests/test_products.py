"""Compare the products in data/test-output with the expected ones in data/output, one test a product.

The comparison is `python -m cumulus compare`, run here where py-cumulus is installed, else in the image; the rules
stand in collection.toml. Nothing is processed: run `docker compose run test` or `make native` first.
"""

import filecmp
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bin"))
from sample_data import names

ROOT = Path(__file__).resolve().parent.parent
INPUT = ROOT / "data" / "input"
EXPECTED = ROOT / "data" / "output"
ACTUAL = ROOT / "data" / "test-output"
STARTER = {"{{ cookiecutter.__atb_input }}", "{{ cookiecutter.__op_input }}"}  # inputs that came with the template
SHOWN = 10  # differences of a product
HERE = importlib.util.find_spec("cumulus")
BESIDE = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
CHECKER = shutil.which("compliance-checker", path=BESIDE)
PYTHON = [sys.executable] if HERE else [  # which has py-cumulus
    "docker", "compose", "run", "--rm", "--volume", "./collection.toml:/work/collection.toml:ro", "--entrypoint",
    "python", "test"]
REPORT = "data/test-output/.cumulus/comparison.html"
COMPARE = ["-m", "cumulus", "compare", "data/output", "data/test-output", "--rules", "collection.toml", "--json", "-"]


def image_name():
    """The image that compose builds: its tag comes from the environment, else from .env."""
    settings = (ROOT / ".env").read_text().splitlines() if (ROOT / ".env").exists() else []
    tags = [line.partition("=")[2].strip() for line in settings if line.startswith("TAG=")]
    return "{{ cookiecutter.__image }}:" + (os.environ.get("TAG") or (tags or ["latest"])[-1])


def compare_here():
    """What the comparison prints on standard output and standard error."""
    done = subprocess.run([sys.executable, *COMPARE], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


def compare_in_image():
    """The same in the image, without network, with this folder's rules and data."""
    import docker
    import requests  # the library that docker speaks through, and whose error a time-out is

    image = image_name()
    binds = {str(ROOT / name): {"bind": f"/work/{name}", "mode": "ro"} for name in ("data", "collection.toml")}
    try:
        client = docker.from_env(timeout=600)
        container = client.containers.create(  # unlike run, never pulls
            image, COMPARE, entrypoint=["python"], working_dir="/work", network_mode="none", read_only=True,
            user=f"{os.getuid()}:{os.getgid()}", volumes=binds)
        try:
            container.start()
            container.wait(timeout=600)
            return container.logs(stderr=False).decode(), container.logs(stdout=False).decode()
        finally:
            container.remove(force=True)
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        pytest.fail(f"cannot compare in the image {image}: {error}. Without Docker: make native", pytrace=False)


def products(folder):
    """Names of the products in a folder, or of its inputs: all that the comparison counts."""
    return set(names(folder))


def own_granules():
    """Names of the inputs that did not come with the template."""
    return products(INPUT) - STARTER


def is_as_it_came(product):
    """Whether the product is an input, byte for byte."""
    paths = [path for path in (INPUT / name for name in products(INPUT)) if path.is_file()]
    return any(path.stat().st_size == product.stat().st_size and filecmp.cmp(path, product, shallow=False)
               for path in paths)


@pytest.fixture(scope="module")
def comparison():
    """What differs, by product."""
    if not products(EXPECTED):
        pytest.skip("nothing to compare with: test_there_are_products_to_compare says what to do")
    text, message = compare_here() if HERE else compare_in_image()
    if not text:
        pytest.fail(message.strip() or "the comparison ended without any output: a product may be damaged", pytrace=False)
    content = json.loads(text)
    for rule in content.get("unused_rules", ()):
        warnings.warn(f"\ncollection.toml: {rule}", stacklevel=1)
    return {result["file"]: result for result in content["files"]}


@pytest.fixture(scope="module", autouse=True)
def reviewed_data():
    """Warn where data/ is not what data/MANIFEST.sha256 records: nobody reviewed what the tests compare with."""
    done = subprocess.run([sys.executable, ROOT / "bin" / "fetch-data", "--check"], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        warnings.warn("\n" + done.stderr.strip(), stacklevel=1)


def test_there_are_products_to_compare():
    """Comparing nothing proves nothing."""
    remedy = "bin/accept-products, when those in data/test-output are right" if own_granules() else "bin/fetch-data"
    assert products(EXPECTED), f"data/output is empty: {remedy}"
    assert products(ACTUAL), "data/test-output is empty: docker compose run test, or make native"

{%- if cookiecutter.converter == 'c' %}


def test_your_products_do_not_say_that_they_are_the_starter_sample():
    """Title, institution, source and references of the converter's table are the starter sample's at first."""
    table = ROOT / "convert" / "{{ cookiecutter.__c_name }}2nc.c"
    lines = enumerate(table.read_text(encoding="utf-8").splitlines(), 1)
    left = [f"{table.name} line {number}: {line.strip()}" for number, line in lines if '"STARTER SAMPLE' in line]
    if left and (own := own_granules()):
        pytest.fail("\n".join([f"{min(own)} is a granule of yours, but its product gets what is the starter sample's;",
                               "say what your products are:", *left]), pytrace=False)
{%- endif %}


PRODUCTS = sorted(products(EXPECTED) | products(ACTUAL))


@pytest.mark.parametrize("name", PRODUCTS)
def test_product_is_as_expected(name, comparison):
    """The product exists on both sides and agrees within the rules of collection.toml."""
    if name not in comparison:
        pytest.skip("not compared: [compare] ignore_files in collection.toml")
    result = comparison[name]
    if result["status"] != "equal":
        found = [one["message"] for one in result["differences"][:SHOWN]]
        if (hidden := len(result["differences"]) - SHOWN + result["left_out"]) > 0:
            found.append(f"... and {hidden} more")
        see = "to see all of them, with pictures: " + shlex.join([*PYTHON, *COMPARE[:-2], "--html", REPORT])
        pytest.fail("\n".join([f"{name}: {result['status']} {result['reason']}", *found, see]), pytrace=False)


def test_no_difference_is_without_a_test(comparison):
    """The tests are green only where `cumulus compare` says that all is equal."""
    untested = [name for name, result in comparison.items() if result["status"] != "equal" and name not in PRODUCTS]
    assert not untested, f"different, and not among the products when the tests began: {untested}"


@pytest.mark.skipif(not HERE, reason="py-cumulus is not installed here: make native installs it into .venv")
@pytest.mark.skipif(not CHECKER, reason="compliance-checker is not installed here: pip install compliance-checker")
@pytest.mark.parametrize("name", sorted(name for name in products(ACTUAL) if name.endswith(".nc")))
def test_product_follows_cf(name):
    """No error and no warning of CF, nor of ACDD where the product names it; the message says what to write where.

    A product that is an input as it came is another's work, so that what is found there is a warning.
    """
    check = ["-m", "cumulus", "check", f"data/test-output/{name}"]
    done = subprocess.run([sys.executable, *check], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    found = done.stdout + done.stderr
    if not is_as_it_came(ACTUAL / name):
        pytest.fail(found, pytrace=False)
    warnings.warn(f"\n{name} is delivered as it came; {found.splitlines()[0]}\n"
                  f"to see it all: {shlex.join([sys.executable, *check])}", stacklevel=1)
