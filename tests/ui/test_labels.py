"""The labels of the page's scripts: each that a script draws is there, and each is drawn."""

import re

from gnet.system.assets import ASSETS
from gnet.ui.labels import LABELS


def test_the_table_of_labels_holds_what_the_scripts_draw_and_nothing_else() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in ASSETS.rglob("*.js"))
    said = re.findall(r'gnet\.say\("([^"]+)"', scripts)
    assert len(said) > 20 and set(said) <= LABELS.keys()
    assert [name for name in LABELS if f'"{name.removesuffix(" none")}"' not in scripts] == []
