"""The rendered repository on a real engine: the documented commands and their messages."""

import json
import os
import re
import shutil
import sys

import netCDF4
import pytest
from support import ROOT, render, run
from test_seed_api import HANDLER

pytestmark = pytest.mark.engine

GRANULES = ("HS3_CPL_ATB_12203a_20120906", "HS3_CPL_OP_12203a_20120906")


def compose(project, *arguments, check=True, **environment):
    """docker compose run --rm SERVICE, in the project, without a terminal."""
    return run("docker", "compose", "--progress", "plain", "run", "--rm", "-T", *arguments, cwd=project, check=check,
               timeout=600, **environment)


def names(folder):
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def products(granules=GRANULES, extension=".nc"):
    return {granule + end for granule in granules for end in (extension, f"{extension}.meta.xml", ".cmr.json")}


@pytest.fixture(scope="module")
def repositories(template, docker_base, tmp_path_factory, engine):
    """A repository with and one without converter, whose images are built; for reading only."""
    made = {}
    for converter in ("c", "none"):
        made[converter] = render(template, tmp_path_factory.mktemp("rendered"), base_image=docker_base[0],
                                 repo_name=f"docker-template-test-{converter}", converter=converter)
        compose(made[converter], "build")
    yield made
    for project in made.values():
        engine.images.remove(f"{project.name}:latest", force=True)


@pytest.fixture(params=["c", "none"])
def built(request, repositories):
    """Each of the two repositories in turn."""
    return repositories[request.param]


@pytest.fixture
def project(repositories, tmp_path):
    """A copy of the repository with a converter that a test may break; compose knows it by the same name."""
    return shutil.copytree(repositories["c"], tmp_path / repositories["c"].name, symlinks=True)


def test_service_test_is_green_and_its_products_belong_to_the_caller(built):
    done = compose(built, "test")
    extension = ".hdf5" if built.name.endswith("none") else ".nc"
    output = built / "data" / "test-output"
    assert names(output) == products(extension=extension), done.stdout
    assert {path.stat().st_uid for path in output.iterdir()} == {os.getuid()}


@pytest.mark.parametrize("where", ["here", "in-the-image"])
def test_the_repositorys_own_tests_are_green(built, where):
    """All tests pass: with py-cumulus on the host, and without it in the image, where those of CF are left out."""
    compose(built, "test")
    done = own_tests(built, where)
    assert done.stdout.count("test_product_is_as_expected") == 6, done.stdout
    assert re.search(r"\b(8|9|11) passed", done.stdout) and " failed" not in done.stdout


def own_tests(project, where, **environment):
    """Run the repository's tests with py-cumulus on the path ("here") or without ("in-the-image")."""
    keep = "True" if where == "here" else "not os.path.exists(os.path.join(path, 'cumulus'))"
    python = "" if where == "here" else "sys.executable = sys._base_executable; "  # which bin/cumulus asks
    program = (f"import os, sys; sys.path = [path for path in sys.path if {keep}]; "
               f"{python}import pytest; sys.exit(pytest.main())")
    return run(sys.executable, "-c", program, "-v", "-p", "no:cacheprovider", "tests", cwd=project, check=False,
               **environment)


def test_own_tests_name_an_absent_image(project):
    """Without py-cumulus on the host, the tests use the image that .env names, and say that it is absent."""
    compose(project, "test")
    with (project / ".env").open("a") as settings:
        settings.write("TAG=absent\n")
    done = own_tests(project, "in-the-image")
    assert done.returncode == 1
    assert "the image is not built: docker compose run build, or make native" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("where", ["here", "in-the-image"])
def test_own_tests_name_a_mistake_in_the_rules(project, where):
    compose(project, "test")
    rules = project / "collection.toml"
    rules.write_text(rules.read_text().replace("rtol = 1e-6", "rtool = 1e-6"))
    done = own_tests(project, where)
    assert done.returncode == 1 and "unknown key 'rtool'" in done.stdout and "JSONDecodeError" not in done.stdout


