"""Roads through certificates, for the walk: what leads on in this dialogue is a file, which the walk does not have."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

from bot.access.certificates import MAX_BYTES
from bot.access.requests import KeepCertificate
from bot.conversations.model import Command, Document, Event, Tap, Text, Unreadable
from bot.conversations.testing import NOW, MemoryDirectory, sample
from tests.certificatefiles import der, pem


def kept() -> MemoryDirectory:
    """The sample with certificates in each state, on two pages."""
    directory = sample()
    for number, days, since in ((1, 400, -1), (3, 20, -1), (4, 500, 9)):
        file = base64.b64encode(der(str(number), days, since)).decode()
        directory.keep_certificate(KeepCertificate("midi", file), NOW)
    first = directory.kept["c0001"]
    directory.kept["c0009"] = replace(first, id="c0009", state="expired")
    for key in ("c0010", "c0011", "c0012"):
        directory.kept[key] = replace(first, id=key)
    return directory


def roads() -> Iterator[tuple[MemoryDirectory, tuple[Event, ...]]]:
    """Each a register and what is said, tapped and sent there; a tap's `rev` is set when it is made."""
    ok, edit, cancel, stay, anew = (Tap(0, verb) for verb in ("ok", "edit", "cancel", "stay", "anew"))
    begin, one = (Command("certificate"), Text("1")), Text("1")
    fresh = Document("f", "1.pem", 900, pem("2"))
    bodies = (b"1", pem("1") * 2, der("1", days=0), der("1", 400))
    wrong = (
        *(Document("f", "1.pem", len(body), body) for body in bodies),
        *(Document("f", "1.pem", size) for size in (900, MAX_BYTES + 1)),
        *(Unreadable("key"), Unreadable("card", secret=True), one),
    )
    page = Tap(0, "page", "1")
    yield kept(), (Command("me"), Command("certificates"), one, Text("zzz"), Text("3"), Tap(0, "all"), page)
    yield kept(), (*begin, *wrong, fresh, Text("3"), edit, stay, cancel, stay)
    yield kept(), (*begin, fresh, page, Command("certificate"), anew)
    yield kept(), (Command("certificate", "r:c0001"), fresh, ok)
    yield kept(), (Command("endcert"), one, Text("3"), edit, stay, cancel, stay, ok)
