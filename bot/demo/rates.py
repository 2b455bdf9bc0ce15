"""How often a bot may send, after Telegram's FAQ: about one message a second in a chat, thirty overall.

Short bursts pass. Imports `errors` only.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from bot.demo.errors import ApiError

LIMITED = frozenset(
    [
        "sendMessage",
        "sendPhoto",
        "sendDocument",
        "editMessageText",
        "editMessageReplyMarkup",
        "editMessageCaption",
    ]
)
PER_CHAT = (1.0, 8.0)
OVERALL = (30.0, 30.0)


class Rates:
    """Token buckets of (rate a second, burst), one for each chat and one for all; off unless `enabled`."""

    def __init__(self, clock: Callable[[], float], *, enabled: bool = False) -> None:
        self.enabled = enabled
        self._clock = clock
        self._levels: dict[int | None, tuple[float, float]] = {}

    def check(self, method: str, chat: int) -> None:
        """Counts a call. Raises ApiError 429 with `retry_after` where it is one too many."""
        if not self.enabled or method not in LIMITED:
            return
        self._take(None, *OVERALL)
        self._take(chat, *PER_CHAT)

    def _take(self, key: int | None, rate: float, burst: float) -> None:
        now = self._clock()
        level, at = self._levels.get(key, (burst, now))
        level = min(burst, level + max(0.0, now - at) * rate)
        if level < 1:
            self._levels[key] = (level, now)
            seconds = max(1, math.ceil((1 - level) / rate))
            raise ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        self._levels[key] = (level - 1, now)
