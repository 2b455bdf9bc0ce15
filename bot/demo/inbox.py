"""The demo's mail: a little mail server (RFC 5321) that keeps what it is given, and a page where it is read, whoever it is for.

Nothing leaves the computer. Kept are the newest fifty mails, over a restart too. Imports nothing of ours but `leaf` and `storage`.
"""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bot.demo.leaf import leaf
from bot.demo.storage import Archive

KEPT = 50
LONGEST = 1024 * 1024
"""Bytes of a mail."""
IDLE = 60.0
_KIND = "mail"
_ADDRESS = re.compile(r"https?://(?:127\.0\.0\.1|localhost)[^\s<>\"]*")
"""What may be opened from the page: this computer only."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mail server to offer: at which port (None: no server), and the page's words, language → key → text."""

    port: int | None = None
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Inbox:
    """The mails, their server, their page."""

    def __init__(self, archive: Archive, texts: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._archive = archive
        self._texts = texts or {}

    def mails(self) -> list[dict[str, Any]]:
        """The newest first."""
        kept = sorted(self._archive.all(_KIND), key=lambda record: int(record[0]), reverse=True)
        return [body for _, body in kept]

    def _keep(self, content: bytes) -> None:
        mail = message_from_bytes(content, policy=policy.default)
        body = mail.get_body(("plain",))
        numbers = sorted(int(key) for key, _ in self._archive.all(_KIND))
        record = {
            "to": str(mail["To"]),
            "subject": str(mail["Subject"]),
            "lang": str(mail["Content-Language"] or ""),
            "at": time.strftime("%d-%m-%Y %H:%M"),
            "text": body.get_content() if body else "",
        }
        self._archive.put(_KIND, numbers[-1] + 1 if numbers else 1, record)
        for old in numbers[: max(0, len(numbers) + 1 - KEPT)]:
            self._archive.put(_KIND, old, None)
        self._archive.commit()

    # -- the server -----------------------------------------------------------------------------

    async def serve_line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One line from a client, until it leaves or says nothing for a minute."""
        try:
            await self._talk(reader, writer)
        except (TimeoutError, ConnectionError, ValueError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients = False, 0
        writer.write(b"220 demo\r\n")
        while True:
            async with asyncio.timeout(IDLE):
                line = await reader.readline()
            if not line:
                return
            verb = (line.replace(b":", b" ").split() or [b""])[0].upper()
            match verb:
                case b"EHLO" | b"HELO":
                    sender, recipients, answer = False, 0, "250 demo"
                case b"MAIL":
                    sender, recipients, answer = True, 0, "250 OK"
                case b"RCPT" if sender:
                    recipients, answer = recipients + 1, "250 OK"
                case b"DATA" if recipients:
                    writer.write(b"354 Go on\r\n")
                    async with asyncio.timeout(IDLE):
                        content = await _content(reader)
                    self._keep(content)
                    sender, recipients, answer = False, 0, "250 Taken"
                case b"RSET":
                    sender, recipients, answer = False, 0, "250 OK"
                case b"NOOP":
                    answer = "250 OK"
                case b"QUIT":
                    writer.write(b"221 Goodbye\r\n")
                    await writer.drain()
                    return
                case b"RCPT" | b"DATA":
                    answer = "503 Not yet"
                case _:
                    answer = "502 Not here"
            writer.write(f"{answer}\r\n".encode())
            await writer.drain()

    # -- the page -------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """All mails, in the words of the language asked for."""
        wanted = request.query_params.get("lang", "")
        lang = wanted if wanted in self._texts else next(iter(self._texts), "en")
        words = self._texts.get(lang, {})

        def word(key: str) -> str:
            return words.get(key, key)

        shown = "".join(_article(mail, html.escape(word("to"))) for mail in self.mails())
        ways = "".join(
            f'<a href="/inbox?lang={each}" lang="{each}" {"aria-current=page" if each == lang else ""}>{each.upper()}</a>'
            for each in self._texts
        )
        again = f'<p><a href="/inbox?lang={lang}">{html.escape(word("again"))}</a></p>'
        body = again + (shown or f"<p>{html.escape(word('empty'))}</p>")
        return leaf(lang, word("title"), word("warning"), body, f"<nav>{ways}</nav>")


async def _content(reader: asyncio.StreamReader) -> bytes:
    """The text of a mail, up to the line with a lone dot; lines that began with one have it twice (RFC 5321, 4.5.2)."""
    lines: list[bytes] = []
    size = 0
    while (line := await reader.readline()) not in {b".\r\n", b""}:
        size += len(line)
        if size > LONGEST:
            raise ValueError("too long")
        lines.append(line.removeprefix(b"."))
    if not line:
        raise ConnectionError("the line was cut")
    return b"".join(lines)


def _article(mail: Mapping[str, Any], to: str) -> str:
    text, shown, at = str(mail["text"]), "", 0
    for found in _ADDRESS.finditer(text):
        link = html.escape(found[0])
        shown += f'{html.escape(text[at : found.start()])}<a href="{link}" target="_blank" rel="noreferrer">{link}</a>'
        at = found.end()
    shown += html.escape(text[at:])
    lang = f' lang="{html.escape(mail["lang"])}"' if mail["lang"] else ""
    return (
        f"<article{lang}><h2>{html.escape(mail['subject'])}</h2>"
        f"<p>{to} {html.escape(mail['to'])} · {html.escape(mail['at'])}</p><pre>{shown}</pre></article>"
    )
