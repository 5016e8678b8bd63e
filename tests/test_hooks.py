"""What the hook after rendering does: the record for updates, the user of the containers, the sample data."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from support import S3Server, commit_all, copy_template, git, read_json, render, run


def test_record_names_template_commit_and_answers(template, default_project):
    record = read_json(default_project / ".cruft.json")
    answers = record["context"]["cookiecutter"]
    assert record["template"] == str(template)
    assert record["commit"] == git(template, "rev-parse", "HEAD")
    assert record["skip"] == ["data", *read_json(template / "cookiecutter.json")["_yours"].split()]
    questions = [name for name in read_json(template / "cookiecutter.json") if not name.startswith("_")]
    assert [name for name in answers if not name.startswith("_")] == questions


@pytest.mark.parametrize("remote, recorded", [
    ("https://user:token@example.org/ORG/template.git", "https://example.org/ORG/template.git"),
    ("https://token@example.org:8443/ORG/template", "https://example.org:8443/ORG/template"),
    ("git@example.org:ORG/template.git", "git@example.org:ORG/template.git"),
    ("ssh://git:token@example.org/ORG/template.git", "ssh://git@example.org/ORG/template.git"),
    ("https://example.org/ORG/template.git?private_token=token", "https://example.org/ORG/template.git"),
])
def test_record_names_the_remote_without_credentials(template, tmp_path, remote, recorded):
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", template, clone)
    git(clone, "remote", "set-url", "origin", remote)
    project = render(clone, tmp_path / "out")
    assert read_json(project / ".cruft.json")["template"] == recorded
    assert "token" not in (project / ".cruft.json").read_text().replace("ORG/template", "")


@pytest.mark.parametrize("url", ["{template}", "file://{template}"], ids=["folder", "file URL"])
def test_sources_of_the_libraries_are_those_of_the_recorded_commit(bake, template, tmp_path, url):
    """The sources of both libraries come from the recorded commit, although the template has changed since."""
    project, later = bake(), tmp_path / "later"
    commit = git(template, "rev-parse", "HEAD")
    run("git", "clone", "--quiet", template, later)
    (later / "docker-base" / "converter" / "convert.mk").write_text("later")
    commit_all(later, "Later")
    (project / ".cruft.json").write_text(json.dumps({"template": url.format(template=later), "commit": commit}))
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "old").write_text("of an earlier commit")
    run(project / "bin" / "base", "--sources", tmp_path / "sources")
    for name in ("py-cumulus/pyproject.toml", "converter/convert.mk", "converter/src/walk.c"):
        assert (tmp_path / "sources" / name).read_bytes() == (template / "docker-base" / name).read_bytes()
    assert not (tmp_path / "sources" / "old").exists()


def test_base_image_is_built_with_the_certificate_bundle_of_the_settings(bake, tmp_path):
    """In .env, as docker compose reads it. Stand-ins for the engine and for the template's docker-base/build."""
    project, docker = bake(), shutil.which("docker")
    if not docker or run(docker, "compose", "version", check=False).returncode:
        pytest.skip("docker compose is not installed")
    programs = {"docker": f"""case $1 in
        version) echo amd64 ;; compose) exec {docker} "$@" ;; *) exit 1 ;; esac""",
                "template/docker-base/build": 'echo "$CA_BUNDLE"'}
    for name, text in programs.items():
        program = tmp_path / "stand-in" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    moved = tmp_path / "stand-in" / "template"
    git(moved, "init", "--quiet")
    (project / ".cruft.json").write_text(json.dumps({"template": str(moved), "commit": commit_all(moved, "First")}))
    with (project / ".env").open("a") as settings:
        settings.write('CA_BUNDLE="/etc/ssl/${WHOSE:-my own}.crt" # with all that compose understands\n')
    path = f"{tmp_path}/stand-in{os.pathsep}{os.environ['PATH']}"
    done = run("env", "-u", "CA_BUNDLE", project / "bin" / "base", PATH=path)
    assert done.stdout.endswith("/etc/ssl/my own.crt\n")


