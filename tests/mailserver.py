"""A real mail server on a port of its own, that keeps what it is given, or does as the weather of a test says."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.e2e.front import certificate


@dataclass
class MailServer:
    """`answers` are what RCPT is answered, one a mail, before all is taken again; `data` the same for the text itself."""

    port: int
    taken: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    cut_after: int = 0
    """So many mails are taken without an answer: the line is cut."""
    encrypted: list[bool] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    trust: ssl.SSLContext | None = None
    _lines: list[asyncio.Transport] = field(default_factory=list)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        self._lines.append(server.transport)
        return responses

    async def hang_up(self) -> None:
        """Leaves no line open: the library would, where TLS is on it."""
        for line in self._lines:
            line.abort()
        await asyncio.sleep(0.05)

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.senders:
            return self.senders.pop(0)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.data:
            return self.data.pop(0)
        self.taken.append(message_from_bytes(envelope.content, policy=policy.SMTP))
        self.to += envelope.rcpt_tos
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        if self.cut_after:
            self.cut_after -= 1
            server.transport.abort()
        return "250 Taken"

    def authenticate(self, server, session, envelope, mechanism, auth):
        self.users.append(auth.login.decode())
        return AuthResult(success=auth.password == b"secret-of-the-house", handled=False)


@contextmanager
def mail_server(*, security: str = "none") -> Iterator[MailServer]:
    """A server on loopback: plain, with STARTTLS demanded, or with TLS from the first byte; the latter two ask for a password."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    served = MailServer(port)
    options: dict[str, object] = {}
    if security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with TemporaryDirectory() as folder:
            file = certificate(Path(folder))
            context.load_cert_chain(file)
            served.trust = ssl.create_default_context(cafile=file)
        options = {"authenticator": served.authenticate, "auth_required": security == "starttls"}
        options |= (
            {"ssl_context": context, "auth_require_tls": False}
            if security == "tls"
            else {"tls_context": context, "require_starttls": True}
        )
    controller = Controller(served, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield served
    finally:
        asyncio.run_coroutine_threadsafe(served.hang_up(), controller.loop).result(5)
        controller.stop()
