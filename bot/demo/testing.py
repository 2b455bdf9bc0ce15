"""For tests: a local Telegram on a free port, and people who write, tap and look.

    with running_server() as server:
        anne = server.person("Anne", language="fr")
        anne.starts()
        anne.taps("Donner un accès")
        assert "Pour quelle entité" in anne.sees().text

Everything goes over HTTP, so it is safe from any thread, and the bot may be another process. Before each act a
person waits until the bot has had its turn. Imports the server, the state and httpx.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bot.demo.entities import utf16_slice
from bot.demo.identity import IdentityProvider
from bot.demo.inbox import Inbox
from bot.demo.model import Json, Visitor
from bot.demo.server import DemoConfig, Server, bind, build_state, create_app
from bot.demo.telegram import LocalTelegram

TEST_TOKEN = "4200000043:token-of-the-tests"  # noqa: S105 - worth nothing
TURN_SECONDS = 3.0
QUIET_SECONDS = 0.08
WAIT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a person sees it. `rows` are the buttons as the Bot API has them."""

    id: int
    text: str
    from_bot: bool
    rows: tuple[tuple[Json, ...], ...] = ()
    edited: bool = False
    raw: Json = field(default_factory=dict, repr=False)

    @property
    def labels(self) -> list[str]:
        """The buttons' labels, row by row."""
        return [button["text"] for row in self.rows for button in row]

    def codes(self) -> dict[str, str]:
        """Callback data by label."""
        return {
            button["text"]: button["callback_data"]
            for row in self.rows
            for button in row
            if "callback_data" in button
        }

    def marked(self, kind: str) -> list[str]:
        """The parts of the text that are `bold`, `code` …"""
        return [
            utf16_slice(self.text, e["offset"], e["length"])
            for e in self.raw.get("entities", [])
            if e["type"] == kind
        ]