def test_service_test_is_locked_up(built):
    """Service test has no network, no writable root and no capability; it can write data/test-output only."""
    service = json.loads(run("docker", "compose", "config", "--format", "json", cwd=built).stdout)["services"]["test"]
    assert service["network_mode"] == "none"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    writable = [volume["target"] for volume in service["volumes"] if not volume.get("read_only")]
    assert writable == ["/work/data/test-output"]


def test_command_of_the_tutorial_prints_a_table(project):
    """The tutorial's command prints the table with the image alone, without C libraries on the host."""
    (command,) = re.findall("docker compose run .*--table.*", (ROOT / "docs" / "tutorial.md").read_text())
    granule = next((project / "data" / "input").glob("*_ATB_*.hdf5"))
    run("sh", "-c", command.replace("YOUR_GRANULE.hdf5", granule.name), cwd=project)
    assert '{"/ATB_1064", "", "dim_' in (project / "table.txt").read_text()


def test_no_network_is_left_behind(built, engine):
    compose(built, "bash", "-c", "true")
    compose(built, "test")
    assert not [network.name for network in engine.networks.list() if network.name.startswith(built.name)]


def test_image_keeps_its_contract(built, engine):
    image = engine.images.get(f"{built.name}:latest")
    config = image.attrs["Config"]
    assert config["Entrypoint"] == ["/work/process.py"]
    assert config["Cmd"] == ["input", "output"]
    assert config["WorkingDir"] == "/work"
    assert config["User"] == "1000:1000"
    assert image.labels["org.opencontainers.image.title"] == built.name


def test_image_holds_no_compiler(built):
    assert compose(built, "bash", "-c", "! command -v gcc && ! command -v make").returncode == 0


def test_service_bash_runs_a_command_in_the_image(built):
    done = compose(built, "bash", "-c", "pwd; python --version; ls data")
    lines = done.stdout.split()
    assert lines[0] == "/work" and lines[1] == "Python" and "input" in lines


def test_plain_docker_run_works_as_any_user_without_network_or_writable_root(built, tmp_path):
    """The image also runs if a workflow engine repeats the program's path as the first argument."""
    output = tmp_path / "out"
    output.mkdir()
    output.chmod(0o777)
    run("docker", "run", "--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", "--user", "4321:4321",
        "--volume", f"{built}/data/input:/in:ro", "--volume", f"{output}:/out", f"{built.name}:latest",
        "/work/process.py", "/in", "/out")
    assert len(names(output)) == 6


def test_command_of_the_readme_for_own_folders(built, tmp_path):
    """The README's command works with other folders in place of its examples."""
    text = (built / "README.md").read_text()
    block = text[text.index("mkdir -p /my/products"):].partition("```")[0]
    shutil.copytree(built / "data/input", tmp_path / "granules")
    run("sh", "-ec", block.replace("/my/", f"{tmp_path}/"))
    assert len(names(tmp_path / "products")) == 6
    assert {path.stat().st_uid for path in (tmp_path / "products").iterdir()} == {os.getuid()}


def test_handler_of_the_cumulus_documentation_runs_in_the_image(project, tmp_path):
    """The documentation's imports and calls work with the real converter, given the table's value, and NCO."""
    assert "[converter, source, outdir]" in HANDLER
    call = '[converter, "--set", "day_zero=2011-12-31", source, outdir]'
    (project / "example.py").write_text(HANDLER.replace("[converter, source, outdir]", call))
    output = tmp_path / "out"
    output.mkdir()
    output.chmod(0o777)
    run("docker", "run", "--rm", "--network", "none", "--entrypoint", "python",
        "--volume", f"{project}/example.py:/work/example.py:ro", "--volume", f"{project}/data/input:/in:ro",
        "--volume", f"{output}:/out", f"{project.name}:latest", "example.py", "/in", "/out", "ncatted")
    assert names(output) == {granule + end for granule in GRANULES for end in (".nc", ".nc.meta.xml")}


