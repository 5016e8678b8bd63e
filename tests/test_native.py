"""The native way: the same handler, converter and comparison without Docker, in a rendered repository."""

import os
import re
import shutil
import sys

import pytest
from programs import need
from support import commit_all, git, needs_c_libraries, render, run

pytestmark = [pytest.mark.slow, needs_c_libraries]


@pytest.fixture(scope="module")
def native(template, tmp_path_factory):
    """A repository in which `make native` has run: virtual environment, converter, products, comparison."""
    project = render(template, tmp_path_factory.mktemp("native"))
    return project, run("make", "native", f"PYTHON={sys.executable}", cwd=project, timeout=900)


@pytest.fixture
def project(native, tmp_path):
    """A copy that a test may break."""
    return shutil.copytree(native[0], tmp_path / native[0].name, symlinks=True)


def test_make_native_ends_green(native):
    project, _ = native
    assert len([path for path in (project / "data/test-output").iterdir() if not path.name.startswith(".")]) == 6


def test_own_tests_pass_after_make_native(native):
    project, _ = native
    done = run(project / ".venv/bin/python", "-m", "pytest", "-p", "no:cacheprovider", "tests", cwd=project)
    assert "11 passed" in done.stdout


def test_handler_runs_from_anywhere_and_finds_its_converter(native, tmp_path):
    project, _ = native
    (tmp_path / "out").mkdir()
    run(project / ".venv/bin/python", project / "process.py", project / "data/input", "out", cwd=tmp_path)
    assert len([path for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")]) == 6


def test_make_lint_is_green(project):
    run("make", "lint", cwd=project)


@pytest.mark.parametrize("old, new", [('"degrees_north"', '"degrees_south"'),
                                      ('{"/ATB_532", ""', '{"/ATB_532", "ATB"')], ids=["a unit", "a name"])
def test_broken_table_turns_native_red(project, old, new):
    table = project / "convert" / "hs3cpl2nc.c"
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new))
    done = run("make", "native", cwd=project, check=False)
    assert done.returncode != 0 and re.search(r"\d files compared: \d different", done.stdout)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_number_in_the_table_does_not_compile(project, compiler):
    """The compiler refuses a number in the table, and shows only the first error."""
    need(compiler)
    table = project / "convert" / "hs3cpl2nc.c"
    row = '{"/", "title", 5},'
    table.write_text(table.read_text().replace("attributes[] = {", f"attributes[] = {{\n{row}\n{row}"))
    first = table.read_text().splitlines().index(row) + 1
    done = run("make", "-C", project / "convert", f"CC={compiler}", "CFLAGS=-O0", check=False)
    assert done.returncode != 0
    errors = re.findall(r"^hs3cpl2nc\.c:(\d+):.*error:", done.stderr, re.M)
    assert errors == [str(first)]


def test_broken_library_line_turns_native_red(project):
    """A library that writes 16-bit integers as 32-bit integers fails the comparison."""
    right, wrong = "{NC_BYTE, NC_SHORT, NC_INT, NC_INT64}", "{NC_BYTE, NC_INT, NC_INT, NC_INT64}"
    library = project / ".venv" / "docker-base" / "converter"
    (source,) = (path for path in library.glob("src/*.c") if right in path.read_text())
    source.write_text(source.read_text().replace(right, wrong))
    run("make", "-C", library, "install", f"PREFIX={project}/.venv")
    done = run("make", "native", cwd=project, check=False)
    assert done.returncode != 0 and re.search(r"\d files compared: \d different", done.stdout)


def test_edit_of_the_table_takes_two_seconds_at_most(project):
    """The comparison answers within two seconds of processor time; without a checker no line about CF follows it."""
    (project / ".venv" / "bin" / "compliance-checker").unlink()
    table = project / "convert" / "hs3cpl2nc.c"
    table.write_text(f"{table.read_text()}/* edited */\n")
    before = os.times()
    done = run("make", "native", cwd=project, PATH=os.defpath)
    after = os.times()
    assert "hs3cpl2nc.c" in done.stdout and "6 equal" in done.stdout
    assert after.children_user + after.children_system - before.children_user - before.children_system <= 2