def test_base_program_tells_an_engine_that_may_not_be_used_from_an_absent_one(default_project, tmp_path):
    """The message does not tell the user to start an engine that already runs."""
    (tmp_path / "docker").write_text("#!/bin/sh\necho permission denied while trying to connect >&2; exit 1\n")
    (tmp_path / "docker").chmod(0o755)
    done = run(default_project / "bin" / "base", check=False, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 1
    assert "may not use the Docker engine: sudo usermod -aG docker $USER, then log in again" in done.stderr


def test_number_of_files_is_said_in_the_singular_too(default_project, tmp_path):
    project = shutil.copytree(default_project, tmp_path / "project", symlinks=True)
    first, *_ = sorted((project / "data/input").iterdir())
    first.unlink()
    assert "data/: 1 input file, 6 expected products\n" in run(project / "bin/fetch-data", "--manifest").stdout


def test_record_names_a_remote_of_any_name(template, tmp_path):
    """Of the remotes that have the commit, one that others can reach."""
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", "--origin", "upstream", template, clone)
    git(clone, "remote", "add", "fork", "/absent")
    git(clone, "remote", "set-url", "upstream", "https://example.org/ORG/template.git")
    assert read_json(render(clone, tmp_path / "out") / ".cruft.json")["template"] == "https://example.org/ORG/template.git"


@pytest.fixture
def tagged(template, tmp_path):
    """The template in a bare repository whose commit is under the tag v1.2.0 only, and its clone of depth 1."""
    bare, clone = tmp_path / "bare.git", tmp_path / "tagged"
    run("git", "clone", "--quiet", template, tmp_path / "work")
    run("git", "init", "--quiet", "--bare", bare)
    git(tmp_path / "work", "tag", "v1.2.0")
    git(tmp_path / "work", "push", "--quiet", bare, "v1.2.0")
    run("git", "clone", "--quiet", "--depth", "1", "--branch", "v1.2.0", "-c", "advice.detachedHead=false",
        f"file://{bare}", clone)
    return clone


def test_record_of_a_clone_of_one_tag_names_the_remote_and_the_release(tagged, tmp_path):
    record = read_json(render(tagged, tmp_path / "out") / ".cruft.json")
    assert record["template"] == f"file://{tmp_path}/bare.git" and record["checkout"] == "v1.2.0"


def test_record_names_the_folder_where_the_remote_lacks_the_tag(tagged, tmp_path):
    """A tag that was never pushed is no way for others to the commit."""
    run("git", "-C", tmp_path / "bare.git", "tag", "--delete", "v1.2.0")
    assert read_json(render(tagged, tmp_path / "out") / ".cruft.json")["template"] == str(tagged)


def test_remote_that_cannot_be_asked_is_warned_of(tagged, tmp_path, capfd):
    (tmp_path / "bare.git").rename(tmp_path / "away")
    record = read_json(render(tagged, tmp_path / "out") / ".cruft.json")
    assert record["template"] == f"file://{tmp_path}/bare.git"
    assert "cannot be asked whether it has the tag v1.2.0" in capfd.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_template_of_another_owner_is_warned_of_with_gits_command(template, tmp_path, capfd, monkeypatch):
    """Git's whole reason, the command that it advises, and that rendering must be repeated."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = shutil.copytree(template, tmp_path / "template", symlinks=True)
    for path in (folder, folder / ".git"):
        os.chown(path, 12345, 12345)
    project = render(folder, tmp_path / "out")
    warning = capfd.readouterr().err
    assert "dubious ownership" in warning and f"git config --global --add safe.directory {folder}" in warning
    assert "render again" in warning and not (project / ".cruft.json").exists()


def test_record_names_the_folder_while_the_remote_lacks_the_commit(template, tmp_path):
    """A commit that was not pushed cannot be fetched from the remote, so the remote would be a wrong address."""
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", template, clone)
    (clone / "README.md").write_text("changed")
    commit_all(clone, "Not pushed")
    assert read_json(render(clone, tmp_path / "out") / ".cruft.json")["template"] == str(clone)


def test_uncommitted_changes_of_the_template_are_warned_of(template, tmp_path, capfd):
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", template, clone)
    (clone / "new-file").write_text("x")
    render(clone, tmp_path / "out")
    assert "has uncommitted changes" in capfd.readouterr().err


def test_rendering_without_git_names_the_remedy(template, tmp_path):
    """The repository is complete, but for the record of the template's commit."""
    done = cookiecutter(template, tmp_path / "out", PATH=tmp_path)
    assert done.returncode == 0 and not (tmp_path / "out" / "docker-hs3-cpl" / ".cruft.json").exists()
    assert "To mend it: install Git and render again." in done.stderr


@pytest.mark.slow
def test_a_template_without_git_renders_with_programs_that_run(tmp_path):
    """A downloaded archive renders with executable programs, and a warning names what needs Git."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    copy_template(folder)
    archive = shutil.make_archive(str(tmp_path / "template"), "zip", root_dir=tmp_path, base_dir="unpacked")
    done = cookiecutter(archive, tmp_path / "out")
    project = tmp_path / "out" / "docker-hs3-cpl"
    assert not (project / ".cruft.json").exists()
    assert "cannot be updated from it" in done.stderr
    assert "To mend it: render again from a Git clone of it." in done.stderr
    assert os.access(project / "process.py", os.X_OK)
    for command in ([project / "bin" / "base", "--sources", tmp_path / "sources"], ["make", "-C", project, "native"]):
        shown = run(*command, check=False)
        assert shown.returncode != 0 and "no usable .cruft.json" in shown.stderr
        assert "render again in another folder from a Git clone of the template" in shown.stderr


def test_a_folder_as_template_is_warned_of(template, tmp_path, capfd):
    """A warning says that others cannot reach the folder."""
    render(template, tmp_path / "out")
    assert "which only this machine knows" in capfd.readouterr().err


@pytest.mark.parametrize("remote, local", [
    ("{template}", True), ("file://{template}", True), ("../template", True),
    ("https://example.org/ORG/template", False),
    ("ssh://git@example.org/ORG/template", False), ("git@example.org:ORG/template.git", False)])
def test_remote_that_is_a_folder_is_warned_of(template, tmp_path, capfd, remote, local):
    """A warning says that others cannot reach the remote of a clone of a clone."""
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", template, clone)
    git(clone, "remote", "set-url", "origin", remote.format(template=template))
    render(clone, tmp_path / "out")
    assert ("which only this machine knows" in capfd.readouterr().err) == local


def test_nobody_reading_the_messages_fails_nothing(template, tmp_path):
    """`cookiecutter ... | head` keeps the project."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-m", "cookiecutter", template, "--no-input", "--default-config",
                           "--output-dir", tmp_path], stdout=writer, stderr=subprocess.PIPE, timeout=120, check=False)
    os.close(writer)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "docker-hs3-cpl" / "data" / "MANIFEST.sha256").is_file()


