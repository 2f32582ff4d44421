"""The table of tabs: one line makes a tab, its link and its style."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("gradio_environment")


def test_every_tab_has_a_folder_of_components_and_a_place_in_script_and_style():
    from gnet.ui import tabs
    from gnet.ui.components import FOLDER

    shown = tabs.tabs(training=True)
    assert shown == list(tabs.TABS) and all((FOLDER / tab.name).is_dir() for tab in shown)
    table = json.loads(tabs.script(shown).removeprefix("window.gnetTabs = ").removesuffix(";"))
    assert list(table) == [tab.name for tab in shown]
    assert all(f"#{tab.name}-tab" in tabs.style(shown) for tab in shown)


def test_without_training_there_is_no_tab_that_needs_it():
    from gnet.ui import tabs

    names = [tab.name for tab in tabs.tabs(training=False)]
    assert names == ["explore", "branches", "depth", "why", "architecture"]


def test_scripts_name_no_tab_that_the_table_has_not():
    from gnet.ui import tabs
    from gnet.ui.components import read

    store, header = read("shared/store.js"), read("shared/header/header.js")
    for text in (store, header):
        assert "gnetTabs" in text or "gnet.tabs" in text
        assert not any(tab.label in text.split('"') for tab in tabs.TABS)
