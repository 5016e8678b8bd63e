"""Deployment to a real registry with log-in: bin/deploy pushes the tested image under the tags of the table."""

import base64
import json
import os
import shutil
import time
import urllib.request

import pytest
from support import free_port, render, run

pytestmark = [pytest.mark.engine, pytest.mark.slow]

USER, PASSWORD = "ci", "pass word$"
DOCKERFILE = """
FROM debian:trixie-slim
RUN apt-get -qq update \\
    && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends docker-registry apache2-utils
CMD ["docker-registry", "serve", "/etc/docker/registry/config.yml"]
"""
CONFIG = """
version: 0.1
storage: {filesystem: {rootdirectory: /tmp/registry}}
http: {addr: ":5000"}
auth: {htpasswd: {realm: test, path: /etc/docker/registry/htpasswd}}
"""


class Registry:
    """A running registry on this machine: its host name, and what it holds."""

    def __init__(self, port):
        self.host = f"127.0.0.1:{port}"

    def get(self, path):
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(f"http://{self.host}/v2/{path}", headers={
            "Authorization": f"Basic {token}", "Accept": "application/vnd.docker.distribution.manifest.v2+json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def wait(self):
        for _ in range(300):
            try:
                return self.get("")
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the registry did not start")


@pytest.fixture(scope="module")
def registry(engine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "config.yml").write_text(CONFIG)
    run("docker", "build", "--quiet", "--tag", "docker-template-test-registry", folder, timeout=600)
    hashed = run("docker", "run", "--rm", "docker-template-test-registry", "htpasswd", "-nbB", USER, PASSWORD).stdout
    (folder / "htpasswd").write_text(hashed)
    port = free_port()
    container = engine.containers.run(
        "docker-template-test-registry", detach=True, ports={"5000/tcp": ("127.0.0.1", port)},
        volumes={str(folder): {"bind": "/etc/docker/registry", "mode": "ro"}})
    try:
        server = Registry(port)
        server.wait()
        yield server
    finally:
        container.remove(force=True)


@pytest.fixture(scope="module")
def project(template, docker_base, registry, tmp_path_factory, engine):
    """A repository with that registry, its image built and tested."""
    project = render(template, tmp_path_factory.mktemp("deploy"), base_image=docker_base[0], registry=registry.host,
                     repo_name="docker-template-test-deploy", converter="none")
    for service in ("build", "test"):
        run("docker", "compose", "run", "--rm", "-T", service, cwd=project, timeout=600)
    yield project
    for image in engine.images.list(f"{registry.host}/{project.name}"):
        engine.images.remove(image.id, force=True)


@pytest.fixture
def settings(tmp_path):
    """An environment with docker log-ins of its own; compose and buildx stay installed."""
    config = tmp_path / "docker-config"
    config.mkdir()
    plugins = os.path.expanduser("~/.docker/cli-plugins")
    if os.path.isdir(plugins):
        (config / "cli-plugins").symlink_to(plugins)
    return {"DOCKER_CONFIG": config, "CIRCLE_BRANCH": "", "CIRCLE_TAG": ""}


LOGIN = {"REGISTRY_USER": USER, "REGISTRY_PASSWORD": PASSWORD}


@pytest.mark.parametrize("commit, tag", [({"CIRCLE_BRANCH": "develop"}, "develop"),
                                         ({"CIRCLE_BRANCH": "master"}, "latest"),
                                         ({"CIRCLE_TAG": "v0.1.3"}, "v0.1.3")], ids=str)
def test_tested_image_is_pushed_under_its_tag(project, registry, engine, settings, commit, tag):
    run(project / "bin" / "deploy", **{**settings, **LOGIN, **commit})
    assert tag in registry.get(f"{project.name}/tags/list")["tags"]
    tested = engine.images.get(f"{registry.host}/{project.name}:latest").id
    assert registry.get(f"{project.name}/manifests/{tag}")["config"]["digest"] == tested


def test_image_that_is_older_than_an_edit_is_refused(project, registry, settings, tmp_path):
    """bin/deploy does not publish an old image as the present state of the repository."""
    edited = shutil.copytree(project, tmp_path / project.name, symlinks=True)
    (edited / "src" / "beams.py").write_text("BEAMS = 3\n")
    done = run(edited / "bin" / "deploy", check=False, **{**settings, **LOGIN, "CIRCLE_TAG": "v8.8.8"})
    assert done.returncode == 1 and "is not made of what is in src/beams.py now: make test" in done.stderr
    assert "v8.8.8" not in (registry.get(f"{project.name}/tags/list").get("tags") or [])


def test_push_by_compose(project, registry, settings):
    run("docker", "login", "--username", USER, "--password", PASSWORD, registry.host, **settings)
    run("docker", "compose", "push", cwd=project, **settings, TAG="latest")
    assert "latest" in registry.get(f"{project.name}/tags/list")["tags"]


@pytest.mark.parametrize("login", [{}, {**LOGIN, "REGISTRY_PASSWORD": "wrong"}], ids=["none", "wrong-password"])
def test_refused_push_fails(project, registry, settings, login):
    done = run(project / "bin" / "deploy", check=False, **{**settings, **login, "CIRCLE_TAG": "v9.9.9"})
    assert done.returncode != 0 and done.stderr
    assert "v9.9.9" not in (registry.get(f"{project.name}/tags/list").get("tags") or [])
    assert PASSWORD not in done.stdout + done.stderr


def test_image_that_is_not_here_is_named(project, settings):
    done = run(project / "bin" / "deploy", "absent:1", check=False, **{**settings, "CIRCLE_BRANCH": "develop"})
    assert done.returncode == 1 and "there is no image absent:1 here" in done.stderr
