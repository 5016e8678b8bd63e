"""What several tests use: the template as a repository, rendering, running programs, shared data, an S3 server."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter
from programs import PACKAGES, need

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CUMULUS_TEST_DATA") or ROOT.parent / "shared")
TEMPLATE_FOLDER = "{{cookiecutter.repo_name}}"
BASE_IMAGE = "docker-base:test"  # not the tag that a person uses on this machine


def run(*command, cwd=None, timeout=300, check=True, stdin="", **environment):
    """Run a program, with its output captured as text; on failure the output is in the assertion.

    Where a program of PACKAGES is not installed, the test skips.
    """
    if command[0] in PACKAGES:
        need(command[0])
    done = subprocess.run([str(argument) for argument in command], cwd=cwd, timeout=timeout, text=True, check=False,
                          input=stdin, capture_output=True,
                          env={**os.environ, **{key: str(value) for key, value in environment.items()}})
    if check:
        assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def git(folder, *arguments):
    return run("git", "-C", folder, "-c", "user.name=Test", "-c", "user.email=test@example.org",
               "-c", "commit.gpgsign=false", *arguments).stdout.strip()


def commit_all(folder, message):
    """Commit everything that is not ignored; returns the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def copy_template(target):
    """Copy the files of this checkout as they are now, committed or not, but not what Git ignores."""
    names = run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def render(template, output, **answers):
    """Render a project without questions; returns its folder."""
    output.mkdir(parents=True, exist_ok=True)
    return Path(cookiecutter(str(template), no_input=True, extra_context=answers, output_dir=str(output),
                             default_config=True))


def shared(relative):
    """A file or folder of the shared test data; skips the test, with this reason, where it is absent."""
    path = DATA / relative
    if not path.exists():
        pytest.skip(f"no test data at {path} (CUMULUS_TEST_DATA)")
    return path


def c_libraries_are_here():
    """Whether the converter can be compiled on this machine."""
    pkg_config = shutil.which("pkg-config")
    libraries = ("netcdf", "hdf5", "libdeflate")
    return bool(pkg_config) and subprocess.run([pkg_config, "--exists", *libraries], check=False).returncode == 0


# With REQUIRE_NATIVE=1 such a test runs all the same, and fails.
needs_c_libraries = pytest.mark.skipif(os.environ.get("REQUIRE_NATIVE") != "1" and not c_libraries_are_here(),
                                       reason="no C libraries for the converter: scripts/native-up")


def engine_answers():
    try:
        return subprocess.run(["docker", "version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class S3Server:
    """A real S3 server over HTTP (rclone) whose buckets are folders; requests are signed and checked."""

    KEY, SECRET = "test-key", "test-secret"

    def __init__(self, folder):
        self.folder = folder
        self.log = folder.with_suffix(".log")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).parent / "rclone", "serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}",
                 "--auth-key", f"{self.KEY},{self.SECRET}", "-vv", "--config", os.devnull],
                stdout=log, stderr=subprocess.STDOUT)
        self._wait(port)

    def _wait(self, port):
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"the S3 server did not start:\n{self.log.read_text()}")

    def environment(self, secret=SECRET):
        """What the AWS CLI needs to reach this server and nothing else."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": self.KEY, "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull, "AWS_MAX_ATTEMPTS": "1",
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=10)


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))