SPARSE = """
import itertools, subprocess
import h5py
for number, limits in enumerate(itertools.product((8, 9, None), repeat=2)):
    with h5py.File("/tmp/in.h5", "w", libver="latest") as file:
        data = file.create_dataset("x", (8, 8), "f8", chunks=(2, 2), maxshape=limits)
        data[2:4, 0:2], data[6:, 2:4] = 5, 7
        file["padding"] = [1.0] * 300_000  # large enough that the library reads it from the file
    product = f"/tmp/{number}.nc"
    subprocess.run(["/work/_convert", "/tmp/in.h5", product], check=True)
    with h5py.File("/tmp/in.h5") as before, h5py.File(product) as after:
        assert (before["x"][...] == after["x"][...]).all(), limits
"""


def test_converter_of_the_image_keeps_each_chunk_in_its_place(repositories):
    """Chunks keep their position, although the image's HDF5 library reports some positions wrongly."""
    run("docker", "run", "--rm", "--network", "none", "--entrypoint", "python",
        f"{repositories['c'].name}:latest", "-c", SPARSE)


def test_products_are_accepted_where_only_the_image_can_compare(project):
    """Without py-cumulus on the host, the image compares: ignored changes stay, differences are shown."""
    compose(project, "test")
    changed, ignored = (project / "data/test-output" / f"{GRANULES[0]}.nc{end}" for end in ("", ".meta.xml"))
    with netCDF4.Dataset(changed, "a") as dataset:
        dataset["ATB_532"].units = "m-1 sr-1"
    ignored.write_text(ignored.read_text().replace("<InsertTime>", "<InsertTime>1"))
    kept = (project / "data/output" / ignored.name).read_bytes()
    done = run(sys._base_executable, project / "bin/accept-products", "--yes", "--because", "the units were wrong",
               timeout=300)
    assert "/ATB_532: attribute units" in done.stdout, done.stdout
    assert (project / "data/output" / changed.name).read_bytes() == changed.read_bytes()
    assert (project / "data/output" / ignored.name).read_bytes() == kept
    assert run(project / "bin/fetch-data", "--check").returncode == 0


def test_image_that_is_older_than_an_edit_is_said(project):
    """The warning comes although the products are equal, since the edit was not tested."""
    assert "out of date" not in compose(project, "test").stderr
    (project / "src" / "beams.py").write_text("BEAMS = 3\n")
    done = compose(project, "test")
    assert "the image is out of date: src/beams.py has changed since it was built; " in done.stderr
    assert "rebuild it: docker compose run build" in done.stderr


def test_broken_converter_table_turns_the_test_red(project):
    """The comparison finds one changed unit, although the image builds and each granule converts."""
    table = project / "convert" / "hs3cpl2nc.c"
    text = table.read_text()
    assert text.count('"degrees_north"') == 1
    table.write_text(text.replace('"degrees_north"', '"degrees_south"'))
    compose(project, "build", TAG="broken")
    done = compose(project, "test", check=False, TAG="broken")
    run("docker", "image", "rm", f"{project.name}:broken")
    assert done.returncode == 1
    assert "degrees_south" in done.stdout + done.stderr


def test_syntax_error_in_the_converter_fails_the_build(project):
    (project / "convert" / "hs3cpl2nc.c").write_text("not C\n")
    done = compose(project, "build", check=False, TAG="broken")
    assert done.returncode != 0 and "hs3cpl2nc.c:1:" in done.stdout + done.stderr


def test_base_image_without_the_library_is_one_sentence_with_the_command(project, docker_base, tmp_path):
    """An image that an older template made."""
    old = f"{docker_base[0]}-old-dev"
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "Dockerfile").write_text(
        f"FROM {docker_base[1]}\nUSER 0:0\nRUN rm -r /usr/local/share/cumulus\n")
    run("docker", "build", "--quiet", "--tag", old, tmp_path / "old")
    done = compose(project, "build", check=False, TAG="broken", BASE_DEV_IMAGE=old)
    run("docker", "image", "rm", old)
    assert done.returncode != 0
    assert "the base image holds no conversion library, since it is older than this repository: bin/base --build " \
        in done.stdout + done.stderr


