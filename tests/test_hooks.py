"""What the hook after rendering does: the record for updates, the user of the containers, the sample data."""

import json
import os
import sys
import zipfile

import pytest
from support import S3Server, commit_all, copy_template, git, read_json, render, run


def test_record_names_template_commit_and_answers(template, default_project):
    record = read_json(default_project / ".cruft.json")
    answers = record["context"]["cookiecutter"]
    assert record["template"] == str(template)
    assert record["commit"] == git(template, "rev-parse", "HEAD")
    assert record["skip"] == ["data"]
    questions = [name for name in read_json(template / "cookiecutter.json") if not name.startswith("_")]
    assert [name for name in answers if not name.startswith("_")] == questions


@pytest.mark.parametrize("remote, recorded", [
    ("https://user:token@example.org/ORG/template.git", "https://example.org/ORG/template.git"),
    ("https://token@example.org:8443/ORG/template", "https://example.org:8443/ORG/template"),
    ("git@example.org:ORG/template.git", "git@example.org:ORG/template.git"),
])
def test_record_names_the_remote_without_credentials(template, tmp_path, remote, recorded):
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", template, clone)
    git(clone, "remote", "set-url", "origin", remote)
    project = render(clone, tmp_path / "out")
    assert read_json(project / ".cruft.json")["template"] == recorded
    assert "token" not in (project / ".cruft.json").read_text().replace("ORG/template", "")


@pytest.mark.parametrize("recorded, required", [
    ("https://example.org/ORG/template.git", "git+https://example.org/ORG/template.git@c0ffee"),
    ("git@example.org:ORG/template.git", "git+ssh://git@example.org/ORG/template.git@c0ffee"),
    ("/home/me/template", "git+file:///home/me/template@c0ffee"),
    ("file:///home/me/template", "git+file:///home/me/template@c0ffee"),
])
def test_library_is_required_from_the_recorded_commit(bake, recorded, required):
    project = bake()
    (project / ".cruft.json").write_text(json.dumps({"template": recorded, "commit": "c0ffee"}))
    shown = run(project / "bin" / "base", "--requirement").stdout.strip()
    assert shown == f"{required}#subdirectory=docker-base/py-cumulus"


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


def test_a_template_without_git_renders_without_a_record(tmp_path, capfd):
    """A downloaded archive works too; only the later update needs Git, and the warning says so."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    copy_template(folder)
    archive = tmp_path / "template.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted(folder.rglob("*")):
            target.write(path, f"template/{path.relative_to(folder)}")
    project = render(folder, tmp_path / "out")
    assert not (project / ".cruft.json").exists()
    assert "cannot be updated from it" in capfd.readouterr().err


def test_containers_run_as_the_caller(default_project):
    assert (default_project / ".env").read_text() == f"UID_GID={os.getuid()}:{os.getgid()}\n"


def test_next_commands_are_printed(template, tmp_path, capfd):
    render(template, tmp_path)
    shown = capfd.readouterr().out
    for command in ("bin/base", "docker compose run build", "docker compose run test", "make native"):
        assert command in shown


def test_existing_settings_and_data_are_kept(bake):
    """bin/fetch-data again: a changed .env and a changed sample file stay, and the manifest tells."""
    project = bake()
    (project / ".env").write_text("UID_GID=7:7\nTAG=mine")
    changed = sorted((project / "data" / "input").iterdir())[0]
    changed.write_bytes(b"mine")
    done = run(project / "bin" / "fetch-data")
    assert (project / ".env").read_text() == "UID_GID=7:7\nTAG=mine"
    assert changed.read_bytes() == b"mine"
    assert "disagree" in done.stderr and changed.name in done.stderr


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


def bake_with_s3(template, output, environment, uri="s3://bucket/samples/hs3"):
    return run(sys.executable, "-m", "cookiecutter", template, "--no-input", "--default-config",
               "--output-dir", output, f"sample_data={uri}", check=False, **environment)


def test_sample_data_arrives_from_s3_and_a_repeat_moves_nothing(template, tmp_path, s3):
    put_sample(s3)
    done = bake_with_s3(template, tmp_path / "out", s3.environment())
    project = tmp_path / "out" / "docker-hs3-cpl"
    assert done.returncode == 0, done.stderr
    assert (project / "data/input/a b.hdf5").read_bytes() == b"input/a b.hdf5" * 1000
    assert not (project / "data/other").exists()
    assert [line.split(None, 2)[2] for line in (project / "data/MANIFEST.sha256").read_text().splitlines()] \
        == ["input/a b.hdf5", "output/a b.nc"]
    again = run(project / "bin/fetch-data", **s3.environment())
    assert "download:" in done.stdout and "download:" not in again.stdout
    assert not (project / "tests/sample").exists(), "the starter sample does not belong beside real sample data"


@pytest.mark.parametrize("uri, secret", [
    ("s3://bucket/samples/hs3", "wrong-secret"), ("s3://absent-bucket/x", S3Server.SECRET),
], ids=["wrong-secret", "absent-bucket"])
def test_failed_download_warns_and_the_project_is_complete(template, tmp_path, s3, uri, secret):
    put_sample(s3)
    done = bake_with_s3(template, tmp_path / "out", s3.environment(secret), uri)
    project = tmp_path / "out" / "docker-hs3-cpl"
    assert done.returncode == 0
    assert "Warning: the sample data is not here yet" in done.stderr
    assert "To try again: bin/fetch-data" in done.stderr
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
    """A file where a folder should be stands in for a read-only checkout, which root would not notice."""
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
