"""Which input files make a granule, and what keeps one from starting."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import COLLECTION

from cumulus import CumulusError
from cumulus.collection import load
from cumulus.process import grouping
from cumulus.process.grouping import group_files
from cumulus.process.product_names import product_names


@pytest.fixture
def group(tmp_path):
    """Group files of these names under a changed collection.toml."""

    def group(names, *changes):
        text = COLLECTION
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "collection.toml").write_text(text)
        indir = tmp_path / "input"
        indir.mkdir(exist_ok=True)
        for name in names:
            (indir / name).write_text("x")
        return group_files(load(tmp_path / "collection.toml"), indir)

    return group


MET = ('primary = "CPL_*.hdf5"', 'primary = "CPL_*.hdf5"\nmet = "{id}.met"')


def test_granules_come_in_the_order_of_their_names(group):
    candidates, failed = group(["CPL_B.hdf5", "CPL_A.hdf5", "notes.txt"])
    assert [candidate.id for candidate in candidates] == ["CPL_A", "CPL_B"]
    assert failed == {}


def test_file_that_matches_nothing_is_named(group, caplog):
    """Perhaps its extension is another than was thought; what serves a granule is not meant."""
    group(["CPL_A.hdf5", "CPL_A.met", "CPL_B.h5", "readme.txt"], MET)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "no pattern of [inputs] in collection.toml: 'CPL_B.h5', 'readme.txt'" in line


def test_roles_are_joined_by_the_id(group):
    candidates, _ = group(["CPL_A.hdf5", "CPL_A.met", "CPL_AB.hdf5", "CPL_AB.met"], MET)
    assert [candidate.inputs["met"].name for candidate in candidates] == ["CPL_A.met", "CPL_AB.met"]


def test_role_without_id_is_shared(group):
    change = (MET[0], 'primary = "CPL_*.hdf5"\nmet = "calibration.txt"')
    candidates, _ = group(["CPL_A.hdf5", "CPL_B.hdf5", "calibration.txt"], change)
    assert {candidate.inputs["met"].name for candidate in candidates} == {"calibration.txt"}


def test_incomplete_set_fails_by_name(group):
    candidates, failed = group(["CPL_A.hdf5", "CPL_B.hdf5", "CPL_B.met"], MET)
    assert [candidate.id for candidate in candidates] == ["CPL_B"]
    assert failed == {"CPL_A": "input 'met' is missing: no file matches 'CPL_A.met'"}


def test_ambiguous_role_fails_by_name(group):
    change = (MET[0], 'primary = "CPL_*.hdf5"\nmet = "{id}*.met"')
    _, failed = group(["CPL_A.hdf5", "CPL_A1.met", "CPL_A2.met"], change)
    assert "2 files match 'CPL_A*.met'" in failed["CPL_A"]


def test_pattern_may_begin_with_anything(group):
    met = (MET[0], 'primary = "CPL_*.hdf5"\nmet = "*_{id}.met"')
    names = ["CPL_A.hdf5", "CPL_B.hdf5", "x_CPL_A.met", "y_CPL_B.met", "z_CPL_B.met", "CPL_A.met"]
    candidates, failed = group(names, met)
    assert [candidate.inputs["met"].name for candidate in candidates] == ["x_CPL_A.met"]
    assert failed["CPL_B"].endswith("one is allowed: ['y_CPL_B.met', 'z_CPL_B.met']")


@pytest.mark.parametrize("pattern", ["{id}.met", "*_{id}.met", "x*_{id}.met", "{id}*.met"])
def test_work_does_not_grow_with_the_square_of_the_granules(group, monkeypatch, pattern):
    """What a pattern asks for is looked up, not sought among all names."""
    numbers = range(300)
    names = [f"CPL_{number:03}.hdf5" for number in numbers]
    names += [pattern.replace("{id}", f"CPL_{number:03}").replace("*", "y") for number in numbers]
    seen, beginning = [], grouping._beginning

    def spy(names, start):
        for name in beginning(names, start):
            seen.append(name)
            yield name

    monkeypatch.setattr(grouping, "_beginning", spy)
    candidates, _ = group(names, (MET[0], f'primary = "CPL_*.hdf5"\nmet = "{pattern}"'))
    assert len(candidates) == 300
    assert len(seen) < 1000


def test_missing_primary_fails_by_name(group):
    candidates, failed = group(["CPL_A.hdf5", "CPL_A.met", "CPL_B.met"], MET)
    assert [candidate.id for candidate in candidates] == ["CPL_A"]
    assert failed == {"CPL_B": "input 'primary' is missing; 'met' is there: 'CPL_B.met'"}


def test_broken_primary_is_one_failure(group, tmp_path):
    """Its other files are there; it is not missing, but broken."""
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "CPL_B.hdf5").symlink_to("nowhere")
    candidates, failed = group(["CPL_A.hdf5", "CPL_A.met", "CPL_B.met"], MET)
    assert [candidate.id for candidate in candidates] == ["CPL_A"]
    assert failed == {"CPL_B": "cannot read 'CPL_B.hdf5': No such file or directory"}


def test_broken_primary_leaves_another_of_its_id_alone(group, tmp_path):
    changes = [("CPL_*.hdf5", "CPL_*"), (r"\.hdf5$", r"\.(hdf5|h5)$")]
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "CPL_A.h5").symlink_to("nowhere")
    candidates, failed = group(["CPL_A.hdf5"], *changes)
    assert [candidate.id for candidate in candidates] == ["CPL_A"]
    assert failed == {"CPL_A.h5": "cannot read 'CPL_A.h5': No such file or directory"}


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (os.mkdir, "directory"),
        (os.mkfifo, "pipe"),
        (lambda path: os.symlink("/dev/null", path), "device"),
    ],
    ids=["directory", "pipe", "device"],
)
def test_what_matches_and_is_no_file_fails_by_name(group, tmp_path, make, kind):
    """A granule that is never made would otherwise go unnoticed; other names do not matter."""
    (tmp_path / "input").mkdir()
    make(tmp_path / "input" / "CPL_B.hdf5")
    make(tmp_path / "input" / "other")
    candidates, failed = group(["CPL_A.hdf5"])
    assert [candidate.id for candidate in candidates] == ["CPL_A"]
    assert failed == {"CPL_B": f"'CPL_B.hdf5' is a {kind}, not a file"}


CAL = (MET[0], 'primary = "CPL_*.hdf5"\nmet = "{id}_cal.hdf5"')


@pytest.mark.parametrize("pattern", ["(?P<id>CPL_.*)", "(?P<id>CPL_[A-Z]+)"])
def test_file_that_serves_another_granule_is_no_failure(group, caplog, pattern):
    """Its name matches [inputs].primary, too, with or without an id of its own."""
    names = ["CPL_A.hdf5", "CPL_A_cal.hdf5", "CPL_B.hdf5", "CPL_C_cal.hdf5"]
    candidates, failed = group(names, CAL, ("(?P<id>CPL_.*)", pattern))
    assert [candidate.id for candidate in candidates] == ["CPL_A"]
    assert len(failed) == 2
    assert "CPL_B" in failed
    assert any("CPL_C_cal" in key for key in failed)
    assert [record.getMessage().count("'CPL_A_cal.hdf5'") for record in caplog.records] == [1]


def test_file_that_serves_a_granule_which_fails_is_no_failure(group):
    change = (MET[0], 'primary = "CPL_*.hdf5"\ncal = "{id}_cal.hdf5"\nmet = "{id}.met"')
    candidates, failed = group(["CPL_A.hdf5", "CPL_A_cal.hdf5"], change)
    assert (candidates, list(failed)) == ([], ["CPL_A"])


@pytest.mark.parametrize("pattern", ["CPL_.*", ".*"])
def test_file_whose_name_is_no_id_belongs_to_no_granule(group, caplog, pattern):
    names = ["CPL_A.hdf5", "CPL_A.met", "CPL_B.met", "README.met"]
    candidates, failed = group(names, MET, ("CPL_.*)", f"{pattern})"))
    assert [candidate.id for candidate in candidates] == ["CPL_A"]
    assert failed == {"CPL_B": "input 'primary' is missing; 'met' is there: 'CPL_B.met'"}
    assert [record.getMessage().count("'README.met'") for record in caplog.records] == [1]


def test_primary_without_id_fails_by_name(group):
    change = ("(?P<id>CPL_.*)", "(?P<id>CPL_[A-Z]+)")
    candidates, failed = group(["CPL_A.hdf5", "CPL_7.hdf5"], change)
    assert [candidate.id for candidate in candidates] == ["CPL_A"]
    assert "not [granule].id" in failed["CPL_7.hdf5"]


def test_two_inputs_of_one_id_fail_and_both_are_named(group):
    changes = (r"(?P<id>CPL_.*)\.hdf5", r"(?P<id>CPL_.)[0-9]*\.hdf5")
    candidates, failed = group(["CPL_A1.hdf5", "CPL_A2.hdf5", "CPL_B.hdf5"], changes)
    assert [candidate.id for candidate in candidates] == ["CPL_B"]
    assert "'CPL_A1.hdf5' and 'CPL_A2.hdf5'" in failed["CPL_A"]


def test_two_granules_of_one_product_name_fail(group):
    changes = [
        ("(?P<id>CPL_.*)", "(?P<id>CPL_(?P<day>[0-9]+)[a-z])"),
        ('"{id}.cmr.json"', '"{day}.cmr.json"'),
    ]
    candidates, failed = group(["CPL_1a.hdf5", "CPL_1b.hdf5", "CPL_2a.hdf5"], *changes)
    assert [candidate.id for candidate in candidates] == ["CPL_2a"]
    assert failed["CPL_1a"] == "product '1.cmr.json' would also be made by 'CPL_1b'"


def test_too_long_product_name_fails_by_name(group):
    name = "CPL_" + "ü" * 120
    candidates, failed = group([f"{name}.hdf5", "CPL_A.hdf5"])
    assert [candidate.id for candidate in candidates] == ["CPL_A"]
    assert "product 'metadata' would be 256 bytes long" in failed[name]


@pytest.mark.parametrize("name", ["CPL_ a.hdf5", "CPL_'\".hdf5", "CPL_*.hdf5", "CPL_[a].hdf5"])
def test_odd_name_is_a_granule(group, name):
    candidates, failed = group([name])
    assert [candidate.id for candidate in candidates] == [name.removesuffix(".hdf5")]
    assert failed == {}


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x1b", "\x85", "\u2028"])
def test_name_with_a_control_character_fails_by_name(group, character):
    """As a GranuleUR it would be taken for two names, or hide a part of one."""
    name = f"CPL_B{character}X.hdf5"
    candidates, failed = group(["CPL_A.hdf5", name])
    assert [candidate.id for candidate in candidates] == ["CPL_A"]
    reason = f"the name {name!r} has a line break or control character: rename the file"
    assert list(failed.values()) == [reason]


def test_name_with_a_leading_dash_is_a_granule(group):
    changes = [("CPL_*.hdf5", "*.hdf5"), ("(?P<id>CPL_.*)", "(?P<id>.*)")]
    candidates, _ = group(["-rf.hdf5"], *changes)
    assert [candidate.id for candidate in candidates] == ["-rf"]


def test_hidden_files_and_directories_are_no_input(group, tmp_path):
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "CPL_D.hdf5").mkdir()
    (tmp_path / "input").rename(tmp_path / "other")
    changes = [("CPL_*.hdf5", "*.hdf5"), ("(?P<id>CPL_.*)", "(?P<id>.*)")]
    candidates, _ = group([".CPL_H.hdf5", "CPL_A.hdf5"], *changes)
    assert [candidate.id for candidate in candidates] == ["CPL_A"]


@pytest.fixture
def linked(tmp_path):
    """Return what groups an input directory with one granule and links to the given targets."""

    def group_links(targets, links=()):
        indir = tmp_path / "input"
        (indir / "sub").mkdir(parents=True)
        for path in (indir / "CPL_A.hdf5", indir / "sub" / "real", tmp_path / "outside"):
            path.write_text("x")
        os.mkfifo(tmp_path / "pipe")
        for name, target in targets.items():
            (indir / name).symlink_to(target)
        text = COLLECTION.replace("[inputs]", f"links = {json.dumps(links)}\n[inputs]")
        (tmp_path / "collection.toml").write_text(text)
        candidates, failed = group_files(load(tmp_path / "collection.toml"), indir)
        return [candidate.id for candidate in candidates], failed

    return group_links


@pytest.mark.parametrize("target", ["sub/real", "CPL_A.hdf5", "../input/sub/real"])
def test_link_within_the_input_directory_is_followed(linked, target):
    assert linked({"CPL_L.hdf5": target}) == (["CPL_A", "CPL_L"], {})


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("../outside", "is a link out of the input directory, to "),
        ("sub/../../outside", "is a link out of the input directory, to "),
        ("/proc/self/environ", "is a link out of the input directory, to '/proc/"),
        ("/etc/passwd", "is a link out of the input directory, to '/etc/passwd'"),
        ("/dev/zero", "is a device, not a file"),
        ("../pipe", "is a pipe, not a file"),
        ("..", "is a directory, not a file"),
    ],
)
def test_link_to_something_else_fails_by_name_and_alone(linked, target, reason):
    """The bytes of such a file would be published; a pipe would be waited for."""
    ids, failed = linked({"CPL_L.hdf5": target})
    assert (ids, list(failed)) == (["CPL_A"], ["CPL_L"])
    assert failed["CPL_L"].startswith("'CPL_L.hdf5' ") and reason in failed["CPL_L"]


def test_link_chain_is_followed_to_its_end(linked):
    """The first link stays in the directory; the second leads out."""
    ids, failed = linked({"CPL_L.hdf5": "sub/../next", "next": "../outside"})
    assert (ids, list(failed)) == (["CPL_A"], ["CPL_L"])


@pytest.mark.parametrize("links", ["parent", "/"])
def test_owner_may_allow_links_into_a_directory(linked, tmp_path, links):
    """The files of the system stay refused."""
    targets = {"CPL_L.hdf5": "../outside", "CPL_P.hdf5": "/proc/self/environ"}
    ids, failed = linked(targets, [str(tmp_path) if links == "parent" else links])
    assert (ids, list(failed)) == (["CPL_A", "CPL_L"], ["CPL_P"])


def test_directory_of_a_similar_name_is_another_one(linked, tmp_path):
    """A link into input-2 does not lead into input."""
    (tmp_path / "input-2").mkdir()
    (tmp_path / "input-2" / "x").write_text("x")
    ids, failed = linked({"CPL_L.hdf5": "../input-2/x"})
    assert (ids, list(failed)) == (["CPL_A"], ["CPL_L"])


def test_refused_link_of_another_role_is_named(group, tmp_path):
    """Its granule fails, with the reason."""
    group(["CPL_A.hdf5"])
    (tmp_path / "input" / "CPL_A.met").symlink_to("/etc/passwd")
    candidates, failed = group(["CPL_B.hdf5", "CPL_B.met"], MET)
    assert [candidate.id for candidate in candidates] == ["CPL_B"]
    assert failed["CPL_A"].startswith("input 'met' is missing: 'CPL_A.met' is a link out of")


def test_nothing_matching_says_what_was_looked_for_and_found(group):
    with pytest.raises(CumulusError, match=r"'CPL_\*.hdf5'.*2 other files: 'a.txt', 'b.txt'"):
        group(["a.txt", "b.txt"])


def test_empty_input_is_one_sentence(group):
    with pytest.raises(CumulusError, match=r"input directory '.*' holds no files"):
        group([])


def test_absent_input_is_one_sentence(tmp_path):
    (tmp_path / "collection.toml").write_text(COLLECTION)
    with pytest.raises(CumulusError, match="does not exist"):
        group_files(load(tmp_path / "collection.toml"), tmp_path / "absent")


def test_input_that_is_a_file_is_one_sentence(tmp_path):
    path = tmp_path / "collection.toml"
    path.write_text(COLLECTION)
    with pytest.raises(CumulusError, match="is not a directory"):
        group_files(load(path), path)


@given(name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_product_name_is_usable_or_refused(tmp_path_factory, name):
    path = tmp_path_factory.getbasetemp() / "collection.toml"
    if not path.exists():
        path.write_text(COLLECTION)
    collection = load(path)
    try:
        names = product_names(collection, {"id": name})
    except CumulusError:
        is_hidden, is_long = name.startswith("."), len(os.fsencode(name)) > 240
        assert is_hidden or is_long or not name.isprintable()
    else:
        assert names["data"] == name + ".nc"
        assert all(len(os.fsencode(name)) <= 255 for name in names.values())
