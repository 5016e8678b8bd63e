"""What a render contains, for every combination of answers that changes the files."""

import json
import os
import re
import stat
import sys
import tomllib

import pytest
import yaml
from binaryornot.check import is_binary
from support import ROOT, TEMPLATE_FOLDER, commit_all, git, read_json, render, run

ALWAYS = {
    ".cruft.json", ".dockerignore", ".env", ".env.example", ".gitignore", "CHANGELOG.md", "Dockerfile", "LICENSE",
    "Makefile", "README.md", "apt.txt", "bin/accept-products", "bin/base", "bin/cumulus", "bin/deploy",
    "bin/fetch-data", "bin/image-tags", "bin/regenerate", "collection.toml", "docker-compose.yml", "process.py",
    "requirements.txt", "src/README.md", "tests/requirements.txt", "tests/test_products.py",
}
CONVERTER = {"convert/Makefile", "convert/hs3cpl2nc.c"}
GRANULES = ("HS3_CPL_ATB_12203a_20120906", "HS3_CPL_OP_12203a_20120906")


def sample(extension):
    """The starter sample's files in tests/sample and their copies in data/."""
    names = {f"input/{granule}.hdf5" for granule in GRANULES}
    names |= {f"output/{granule}{end}" for granule in GRANULES
              for end in (extension, f"{extension}.meta.xml", ".cmr.json")}
    return {f"{folder}/{name}" for name in names for folder in ("tests/sample", "data")} | {
        "data/MANIFEST.sha256", "data/.known.sha256"}


CASES = {
    "default": ({}, CONVERTER | sample(".nc") | {".circleci/config.yml"}),
    "no-converter": ({"converter": "none"}, sample(".hdf5") | {".circleci/config.yml"}),
    "no-ci": ({"ci": "none"}, CONVERTER | sample(".nc")),
    "nothing-optional": ({"converter": "none", "ci": "none", "sample_data": "s3://absent-bucket/x"}, set()),
    "release-branch-main": ({"release_branch": "main"}, CONVERTER | sample(".nc") | {".circleci/config.yml"}),
    "registry": ({"registry": "registry.example.org:5000/team"},
                 CONVERTER | sample(".nc") | {".circleci/config.yml"}),
}


def files(project):
    return {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request, template, tmp_path_factory):
    """A rendered project and the files that it should have."""
    answers, expected = CASES[request.param]
    return render(template, tmp_path_factory.mktemp(request.param), **answers), ALWAYS | expected


def test_exactly_the_promised_files_are_there(case):
    project, expected = case
    assert files(project) == expected


def test_rendered_repository_is_small(case):
    """What Git would track, without the starter sample: at most 34 files and 1,600 lines."""
    project, _ = case
    ignored = ("tests/sample/", "data/input/", "data/output/", ".env", "data/.known.sha256")
    tracked = [name for name in files(project) if not name.startswith(ignored) or name == ".env.example"]
    lines = sum((project / name).read_bytes().count(b"\n") for name in tracked)
    assert len(tracked) <= 34 and lines <= 1600, f"{len(tracked)} files, {lines} lines"


def test_nothing_is_left_unrendered(case):
    """No Jinja remains in any text file; `{{.` and `{{index ` are Docker's."""
    project, _ = case
    for name in files(project):
        data = (project / name).read_bytes()
        if b"\0" not in data:
            jinja = re.search(rb"\{\{(?!\.|index )|\{%|\{#|cookiecutter\.", data)
            assert not jinja or name == ".cruft.json", f"{name}: {jinja}"


def test_no_empty_directory_is_left(case):
    project, _ = case
    allowed = {"data/input", "data/output", "data/test-output"}
    empty = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_dir()
             and not any(path.iterdir())}
    assert empty <= allowed


def test_every_data_file_parses(case):
    project, _ = case
    for name in files(project):
        path = project / name
        if name.endswith((".yml", ".yaml")):
            yaml.safe_load(path.read_text())
        elif name.endswith(".json"):
            read_json(path)
        elif name.endswith(".toml"):
            tomllib.loads(path.read_text())


def test_every_python_file_compiles(case):
    project, _ = case
    for name in files(project):
        text = (project / name).read_bytes()
        if name.endswith(".py") or text.startswith(b"#!/usr/bin/env python3"):
            compile(text, name, "exec")


def test_programs_and_only_programs_are_executable(case):
    project, _ = case
    executable = {name for name in files(project) if os.stat(project / name).st_mode & stat.S_IXUSR}
    assert executable == {"process.py", "bin/accept-products", "bin/base", "bin/cumulus", "bin/deploy",
                          "bin/fetch-data", "bin/image-tags", "bin/regenerate"}


def test_every_program_explains_itself(case):
    project, _ = case
    for name in ("bin/accept-products", "bin/base", "bin/cumulus", "bin/deploy", "bin/fetch-data", "bin/image-tags",
                 "bin/regenerate"):
        shown = run(project / name, "--help").stdout
        assert name.removeprefix("bin/") in shown and len(shown.splitlines()) > 3, name


def test_collection_file_is_valid(case):
    """The runtime reads the rendered collection.toml, and it holds the answers."""
    from cumulus.collection import load

    project, _ = case
    collection = load(project / "collection.toml")
    assert (collection.short_name, collection.version, collection.provider) == ("hs3cpl", "1", "GHRC_DAAC")


