"""Canaries: what must not be read anywhere afterwards is put in by every way there is, and then looked for everywhere.

The real program as a process, over polling with private pages, on both databases. A national number may stand nowhere plain;
an e-mail address only where the register keeps it; a token, a key, a password, an app's secret, an invitation's code, a mailed link, the
key of a visit nowhere at all: not in the log, not in a table or a file of the database, not in a message, a button or a link, not in an export
of the register or of the audit trail, not in what an operator is told of his mistakes.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pyotp
import pytest
from bot.demo.testing import Person
from bot.store.keys import new_root_key
from bot.store.tables import SQLModel
from sqlalchemy import select
from tests import forked
from tests.e2e.canaries import Watch
from tests.e2e.world import World, world
from tests.mailserver import MailServer, mail_server
from tests.web.conftest import Browser, free_port

NISS = "01.09.22-997.08"
EMAIL = "kanarie.vogel@example.org"
PASSWORD = "kanarie zingt onder de lamp"
WRONG_PASSWORD = "mus fluit achter de kast"
TYPED_PASSWORD = "Kanarie2026!"
MAILED_PASSWORD = "merel nestelt boven de poort"


@pytest.fixture
def post():
    with mail_server() as served:
        yield served


@pytest.fixture
def there(database_url: str, tmp_path: Path, post: MailServer):
    port = free_port()
    address = f"127.0.0.1:{port}"
    settings = {"ACCESSBOT_PUBLIC_URL": f"http://{address}", "ACCESSBOT_LISTEN": address}
    settings["ACCESSBOT_LOG_LEVEL"] = "debug"
    settings |= {"ACCESSBOT_SMTP_HOST": "127.0.0.1", "ACCESSBOT_SMTP_PORT": str(post.port)}
    settings |= {"ACCESSBOT_SMTP_SECURITY": "none", "ACCESSBOT_SMTP_FROM": "no-reply@hospital.example"}
    with world(database_url, tmp_path, **settings) as made:
        made.start()
        yield made
        made.stop()


def test_after_a_run_with_canaries_in_all_inputs_none_is_found_anywhere(
    there: World, post: MailServer, tmp_path: Path
):
    secrets = sings(there, post)
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
    assert b'"invite"' in dict(left)["audit export"]


def test_no_mistake_of_an_operator_shows_a_secret(tmp_path: Path):
    """Each command fails, with one line or a line for each fault, and none repeats what should not be read."""
    file = tmp_path / "register.toml"
    file.write_text(
        f"""[[person]]
key = "vogel"
last_name = "Vogel"
first_name = "Kanarie"
niss = "{NISS}"
email = "{EMAIL} {EMAIL}"
language = "xx"

[[person]]
key = "vogel2"
last_name = "Vogel"
first_name = "Kanarie"
niss = "{NISS}"
password = "{PASSWORD}"

