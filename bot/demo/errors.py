"""What can go wrong in the local Bot API.

DemoError
├── DemoRefused   the demo does not start; its text is the one line that the operator reads
└── ApiError      a Bot API answer with "ok": false; its text is Telegram's own
"""

from __future__ import annotations

from typing import Any


class DemoError(Exception):
    """Anything that `bot.demo` raises on purpose."""


class DemoStartError(DemoError):
    """The demo does not start; the text says why and what to do."""


class ApiError(DemoError):
    """A refusal as the Bot API words it: an HTTP status, a description, and sometimes parameters."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """The answer's JSON body."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(text: str) -> ApiError:
    """A 400 with Telegram's prefix."""
    return ApiError(400, f"Bad Request: {text}")