class Person:
    """Somebody with a phone. Labels are found by their first words; ornaments before them do not count."""

    def __init__(self, http: httpx.Client, facts: Json) -> None:
        self._http = http
        self.id = int(facts["id"])
        self.name = str(facts["first_name"])
        self._path = f"/client/people/{self.id}"
        self._acted_at = -1

    # Acting

    def starts(self, code: str = "") -> int:
        """Presses *Start*, or opens a deep link with `code`; gives the message's id, as all that send do."""
        return int(self._acts("POST", "/start", {"code": code})["message_id"])

    def says(self, text: str, **more: Any) -> int:
        """Sends a text; `reply_to=` an id, `forwarded_from=` a name."""
        return int(self._acts("POST", "/messages", {"text": text, **more})["message_id"])

    def sends_document(
        self, name: str, body: bytes, mime: str = "application/octet-stream", caption: str = ""
    ) -> int:
        """Sends a file."""
        files, data = {"file": (name, body, mime)}, {"caption": caption}
        return int(self._acts("POST", "/documents", None, files=files, data=data)["message_id"])

    def taps(self, label: str, timeout: float = WAIT_SECONDS) -> str:
        """Taps the newest button whose label begins so; waits for it to appear. Gives the tap's id.

        Raises AssertionError with what was to be seen instead.
        """
        until = time.monotonic() + timeout
        self.settles()
        while (found := self._button(label)) is None:
            if time.monotonic() > until:
                raise AssertionError(f"{self.name} sees no button '{label}', but:\n{self._screen()}")
            self._changes(0.2)
        return self.taps_code(found[1], message=found[0])

    def taps_code(self, data: str, message: int | None = None) -> str:
        """Taps with any callback data, forged too, on a message (the last card); does not wait before."""
        number = message if message is not None else self.card().id
        return str(self._acts("POST", "/taps", {"message_id": number, "data": data})["tap"])

    def edits(self, message: int, text: str) -> None:
        self._asks("PATCH", f"/messages/{message}", {"text": text})

    def deletes(self, message: int) -> None:
        self._asks("DELETE", f"/messages/{message}", None)

    def blocks(self) -> None:
        self._asks("PUT", "/blocked", {"blocked": True})

    def unblocks(self) -> None:
        self._asks("PUT", "/blocked", {"blocked": False})

    def speaks(self, language: str) -> None:
        """The phone's language from now on."""
        self._asks("PATCH", "", {"language_code": language})

    # Looking

    @property
    def chat(self) -> list[Seen]:
        """Every message that is there now, oldest first."""
        return [_seen(message) for message in self._state()["messages"]]

    def sees(self) -> Seen:
        """The last message of the bot, once it has had its turn."""
        self.settles()
        return self._last(lambda seen: seen.from_bot)

    def card(self) -> Seen:
        """The last message of the bot that has buttons, at once."""
        return self._last(lambda seen: seen.from_bot and bool(seen.rows))

    def waits_for(self, text: str, timeout: float = WAIT_SECONDS) -> Seen:
        """The newest message of the bot that contains `text`, as soon as there is one.

        Raises AssertionError with what was to be seen instead.
        """
        return self.waits_until(lambda seen: text in seen.text, f"'{text}'", timeout)

    def waits_until(
        self, wanted: Callable[[Seen], bool], what: str = "it", timeout: float = WAIT_SECONDS
    ) -> Seen:
        """The newest message of the bot for which `wanted` holds."""
        until = time.monotonic() + timeout
        while True:
            found = [seen for seen in self.chat if seen.from_bot and wanted(seen)]
            if found:
                return found[-1]
            if time.monotonic() > until:
                raise AssertionError(f"{self.name} waits for {what} in vain, and sees:\n{self._screen()}")
            self._changes(0.2)

    def waits_for_toast(self, text: str, timeout: float = WAIT_SECONDS) -> str:
        """The newest toast or alert that contains `text`."""
        until = time.monotonic() + timeout
        while not (found := [shown for shown in [*self.toasts, *self.alerts] if text in shown]):
            if time.monotonic() > until:
                raise AssertionError(
                    f"{self.name} waits for the toast '{text}' in vain; toasts: {self.toasts}, {self.alerts}"
                )
            self._changes(0.2)
        return found[-1]

    @property
    def toasts(self) -> list[str]:
        """What was shown in passing, oldest first."""
        return [note["text"] for note in self._state()["notes"] if note["text"] and not note["alert"]]

    @property
    def alerts(self) -> list[str]:
        """What was shown in a window to close."""
        return [note["text"] for note in self._state()["notes"] if note["text"] and note["alert"]]

    @property
    def answered(self) -> list[str]:
        """The ids of the taps that were answered, in order."""
        return [note["tap"] for note in self._state()["notes"]]

    @property
    def typing(self) -> bool:
        """Whether the bot is seen typing."""
        return bool(self._state()["typing"] > 0)

    @property
    def commands(self) -> list[str]:
        """The command menu, in this person's language: "word: description"."""
        return [f"{command['command']}: {command['description']}" for command in self._state()["commands"]]

    def document(self, seen: Seen) -> bytes:
        """The bytes of a message's document."""
        answer = self._http.get(f"/client/files/{seen.raw['document']['file_id']}")
        answer.raise_for_status()
        return answer.content

    def settles(self, quiet: float = QUIET_SECONDS, timeout: float = TURN_SECONDS) -> None:
        """Waits until the bot has reacted to the last act and is quiet; gives up silently after `timeout` seconds."""
        until = time.monotonic() + timeout
        while self._state()["bot_version"] <= self._acted_at and time.monotonic() < until:
            self._changes(0.2)
        while time.monotonic() < until and self._changes(quiet):
            pass

    def _state(self, **query: Any) -> Json:
        answer = self._http.get(f"{self._path}/chat", params=query)
        answer.raise_for_status()
        facts: Json = answer.json()
        return facts

    def _changes(self, seconds: float) -> bool:
        """Waits for the next change of the chat, at most so long; whether there was one."""
        before = self._state()["version"]
        return bool(self._state(after=before, timeout=seconds)["version"] > before)

    def _acts(self, method: str, path: str, body: Json | None, **more: Any) -> Any:
        """Something that the bot is expected to react to."""
        before = self._state()["bot_version"]
        answer = self._asks(method, path, body, **more)
        self._acted_at = before
        return answer

    def _asks(self, method: str, path: str, body: Json | None, **more: Any) -> Any:
        answer = self._http.request(method, f"{self._path}{path}", json=body, **more)
        assert answer.is_success, f"{self.name} cannot: {answer.text}"
        return answer.json()

    def _last(self, wanted: Callable[[Seen], bool]) -> Seen:
        found = [seen for seen in self.chat if wanted(seen)]
        assert found, f"{self.name} sees nothing from the bot"
        return found[-1]

    def _button(self, label: str) -> tuple[int, str] | None:
        for seen in reversed(self.chat):
            for text, data in seen.codes().items() if seen.from_bot else ():
                if bare_label(text).startswith(bare_label(label)):
                    return seen.id, data
        return None

    def _screen(self) -> str:
        return "\n".join(f"  {'bot' if s.from_bot else 'me '} {s.text!r} {s.labels}" for s in self.chat[-4:])