def test_containers_run_as_the_caller(default_project):
    assert (default_project / ".env").read_text() == f"UID_GID={os.getuid()}:{os.getgid()}\n"


def test_next_commands_are_printed(template, tmp_path, capfd):
    render(template, tmp_path)
    shown = capfd.readouterr().out
    for command in ("bin/base", "docker compose run build", "docker compose run test", "make native"):
        assert command in shown


def test_existing_settings_and_data_are_kept(bake):
    """A second bin/fetch-data keeps a changed .env and a changed sample file, and names the file."""
    project = bake()
    (project / ".env").write_text("UID_GID=7:7\nTAG=mine")
    changed = sorted((project / "data" / "input").iterdir())[0]
    changed.write_bytes(b"mine")
    done = run(project / "bin" / "fetch-data", check=False)
    assert (project / ".env").read_text() == "UID_GID=7:7\nTAG=mine"
    assert changed.read_bytes() == b"mine"
    assert done.returncode == 1
    assert f"data/input/{changed.name} differs" in done.stderr and "--manifest" in done.stderr


def replace_sample(project):
    """Replace the starter sample by the owner's granule, as the tutorial says."""
    for path in (*(project / "data/input").iterdir(), *(project / "data/output").iterdir()):
        path.unlink()
    (project / "data/input/own granule.hdf5").write_text("mine")
    run(project / "bin/fetch-data", "--manifest")


