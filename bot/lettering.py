"""A letter in words: the mail as it goes out, in the person's language (RFC 5322, plain text). Pure.

Written twice it is the same to the letter, Message-ID and date included: a second try is the same mail again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from bot.access.contact import Note
from bot.access.invitations import link
from bot.access.letters import UNLINKED, Letter
from bot.clock import BRUSSELS
from bot.i18n import speaker
from bot.msg import Say, m
from bot.store.anchorpost import AnchorLetter

ANCHORS = """\
Attached are signed anchors of the audit trail: how far each of its chains went at that instant. Keep this mail where those who \
administer the assistant can neither change nor delete it.

To compare the trail with them, put the attachments of all such mails, the oldest first, into one file:

    cat anchors-*.jsonl > FILE
    python -m bot audit verify --anchors FILE

or, without the database and the root key, on an exported trail:

    python -m bot audit verify --file TRAIL --public-key KEY --anchors FILE
"""
"""For operators and auditors, in English like the commands that it names."""


def composed(letter: Letter, key: str, *, sender: str, pages: str, bot: str) -> EmailMessage:
    """The mail. `sender` is what stands in From (a name and an address), `pages` where the private pages are, `bot` the bot's
    user name without @, empty while it is not known.
    """
    say = speaker(letter.lang).plain
    mail = _begun(key, sender, letter.at)
    mail["To"] = Address(letter.name, addr_spec=deliverable(letter.to))
    mail["Subject"] = say(m(f"letter.{letter.purpose}.subject", entity=letter.entity))
    text = "\n\n".join(say(part) for part in _parts(letter, pages, bot))
    mail.set_content(f"{text}\n", charset="utf-8", cte="quoted-printable")
    mail["Content-Language"] = letter.lang
    return mail


def noted(note: Note, key: str, *, sender: str, desk: str) -> EmailMessage:
    """A message to the help desk as a mail: what it is about and by whom, its words, and the way to answer."""
    say = speaker(note.lang).plain
    mail = _begun(key, sender, note.at)
    mail["To"] = Address(addr_spec=deliverable(desk))
    if note.email:
        mail["Reply-To"] = Address(note.name, addr_spec=deliverable(note.email))
    about = say(m(f"contact.subject.{note.subject}"))
    mail["Subject"] = f"[{note.reference}] {about}"
    place = m("entity.label", name=note.entity, number=note.number)
    facts: tuple[tuple[Say, Say], ...] = (
        (m("contact.subject"), about),
        (m("field.entity"), place),
        (m("field.person"), note.name),
        (m("field.username"), note.username),
        (m("field.email"), _address(note)),
    )
    head = "\n".join(say(m("mydata.line", what=what, value=value)) for what, value in facts if value)
    mail.set_content(f"{head}\n\n{note.text}\n", charset="utf-8", cte="quoted-printable")
    mail["Content-Language"] = note.lang
    return mail


def _address(note: Note) -> Say:
    """Where to answer, and how well that is known."""
    if not note.email:
        return m("letter.note_unknown")
    return m("letter.note_typed", address=note.email) if note.typed else note.email


def anchored(letter: AnchorLetter, key: str, *, sender: str) -> EmailMessage:
    """The mail that brings anchors, as a file that `audit verify --anchors` reads."""
    mail = _begun(key, sender, letter.at)
    mail["To"] = letter.to
    count = len(letter.lines)
    mail["Subject"] = (
        f"Audit trail: {count} chain{'' if count == 1 else 's'} anchored, {letter.at:%Y-%m-%d %H:%M} UTC"
    )
    mail.set_content(ANCHORS, charset="utf-8", cte="quoted-printable")
    content = "".join(f"{line}\n" for line in letter.lines).encode()
    name = f"anchors-{letter.at:%Y%m%dT%H%M%S}Z.jsonl"
    mail.add_attachment(content, maintype="application", subtype="jsonl", filename=name)
    mail.set_boundary(key.replace(":", "."))
    return mail


def _begun(key: str, sender: str, at: datetime) -> EmailMessage:
    name, address = parseaddr(sender)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=address)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{key.replace(':', '.')}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    return mail


def _parts(letter: Letter, pages: str, bot: str) -> Iterator[Say]:
    until = letter.until.astimezone(BRUSSELS)
    yield m("letter.hello", name=letter.name)
    if letter.purpose == UNLINKED:
        done = letter.at.astimezone(BRUSSELS)
        yield m("letter.unlinked.why", entity=letter.entity, day=done.date(), at=done)
        yield m("letter.unlinked.not_you")
        yield m("letter.nobody")
        return
    yield m(f"letter.{letter.purpose}.why", username=letter.username, entity=letter.entity)
    yield f"{pages}/app/password#{letter.token}"
    yield m("letter.until", day=until.date(), at=until)
    if letter.code and bot:
        yield m("letter.chat", code=letter.code)
        yield link(bot, letter.code)
    elif letter.code:
        yield m("letter.chat_code", code=letter.code)
    yield m(f"letter.{letter.purpose}.not_you")
    if letter.purpose == "welcome":  # whoever is entered by his manager hears of it here (GDPR, article 14)
        yield m("letter.privacy")
        yield f"{pages}/app/privacy?lang={letter.lang}"
    yield m("letter.nobody")


def deliverable(address: str) -> str:
    """The address as every mail server takes it: a domain in other letters is written as DNS has it (RFC 5891)."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}" if not domain.isascii() else address
