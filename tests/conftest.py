"""Fixtures: the template as a Git repository, projects rendered from it, a Docker engine, an S3 server."""

import os

import pytest
from support import BASE_IMAGE, ROOT, S3Server, commit_all, copy_template, engine_answers, git, render, run


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """This template as a clean Git repository of one commit; read only."""
    folder = tmp_path_factory.mktemp("template") / "cumulus-docker-template"
    folder.mkdir()
    copy_template(folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit_all(folder, "Template under test")
    return folder


@pytest.fixture
def bake(template, tmp_path):
    """Render a project into this test's folder: bake(converter="none") returns the path of the repository."""
    return lambda **answers: render(template, tmp_path / "baked", **answers)


@pytest.fixture(scope="session")
def default_project(template, tmp_path_factory):
    """The default collection, rendered once; read only."""
    return render(template, tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="session")
def engine():
    """A Docker engine (an SDK client); skips where none answers, or fails with REQUIRE_ENGINE=1."""
    if not engine_answers():
        if os.environ.get("REQUIRE_ENGINE") == "1":
            pytest.fail("no Docker engine answers, and REQUIRE_ENGINE=1: scripts/engine-up")
        pytest.skip("no Docker engine answers: scripts/engine-up")
    import docker

    client = docker.from_env(timeout=300)
    yield client
    client.close()


@pytest.fixture(scope="session")
def docker_base(engine):
    """References of the base image and its -dev sibling, built from this checkout."""
    run(ROOT / "docker-base" / "build", BASE_IMAGE, timeout=1200)
    return BASE_IMAGE, f"{BASE_IMAGE}-dev"


def pytest_collection_modifyitems(items):
    """Mark tests that call the AWS CLI as slow: each call takes seconds."""
    for item in items:
        if "s3" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


LACKS = {  # reason of a skip: the line at the end of the report that counts such skips
    "no Docker engine": "no Docker engine answers: scripts/engine-up starts one; REQUIRE_ENGINE=1 makes them fail",
    "no C libraries": "the C libraries are missing: scripts/native-up; REQUIRE_NATIVE=1 makes them fail",
    "no program": "programs are missing: sudo scripts/native-up --tests; REQUIRE_NATIVE=1 makes them fail",
    "CUMULUS_TEST_DATA": "the shared test data is not here: CUMULUS_TEST_DATA names its folder",
}


def pytest_terminal_summary(terminalreporter):
    """Count the tests that were skipped because this machine lacks something that it could have."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    counts = {text: sum(reason in skip for skip in skipped) for reason, text in LACKS.items()}
    if any(counts.values()):
        terminalreporter.section("what this machine lacks")
    for text, count in counts.items():
        if count:
            terminalreporter.line(f"{count} tests skipped: {text}")


@pytest.fixture
def s3(tmp_path):
    folder = tmp_path / "s3"
    folder.mkdir()
    server = S3Server(folder)
    yield server
    server.close()
