"""How much each campaign tries. CAMPAIGN=long, which `make test-all` sets, is the only switch."""

import os

COUNTS = {
    # what: (usual, long)
    "examples": (150, 2_500),
    "damaged variants": (2_000, 8_000),
    "kills": (100, 2_000),
    "updates": (20, 300),
}


def count(what, environment=os.environ):
    """Return how many the environment asks for; raises ValueError where CAMPAIGN is unknown."""
    campaign = environment.get("CAMPAIGN", "")
    if campaign not in ("", "long"):
        raise ValueError(f"CAMPAIGN is {campaign!r}: leave it out, or set it to 'long'")
    usual, long = COUNTS[what]
    return long if campaign else usual
