"""The rendered CI and compose files are valid and deploy according to the table of branches and tags."""

import itertools
import os
import re
import shutil

import pytest
import yaml
from support import commit_all, git, render, run

TABLE = [  # branch, Git tag, release branch -> image tags
    ("develop", "", "master", "develop"),
    ("master", "", "master", "latest"),
    ("main", "", "master", ""),
    ("main", "", "main", "latest"),
    ("feature/x", "", "master", ""),
    ("develop2", "", "master", ""),
    ("", "", "master", ""),
    ("", "v0.1.3", "master", "v0.1.3"),
    ("", "v10.20.30", "main", "v10.20.30"),
    ("", "v1.2", "master", ""),
    ("", "v01.2.3", "master", ""),
    ("", "v1.2.3-rc1", "master", ""),
    ("", "1.2.3", "master", ""),
    ("", "v1.2.3\nv9.9.9", "master", ""),
    ("develop", "nightly", "master", ""),
]


ANSWERS = {  # that change the CI or the compose file
    "master": {},
    "main": {"release_branch": "main"},
    "aws": {"registry": "123456789012.dkr.ecr.us-east-1.amazonaws.com", "sample_data": "s3://absent-bucket/x"},
    "number": {"repo_name": "1e5", "registry": "registry.example.org:5000/team"},
}


@pytest.fixture(scope="module")
def projects(template, tmp_path_factory):
    return {name: render(template, tmp_path_factory.mktemp(name), **answers) for name, answers in ANSWERS.items()}


@pytest.mark.parametrize("branch, tag, release, expected", TABLE, ids=lambda value: repr(value))
def test_image_tags(projects, branch, tag, release, expected):
    program = projects[release] / "bin" / "image-tags"
    assert run(program, branch, tag).stdout.split() == expected.split()
    assert run(program, CIRCLE_BRANCH=branch, CIRCLE_TAG=tag).stdout.split() == expected.split()


@pytest.mark.parametrize("name", ANSWERS)
def test_circleci_file_is_valid(projects, name):
    run("check-jsonschema", "--builtin-schema", "vendor.circle-ci", projects[name] / ".circleci/config.yml")


@pytest.mark.parametrize("name", ANSWERS)
def test_compose_file_is_valid(projects, name):
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", projects[name] / "docker-compose.yml")


def triggered(filters, branch, tag):
    """Whether CircleCI runs a job: on a branch unless the filter names others, on a tag only if it names it."""
    def matches(rule, name):
        rules = [rule] if isinstance(rule, str) else rule
        return any(re.fullmatch(rule[1:-1], name) if rule.startswith("/") else rule == name for rule in rules)

    if tag:
        return "tags" in filters and matches(filters["tags"]["only"], tag)
    return matches(filters["branches"]["only"], branch) if "branches" in filters else True


@pytest.mark.parametrize("release", ["master", "main"])
def test_ci_runs_build_and_test_everywhere_and_deploy_where_there_are_tags(projects, release):
    """CI builds and tests before it deploys, and deploys exactly the branches and tags that have image tags."""
    config = yaml.safe_load((projects[release] / ".circleci/config.yml").read_text())
    jobs = {name: job for entry in config["workflows"]["build-test-deploy"]["jobs"] for name, job in entry.items()}
    assert jobs["test"]["requires"] == ["build"] and jobs["deploy"]["requires"] == ["test"]
    cases = {(branch, tag.splitlines()[0] if tag else "") for branch, tag, _, _ in TABLE} - {("", "")}
    for (branch, tag), job in itertools.product(cases, ("build", "test")):
        assert triggered(jobs[job]["filters"], branch, tag), (job, branch, tag)
    for branch, tag in cases:
        if run(projects[release] / "bin/image-tags", branch, tag).stdout:
            assert triggered(jobs["deploy"]["filters"], branch, tag), (branch, tag)


def test_ci_runs_the_documented_commands(projects):
    text = (projects["main"] / ".circleci/config.yml").read_text()
    for command in ("bin/base", "docker compose run build", "bin/fetch-data", "docker compose run test", "bin/deploy",
                    ".venv/bin/python -m pytest -ra tests"):
        assert command in text
    assert "make .venv/ready" not in text  # which gets py-cumulus from the template, that CI may not reach


