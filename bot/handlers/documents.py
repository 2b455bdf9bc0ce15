"""A file that somebody sends: fetched only where the open dialogue asks for one, and looked through for what must go at once.

Everything else stays with Telegram: what is not asked for is never fetched. A private key, or a certificate with a national
number in it, becomes an event without the file, so that no turn ever has it.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot import clock
from bot.access.certificates import MAX_BYTES, bears_key, bears_number
from bot.conversations.model import Document, Event, Unreadable
from bot.handlers.concurrency import Threads
from bot.handlers.gateway import CallFailed, Gateway
from bot.turn import Incoming, Turns

log = structlog.get_logger(__name__)


async def fetched(incoming: Incoming, turns: Turns, gateway: Gateway, threads: Threads) -> Incoming:
    """The same with the file's content, or with what is to be said instead. Raises DatabaseUnavailable."""
    document = incoming.event
    if not isinstance(document, Document) or document.size > MAX_BYTES:
        return incoming
    if not await threads.run(turns.asks_for_document, incoming.telegram_id):
        return incoming
    try:
        body = await gateway.fetch(document.file, MAX_BYTES)
    except CallFailed as failed:
        log.warning("file_not_fetched", trouble=failed.trouble.value, update_id=incoming.update_id)
        return incoming
    return replace(incoming, event=_read(document, body))


def _read(document: Document, body: bytes | None) -> Event:
    if body is None:
        return document
    if bears_key(body):
        return Unreadable("key")
    if bears_number(body, clock.today()):
        return Unreadable("card", secret=True)
    return replace(document, body=body)
