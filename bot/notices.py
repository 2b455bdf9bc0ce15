"""What people are told by themselves: that a change is active, waits on the portal, took something from them.

A notice for each change, in the chat's language; it bears a number, no name (`product.md`). Where many come at once (a
start day of hundreds, a portal's ends after an outage) the first few come one by one and all others as one message that
counts them: it waits until no more come. A revocation is never counted among others: it goes first, by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import clock
from bot.access import keptcertificates
from bot.access.activation import Notice
from bot.access.due import ACTIVATE, CHECK, REVOKED, TO_DO
from bot.conversations.model import Button, Door, View
from bot.conversations.wire import view_to_json
from bot.msg import m
from bot.store import chats, outbox
from bot.store.keys import Keyring

FEW = 5
"""So many notices of a kind come one by one to a chat …"""
WITHIN = timedelta(minutes=1)
"""… in so much time."""
QUIET, LONGEST = timedelta(seconds=10), timedelta(minutes=2)
"""The message for all others goes out when none was added for `QUIET`, and `LONGEST` after the first in any case."""
_MANY = frozenset({ACTIVATE, TO_DO, CHECK})


def tell(connection: Connection, keyring: Keyring, notice: Notice, now: datetime) -> list[int]:
    """Lays the notice in the outbox, once for each chat, in that chat's language; the chats where it can go out at once."""
    told = []
    view, urgency = _view(notice)
    for chat_id in sorted(notice.chats):  # an order, so that no two wait for each other
        if notice.kind in _MANY and _counted(connection, keyring, notice, chat_id, now):
            continue
        key = ":".join(filter(None, (_word(notice), notice.number, notice.round, str(chat_id))))
        payload = _letter(connection, keyring, view, chat_id, now)
        silent = clock.by_night(now)
        new = outbox.put(
            connection,
            keyring,
            key,
            chat_id=chat_id,
            kind="message",
            payload=payload,
            now=now,
            silent=silent,
            urgency=urgency,
        )
        if new:
            told.append(chat_id)
    return told


def _counted(connection: Connection, keyring: Keyring, notice: Notice, chat_id: int, now: datetime) -> bool:
    """Adds the notice to the message that counts, where there is one or has to be one."""
    start = f"several:{'moved' if notice.moved else _word(notice)}:"
    if (open_one := outbox.untouched(connection, keyring, chat_id, start, now)) is not None:
        key, letter = open_one
        if letter is not None:
            letter |= {"count": letter["count"] + 1}
            letter |= {"view": view_to_json(_several(notice, letter["count"]))}
            longest = datetime.fromisoformat(letter["begun"]) + LONGEST
            outbox.rewrite(connection, keyring, key, letter, min(now + QUIET, longest))
            return True
    since = now - WITHIN
    if not outbox.recent(connection, chat_id, start, since) and (
        outbox.recent(connection, chat_id, f"{_word(notice)}:", since) < FEW
    ):
        return False
    letter = _letter(connection, keyring, _several(notice, 1), chat_id, now)
    return outbox.put(
        connection,
        keyring,
        f"{start}{notice.number}:{notice.round}:{chat_id}",
        chat_id=chat_id,
        kind="message",
        payload=letter | {"count": 1, "begun": now.isoformat()},
        now=now,
        silent=clock.by_night(now),
        not_before=now + QUIET,
    )


def _letter(
    connection: Connection, keyring: Keyring, view: View, chat_id: int, now: datetime
) -> dict[str, object]:
    row = chats.peek(connection, keyring, chat_id, now)
    return {
        "view": view_to_json(view),
        "lang": (row.lang if row else None) or "fr",
        "rev": 0,
        "replaces": None,
    }


def _word(notice: Notice) -> str:
    return "active" if notice.kind == ACTIVATE else notice.kind


def _mark(notice: Notice) -> str:
    return {TO_DO: "☑", CHECK: "🔎"}.get(notice.kind, "📅" if notice.moved else "🟢")


def _view(notice: Notice) -> tuple[View, int]:
    """What is told, and how soon: a revocation goes before everything else."""
    if notice.kind == REVOKED:
        title = m("notice.revoked", number=notice.number)
        return View(mark="⛔", title=title, rows=((Button(m("me.title"), Door("me")),),)), outbox.FIRST
    if notice.kind == keptcertificates.WARN:
        left = int(notice.round.partition(":")[2])
        door = Door("certificates", notice.number)
        return View(
            mark="⏳", title=m("notice.certificate", n=left), rows=((Button(m("notice.see"), door),),)
        ), outbox.NORMAL
    title = m(f"notice.{'moved' if notice.moved else _word(notice)}", number=notice.number)
    rows = tuple((Button(m(f"notice.{label}"), Door(flow, args)),) for label, flow, args in _doors(notice))
    return View(mark=_mark(notice), title=title, rows=rows), outbox.NORMAL


def _several(notice: Notice, count: int) -> View:
    """The same of so many other changes."""
    word = "moved" if notice.moved else _word(notice)
    label, flow = ("all", "portal") if notice.kind == TO_DO else ("see", "status")
    button = Button(m(f"notice.{label}"), Door(flow))
    return View(mark=_mark(notice), title=m(f"notice.several_{word}", n=count), rows=((button,),))


def _doors(notice: Notice) -> tuple[tuple[str, str, str], ...]:
    """The label, the dialogue and its words of each button of a notice."""
    see, check = ("see", "status", notice.number), ("works", "verify", notice.number)
    match notice.kind:
        case "to_do":
            return ("steps", "portal", notice.number), ("all", "portal", "")
        case "check":
            return check, see
        case _:
            return (see, check) if notice.portal else (see,)
