"""--adopt: the record of a repository that has none."""

import shutil

import pytest
from support import TEMPLATE_FOLDER, commit_all, git, read_json
from updating import change, copy_what_updates_use, make_repository, programs, regenerate, release, snapshot

# After "Dockerizing Data Processing" of the Cumulus documentation: what a person writes who has read that page.
BY_HAND = {
    "README.md": "# HS3 AVAPS\n",
    "Dockerfile": "FROM cumulusprocess/base\nCOPY . /work\nWORKDIR /work\nRUN gcc convert/hs3avaps2nc.c -o _convert "
                  "-I/usr/local/include -L/usr/local/lib -lnetcdf -lhdf5_hl -lhdf5\nENTRYPOINT [\"process.py\"]\n"
                  "CMD [\"input\", \"output\"]\n",
    "docker-compose.yml": "version: '3'\nservices:\n  build:\n    build: .\n    image: cumulusprocess/hs3-avaps\n",
    "process.py": "#!/usr/bin/env python\nfrom cumulus.process import check_output\n",
    "convert/hs3avaps2nc.c": "int main(void) { return 0; }\n",
    "tests/test_products.py": "def test_products():\n    pass\n",
}


@pytest.fixture(scope="module")
def versions(template, tmp_path_factory):
    """The template with four commits, the second of them v0.1.0; and a repository of that one."""
    folder = copy_what_updates_use(template, tmp_path_factory.mktemp("versions") / "template")
    makefile = folder / TEMPLATE_FOLDER / "Makefile"
    for number in range(4):
        with makefile.open("a") as stream:
            stream.write(f"# version {number}\n")
        commit = commit_all(folder, f"Version {number}")
        if number == 1:
            git(folder, "tag", "v0.1.0", commit)
    return folder, make_repository(folder, tmp_path_factory.mktemp("adopted"), "v0.1.0")


def test_lost_record_is_made_again(versions, tmp_path):
    """The version is found among its neighbours, although the owner edited files; the answers are read back."""
    template, original = versions
    project = shutil.copytree(original, tmp_path / "docker-hs3-cpl", symlinks=True)
    record = read_json(project / ".cruft.json")
    for name in (".cruft.json", "bin/image-tags", "CHANGELOG.md"):
        git(project, "rm", "--quiet", name)
    change(project / "Dockerfile", "FROM", "# mine\nFROM")
    change(project / "collection.toml", 'provider = "GHRC_DAAC"', 'provider = "NSIDC_ECS"')
    commit_all(project, "Owner's work")
    before = snapshot(project)
    done = regenerate(project, "v0.1.0", "--adopt", template)
    assert done.returncode == 0, done.stderr
    made = read_json(project / ".cruft.json")
    assert (made["commit"], made["template"], made["checkout"]) == (record["commit"], str(template), "v0.1.0")
    answers = {name: value for name, value in record["context"]["cookiecutter"].items() if name[0] != "_"}
    assert made["context"]["cookiecutter"] == {**answers, "provider": "NSIDC_ECS", "_template": str(template)}
    assert {name: file for name, file in snapshot(project).items() if name != ".cruft.json"} == before
    commit_all(project, "Adopt")
    change_later = regenerate(project, "main")
    assert change_later.returncode == 0 and "# version 3" in (project / "Makefile").read_text()
    assert not (project / "bin/image-tags").exists() and "# mine" in (project / "Dockerfile").read_text()


def test_repository_written_by_hand_is_adopted(versions, tmp_path):
    """It gets a record alone; what the template has more comes when asked for, and nothing is overwritten."""
    template, _ = versions
    project = tmp_path / "docker-hs3-avaps"
    for name, text in BY_HAND.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    git(project, "init", "--quiet", "--initial-branch=main")
    commit_all(project, "By hand")
    before = snapshot(project)
    done = programs(template, "scripts/regenerate", "--repository", project, "--adopt", template)
    assert done.returncode == 0, done.stderr
    assert {name: file for name, file in snapshot(project).items() if name != ".cruft.json"} == before
    assert git(project, "status", "--porcelain") == "?? .cruft.json"
    answers = read_json(project / ".cruft.json")["context"]["cookiecutter"]
    expected = {"data_name": "hs3-avaps", "repo_name": "docker-hs3-avaps", "converter": "c", "release_branch": "main",
                "ci": "none", "short_name": "hs3avaps"}
    assert {name: answers[name] for name in expected} == expected
    assert "  bin/base\n" in done.stdout and "  Dockerfile\n" not in done.stdout
    commit_all(project, "Adopt")
    brought = programs(template, "scripts/regenerate", "--repository", project, "--restore", "bin",
                       "--restore", "Makefile")
    assert brought.returncode == 0, brought.stdout + brought.stderr
    assert (project / "bin/regenerate").exists() and (project / "Makefile").exists()
    assert {name: snapshot(project)[name] for name in before} == before
    assert not (project / "collection.toml").exists()


def test_repository_with_a_record_is_not_adopted(versions):
    template, original = versions
    done = regenerate(original, "--adopt", template)
    assert done.returncode == 1 and "remove it to make another" in done.stderr


def test_answers_may_be_given_and_are_checked(versions, tmp_path):
    template, _ = versions
    project = tmp_path / "Docker_x"
    project.mkdir()
    (project / "process.py").write_text("print()\n")
    git(project, "init", "--quiet")
    commit_all(project, "By hand")
    command = (template, "scripts/regenerate", "--repository", project, "--adopt", template)
    refused = programs(*command, "--set", "provider=ghrc")
    assert refused.returncode == 1 and "provider: 'ghrc' is not allowed" in refused.stderr
    assert not (project / ".cruft.json").exists()
    assert programs(*command, "--set", "data_name=x-y").returncode == 0
    assert read_json(project / ".cruft.json")["context"]["cookiecutter"]["data_name"] == "x-y"


def test_address_without_a_template_is_one_sentence(tmp_path, versions):
    _, original = versions
    project = shutil.copytree(original, tmp_path / "docker-hs3-cpl", symlinks=True)
    git(project, "rm", "--quiet", ".cruft.json")
    other = tmp_path / "other"
    other.mkdir()
    (other / "README.md").write_text("nothing\n")
    git(other, "init", "--quiet")
    release(other, "v1.0.0")
    done = regenerate(project, "--adopt", other)
    assert done.returncode == 1 and "has no scripts/regenerate" in done.stderr