def test_replaced_starter_sample_does_not_come_back(bake):
    project = bake()
    replace_sample(project)
    for again in range(2):
        if again:
            (project / "data/MANIFEST.sha256").unlink()
        run(project / "bin/fetch-data")
        assert [path.name for path in (project / "data/input").iterdir()] == ["own granule.hdf5"]
        assert manifest_names(project) == ["input/own granule.hdf5"]


def test_starter_sample_is_not_copied_beside_own_granules(bake):
    """After step 3 of the tutorial the manifest still records the starter sample, which does not return."""
    project = bake()
    for path in (*(project / "data/input").iterdir(), *(project / "data/output").iterdir()):
        path.unlink()
    assert "8 files copied from tests/sample" in run(project / "bin/fetch-data").stderr
    for path in (*(project / "data/input").iterdir(), *(project / "data/output").iterdir()):
        path.unlink()
    (project / "data/input/own granule.hdf5").write_text("mine")
    done = run(project / "bin/fetch-data", check=False)
    assert done.returncode == 1 and "data/input/own granule.hdf5 is not recorded" in done.stderr
    assert [path.name for path in (project / "data").glob("*put/*")] == ["own granule.hdf5"]


def test_clone_of_a_replaced_sample_says_what_it_lacks(bake):
    """The clone names recorded files for which no address is set."""
    project = bake()
    replace_sample(project)
    (project / "data/input/own granule.hdf5").unlink()
    done = run(project / "bin/fetch-data", check=False)
    assert done.returncode == 1 and "data/input/own granule.hdf5 is recorded" in done.stderr
    assert "[sample] uri" in done.stderr and not list((project / "data/input").iterdir())


def test_rendering_over_a_project_keeps_the_owners_files(template, bake):
    """cookiecutter -f, in a repository without converter whose owner has a folder of the same name."""
    project = bake(converter="none")
    (project / "convert").mkdir()
    (project / "convert" / "mine.c").write_text("mine")
    cookiecutter(template, project.parent, "--overwrite-if-exists", "converter=none")
    assert [path.name for path in (project / "convert").iterdir()] == ["mine.c"]


def test_damaged_manifest_is_one_sentence(bake):
    project = bake()
    with (project / "data/MANIFEST.sha256").open("a") as manifest:
        manifest.write("<<<<<<< HEAD\n")
    done = run(project / "bin/fetch-data", check=False)
    assert done.returncode == 1 and "line 9 of data/MANIFEST.sha256" in done.stderr
    assert "Traceback" not in done.stderr


def manifest_names(project):
    lines = (project / "data/MANIFEST.sha256").read_text().splitlines()
    return [line.split(None, 2)[2] for line in lines]


def test_env_without_user_gains_one_line(bake):
    project = bake()
    (project / ".env").write_text("TAG=mine")
    run(project / "bin" / "fetch-data")
    assert (project / ".env").read_text() == f"TAG=mine\nUID_GID={os.getuid()}:{os.getgid()}\n"


def put_sample(server, objects=("input/a b.hdf5", "output/a b.nc", "other/x")):
    for name in objects:
        path = server.folder / "bucket" / "samples" / "hs3" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 1000)


def cookiecutter(template, output, *answers, **environment):
    return run(sys.executable, "-m", "cookiecutter", template, "--no-input", "--default-config",
               "--output-dir", output, *answers, check=False, **environment)


def bake_with_s3(template, output, environment, uri="s3://bucket/samples/hs3"):
    return cookiecutter(template, output, f"sample_data={uri}", **environment)


def test_sample_data_arrives_from_s3_and_a_repeat_moves_nothing(template, tmp_path, s3):
    put_sample(s3)
    done = bake_with_s3(template, tmp_path / "out", s3.environment())
    project = tmp_path / "out" / "docker-hs3-cpl"
    assert done.returncode == 0, done.stderr
    assert (project / "data/input/a b.hdf5").read_bytes() == b"input/a b.hdf5" * 1000
    assert not (project / "data/other").exists()
    assert manifest_names(project) == ["input/a b.hdf5", "output/a b.nc"]
    again = run(project / "bin/fetch-data", **s3.environment())
    assert "download:" in done.stdout and "download:" not in again.stdout
    assert not (project / "tests/sample").exists(), "the starter sample does not belong beside real sample data"


