"""How many cores a container may use."""

import os

import pytest

from cumulus.process.limits import cores, worker_count

ALL = len(os.sched_getaffinity(0))


def group(root, cgroup, **files):
    """A root directory with a process's cgroup and files of the cgroup file system."""
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(cgroup)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def many_cores(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(16)))


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 16),
        ("300000 100000", 3),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("9900000 100000", 16),
    ],
)
def test_quota_of_cgroup_version_2(tmp_path, many_cores, quota, expected):
    assert cores(group(tmp_path, "0::/\n", cpu_dot_max=quota)) == expected


def test_smallest_quota_of_nested_groups_counts(tmp_path, many_cores):
    files = {"a__b__cpu_dot_max": "400000 100000", "a__cpu_dot_max": "200000 100000"}
    assert cores(group(tmp_path, "0::/a/b\n", **files)) == 2


@pytest.mark.parametrize(("quota", "expected"), [("-1", 16), ("250000", 3)])
def test_quota_of_cgroup_version_1(tmp_path, many_cores, quota, expected):
    """The path is the host's, which cannot be seen within the container."""
    files = {"cpu__cpu_dot_cfs_quota_us": quota, "cpu__cpu_dot_cfs_period_us": "100000"}
    cgroup = "5:memory:/docker/1234\n4:cpu,cpuacct:/docker/1234\n0::/\n"
    assert cores(group(tmp_path, cgroup, **files)) == expected


def test_mask_of_cores_counts(tmp_path):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, before)


def test_machine_without_cgroups_has_all_its_cores(tmp_path):
    assert cores(tmp_path) == ALL


def test_workers_are_as_many_as_the_environment_says(monkeypatch):
    monkeypatch.setenv("PROCESS_WORKERS", " 7 ")
    assert worker_count() == 7


def test_workers_are_as_many_as_cores_by_default(monkeypatch):
    monkeypatch.setenv("PROCESS_WORKERS", "")
    assert worker_count() == cores()
