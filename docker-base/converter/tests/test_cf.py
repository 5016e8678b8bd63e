"""The starter products keep to the CF conventions, judged by the IOOS compliance checker."""

import contextlib
import io
import json

import pytest


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", [0, 1], ids=["ATB", "OP"])
def test_starter_product_passes_the_cf_checks(starter, sample, tmp_path, number):
    """CF-1.8: no error and no warning, at the strictest level."""
    pytest.importorskip("compliance_checker", reason="compliance-checker is not installed")
    from compliance_checker.runner import CheckSuite, ComplianceChecker

    product, report = tmp_path / "product.nc", tmp_path / "report.json"
    assert starter(sample[number][0], product).returncode == 0
    CheckSuite.load_all_available_checkers()
    with contextlib.redirect_stdout(io.StringIO()):
        passed, errors = ComplianceChecker.run_checker(str(product), ["cf:1.8"], 0, "strict",
                                                       output_filename=str(report), output_format="json")
    result = json.loads(report.read_text())["cf:1.8"]
    found = [text for level in ("high", "medium", "low") for check in result[f"{level}_priorities"]
             for text in check["msgs"] if check["value"][0] != check["value"][1]]  # some say why they pass
    assert found == [] and passed and not errors
    assert result["scored_points"] == result["possible_points"] > 0