@pytest.mark.parametrize("manifest", ["with-manifest", "without-manifest"])
def test_accepted_products_are_not_overwritten_from_s3(template, tmp_path, s3, manifest):
    put_sample(s3, ("input/a.hdf5", "output/a[1]*.nc"))
    bake_with_s3(template, tmp_path / "out", s3.environment())
    project = tmp_path / "out" / "docker-hs3-cpl"
    (project / "data/output/a[1]*.nc").write_text("accepted")
    if manifest == "without-manifest":
        (project / "data/MANIFEST.sha256").unlink()
    done = run(project / "bin/fetch-data", check=False, **s3.environment())
    assert (project / "data/output/a[1]*.nc").read_text() == "accepted"
    assert ("differs" in done.stderr) == (manifest == "with-manifest")


def test_file_that_changed_at_the_source_is_brought_and_named(template, tmp_path, s3):
    put_sample(s3)
    bake_with_s3(template, tmp_path / "out", s3.environment())
    project = tmp_path / "out" / "docker-hs3-cpl"
    (s3.folder / "bucket/samples/hs3/input/a b.hdf5").write_bytes(b"newer, and of another size")
    done = run(project / "bin/fetch-data", check=False, **s3.environment())
    assert (project / "data/input/a b.hdf5").read_bytes() == b"newer, and of another size"
    assert done.returncode == 1 and "data/input/a b.hdf5 differs" in done.stderr


def test_address_that_is_no_s3_uri_is_refused(bake):
    project = bake()
    rules = project / "collection.toml"
    rules.write_text(rules.read_text().replace('uri = ""', 'uri = "/some/folder"'))
    done = run(project / "bin/fetch-data", check=False)
    assert done.returncode == 1 and "[sample] uri must be s3://BUCKET/PREFIX, a folder" in done.stderr


@pytest.mark.parametrize("uri, secret", [
    ("s3://bucket/samples/hs3", "wrong-secret"), ("s3://absent-bucket/x", S3Server.SECRET),
    ("s3://bucket/samples/typo", S3Server.SECRET),
], ids=["wrong-secret", "absent-bucket", "absent-prefix"])
def test_failed_download_warns_and_the_project_is_complete(template, tmp_path, s3, uri, secret):
    put_sample(s3)
    done = bake_with_s3(template, tmp_path / "out", s3.environment(secret), uri)
    project = tmp_path / "out" / "docker-hs3-cpl"
    assert done.returncode == 0
    assert "Warning: the sample data is not here yet" in done.stderr
    assert "To try again: bin/fetch-data" in done.stderr
    assert "  bin/fetch-data            #" in done.stdout
    assert (project / ".cruft.json").is_file() and not (project / "data/MANIFEST.sha256").exists()
    assert list((project / "data/input").iterdir()) == []


def test_unreachable_server_warns(template, tmp_path, s3):
    environment = s3.environment()
    s3.close()
    done = bake_with_s3(template, tmp_path / "out", environment)
    assert done.returncode == 0 and "To try again: bin/fetch-data" in done.stderr


def test_missing_aws_command_is_named(bake):
    project = bake(sample_data="s3://absent-bucket/x")
    done = run(sys.executable, project / "bin/fetch-data", check=False, PATH="/nonexistent")
    assert done.returncode == 1
    assert "the AWS CLI is not installed here" in done.stderr and "Traceback" not in done.stderr


def test_read_only_checkout_is_one_sentence(bake, tmp_path):
    """A file replaces a folder, since root can write to a read-only checkout."""
    project = bake()
    run("rm", "-r", project / "data")
    (project / "data").write_text("")
    done = run(project / "bin/fetch-data", check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1 and "data" in done.stderr


def test_broken_collection_file_is_one_sentence(bake):
    project = bake()
    (project / "collection.toml").write_text("[sample\n")
    done = run(project / "bin/fetch-data", check=False)
    assert done.returncode == 1 and "cannot read collection.toml" in done.stderr
