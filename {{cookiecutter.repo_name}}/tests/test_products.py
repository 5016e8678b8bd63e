"""Compare the products in data/test-output with the expected ones in data/output, one test a product.

The comparison is `bin/cumulus compare`, by the rules of collection.toml, here or in the image. Nothing is processed:
run `docker compose run test` or `make native` first.
"""

import filecmp
import importlib
import json
import os
import runpy
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CUMULUS = runpy.run_path(str(ROOT / "bin" / "cumulus"))  # which knows where py-cumulus can run
PYTHON, LIBRARY, HERE = CUMULUS["where"]()
sys.path.append(LIBRARY)
FILES = importlib.import_module("cumulus.files")

INPUT, EXPECTED, ACTUAL = (ROOT / "data" / name for name in ("input", "output", "test-output"))
STARTER = {"{{ cookiecutter.__atb_input }}", "{{ cookiecutter.__op_input }}"}  # inputs that came with the template
SHOWN = 10  # differences of a product
BESIDE = os.pathsep.join([str(Path(PYTHON).parent), os.environ.get("PATH", "")])
CHECKER = shutil.which("compliance-checker", path=BESIDE)
LINK = FILES.find_link(ACTUAL)  # what is wrong where a link is among the products: nobody follows it
REPORT = "data/test-output/.cumulus/comparison.html"
COMPARE = ["compare", "data/output", "data/test-output", "--rules", "collection.toml"]


def cumulus(*arguments):
    """Run bin/cumulus, with its output captured."""
    return subprocess.run([sys.executable, "bin/cumulus", *arguments], cwd=ROOT, capture_output=True, text=True,
                          check=False)


def compare_in_image():
    """Compare in the image, without network, with this folder's rules and data; returns standard output and error."""
    import docker
    import requests  # the library that docker speaks through, and whose error a time-out is

    image = CUMULUS["image"]()
    if not image:
        pytest.fail("the image is not built: docker compose run build, or make native", pytrace=False)
    folders = ("data/input", "data/output", "data/test-output", "collection.toml")
    binds = {str((ROOT / name).resolve()): {"bind": f"/work/{name}", "mode": "ro"} for name in folders}
    try:
        client = docker.from_env(timeout=600)
        container = client.containers.create(  # unlike run, never pulls
            image, ["-m", "cumulus", *COMPARE, "--json", "-"], entrypoint=["python"], working_dir="/work",
            network_mode="none", read_only=True, user=f"{os.getuid()}:{os.getgid()}", volumes=binds)
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
    return FILES.files_of(folder) if folder.is_dir() and not (folder == ACTUAL and LINK) else set()


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
    if LINK:
        pytest.fail(LINK, pytrace=False)
    if not products(EXPECTED):
        pytest.skip("nothing to compare with: test_there_are_products_to_compare says what to do")
    if HERE:
        done = cumulus(*COMPARE, "--json", "-")
        text, message = done.stdout, done.stderr
    else:
        text, message = compare_in_image()
    if not text:
        pytest.fail(message.strip() or "the comparison ended without any output", pytrace=False)
    content = json.loads(text)
    for rule in content.get("unused_rules", ()):
        warnings.warn(f"\ncollection.toml: {rule}", stacklevel=1)
    return {result["file"]: result for result in content["files"]}


@pytest.fixture(scope="module", autouse=True)
def reviewed_data():
    """Warn where data/ is not what data/MANIFEST.sha256 records: nobody reviewed what the tests compare with."""
    done = cumulus("fetch", "--check")
    if done.returncode:
        warnings.warn("\n" + done.stderr.strip(), stacklevel=1)


def test_there_are_products_to_compare():
    """Comparing nothing proves nothing."""
    assert not LINK
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
        lines = [difference["message"] for difference in result["differences"][:SHOWN]]
        if (hidden := len(result["differences"]) - SHOWN + result["left_out"]) > 0:
            lines.append(f"... and {hidden} more")
        see = "to see all of them, with pictures: " + shlex.join(["bin/cumulus", *COMPARE, "--html", REPORT])
        pytest.fail("\n".join([f"{name}: {result['status']} {result['reason']}", *lines, see]), pytrace=False)


def test_no_difference_is_without_a_test(comparison):
    """The tests are green only where `cumulus compare` says that all is equal."""
    untested = [name for name, result in comparison.items() if result["status"] != "equal" and name not in PRODUCTS]
    assert not untested, f"different, and not among the products when the tests began: {untested}"


@pytest.mark.skipif(not HERE, reason="py-cumulus is not installed here: make native installs it into .venv")
@pytest.mark.skipif(not CHECKER, reason="compliance-checker is not installed here: pip install compliance-checker")
@pytest.mark.parametrize("name", sorted(name for name in products(ACTUAL) if name.endswith(".nc")))
def test_product_follows_cf(name):
    """No error and no warning of CF, nor of ACDD where the product names it; the message says what to write where.

    A product that is an input as it came is another's work, so that its faults are warnings.
    """
    check = ["check", f"data/test-output/{name}"]
    done = cumulus(*check)
    if done.returncode == 0:
        return
    report = done.stdout + done.stderr
    if not is_as_it_came(ACTUAL / name):
        pytest.fail(report, pytrace=False)
    warnings.warn(f"\n{name} is delivered as it came; {report.splitlines()[0]}\n"
                  f"to see it all: {shlex.join(['bin/cumulus', *check])}", stacklevel=1)
