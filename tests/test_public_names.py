"""The names that `gnet` offers, and what importing it costs."""

import importlib
import subprocess
import sys

import pytest

import gnet
from support.root import ROOT


@pytest.mark.parametrize("module", ["gnet", "gnet.errors", "gnet.settings", "gnet.words"])
def test_the_lowest_modules_load_neither_torch_nor_numpy(module):
    script = f"import sys, {module}; print(sorted({{'torch', 'numpy'}} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("name", gnet.__all__)
def test_every_public_name_is_the_one_its_module_defines(name):
    value = getattr(gnet, name)
    assert getattr(importlib.import_module(value.__module__), name) is value
    assert name in dir(gnet)


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        _ = gnet.nothing_of_that_name  # pyright: ignore[reportAttributeAccessIssue]
