"""The fault campaign, with a fixed seed; campaign.py runs longer ones."""

import campaign
import pytest


@pytest.mark.slow
def test_kill_at_100_random_moments_tears_nothing_and_loses_nothing(tmp_path):
    kills = campaign.run(tmp_path, moments=100, seed=20120906)
    assert sum(kills.values()) == 100
    assert all(kills.values()), kills
