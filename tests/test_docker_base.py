"""What is in the base image and its -dev sibling, and the helpers that they carry."""

import os

import pytest
from support import ROOT, run

pytestmark = pytest.mark.engine

INCLUDES = r"#include <hdf5.h>\n#include <libdeflate.h>\n#include <netcdf.h>\n"  # for printf


@pytest.fixture
def inside(docker_base):
    """Run a shell command in the runtime image, or with dev=True in its sibling; returns what it prints."""

    def call(command, *options, dev=False, check=True):
        return run("docker", "run", "--rm", "--network", "none", *options, docker_base[dev], "-c", command, check=check)

    return call


def test_python_is_python3_and_imports_what_handlers_need(inside):
    done = inside("python -c 'import sys, netCDF4, numpy, cumulus; print(sys.version_info[0])'")
    assert done.stdout == "3\n"
    assert done.stderr == ""


def test_cumulus_is_the_one_of_this_checkout_and_byte_compiled(inside):
    """Compiled for everyone: the image's user cannot write bytecode, and starting without it is slow."""
    done = inside("cd /opt/py-cumulus/cumulus && sha256sum __init__.py process/handler.py && ls process/__pycache__")
    source = ROOT / "docker-base" / "py-cumulus" / "src" / "cumulus"
    for name in ("__init__.py", "process/handler.py"):
        assert run("sha256sum", name, cwd=source).stdout in done.stdout
    assert "handler.cpython-3" in done.stdout


def test_cumulus_is_importable_in_the_dev_image(inside):
    assert inside("python -m cumulus --help >/dev/null && echo yes", dev=True).stdout == "yes\n"


def test_conversion_library_is_in_the_dev_image_alone(inside):
    """Each converter contains the library, so the runtime image does not need it."""
    names = " ".join(f"/usr/local/{name}" for name in ("lib/libcumulus-convert.a", "include/hdf5_to_netcdf.h",
                                                       "share/cumulus/convert.mk", "share/cumulus/compiler.mk"))
    assert inside(f"ls {names} | wc -l", dev=True).stdout == "4\n"
    assert inside(f"ls {names} 2>/dev/null | wc -l").stdout == "0\n"


def test_tools_are_there_at_the_promised_versions(inside):
    assert inside("aws --version").stdout.startswith("aws-cli/2.")
    assert "ncks" in inside("ncks --version 2>&1").stdout
    assert inside("git --version").stdout.startswith("git version 2.")
    assert "NCO" in inside("ncatted --version 2>&1").stdout


def test_a_file_written_by_python_is_read_by_netcdf_and_nco(inside):
    script = "import netCDF4; d = netCDF4.Dataset('/tmp/x.nc', 'w'); d.createDimension('n', 2); " \
             "d.createVariable('v', 'f4', 'n', compression='zlib')[:] = [1, 2]; d.close()"
    done = inside(f'python -c "{script}" && ncdump -v v /tmp/x.nc && ncks --trd -H -v v /tmp/x.nc')
    assert "v = 1, 2 ;" in done.stdout
    assert "v[1]=2" in done.stdout


def test_one_copy_of_the_hdf5_library(inside):
    """Python, NetCDF and the converter share one HDF5 library."""
    done = inside("find / -xdev -name 'libhdf5*.so.*' -type f 2>/dev/null | grep -v _hl | grep -v fortran")
    assert len(done.stdout.split()) == 1


def test_user_is_numeric_and_not_root(docker_base, engine):
    for reference in docker_base:
        assert engine.images.get(reference).attrs["Config"]["User"] == "1000:1000"


def test_entrypoint_is_bash_in_work(docker_base, engine):
    for reference in docker_base:
        config = engine.images.get(reference).attrs["Config"]
        assert config["Entrypoint"] == ["/bin/bash"]
        assert config["WorkingDir"] == "/work"


def test_labels_say_what_it_is(docker_base, engine):
    labels = engine.images.get(docker_base[0]).labels
    assert labels["org.opencontainers.image.title"] == "docker-base"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.revision"]


def test_no_build_tool_in_the_runtime_image(inside):
    done = inside("! command -v gcc cc make pip pip3 pkg-config && ! python -m pip 2>/dev/null "
                  "&& ! ls /usr/include/netcdf.h")
    assert done.stdout == ""


def test_dev_image_compiles_against_every_library(inside):
    program = INCLUDES + r"int main(void) { return !nc_inq_libvers(); }\n"
    inside(f"cd /tmp && printf '{program}' >x.c && "
           "gcc -Wall -Werror x.c -o x $(pkg-config --cflags --libs netcdf hdf5 libdeflate) && ./x && make --version",
           dev=True)


