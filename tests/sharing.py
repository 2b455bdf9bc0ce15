"""Which worker runs what: tests that share something dear run one after the other in one worker, the rest as they come.

The walk over every dialogue is done once for all its tests, two houses are built once for all that look across, and a Chromium is started once for all that look at the same
pages. Groups are told by the file's name: marks on the tests (`xdist_group`) do not reach the plugin under the
newest pytest, so that each worker walked for itself.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "tests/foreign/test_flows.py": "twins",
    "tests/conversations/test_walk.py": "walk",
    "tests/conversations/test_pseudo.py": "walk",
    "tests/demo/test_page.py": "chat page",
    "tests/web/test_canaille.py": "canaille",
    "tests/web/test_pages_browser.py": "private pages",
    "tests/web/test_unlinking.py": "unlinking",
    "tests/web/test_wayin_browser.py": "ways in",
    "tests/web/test_ways_browser.py": "ways in",
}


def shared(nodeid: str) -> str:
    """What the test is run together with: its group, or itself alone."""
    return TOGETHER.get(nodeid.partition("::")[0], nodeid)


class Sharing(LoadScopeScheduling):
    """Groups first, the largest before the others; then single tests, each to the worker that is free."""

    def _split_scope(self, nodeid: str) -> str:
        return shared(nodeid)