def test_missing_output_folder_is_named(project):
    shutil.rmtree(project / "data" / "test-output")
    done = compose(project, "test", check=False)
    assert done.returncode != 0 and "data/test-output" in done.stderr
    assert not (project / "data" / "test-output").exists()


def test_missing_input_folder_is_named(project):
    shutil.rmtree(project / "data" / "input")
    done = compose(project, "test", check=False)
    assert done.returncode != 0 and "data/input" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_empty_input_is_an_error(project):
    for path in (project / "data" / "input").iterdir():
        path.unlink()
    done = compose(project, "test", check=False)
    assert done.returncode == 2 and "holds no files" in done.stdout + done.stderr


def test_input_without_a_matching_file_is_an_error_that_names_the_pattern(project):
    for path in (project / "data" / "input").iterdir():
        path.rename(path.with_suffix(".h5"))
    done = compose(project, "test", check=False)
    assert done.returncode == 2 and "HS3_CPL_*.hdf5" in done.stdout + done.stderr


@pytest.mark.parametrize("damage", ["truncated", "empty", "no-hdf5"])
def test_damaged_granule_fails_alone_and_leaves_nothing_under_its_name(project, damage):
    """Earlier products of the damaged granule are removed."""
    compose(project, "test")
    granule = project / "data" / "input" / f"{GRANULES[0]}.hdf5"
    data = granule.read_bytes()
    granule.write_bytes({"truncated": data[:len(data) // 2], "empty": b"", "no-hdf5": b"hello\n" * 1000}[damage])
    done = compose(project, "test", check=False)
    assert done.returncode == 3
    assert GRANULES[0] in done.stdout + done.stderr
    assert names(project / "data" / "test-output") == products(GRANULES[1:])


def test_all_granules_damaged_means_nothing_could_be_done(project):
    for path in (project / "data" / "input").iterdir():
        path.write_bytes(b"")
    assert compose(project, "test", check=False).returncode == 2


def test_unwritable_output_names_the_line_for_env(project):
    (project / ".env").write_text("UID_GID=4321:4321\n")
    output = project / "data" / "test-output"
    output.chmod(0o755)
    done = compose(project, "test", check=False)
    assert done.returncode == 2
    assert f"UID_GID={output.stat().st_uid}:{output.stat().st_gid}" in done.stdout + done.stderr


def test_unreadable_input_names_the_line_for_env(project):
    (project / ".env").write_text("UID_GID=4321:4321\n")
    (project / "data" / "test-output").chmod(0o777)
    folder = project / "data" / "input"
    folder.chmod(0o700)
    done = compose(project, "test", check=False)
    assert done.returncode == 2
    assert f"UID_GID={folder.stat().st_uid}:{folder.stat().st_gid}" in done.stdout + done.stderr


def test_missing_expected_products_mean_the_handlers_verdict(project):
    """Without expected products the handler's status counts, and a message says so."""
    for path in (project / "data" / "output").iterdir():
        path.unlink()
    done = compose(project, "test")
    assert "data/output" in done.stdout + done.stderr


def test_own_tests_fail_when_there_is_nothing_to_compare(project):
    for path in (project / "data" / "output").iterdir():
        path.unlink()
    done = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests", cwd=project, check=False)
    assert done.returncode == 1 and "data/output is empty" in done.stdout


def test_absent_base_image_fails_the_build_by_name(project):
    done = compose(project, "build", check=False, BASE_IMAGE="127.0.0.1:9/absent:1", TAG="broken")
    assert done.returncode != 0 and "127.0.0.1:9" in done.stderr and "absent" in done.stderr


def test_base_image_for_another_processor_is_named(project, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    for tag in ("other", "other-dev"):
        run("docker", "build", "--quiet", "--platform", "linux/s390x", "--tag", f"docker-base-test:{tag}", tmp_path)
    done = run(project / "bin" / "base", check=False, BASE_IMAGE="docker-base-test:other")
    run("docker", "image", "rm", "docker-base-test:other", "docker-base-test:other-dev")
    assert done.returncode == 1 and "is made for s390x" in done.stderr and "bin/base --build" in done.stderr


def test_unreachable_registry_is_named_and_a_digest_is_never_built(project):
    """The base image is set in .env, as for compose."""
    with (project / ".env").open("a") as settings:
        settings.write(f"BASE_IMAGE=127.0.0.1:9/base@sha256:{'0' * 64}\n")
    done = run(project / "bin" / "base", check=False)
    assert done.returncode == 1
    assert "cannot pull 127.0.0.1:9/base@sha256" in done.stderr and "cannot be built here" in done.stderr


def test_base_can_be_given_as_a_whole_reference(project, engine, docker_base):
    """BASE_IMAGE and BASE_DEV_IMAGE are independent: an image id has no tag to which -dev could be added."""
    runtime, dev = (engine.images.get(name).id for name in docker_base)
    compose(project, "build", BASE_IMAGE=docker_base[0], BASE_DEV_IMAGE=docker_base[1], TAG="pinned")
    assert runtime != dev
    run("docker", "image", "rm", f"{project.name}:pinned")


def test_base_program_finds_or_builds_the_base_image(project):
    """bin/base builds images of another commit once; without a record it says how to get them."""
    run(project / "bin" / "base", timeout=1200)
    assert "are here" in run(project / "bin" / "base").stdout
    (project / ".cruft.json").unlink()
    assert "are here" in run(project / "bin" / "base").stdout
    done = run(project / "bin" / "base", "--build", check=False)
    assert done.returncode == 1 and "copy the new .cruft.json here" in done.stderr


def test_base_program_builds_from_the_recorded_commit(project, engine):
    """Both images, from a clone of the template at the commit that .cruft.json names."""
    done = run(project / "bin" / "base", timeout=1200, BASE_IMAGE="docker-base:test-recorded")
    assert "git clone" in done.stdout
    for name in ("docker-base:test-recorded", "docker-base:test-recorded-dev"):
        engine.images.remove(name)


def test_packages_of_the_collection_are_in_the_image(project):
    """apt.txt reaches the image that runs, requirements.txt too, and neither brings pip along."""
    (project / "apt.txt").write_text("# a comment\n\njq  # and another\n")
    (project / "requirements.txt").write_text("six==1.16.0\n")
    bundle = os.environ.get("PIP_CERT") or "/dev/null"
    compose(project, "build", TAG="packages", CA_BUNDLE=bundle)
    script = "jq --version && python -c 'import six; print(six.__version__)' && ! command -v pip"
    done = compose(project, "bash", "-c", script, TAG="packages", check=False)
    run("docker", "image", "rm", f"{project.name}:packages")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1.16.0" in done.stdout


def test_browse_image_is_the_same_in_the_image_and_beside_it(project, tmp_path):
    """The documented version of matplotlib draws the same picture in the image and on the host."""
    from cumulus.browse import write_browse

    page = (ROOT / "docs" / "browse.md").read_text()
    (project / "requirements.txt").write_text(re.search("^matplotlib==.*$", page, re.M)[0] + "\n")
    compose(project, "build", TAG="browse", CA_BUNDLE=os.environ.get("PIP_CERT") or "/dev/null")
    product = project / "data/output" / f"{GRANULES[0]}.nc"
    program = f"from cumulus.browse import write_browse as w; w('data/output/{product.name}', 'data/test-output/x.png')"
    done = compose(project, "--entrypoint", "python", "test", "-c", program, TAG="browse", check=False)
    run("docker", "image", "rm", f"{project.name}:browse")
    assert done.returncode == 0, done.stdout + done.stderr
    write_browse(product, tmp_path / "x.png")
    assert (project / "data/test-output/x.png").read_bytes() == (tmp_path / "x.png").read_bytes()


def test_no_engine_is_one_sentence(project):
    done = run(project / "bin" / "base", check=False, DOCKER_HOST="tcp://127.0.0.1:9")
    assert done.returncode == 1
    assert "no Docker engine answers" in done.stderr and "make native" in done.stderr