def test_what_dev_compiles_runs_in_the_runtime_image(inside, tmp_path):
    """Both images have the same libraries."""
    program = INCLUDES + r"int main(void) { H5open(); return !libdeflate_alloc_decompressor() || !nc_inq_libvers(); }\n"
    tmp_path.chmod(0o777)
    mount = ("-v", f"{tmp_path}:/exchange")
    inside(f"cd /exchange && printf '{program}' >x.c && "
           "gcc x.c -o x $(pkg-config --cflags --libs netcdf hdf5 libdeflate)", *mount, dev=True)
    inside("/exchange/x", *mount)


@pytest.mark.parametrize("user", ["1000:1000", "54321:54321", "0:0"])
def test_runs_locked_down_as_any_user(inside, user):
    """The image runs like service test: no network, read-only, no capabilities, as an unknown user."""
    done = inside("python -c 'import cumulus, netCDF4' && aws --version >/dev/null "
                  "&& git config --global a.b c && echo fine",
                  "--user", user, "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp")
    assert done.stdout == "fine\n"
    assert done.stderr == ""


def test_build_leaves_nothing_behind(inside):
    """The image holds no package lists, no caches, no files in /tmp and no secret."""
    done = inside("ls -A /tmp /var/lib/apt/lists /run/secrets 2>/dev/null; ls /var/cache/apt/*.bin 2>/dev/null; "
                  "find / -xdev -name '*.deb' 2>/dev/null", "--user", "0:0")
    left = [line for line in done.stdout.splitlines() if line and not line.endswith(":")]
    assert left == []


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n  # another\n"], ids=["empty", "blank", "comments"])
def test_helpers_have_nothing_to_do_for_an_empty_list(inside, text):
    """The helpers succeed without a network, so they install nothing."""
    printf = f"printf '{text}' >/tmp/list".replace("\n", r"\n")
    inside(f"{printf} && install-apt /tmp/list")
    inside(f"{printf} && install-pip /tmp/list /tmp/target && ls -A /tmp/target | wc -l | grep -x 0", dev=True)


def test_install_apt_installs_what_a_file_lists(docker_base):
    """Comments and blank lines are ignored; the package lists are gone afterwards."""
    done = run("docker", "run", "--rm", "--user", "0:0", docker_base[0], "-c",
               r"printf '# why\n\njq # a reason\n' >/tmp/list && install-apt /tmp/list >/dev/null && jq --version"
               " && ls /var/lib/apt/lists | wc -l", timeout=600)
    assert done.stdout.startswith("jq-")
    assert done.stdout.endswith("\n0\n")


def test_install_apt_fails_for_an_unknown_package(docker_base):
    done = run("docker", "run", "--rm", "--user", "0:0", docker_base[0], "-c",
               "echo no-such-package-anywhere >/tmp/list && install-apt /tmp/list", check=False, timeout=600)
    assert done.returncode != 0
    assert "no-such-package-anywhere" in done.stdout + done.stderr


def test_install_pip_installs_into_the_target(docker_base, tmp_path):
    """The packages arrive in the folder, with the build's secret where a certificate bundle is needed."""
    bundle = os.environ.get("PIP_CERT") or "/dev/null"
    (tmp_path / "requirements.txt").write_text("# pure Python\nsix==1.17.0\n")
    (tmp_path / "Dockerfile").write_text(
        f"FROM {docker_base[1]}\nUSER 0:0\nCOPY requirements.txt /tmp/\n"
        "RUN --mount=type=secret,id=ca install-pip /tmp/requirements.txt /opt/x && ls /opt/x/six.py\n")
    done = run("docker", "build", "--quiet", "--secret", f"id=ca,src={bundle}", tmp_path, timeout=600,
               DOCKER_BUILDKIT=1)
    run("docker", "image", "rm", done.stdout.strip())


@pytest.mark.parametrize("program", ["install-apt", "install-pip"])
def test_helpers_name_a_file_that_cannot_be_read(inside, program):
    done = inside(f"{program} /no/such/file", dev=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{program}: cannot read '/no/such/file'")


def test_edit_of_py_cumulus_redoes_no_package_installation(docker_base):
    """The second build takes every layer with packages from the cache."""
    done = run(ROOT / "docker-base" / "build", docker_base[0], timeout=600, BUILDKIT_PROGRESS="plain")
    steps = (done.stdout + done.stderr).split("\n\n")
    installing = [step for step in steps if "install-apt /tmp/" in step]
    assert installing
    assert all("CACHED" in step for step in installing)