[[person]]
key = "vogel3"
niss = "{NISS[:-1]}9"
""",
        encoding="utf-8",
    )
    good = {"ACCESSBOT_DATABASE_URL": f"sqlite:///{tmp_path}/canary.db", "ACCESSBOT_ROOT_KEY": new_root_key()}
    mail = {"ACCESSBOT_SMTP_HOST": "127.0.0.1", "ACCESSBOT_SMTP_PASSWORD": PASSWORD}
    for command, environment in (
        (["register", "load", str(file)], good),
        (["check"], good | {"ACCESSBOT_ROOT_KEY": PASSWORD}),
        (["check"], good | {"ACCESSBOT_DATABASE_URL": f"postgresql://bot:{PASSWORD}@127.0.0.1:1/none"}),
        (["check"], good | {"ACCESSBOT_TELEGRAM_TOKEN": PASSWORD, "ACCESSBOT_TELEGRAM_API_URL": NOWHERE}),
        (["run"], good | mail | {"ACCESSBOT_TELEGRAM_TOKEN": PASSWORD, "ACCESSBOT_PUBLIC_URL": NOWHERE}),
        (["run"], good | mail | {"ACCESSBOT_SMTP_TIMEOUT": PASSWORD}),
    ):
        done = forked.runs(command, environment)
        said = (done.stdout + done.stderr).decode()
        assert (command, done.returncode) == (command, 1), said
        assert [each for each in (PASSWORD, NISS, NISS[:-1], EMAIL, "Traceback") if each in said] == [], said


@dataclass
class Call:
    params: dict[str, Any]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"text": f"c'est {NISS}"}, {("a text", "a national number")}),
        ({"text": "par exemple 79.08.23-997.28"}, set()),
        ({"text": "le n° 2026-000123"}, set()),
        (
            {"reply_markup": '{"inline_keyboard":[[{"text":"x","callback_data":"d64111799810"}]]}'},
            {("a button's code", "a national number")},
        ),
        (
            {"reply_markup": {"inline_keyboard": [[{"url": "https://x.example/?c=AAAA1"}]]}},
            {("a link", "invitation")},
        ),
        (
            {"document": {"file_name": "kanarie zingt in de kooi.csv"}},
            {("a file's name", "ACCESSBOT_SMTP_PASSWORD")},
        ),
    ],
)
def test_the_watch_after_every_test_would_notice(params: dict[str, Any], found: set[Any], tmp_path: Path):
    telegram: Any = SimpleNamespace(token="7:BBBB", state=SimpleNamespace(calls=[Call(params)]))
    watched: Any = SimpleNamespace(
        telegram=telegram, root_key="abk1:x", settings={}, codes=["AAAA1"], folder=tmp_path
    )
    watch = Watch(watched)
    assert watch.strays() == found
    (tmp_path / "bot.log").write_text('{"event": "x", "reason": "7:BBBB"}\n')
    assert watch.strays() == {("the log", "token")}
    assert watch.strays() == set()


ALLOWED = {
    "e-mail": (
        "table profiles",
        "register export",
        "database file",
        "chat",
        "audit export, personal",
    ),  # register data, and its own recap; what an auditor asks for by name
    "national number": ("register export",),  # decision 5
}


NOWHERE = "http://127.0.0.1:1"


def sings(there: World, post: MailServer) -> dict[str, tuple[str, ...]]:
    """Puts every canary in by every way; the forms in which each would be recognised."""
    code = there.invite("delcourt")
    anne = there.telegram.person("Anne")
    anne.starts(code)
    anne.taps("Français", 60)
    anne.settles()
    anne.taps("J", 60)
    anne.taps("Plus tard", 60)
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
    for text in (TYPED_PASSWORD, f"/status {TYPED_PASSWORD}", f"mot de passe : {TYPED_PASSWORD}"):
        anne.says(text)
    for text in (NISS, EMAIL):
        anne.edits(anne.says("rien"), f"corrigé : {text}")
    anne.sends_document(f"{NISS}.pdf", NISS.encode(), caption="voir le nom")
    anne.sends_document("liste.pdf", EMAIL.encode(), caption=f"pour {NISS}, {EMAIL}")
    anne.settles()
    mailed, mailed_code = invites_by_mail(anne, post)
    mailbox = httpx.Client(
        base_url=there.settings["ACCESSBOT_PUBLIC_URL"], follow_redirects=True, trust_env=False, timeout=30
    )
    follower = Browser(mailbox, "", 0)
    follower.page = mailbox.post("/app/password/enter", data={"token": mailed})
    follower.sends("password", password=MAILED_PASSWORD, again=WRONG_PASSWORD)
    assert follower.sends("password", password=MAILED_PASSWORD, again=MAILED_PASSWORD).status_code == 200
    mailbox.get("/app/password", params={"token": mailed})
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
    chosen = {"password": PASSWORD, "again": PASSWORD}
    assert other.sends("me", account=account, proof=WRONG_PASSWORD, **chosen).status_code == 422
    assert other.sends("me", account=account, proof=MAILED_PASSWORD, **chosen).status_code == 200
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
    clients = (http, other.http, mailbox)
    cookies = [cookie.value for client in clients for cookie in client.cookies.jar]
    assert cookies
    assert recovery
    time.sleep(0.5)
    for client in clients:
        client.close()
    digits = re.sub(r"\D", "", NISS)
    return {
        "national number": (NISS, digits, NISS.replace(".", "")),
        "e-mail": (EMAIL,),
        "token": (there.telegram.token, there.telegram.token.split(":")[1]),
        "root key": (there.root_key,),
        "password": (PASSWORD, WRONG_PASSWORD, MAILED_PASSWORD, TYPED_PASSWORD),
        "app's secret": (secret,),
        "recovery code": tuple(recovery),
        "invitation": (code, jans, mailed_code),
        "mailed link": (mailed,),
        "visit": tuple(cookies),
    }


def invites_by_mail(anne: Person, post: MailServer) -> tuple[str, str]:
    """Jan gets a mail; the secret of its link, and the code for the chat."""
    anne.says("/status jpeeters")
    anne.waits_for("utilisateurs trouvés", 60)
    anne.taps("Peeters Jan · Cardiologie", 60)
    anne.waits_for("Statut", 60)
    anne.taps("✉ Inviter", 60)
    anne.waits_for("Comment la personne", 60)
    anne.taps("Par e-mail", 60)
    anne.waits_for("Récapitulatif", 60)
    anne.taps("Confirmer", 60)
    anne.waits_for("L'invitation part par e-mail", 60)
    until = time.monotonic() + 60
    while not post.taken and time.monotonic() < until:
        time.sleep(0.1)
    text = post.taken[0].get_content()
    link, code = re.search(r"/app/password#(\S+)", text), re.search(r"\?start=(\S+)", text)
    assert link, text
    assert code, text
    return link[1], code[1]


def everywhere(there: World, folder: Path) -> list[tuple[str, bytes]]:
    """All that is left of the run, by where it is."""
    return [
        ("log", (there.folder / "bot.log").read_bytes()),
        *tables(there),
        *(("database file", file.read_bytes()) for file in files(there)),
        ("chat", chats(there)),
        ("buttons", buttons(there)),
        ("register export", export(there)),
        ("audit export", audit_export(there, folder)),
        ("audit export, personal", audit_export(there, folder, "--personal")),
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


def audit_export(there: World, folder: Path, *more: str) -> bytes:
    """The trail as an auditor gets it."""
    file = folder / f"trail{len(more)}.jsonl"
    done = forked.runs(["audit", "export", str(file), *more], there._environment())
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr + file.read_bytes()
