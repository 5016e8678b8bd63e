"""Every public name says what it does, and the examples in the texts are true."""

import doctest
import importlib
import pkgutil

import pytest

import cumulus

MODULES = [
    one.name
    for one in pkgutil.walk_packages(cumulus.__path__, "cumulus.")
    if not one.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_documented(name):
    module = importlib.import_module(name)
    public = [getattr(module, one) for one in getattr(module, "__all__", [])]
    undocumented = [one for one in public if callable(one) and not one.__doc__]
    assert module.__doc__
    assert undocumented == []
