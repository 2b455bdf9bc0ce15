"""Canaries: what must not be read anywhere afterwards is put in by every way there is, and then looked for everywhere.

The real program as a process, over polling with private pages, on both databases. A national number may stand nowhere plain;
an e-mail address only where the register keeps it; a token, a key, a password, an app's secret, an invitation's code, the key of a
visit nowhere at all: not in the log, not in a table or a file of the database, not in a message, a button or a link, not in an export.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from bot.store.tables import SQLModel
from sqlalchemy import select
from tests import forked
from tests.e2e.world import World, world
from tests.web.conftest import Browser, free_port

NISS = "01.09.22-997.08"
EMAIL = "kanarie.vogel@example.org"
PASSWORD = "kanarie zingt onder de lamp"
WRONG_PASSWORD = "mus fluit achter de kast"


@pytest.fixture
def there(database_url: str, tmp_path: Path):
    port = free_port()
    address = f"127.0.0.1:{port}"
    settings = {"ACCESSBOT_PUBLIC_URL": f"http://{address}", "ACCESSBOT_LISTEN": address}
    settings["ACCESSBOT_LOG_LEVEL"] = "debug"
    with world(database_url, tmp_path, **settings) as made:
        made.start()
        yield made
        made.stop()


def test_after_a_run_with_canaries_in_all_inputs_none_is_found_anywhere(there: World, tmp_path: Path):
    secrets = sings(there)
    there.at_rest()
    there.stop()
    left = everywhere(there, tmp_path)
    found = {
        (name, where)
        for name, forms in secrets.items()
        for where, text in left
        for form in forms
        if form.encode() in text and where not in ALLOWED.get(name, ())
    }
    assert found == set()
    # what may stand somewhere is found there: whoever looks does see
    assert EMAIL.encode() in dict(left)["table profiles"]
    assert NISS.encode() in dict(left)["register export"]
    assert b'"event"' in dict(left)["log"]


ALLOWED = {
    "e-mail": (
        "table profiles",
        "register export",
        "database file",
        "chat",
    ),  # register data, and its own recap
    "national number": ("register export",),  # decision 5
}


def sings(there: World) -> dict[str, tuple[str, ...]]:
    """Puts every canary in by every way; the forms in which each would be recognised."""
    code = there.invite("delcourt")
    anne = there.telegram.person("Anne")
    anne.starts(code)
    anne.taps("Français", 60)
    anne.settles()
    anne.taps("J", 60)
    anne.waits_for("Bonjour", 60)
    anne.starts(code)  # a second time, when it is used up
    http = httpx.Client(
        base_url=there.settings["ACCESSBOT_PUBLIC_URL"], follow_redirects=True, trust_env=False, timeout=30
    )
    browser = Browser(http, there.telegram.token, anne.id)
    browser.opens("secure")
    shown = re.search(r'class="secret">([A-Z2-7 ]+)<', browser.page.text)
    secret = shown[1].replace(" ", "")
    app = pyotp.TOTP(secret)
    browser.sends("secure", code="000000")
    browser.sends("secure", code=app.now())
    recovery = re.findall(r"<li><code>([a-z2-7-]+)</code>", browser.page.text)

    for text in (NISS, f"/status {NISS}", f"/home {NISS}", f"c'est {NISS} je crois", NISS.replace(".", "")):
        anne.says(text)
    anne.says(PASSWORD)
    anne.settles()
    anne.says("/grant")
    anne.waits_for("Pour quelle entité", 60)
    anne.taps("Hôpitaux du Midi", 60)
    anne.waits_for("À qui", 60)
    browser.opens("niss")
    browser.sends("niss", niss=NISS)
    anne.waits_for("Son nom", 60)
    for text in ("Vogel", "Kanarie", EMAIL):
        anne.says(text)
    anne.waits_for("Quelles applications", 60)
    anne.says("Hospiliss")
    anne.taps("Confirmer", 60)
    anne.waits_for("Enregistré sous le n°", 60)

    jan = there.telegram.person("Jan")
    jans = there.invite("peeters")
    jan.starts(jans)
    jan.taps("Français", 60)
    jan.settles()
    jan.taps("J", 60)
    jan.waits_for("Bonjour", 60)
    other = Browser(
        httpx.Client(
            base_url=there.settings["ACCESSBOT_PUBLIC_URL"],
            follow_redirects=True,
            trust_env=False,
            timeout=30,
        ),
        there.telegram.token,
        jan.id,
    )
    other.opens("me")
    account = re.search(r'name="account" value="(\w+)"', other.page.text)[1]
    username = re.search(r'name="username" value="(\w+)"', other.page.text)[1]
    assert other.sends("me", account=account, password=PASSWORD, again=PASSWORD).status_code == 200
    jan.says("/lock")
    jan.waits_for("prouvez d", 60)
    other.opens("login")
    other.sends("login", username=username, password=WRONG_PASSWORD)
    other.sends("login", username=username, password=PASSWORD)
    jan.waits_for("Bonjour", 60)
    group = {"id": -100_777, "type": "supergroup", "title": NISS}
    there.telegram.inject(
        {
            "message": {
                "message_id": 1,
                "date": 1,
                "chat": group,
                "from": {"id": anne.id, "is_bot": False, "first_name": EMAIL},
                "text": f"{NISS} {PASSWORD}",
            }
        }
    )
    there.telegram.waits_for_call("leaveChat", 60)
    person = {"id": anne.id, "is_bot": False, "first_name": EMAIL}
    message = {"message_id": 1, "date": 1, "chat": {"id": anne.id, "type": "private"}, "text": NISS}
    tap = {"id": "1", "from": person, "message": message, "chat_instance": "1", "data": NISS}
    there.telegram.inject({"callback_query": tap})  # there was no such tap: answering it fails, and is logged
    anne.settles(timeout=60)
    http.get(f"/app/nowhere?niss={NISS}&password={PASSWORD}")
    cookies = [cookie.value for client in (http, other.http) for cookie in client.cookies.jar]
    assert cookies
    assert recovery
    time.sleep(0.5)
    for client in (http, other.http):
        client.close()
    digits = re.sub(r"\D", "", NISS)
    return {
        "national number": (NISS, digits, NISS.replace(".", "")),
        "e-mail": (EMAIL,),
        "token": (there.telegram.token, there.telegram.token.split(":")[1]),
        "root key": (there.root_key,),
        "password": (PASSWORD, WRONG_PASSWORD),
        "app's secret": (secret,),
        "recovery code": tuple(recovery),
        "invitation": (code, jans),
        "visit": tuple(cookies),
    }


def everywhere(there: World, folder: Path) -> list[tuple[str, bytes]]:
    """All that is left of the run, by where it is."""
    return [
        ("log", (there.folder / "bot.log").read_bytes()),
        *tables(there),
        *(("database file", file.read_bytes()) for file in files(there)),
        ("chat", chats(there)),
        ("buttons", buttons(there)),
        ("register export", export(there)),
    ]


def tables(there: World) -> list[tuple[str, bytes]]:
    made = []
    with there.database.read() as connection:
        for table in SQLModel.metadata.sorted_tables:
            cells = [cell for row in connection.execute(select(table)) for cell in row]
            text = b"\n".join(
                bytes(c) if isinstance(c, bytes | memoryview) else repr(c).encode() for c in cells
            )
            made.append((f"table {table.name}", text))
    return made


def files(there: World) -> list[Path]:
    name = there.database.url.database
    if there.database.url.get_backend_name() != "sqlite" or not name:
        return []
    return [file for file in Path(name).parent.glob(f"{Path(name).name}*") if file.is_file()]


def chats(there: World) -> bytes:
    """What the bot wrote, and what people's messages were left standing."""
    seen: list[Any] = []
    for messages in there.telegram.state.messages.values():
        seen += [message.content for message in messages.values() if message.sender["is_bot"]]
        seen += [
            message.content
            for message in messages.values()
            if not message.sender["is_bot"]
            and not str(message.content.get("text", "")).startswith("/start")
            and message.content.get("text") != PASSWORD
        ]
    return repr(seen).encode()


def buttons(there: World) -> bytes:
    """The codes and links of every keyboard that was ever sent."""
    return repr([call.params.get("reply_markup") for call in there.telegram.state.calls]).encode()


def export(there: World) -> bytes:
    done = forked.runs(["register", "export"], there._environment())
    assert done.returncode == 0
    return done.stdout + done.stderr
