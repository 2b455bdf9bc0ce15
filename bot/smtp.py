"""One mail to one mail server (RFC 5321), and what came of it: taken, not now, or never.

*Never* is said only where the server refused this recipient or this text for good. What stands against all mail (a wrong
password, a sender that is not allowed, a certificate that is not good) is the operator's to mend: the mail waits, and the log
says so. May import: aiosmtplib; no table, no text of ours.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

import aiosmtplib

Security = Literal["starttls", "tls", "none"]
PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over, and as whom. `timeout`: seconds for the whole of it, less than a row of the outbox is lent for."""

    host: str
    port: int
    security: Security
    sender: str
    user: str = ""
    password: str = ""
    timeout: float = 30.0
    trust: ssl.SSLContext | None = None
    """Whose certificates are good; None: those that this machine trusts."""

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port})"


class NotNow(Exception):
    """The server cannot be reached, or says "later". `ours`: it will not get better by itself, the operator has to look."""

    def __init__(self, reason: str, *, ours: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ours = ours


class Never(Exception):
    """The server refuses this mail for good; `code` is its answer's number."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


async def hand_over(server: Server, mail: EmailMessage, to: str) -> None:
    """Returns once the server has taken the mail. Raises NotNow or Never.

    An answer that is lost after the text was sent leaves unknown whether it was taken: that is NotNow, and the next try
    bears the same Message-ID, by which mailboxes know it again.
    """
    try:
        async with asyncio.timeout(server.timeout):
            await _hand_over(server, mail, to)
    except TimeoutError:
        raise NotNow("timeout") from None


async def reach(server: Server) -> None:
    """Logs in and leaves again: whether mail could be handed over at all. Raises NotNow."""
    try:
        async with asyncio.timeout(server.timeout):
            await _leave(await _connected(server))
    except TimeoutError:
        raise NotNow("timeout") from None


async def _connected(server: Server) -> aiosmtplib.SMTP:
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=server.trust,
        timeout=server.timeout,
    )
    try:
        await client.connect()
        if server.user:
            await client.login(server.user, server.password)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        client.close()
        raise NotNow(_named(error), ours=_is_ours(error)) from None
    return client


async def _hand_over(server: Server, mail: EmailMessage, to: str) -> None:
    client = await _connected(server)
    try:
        await client.send_message(mail, sender=server.sender, recipients=[to])
    except aiosmtplib.SMTPException as error:
        raise _judged(error) from None
    except OSError as error:
        raise NotNow(_named(error)) from None
    finally:
        await _leave(client)


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Goodbye, if anybody still listens; the mail's fate is known already."""
    try:
        async with asyncio.timeout(2):
            await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        client.close()


def _is_ours(error: BaseException) -> bool:
    return isinstance(
        error, aiosmtplib.SMTPAuthenticationError | aiosmtplib.SMTPNotSupported | ssl.SSLError | ValueError
    )


def _judged(error: aiosmtplib.SMTPException) -> NotNow | Never:
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=refused):
            codes = [each.code for each in refused]
            return Never(codes[0]) if codes and min(codes) >= 500 else NotNow("recipient")
        case aiosmtplib.SMTPSenderRefused(code=code):
            return NotNow("sender", ours=code >= 500)
        case aiosmtplib.SMTPDataError(code=code):
            return Never(code) if code >= 500 else NotNow("data")
        case aiosmtplib.SMTPNotSupported():  # an address in letters that this server cannot take
            return Never(553)
    return NotNow(_named(error))


def _named(error: BaseException) -> str:
    """The kind of an error: its text may hold an address."""
    return type(error).__name__
