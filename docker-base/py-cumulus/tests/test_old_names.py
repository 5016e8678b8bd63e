"""Names of modules that documents, handlers and repositories use still work."""

import importlib
import subprocess
import sys

import pytest

PUBLIC = {
    "cumulus.browse": ["write_browse"],
    "cumulus.collection": ["CompareRules", "load"],
    "cumulus.compare": ["compare", "compare_files", "files_of", "report"],
    "cumulus.compare.model": ["Comparison"],
    "cumulus.compare.html": ["write_html"],
    "cumulus.logutils": ["close_logger", "get_logger", "make_log_string"],
    "cumulus.metadata": ["Box", "Extent", "write_metadata", "write_ummg"],
    "cumulus.process": ["check_output", "main", "process_granules"],
    "cumulus.products": ["inspect"],
}


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_stand_where_they_stood(module):
    """In a process of its own, because another test may have imported what an import lacks."""
    code = f"from {module} import {', '.join(PUBLIC[module])} as last; assert callable(last)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_metadata_rules_still_works_and_says_where_it_is_now():
    sys.modules.pop("cumulus.metadata_rules", None)
    with pytest.warns(DeprecationWarning, match=r"import MetadataRules from cumulus\.collection"):
        old = importlib.import_module("cumulus.metadata_rules")
    assert old.MetadataRules is importlib.import_module("cumulus.collection").MetadataRules


def test_deploy_of_an_earlier_repository_finds_its_function():
    """Its image may be newer than its bin/deploy, which says "from cumulus.checkout import ..."."""
    old = importlib.import_module("cumulus.checkout")
    assert old.changed_sources is importlib.import_module("cumulus.image_sources").changed_sources
