"""The labels of the page's scripts: each that a script draws is there, and each is drawn."""

import re

from gnet.system.assets import ASSETS
from gnet.ui.labels.table import LABELS
from gnet.ui.labels.touch import TOUCH_LABELS


def test_the_table_of_labels_holds_what_the_scripts_draw_and_nothing_else() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in ASSETS.rglob("*.js"))
    for path in ASSETS.rglob("*.html"):
        scripts += "".join(re.findall(r'data-say=("[^"]+")', path.read_text(encoding="utf-8")))
    said = re.findall(r'gnet\.say\("([^"]+)"', scripts)
    assert len(said) > 20 and set(said) <= LABELS.keys()
    assert [name for name in LABELS if f'"{name.removesuffix(" none")}"' not in scripts] == []


def test_a_finger_is_told_to_tap_and_of_no_key() -> None:
    assert TOUCH_LABELS.keys() <= LABELS.keys()
    places = re.compile(r"\{\w+\}")
    for name, words in {**LABELS, **TOUCH_LABELS}.items():
        assert not re.search(r"\b[Cc]lick\b|Point at|Keys:|\([A-Z]\)", words), name
        assert set(places.findall(words)) <= set(places.findall(LABELS[name]))


def test_no_script_holds_a_sentence_of_its_own() -> None:
    found = []
    for path in ASSETS.rglob("*.js"):
        code = re.sub(r"(?m)(^|\s)//.*$", "", path.read_text(encoding="utf-8"))
        for text in re.findall(r'"([^"\n]*)"|`([^`]*)`', re.sub(r"gnet\.say\([^)]*\)", "", code)):
            words = re.sub(r"\$\{[^}]*\}|<[^>]*>", " ", " ".join(text))
            if re.search(
                r"[A-Z][a-z]+ [a-z]{2,} [a-z]+|[a-z]{2,} [a-z]{2,} [a-z]{2,} [a-z]{2,}", words
            ):
                found.append(f"{path.name}: {words}")
    assert found == []
