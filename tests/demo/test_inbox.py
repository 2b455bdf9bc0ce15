"""The demo's mail server and its page: taken by a real client, shown as text, and only links of this computer can be opened."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage

import aiosmtplib
import pytest
from bot.demo.inbox import KEPT, Inbox
from bot.demo.storage import Archive
from starlette.requests import Request

TEXTS = {
    lang: {"title": f"Inbox {lang}", "warning": "Demo", "empty": "Nothing", "to": "To:", "again": "Again"}
    for lang in ("fr", "en")
}


def mail(text: str, subject: str = "Hello") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "demo@access.example",
        "Jan <jan@example.org>",
        subject,
    )
    message.set_content(text)
    message["Content-Language"] = "nl"
    return message


@pytest.fixture
def inbox():
    archive = Archive()
    yield Inbox(archive, TEXTS)
    archive.close()


def over_smtp(inbox: Inbox, *mails: EmailMessage) -> None:
    async def sent() -> None:
        server = await asyncio.start_server(inbox.serve_line, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for each in mails:
                await client.send_message(each)
        await asyncio.sleep(0.05)
        server.close()

    asyncio.run(sent())


def page(inbox: Inbox, lang: str = "fr") -> str:
    request = Request({"type": "http", "query_string": f"lang={lang}".encode(), "headers": []})
    return asyncio.run(inbox.page(request)).body.decode()


def spoken(*lines: bytes) -> list[bytes]:
    """What the server answers to these lines, one by one."""
    archive = Archive()

    async def talk() -> list[bytes]:
        server = await asyncio.start_server(Inbox(archive).serve_line, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        answers = [await reader.readline()]
        for line in lines:
            writer.write(line + b"\r\n")
            answers.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.05)
        server.close()
        return [answer[:3] for answer in answers]

    try:
        return asyncio.run(talk())
    finally:
        archive.close()


def test_a_mail_is_kept_as_it_was_written_dots_accents_and_all(inbox):
    over_smtp(inbox, mail(".a dot\n..two\nÉlise\n"))
    (kept,) = inbox.mails()
    assert kept["text"] == ".a dot\n..two\nÉlise\n"
    assert (kept["to"], kept["subject"], kept["lang"]) == ("Jan <jan@example.org>", "Hello", "nl")


def test_the_newest_stands_first_and_the_oldest_goes(inbox):
    over_smtp(inbox, *(mail("x", f"no {number}") for number in range(KEPT + 3)))
    subjects = [each["subject"] for each in inbox.mails()]
    assert (len(subjects), subjects[0], subjects[-1]) == (KEPT, f"no {KEPT + 2}", "no 3")


def test_what_a_mail_says_is_text_and_only_this_computers_links_can_be_opened(inbox):
    over_smtp(
        inbox, mail("<script>x</script> http://127.0.0.1:8091/app/password#a-b_c https://t.me/bot?start=x\n")
    )
    shown = page(inbox)
    assert "<script" not in shown
    assert '<a href="http://127.0.0.1:8091/app/password#a-b_c"' in shown
    assert 'href="https://t.me' not in shown


def test_an_empty_inbox_says_what_it_is_in_the_language_asked_for(inbox):
    assert '<html lang="en">' in page(inbox, "en")
    assert "Nothing" in page(inbox, "en")
    assert '<html lang="fr">' in page(inbox, "xx")


def test_commands_out_of_order_are_refused():
    said = spoken(
        b"RCPT TO:<a@example.org>",
        b"DATA",
        b"EHLO x",
        b"VRFY x",
        b"MAIL FROM:<a@example.org>",
        b"DATA",
        b"",
        b"QUIT",
    )
    assert said == [b"220", b"503", b"503", b"250", b"502", b"250", b"503", b"502", b"221"]