def test_git_ignores_data_but_not_its_manifest(bake):
    project = bake()
    git(project, "init", "--quiet")
    commit_all(project, "First")
    tracked = set(git(project, "ls-files").splitlines())
    assert {name for name in tracked if name.startswith("data/")} == {"data/MANIFEST.sha256"}
    assert ".env" not in tracked
    assert len({name for name in tracked if name.startswith("tests/sample/")}) == 8


def test_a_fresh_clone_gets_its_data_from_the_committed_sample(bake, tmp_path):
    """What bin/fetch-data makes in a clone equals what the hook made, so the manifest raises no warning."""
    project = bake()
    git(project, "init", "--quiet")
    commit_all(project, "First")
    run("git", "clone", "--quiet", project, tmp_path / "clone")
    done = run(tmp_path / "clone" / "bin" / "fetch-data")
    assert files(tmp_path / "clone" / "data") == files(project / "data")
    assert "Warning" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("pattern, granule", [
    ("HS3_CPL_*.hdf5", "HS3_CPL_ATB_12203a_20120906.hdf5"),
    ("*", "ATB_12203a_20120906"),
    ("*.nc", "ATB_12203a_20120906.nc"),
    ("a+b*c*.v1.h5", "a+bATB_12203a_20120906c1.v1.h5"),
    ("x.*", "x.ATB_12203a_20120906"),
    ("*.*", "ATB_12203a_20120906.1"),
    ("GPM=2A,*@x~-y.HDF5", "GPM=2A,ATB_12203a_20120906@x~-y.HDF5"),
])
@pytest.mark.parametrize("converter", ["c", "none"])
def test_sample_granules_match_any_legal_input_pattern(bake, pattern, granule, converter):
    """Each legal pattern matches the starter granules, and they have all their expected products."""
    from cumulus.collection import load

    project = bake(input_pattern=pattern, converter=converter)
    assert (project / "data" / "input" / granule).is_file()
    text = (project / "collection.toml").read_text()
    regex = tomllib.loads(text)["granule"]["id"]
    granule_id = re.fullmatch(regex, granule)["id"]
    load(project / "collection.toml")
    products = tomllib.loads(text)["products"].values()
    for template in products:
        assert (project / "data" / "output" / template.replace("{id}", granule_id)).is_file()


@pytest.mark.parametrize("converter", ["c", "none"])
def test_records_of_the_starter_sample_have_time_and_place(bake, converter):
    """The library writes of each expected product what the expected records say."""
    from cumulus.collection import load
    from cumulus.metadata import make_record
    from cumulus.metadata.ummg import render_ummg

    project = bake(converter=converter)
    collection = load(project / "collection.toml")
    for granule in GRANULES:
        names = {key: template.replace("{id}", granule) for key, template in collection.products.items()}
        record = make_record(project / "data" / "output" / names["data"], collection.short_name,
                             rules=collection.metadata, groups={"id": granule}, names=names)
        expected = read_json(project / "data" / "output" / names["cmr"])
        written = json.loads(render_ummg(record))
        assert expected["TemporalExtent"]["RangeDateTime"] == {
            "BeginningDateTime": "2012-09-06T12:00:00Z", "EndingDateTime": "2012-09-06T12:06:30Z"}
        for key in ("GranuleUR", "TemporalExtent", "SpatialExtent"):
            assert written[key] == expected[key]
        assert written["GranuleUR"] == granule
        formats = [each["DataGranule"]["ArchiveAndDistributionInformation"][0]["Format"]
                   for each in (written, expected)]
        assert formats == [{"c": "netCDF-4", "none": "HDF5"}[converter]] * 2


def test_starter_without_a_converter_is_green(bake):
    """Its handler requires time and place, and its products and records equal the expected ones."""
    project = bake(converter="none")
    (project / "data" / "test-output").mkdir(exist_ok=True)
    done = run(sys.executable, "-m", "cumulus", "test", "--home", project,
               *(f"data/{name}" for name in ("input", "test-output", "output")), cwd=project, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sample_files_are_taken_for_binary():
    """Cookiecutter would render a sample file that its detector takes for text."""
    sample = ROOT / TEMPLATE_FOLDER / "tests" / "sample"
    granules = [path for folder in ("input", "output") for path in (sample / folder).iterdir()
                if path.read_bytes()[:2] not in (b"<?", b"{\n")]
    assert len(granules) == 6
    assert all(is_binary(str(path)) for path in granules)


def test_questions_are_at_most_fourteen_and_each_has_a_prompt():
    questions = read_json(ROOT / "cookiecutter.json")
    asked = [name for name in questions if not name.startswith("_")]
    assert len(asked) <= 14
    assert set(asked) == set(questions["__prompts__"])


def test_template_owned_files_hold_no_answer_twice():
    """Only collection.toml and README.md hold the title, and tests check its quoting there."""
    users = {path.relative_to(ROOT / TEMPLATE_FOLDER).as_posix() for path in (ROOT / TEMPLATE_FOLDER).rglob("*")
             if path.is_file() and b"cookiecutter.description" in path.read_bytes()}
    assert users == {"collection.toml", "README.md"}
