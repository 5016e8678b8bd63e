"""engine-up and native-up: they do nothing, install what is missing or name it, and leave nothing half done."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import ROOT, run

ENGINE_UP = ROOT / "scripts" / "engine-up"
NATIVE_UP = ROOT / "scripts" / "native-up"
BARE = "debian:trixie-slim"


def one_line(text):
    """The only line of a program's message."""
    assert len(text.splitlines()) == 1, text
    return text.strip()


@pytest.fixture
def bare(engine):
    """Run a shell command in a bare, unprivileged container without a network that holds our scripts."""

    def call(command, *options):
        return run("docker", "run", "--rm", "--network", "none", "--volume", f"{ROOT / 'scripts'}:/scripts:ro",
                   *options, BARE, "bash", "-c", command, check=False, timeout=120)

    return call


@pytest.mark.parametrize("program", [ENGINE_UP, NATIVE_UP, ROOT / "scripts/venv", ROOT / "scripts/demo.py",
                                     ROOT / "scripts/fresh-root.py",
                                     ROOT / "docker-base/build", ROOT / "docker-base/bin/install-apt",
                                     ROOT / "docker-base/bin/install-pip"], ids=lambda path: path.name)
def test_help_says_what_it_is_for_and_changes_nothing(program, tmp_path):
    done = run(program, "--help", ENGINE_DIR=tmp_path / "engine")
    assert "usage:" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", [ENGINE_UP, NATIVE_UP], ids=lambda path: path.name)
