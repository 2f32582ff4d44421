"""Values that a client may send, drawn by hypothesis: any JSON, and what means something here.

The draws are the same in each run, and few: `cheap` is given to each test that draws.
"""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from support.hostile_values import VALUES

_KEYS = (
    "picture",
    "example",
    "path",
    "box",
    "net",
    "tile",
    "stage",
    "branch",
    "head",
    "run",
    "key",
)

cheap = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""Some dozens of draws, the same in each run, however long each takes."""

anything: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(VALUES)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Any value of JSON, NaN and infinity among them."""