def test_environment_without_the_library_is_completed(project):
    """make native adds missing parts of the library, and keeps the virtual environment."""
    made = (project / ".venv" / "pyvenv.cfg").stat().st_mtime_ns
    for folder in ("share", "lib/libcumulus-convert.a", "include/hdf5_to_netcdf.h"):
        path = project / ".venv" / folder
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shown = run("make", "native", cwd=project).stdout
    assert "compiling the conversion library" in shown and (project / ".venv/lib/libcumulus-convert.a").is_file()
    assert (project / ".venv" / "pyvenv.cfg").stat().st_mtime_ns == made


def test_environment_of_an_older_template_is_made_anew(project):
    """An environment without the library's sources is made anew; --dry-run shows it without the minute it takes."""
    assert "-m venv .venv" not in run("make", "--dry-run", ".venv/ready", cwd=project).stdout
    shutil.rmtree(project / ".venv" / "docker-base")
    assert "-m venv .venv" in run("make", "--dry-run", ".venv/ready", cwd=project).stdout


@pytest.mark.parametrize("where, sentence", [
    ("natively", ".venv holds no conversion library: make native."),
    ("in the image", "the base image holds no conversion library, since it is older than this repository: bin/base "
                     "--build makes one of the template's commit, or name a newer one in .env (BASE_IMAGE, "
                     "BASE_DEV_IMAGE)."),
], ids=["natively", "in the image"])
def test_no_library_is_one_sentence_with_the_command(project, tmp_path, where, sentence):
    """The message has the remedy, natively and in the image's build, where only convert/ is there."""
    folder = project
    if where == "in the image":
        folder = tmp_path / "build"
        shutil.copytree(project / "convert", folder / "convert")
    shutil.rmtree(project / ".venv" / "share")
    makefile = folder / "convert" / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/local", str(tmp_path / "usr")))
    done = run("make", "-C", folder / "convert", check=False)
    assert done.returncode != 0 and done.stderr.count("***") == 1 and sentence in done.stderr


def test_missing_converter_is_one_sentence(project, tmp_path):
    (project / "_convert").unlink()
    done = run(project / ".venv/bin/python", project / "process.py", project / "data/input", tmp_path, check=False)
    assert done.returncode == 2
    assert "make -C convert" in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr


def test_repository_without_converter_needs_no_compiler(template, tmp_path, native):
    project = render(template, tmp_path, converter="none")
    shutil.copytree(native[0] / ".venv", project / ".venv", symlinks=True)
    os.utime(project / ".venv" / "ready")
    done = run("make", "native", cwd=project)
    assert "gcc" not in done.stdout


def test_tutorial_from_an_own_granule_to_a_green_clone(native, project, tmp_path, s3):
    """After steps 3 to 5 of the tutorial, a colleague's clone processes the owner's granule only."""
    granule = next((project / "data" / "input").glob("*_ATB_*")).read_bytes()
    for folder in ("input", "output", "test-output"):
        for path in (project / "data" / folder).glob("[!.]*"):
            path.unlink()
    (project / "data" / "input" / "HS3_CPL_OWN_20120907.hdf5").write_bytes(granule)
    run("make", "native", cwd=project)
    names = {"HS3_CPL_OWN_20120907.nc", "HS3_CPL_OWN_20120907.nc.meta.xml", "HS3_CPL_OWN_20120907.cmr.json"}
    assert {path.name for path in (project / "data/test-output").glob("[!.]*")} == names
    run(project / "bin" / "accept-products", "--yes", "--because", "looked at in Panoply")

    for folder in ("input", "output"):
        (s3.folder / "bucket" / "own" / folder).mkdir(parents=True)  # uploads at once would each try to make it
        run("aws", "s3", "sync", project / "data" / folder, f"s3://bucket/own/{folder}", **s3.environment())
    rules = project / "collection.toml"
    rules.write_text(rules.read_text().replace('uri = ""', 'uri = "s3://bucket/own"'))
    git(project, "init", "--quiet")
    commit_all(project, "Convert and accept the first products")

    clone = tmp_path / "clone" / project.name
    run("git", "clone", "--quiet", project, clone)
    run(clone / "bin" / "fetch-data", **s3.environment())
    shutil.copytree(native[0] / ".venv", clone / ".venv", symlinks=True)
    os.utime(clone / ".venv" / "ready")
    done = run("make", "native", cwd=clone)
    assert "1 of 1 granules processed" in done.stdout and "3 files compared: 3 equal" in done.stdout
