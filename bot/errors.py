"""The exception tree.

AccessBotError
├── Refusal              what a person asked for is refused; carries the Msg to tell him
│   ├── Invalid          an answer that cannot be right (a number, a date, a name)
│   ├── NotAllowed       outside the mandate; the same answer as for what does not exist
│   └── Outdated         changed meanwhile; the person looks again and decides again
└── OperatorError        an operator's mistake: one line that says what to do, no traceback
    ├── ConfigurationError
    ├── KeyMissing       no root key, a malformed one, or not the one that wrote the data
    ├── DatabaseUnavailable
    ├── RegisterFileError
    └── AuditBroken
"""

from __future__ import annotations

from bot.msg import Msg


class AccessBotError(Exception):
    """Anything that this program raises on purpose."""


class Refusal(AccessBotError):
    """What a person asked for is refused; `msg` says why and what to do instead."""

    def __init__(self, msg: Msg) -> None:
        super().__init__(msg.key)  # the key alone: parameters may be personal, and exceptions reach logs
        self.msg = msg


class Invalid(Refusal):
    """An answer that cannot be right."""


class NotAllowed(Refusal):
    """An act or an object outside the actor's mandate."""


class Outdated(Refusal):
    """Somebody changed the same thing meanwhile."""


class OperatorError(AccessBotError):
    """An operator's mistake; its text is the one line that the operator sees."""


class ConfigurationError(OperatorError):
    """A setting is missing or wrong."""


class KeyMissing(OperatorError):
    """The root key is absent, malformed, or does not open the data."""


class DatabaseUnavailable(OperatorError):
    """The database does not answer."""


class RegisterFileError(OperatorError):
    """A register file is refused; the text has a line for each fault, with its place and reason."""


class AuditBroken(OperatorError):
    """The audit chain does not verify; the text names the first broken entry."""


def where(error: BaseException) -> str:
    """The kind of an error and the line that raised it. Never its text: that may hold what a person wrote."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__} at {trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
