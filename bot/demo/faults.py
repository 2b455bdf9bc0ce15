"""Bad weather on purpose: what goes wrong between the bot and its Bot API. Imports nothing of ours."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

NOT_METHODS_BY_DEFAULT = frozenset(["getUpdates", "getMe"])


@dataclass(slots=True)
class Fault:
    """One kind of trouble.

    `method` is a method's name, or "*" for all but getUpdates and getMe. It happens `times` times (None: always), each
    time with `probability`. `status` answers an error instead of applying the method (429 with `retry_after` seconds).
    `delay` seconds pass before the method is applied, `late` seconds after. `drop` cuts the line: "before" the method is
    applied, or "after", when it was applied and only the answer is lost.
    """

    method: str = "*"
    status: int = 0
    description: str = ""
    retry_after: int | None = None
    delay: float = 0.0
    late: float = 0.0
    drop: Literal["", "before", "after"] = ""
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    happened: int = 0
    _random: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)  # noqa: S311 - weather, not a secret

    def strikes(self, method: str) -> bool:
        """Whether it happens now; counts it if so."""
        matches = method == self.method or (self.method == "*" and method not in NOT_METHODS_BY_DEFAULT)
        if not matches or (self.times is not None and self.happened >= self.times):
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        self.happened += 1
        return True

    def text(self) -> str:
        """The description of the error that it answers."""
        if self.description:
            return self.description
        if self.status == 429:
            return f"Too Many Requests: retry after {self.retry_after or 1}"
        return {500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Timeout"}.get(
            self.status, "Bad Request"
        )


class Faults:
    """The troubles in force, oldest first; safe from any thread."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, **options: Any) -> Fault:
        """Puts a `Fault(**options)` in force; its `happened` counts."""
        fault = Fault(**options)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def strike(self, method: str) -> Fault | None:
        """The first trouble that happens to this call."""
        with self._lock:
            return next((fault for fault in self._faults if fault.strikes(method)), None)