@pytest.mark.parametrize("role", ["", "arn:aws:iam::123456789012:role/ci"])
def test_ci_logs_in_to_aws_where_there_is_a_role(projects, tmp_path, role):
    """Each job logs in before the steps that use AWS, with any answers: the sample may move to S3 later."""
    config = yaml.safe_load((projects["main"] / ".circleci/config.yml").read_text())
    for job in ("test", "deploy"):
        assert "aws-login" in config["jobs"][job]["steps"]
    (step,) = config["commands"]["aws-login"]["steps"]
    aws = tmp_path / "aws"
    aws.write_text("#!/bin/sh\ncat \"$AWS_WEB_IDENTITY_TOKEN_FILE\"\n")
    aws.chmod(0o755)
    settings = {"AWS_ROLE_ARN": role, "CIRCLE_OIDC_TOKEN": "token", "BASH_ENV": tmp_path / "later",
                "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    (tmp_path / "later").touch()
    done = run("bash", "-eo", "pipefail", "-c", step["run"]["command"].replace("/tmp/", f"{tmp_path}/"), **settings)
    assert done.stdout == ("token" if role else "")
    if role:
        assert run("bash", "-c", "aws s3 ls", **settings).stdout == "token"
        assert (tmp_path / "aws-token").stat().st_mode & 0o077 == 0


def test_deploy_does_nothing_for_other_branches_and_without_registry(projects):
    deploy = projects["main"] / "bin" / "deploy"
    assert "nothing to do" in run(deploy, CIRCLE_BRANCH="feature/x", CIRCLE_TAG="").stdout
    assert "no registry" in run(deploy, CIRCLE_BRANCH="develop", CIRCLE_TAG="").stdout


DOCKER = """#!/bin/sh
case "$*" in
    "image inspect --format "*) echo "$SAID" ;;
    "compose config --images test") echo "${TAG-image}" ;;
    *) echo "REVISION=$REVISION docker $*" >>"$LOG" ;;
esac
"""


@pytest.fixture
def docker(tmp_path):
    """Settings with a stand-in for docker that records its arguments and REVISION, and the path of its log."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    path = f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "LOG": tmp_path / "log", "REVISION": ""}, tmp_path / "log"


def test_make_build_labels_the_image_with_the_commit(bake, docker):
    """A `+` marks uncommitted edits; the commit of a surrounding repository does not count."""
    settings, log = docker
    project = bake()
    (project / "bin" / "base").write_text("#!/bin/sh\n")
    git(project.parent, "init", "--quiet")
    commit_all(project.parent, "Around it")

    def labelled():
        log.unlink(missing_ok=True)
        run("make", "build", cwd=project, **settings)
        return re.match("REVISION=(.*) docker compose run", log.read_text())[1]

    del settings["REVISION"]
    assert labelled() == ""
    git(project, "init", "--quiet")
    assert labelled() == ""
    commit = commit_all(project, "First")
    assert labelled() == commit
    (project / "src" / "new.py").write_text("")
    assert labelled() == f"{commit}+"


@pytest.mark.parametrize("revision, warning", [("unknown", "does not know its commit"), ("", "does not know"),
                                               ("0a1b2c+", "edits that are not in its commit"), ("0a1b2c", "")])
def test_deploy_warns_of_an_image_that_does_not_say_what_it_is_made_of(projects, docker, revision, warning):
    settings, log = docker
    done = run(projects["number"] / "bin" / "deploy", **settings, CIRCLE_BRANCH="develop", SAID=revision)
    assert warning in done.stderr and bool(done.stderr) == bool(warning)
    assert "docker push registry.example.org:5000/team/1e5:develop" in log.read_text()


def test_deploy_refuses_the_image_of_another_commit(projects, docker, tmp_path):
    """The tags of this commit would hide that the image is of another commit."""
    settings, log = docker
    project = shutil.copytree(projects["number"], tmp_path / "project")
    git(project, "init", "--quiet")
    commit = commit_all(project, "First")
    settings["CIRCLE_BRANCH"] = "develop"
    done = run(project / "bin" / "deploy", **settings, SAID="0a1b2c", check=False)
    assert done.returncode == 1 and f"was built from commit 0a1b2c, and this is {commit}: make test" in done.stderr
    assert not log.exists() or "push" not in log.read_text()
    run(project / "bin" / "deploy", **settings, SAID=commit)
    assert "docker push" in log.read_text()


@pytest.mark.parametrize("name, uses", [("UID_GID", 2), ("TAG", 1), ("BASE_IMAGE", 1), ("BASE_DEV_IMAGE", 1),
                                        ("REVISION", 1), ("CA_BUNDLE", 1)])
def test_every_setting_of_compose_is_listed_in_the_example(projects, name, uses):
    compose = (projects["main"] / "docker-compose.yml").read_text()
    assert len(re.findall(rf"\$\{{{name}:-", compose)) == uses
    assert f"#{name}=" in (projects["main"] / ".env.example").read_text()


def test_no_setting_of_compose_is_unlisted(projects):
    used = set(re.findall(r"\$\{([A-Z_]+)", (projects["main"] / "docker-compose.yml").read_text()))
    listed = set(re.findall(r"^#([A-Z_]+)=", (projects["main"] / ".env.example").read_text(), re.M))
    assert listed - used == {"COMPOSE_PROJECT_NAME"}, "compose itself reads COMPOSE_PROJECT_NAME"
    assert used <= listed