def test_unknown_argument_is_a_usage_error(program, tmp_path):
    done = run(program, "--no-such-option", check=False, ENGINE_DIR=tmp_path / "engine")
    assert done.returncode == 2
    assert "--help" in one_line(done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_check_is_silent_and_negative_where_nothing_answers(tmp_path):
    done = run(ENGINE_UP, "--check", check=False, DOCKER_HOST="tcp://127.0.0.1:1", ENGINE_DIR=tmp_path / "engine")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    assert list(tmp_path.iterdir()) == []


def test_engine_that_somebody_named_is_not_replaced(tmp_path):
    """A set DOCKER_HOST is named, since an engine started here would not be used."""
    done = run(ENGINE_UP, check=False, DOCKER_HOST="tcp://127.0.0.1:1", ENGINE_DIR=tmp_path / "engine")
    assert done.returncode == 3
    message = one_line(done.stderr)
    assert "at DOCKER_HOST=tcp://127.0.0.1:1: start that one, or unset DOCKER_HOST (" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.engine
def test_check_is_silent_and_positive_where_an_engine_answers(engine, tmp_path):
    done = run(ENGINE_UP, "--check", ENGINE_DIR=tmp_path / "engine")
    assert (done.stdout, done.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.engine
def test_nothing_to_do_where_all_is_there(engine, tmp_path):
    """engine-up makes no scratch folder if all is there."""
    done = run(ENGINE_UP, ENGINE_DIR=tmp_path / "engine")
    assert "nothing to do" in one_line(done.stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.engine
def test_twice_at_once(engine):
    callers = [subprocess.Popen([ENGINE_UP], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [caller.wait(timeout=300) for caller in callers] == [0, 0]


@pytest.mark.engine
@pytest.mark.slow
def test_docker_command_without_plugins_gets_them(engine):
    """In a container with this machine's engine, engine-up gets them beside a half-downloaded plugin."""
    socket = "/var/run/docker.sock"
    if os.environ.get("DOCKER_HOST", f"unix://{socket}") != f"unix://{socket}" or not Path(socket).exists():
        pytest.skip("the engine is not this machine's own")
    broken = "/usr/local/lib/docker/cli-plugins/docker-compose"
    done = run("docker", "run", "--rm", "--volume", f"{ROOT / 'scripts'}:/scripts:ro", "--volume", f"{socket}:{socket}",
               "--volume", f"{Path(shutil.which('docker')).resolve()}:/usr/local/bin/docker:ro", BARE, "bash", "-c",
               f"mkdir -p {Path(broken).parent} && head -c 1000 /bin/bash >{broken} && chmod +x {broken}; "
               "/scripts/engine-up && docker compose version && docker buildx version", timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "engine-up: plugins: compose" in done.stderr


@pytest.mark.engine
def test_without_root_it_says_who_can(bare):
    done = bare("/scripts/engine-up", "--user", "1000:1000")
    assert done.returncode == 3
    assert "only root can install and start one: sudo scripts/engine-up" in one_line(done.stderr)


@pytest.mark.engine
def test_engine_that_the_user_may_not_use_is_not_called_absent(bare):
    """The message does not ask for another engine, which root could not start beside this one."""
    done = bare("printf '#!/bin/sh\\necho permission denied while trying to connect to the daemon >&2; exit 1\\n' "
                ">/tmp/docker; chmod +x /tmp/docker; PATH=/tmp:$PATH /scripts/engine-up", "--user", "1000:1000")
    assert done.returncode == 3
    assert "may not use the Docker engine: sudo usermod -aG docker $USER, then log in again" in one_line(done.stderr)


@pytest.mark.engine
def test_unprivileged_container_is_refused_before_anything_is_installed(bare):
    done = bare("/scripts/engine-up; status=$?; ls -A /var/lib/engine-up 2>/dev/null; exit $status")
    assert done.returncode == 3
    assert one_line(done.stderr).startswith("engine-up: this machine cannot run a Docker engine: ")
    assert done.stdout == ""


@pytest.mark.engine
def test_other_system_than_debian_is_told_to_install_docker(bare):
    done = bare("rm /etc/os-release; echo ID=fedora >/etc/os-release; /scripts/engine-up")
    assert done.returncode == 3
    assert "on Debian and Ubuntu only" in one_line(done.stderr)


@pytest.mark.engine
def test_engine_whose_daemon_exits_is_one_sentence(bare):
    """The message is dockerd's own reason, and no process is left running."""
    fake = r"""
printf '#!/bin/sh\necho "failed to start daemon: no cgroups here" >&2\nexit 1\n' >/usr/sbin/dockerd
printf '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2\nexit 1\n' >/usr/bin/docker
chmod +x /usr/sbin/dockerd /usr/bin/docker
/scripts/engine-up"""
    done = bare(fake, "--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN")
    assert done.returncode == 3
    assert "this machine cannot run a Docker engine: failed to start daemon: no cgroups here" in done.stderr


@pytest.mark.engine
def test_stale_pid_of_another_program_does_not_keep_the_engine_from_starting(bare):
    fake = r"""
printf '#!/bin/sh\necho "failed to start daemon: started after all" >&2\nexit 1\n' >/usr/sbin/dockerd
printf '#!/bin/sh\nexit 1\n' >/usr/bin/docker
chmod +x /usr/sbin/dockerd /usr/bin/docker
echo 1 >/var/run/docker.pid
/scripts/engine-up; ls /var/run/docker.pid"""
    done = bare(fake, "--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN")
    assert "started after all" in done.stderr
    assert "cannot access '/var/run/docker.pid'" in done.stderr


@pytest.mark.engine
def test_package_that_cannot_be_installed_names_the_log_and_leaves_no_policy(bare):
    """When apt fails, the file that keeps packages from starting services is removed."""
    done = bare("/scripts/engine-up; status=$?; ls /usr/sbin/policy-rc.d; exit $status",
                "--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN")
    assert done.returncode == 1
    assert "apt-get could not install docker.io" in done.stderr and "apt.log" in done.stderr
    assert "cannot access '/usr/sbin/policy-rc.d'" in done.stderr


@pytest.mark.engine
def test_native_up_without_root_names_the_command(bare):
    done = bare("/scripts/native-up", "--user", "1000:1000")
    assert done.returncode == 3
    assert "programs or libraries are missing: sudo apt-get install gcc make " in one_line(done.stderr)


@pytest.mark.engine
def test_native_up_without_apt_names_what_to_install(bare):
    done = bare("PATH=/nowhere /bin/bash -c '. /scripts/native-up' native-up", "--user", "1000:1000")
    assert done.returncode == 3
    assert "NetCDF, HDF5 and libdeflate" in one_line(done.stderr)


@pytest.mark.engine
def test_native_up_names_the_log_when_apt_fails(bare):
    done = bare("/scripts/native-up")
    assert done.returncode == 1
    assert "apt-get could not install" in one_line(done.stderr)
