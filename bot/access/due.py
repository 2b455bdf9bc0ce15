"""What the register will do by itself: activations and ends, as rows that any process may take.

`activation` and `end` lay such a row beside the act that causes it, in its transaction. Keys are unique, so that
laying it twice is laying it once.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from bot.access.periods import BRUSSELS, brussels_day, end_instant
from bot.store.due import put

ACTIVATE, END, REVOKED, REMIND = "activate", "end", "revoked", "remind"
"""The kinds of rows; `activation.run` carries them out."""
TO_DO, CHECK = "to_do", "check"
"""What a reminder is about: a change is still to do on the portal, or nobody has said yet whether it works."""
MORNING = time(9)
"""When a reminder comes, in Brussels, on the day after."""


def activation(connection: Connection, number: str, at: datetime) -> None:
    """At that instant, what of change `number` is due by then becomes active."""
    put(connection, f"{ACTIVATE}:{number}:{at:%Y%m%dT%H%M%S.%f}", ACTIVATE, at, {"change": number})


def reminder(
    connection: Connection, what: str, number: str, since: datetime, *, anew: date | None = None
) -> None:
    """On the morning after that day, once: the change still waits. `anew`: since this day again, where it was held up."""
    day = brussels_day(since) + timedelta(days=1)
    at = datetime.combine(day, MORNING, BRUSSELS)
    key = ":".join(filter(None, (REMIND, what, number, anew.isoformat() if anew else "")))
    put(connection, key, REMIND, at, {"change": number, "what": what})


def end(connection: Connection, kind: str, row: str, ends_on: date) -> None:
    """After that day the grant or assignment is over. A row whose end was moved since takes no notice."""
    key = end_key(kind, row, ends_on)
    put(connection, key, END, end_instant(ends_on), end_data(kind, row, ends_on))


def revoked(connection: Connection, number: str, at: datetime) -> None:
    """Whoever lost something by change `number` is to be told, before everybody else."""
    put(connection, f"{REVOKED}:{number}", REVOKED, at, {"change": number})


def end_key(kind: str, row: str, ends_on: date) -> str:
    """The key of an end."""
    return f"{END}:{kind}:{row}:{ends_on.isoformat()}"


def end_data(kind: str, row: str, ends_on: date) -> dict[str, str]:
    """The data of an end."""
    return {"kind": kind, "row": row, "ends_on": ends_on.isoformat()}