def bare_label(text: str) -> str:
    """A label without the ornaments before it."""
    start = next((i for i, char in enumerate(text) if char.isalnum()), 0)
    return text[start:]


def _seen(message: Json) -> Seen:
    text = message.get("text") or message.get("caption") or ""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return Seen(
        message["message_id"],
        text,
        message["from_bot"],
        tuple(tuple(row) for row in rows),
        "edit_date" in message,
        message,
    )


@dataclass(slots=True)
class RunningServer:
    """A server in a thread. Read `state` freely; change it through `do`, which runs in the server's own loop."""

    url: str
    token: str
    state: LocalTelegram
    loop: asyncio.AbstractEventLoop
    http: httpx.Client

    @property
    def base_url(self) -> str:
        """For `telegram.Bot(base_url=…)`."""
        return f"{self.url}/bot"

    @property
    def base_file_url(self) -> str:
        """For `telegram.Bot(base_file_url=…)`."""
        return f"{self.url}/file/bot"

    def do(self, act: Callable[[LocalTelegram], Any]) -> Any:
        """Runs `act(state)` in the server's loop and gives its result."""

        async def run() -> Any:
            return act(self.state)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def person(
        self, first_name: str, last_name: str = "", *, language: str = "fr", number: int | None = None
    ) -> Person:
        """A new person, or with the number of a known one, him again."""
        if number is not None and number in self.state.people:
            return Person(self.http, self.state.people[number].user())
        facts = {
            "id": number or 0,
            "first_name": first_name,
            "last_name": last_name,
            "language_code": language,
        }
        answer = self.http.post("/client/people", json=facts)
        answer.raise_for_status()
        return Person(self.http, answer.json())

    def levers(self, **levers: Any) -> None:
        """See `ClientApi.levers`: duplicates={"most": 3, "seed": 1}, rate_limits, clock_offset, …"""
        self.http.post("/client/levers", json=levers).raise_for_status()

    def inject(self, update: Json) -> int:
        """Queues any update; gives its id."""
        answer = self.http.post("/client/updates", json=update)
        answer.raise_for_status()
        return int(answer.json()["update_id"])

    def calls(self, method: str = "") -> list[Json]:
        """The bot's calls, oldest first: method, params, error ("" when it succeeded), at. getUpdates is left out."""
        found: list[Json] = self.http.get("/client/calls").json()
        return [call for call in found if method in {"", call["method"]}]

    def waits_for_call(self, method: str, timeout: float = WAIT_SECONDS) -> Json:
        """The newest call of that method, as soon as there is one."""
        until = time.monotonic() + timeout
        while not (found := self.calls(method)):
            assert time.monotonic() < until, f"The bot never called {method}"
            time.sleep(0.02)
        return found[-1]


@contextmanager
def running_server(
    *,
    visitors: tuple[Visitor, ...] = (),
    folder: Path | None = None,
    token: str = TEST_TOKEN,
    port: int = 0,
    rate_limits: bool = False,
    texts: Mapping[str, Mapping[str, str]] | None = None,
    identity: IdentityProvider | None = None,
    inbox: Inbox | None = None,
) -> Iterator[RunningServer]:
    """A server on a free loopback port, in a thread, until the block ends; its state in memory unless `folder` is given."""
    listening = bind(port)
    config = DemoConfig(visitors=visitors, folder=folder, token=token, rate_limits=rate_limits)
    state = build_state(config)
    server = Server(state, create_app(state, texts=texts, identity=identity, inbox=inbox))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop, server, listening), name="local-telegram", daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(server.ready.wait(), 10), loop).result(15)
        with httpx.Client(base_url=url, timeout=40, trust_env=False) as http:
            yield RunningServer(url, token, state, loop, http)
    finally:
        server.should_exit = True
        thread.join(10)
        state.archive.close()
        listening.close()


def _run(loop: asyncio.AbstractEventLoop, server: Server, listening: Any) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(server.serve(sockets=[listening]))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
