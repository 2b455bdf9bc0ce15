"""The people's side over HTTP: what the chat page and the tests call, under `/client`.

No token: `guard` lets only this machine's own pages and programs in. Imports `people`, the state and Starlette.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict
from random import Random
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.demo import miniapps, people
from bot.demo.errors import ApiError, bad_request
from bot.demo.model import Json, Visitor
from bot.demo.profile import commands_for, menu_for, own_text
from bot.demo.telegram import LocalTelegram
from bot.demo.webhook import Webhook

MAX_WAIT = 30.0
KEEP_ALIVE = 15.0
PICTURES = frozenset(["image/png", "image/jpeg", "image/webp", "image/gif"])


class ClientApi:
    """The end points for one state. `texts` are the page's words: language → key → text."""

    def __init__(
        self, state: LocalTelegram, webhook: Webhook, texts: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self.state = state
        self.webhook = webhook
        self._texts = texts or {}

    def routes(self) -> list[Route]:
        person = "/client/people/{person:int}"
        return [
            Route("/client/texts", self._json(self.texts), methods=["GET"]),
            Route("/client/people", self._json(self.people), methods=["GET"]),
            Route("/client/people", self._json(self.new_person), methods=["POST"]),
            Route(person, self._json(self.change_person), methods=["PATCH"]),
            Route(f"{person}/chat", self._json(self.chat), methods=["GET"]),
            Route(f"{person}/start", self._json(self.start), methods=["POST"]),
            Route(f"{person}/messages", self._json(self.says), methods=["POST"]),
            Route(f"{person}/messages/{{message:int}}", self._json(self.edits), methods=["PATCH"]),
            Route(f"{person}/messages/{{message:int}}", self._json(self.deletes), methods=["DELETE"]),
            Route(f"{person}/documents", self._json(self.sends_file), methods=["POST"]),
            Route(f"{person}/taps", self._json(self.taps), methods=["POST"]),
            Route(f"{person}/apps", self._json(self.opens_app), methods=["POST"]),
            Route(f"{person}/blocked", self._json(self.blocks), methods=["PUT"]),
            Route(f"{person}/read", self._json(self.reads), methods=["PUT"]),
            Route("/client/events", self.events, methods=["GET"]),
            Route("/client/files/{file}", self.file, methods=["GET"]),
            Route("/client/updates", self._json(self.inject), methods=["POST"]),
            Route("/client/faults", self._json(self.add_fault), methods=["POST"]),
            Route("/client/faults", self._json(self.clear_faults), methods=["DELETE"]),
            Route("/client/levers", self._json(self.levers), methods=["POST"]),
            Route("/client/calls", self._json(self.calls), methods=["GET"]),
            Route("/client/reset", self._json(self.reset), methods=["POST"]),
        ]

    def _json(self, act: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return JSONResponse(await act(request))
            except ApiError as error:
                return JSONResponse(error.body(), status_code=error.code)

        return endpoint

    # Looking

    async def texts(self, _: Request) -> Any:
        """The page's words; a text with a plural has two keys, `….one` and `….other`."""
        return self._texts

    async def people(self, _: Request) -> Any:
        """Everybody one can be, with what is unread, and the bot's own name."""
        return {
            "people": [self._summary(person) for person in self.state.people.values()],
            "bot": self.state.bot,
        }

    def _summary(self, person: Visitor) -> Json:
        chat, messages = self.state.chats.get(person.id), self.state.messages.get(person.id, {})
        last = next(reversed(messages.values()), None)
        return {
            **person.user(),
            "any_language": person.any_language,
            "role": person.role,
            "invitation": person.invitation,
            "opened": chat.opened if chat else "",
            "started": bool(chat and chat.started),
            "blocked": bool(chat and chat.blocked),
            "unread": sum(1 for m in messages.values() if m.from_bot and m.id > (chat.read if chat else 0)),
            "last": self.state.shown(last) if last else None,
        }

    async def chat(self, request: Request) -> Any:
        """The chat of a person; with `after`, waits up to `timeout` seconds for a newer version."""
        number, state = request.path_params["person"], self.state
        after, until = int(request.query_params.get("after", -1)), time.monotonic()
        until += min(float(request.query_params.get("timeout", 0)), MAX_WAIT)
        while (
            state.versions.get(number, (0, 0))[0] <= after and not state.closing and time.monotonic() < until
        ):
            await state.changed.wait(until - time.monotonic())
        person, chat = state.person(number), state.chats.get(number)
        changes, by_bot = state.versions.get(number, (0, 0))
        language = person.language_code[:2]
        return {
            **self._summary(person),
            "version": changes,
            "bot_version": by_bot,
            "messages": [state.shown(message) for message in state.messages.get(number, {}).values()],
            "typing": max(0.0, state.typing.get(number, 0.0) - state.now()),
            "keyboard": chat.keyboard if chat else None,
            "waiting": [tap.id for tap in state.taps.values() if tap.person == number],
            "notes": [asdict(note) for note in state.notes.get(number, [])],
            "commands": commands_for(state, number),
            "menu": menu_for(state, number),
            "bot": {
                **state.bot,
                "first_name": own_text(state, "name", language),
                "description": own_text(state, "description", language),
                "short_description": own_text(state, "short_description", language),
            },
        }

    async def events(self, _: Request) -> Response:
        """What happens, as server-sent events."""
        queue = (
            self.state.feed.listen()
        )  # from before the page hears that it is connected, and looks at its chats again
        return StreamingResponse(
            self._stream(queue), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def _stream(self, queue: asyncio.Queue[dict[str, Any]]) -> AsyncIterator[str]:
        try:
            yield "retry: 1000\n\n"
            while not self.state.closing:
                try:
                    event = await asyncio.wait_for(queue.get(), KEEP_ALIVE)
                except TimeoutError:
                    yield ": still here\n\n"
                else:
                    yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n"
        finally:
            self.state.feed.leave(queue)

    async def file(self, request: Request) -> Response:
        """A document as a download, a picture to look at."""
        stored = self.state.files.get(request.path_params["file"])
        body = self.state.archive.blob(stored.id) if stored else None
        if stored is None or body is None:
            return Response(status_code=404)
        if stored.mime in PICTURES:
            return Response(body, media_type=stored.mime)
        disposition = f"attachment; filename*=UTF-8''{quote(stored.name)}"
        return Response(
            body, media_type="application/octet-stream", headers={"Content-Disposition": disposition}
        )

    # Acting

    async def new_person(self, request: Request) -> Any:
        body = await request.json()
        number = int(body.get("id") or max([100_000, *self.state.people]) + 1)
        person = Visitor(**{**body, "id": number})
        self.state.put_person(person)
        self.state.saved()
        self.state.feed.publish({"kind": "people"})
        return self._summary(person)

    async def change_person(self, request: Request) -> Any:
        people.speaks(self.state, request.path_params["person"], str((await request.json())["language_code"]))
        return True

    async def start(self, request: Request) -> Any:
        body = await request.json()
        return self.state.shown(
            people.start(self.state, request.path_params["person"], body.get("code") or "")
        )

    async def says(self, request: Request) -> Any:
        body = await request.json()
        more = {name: body[name] for name in ("reply_to", "forwarded_from") if name in body}
        return self.state.shown(people.says(self.state, request.path_params["person"], body["text"], **more))

    async def edits(self, request: Request) -> Any:
        path, body = request.path_params, await request.json()
        return self.state.shown(people.edits(self.state, path["person"], path["message"], body["text"]))

    async def deletes(self, request: Request) -> Any:
        people.deletes(self.state, request.path_params["person"], request.path_params["message"])
        return True

    async def sends_file(self, request: Request) -> Any:
        async with request.form() as form:
            upload = form.get("file")
            if upload is None or isinstance(upload, str):
                raise bad_request("there is no file in the request")
            name, mime = upload.filename or "file", upload.content_type or "application/octet-stream"
            body, caption = await upload.read(), str(form.get("caption") or "")
        return self.state.shown(
            people.sends_file(self.state, request.path_params["person"], name, mime, body, caption)
        )

    async def taps(self, request: Request) -> Any:
        person, body = request.path_params["person"], await request.json()
        number = int(body["message_id"])
        data = body.get("data")
        if data is None:
            data = people.button_data(self.state, person, number, int(body["row"]), int(body["column"]))
        return {"tap": people.taps(self.state, person, number, data)}

    async def opens_app(self, request: Request) -> Any:
        address = str((await request.json())["url"])
        return {"url": miniapps.opened(self.state, request.path_params["person"], address)}

    async def blocks(self, request: Request) -> Any:
        act = people.block if (await request.json())["blocked"] else people.unblock
        act(self.state, request.path_params["person"])
        return True

    async def reads(self, request: Request) -> Any:
        people.reads(self.state, request.path_params["person"], int((await request.json())["message_id"]))
        return True

    # Levers of tests

    async def inject(self, request: Request) -> Any:
        return {"update_id": people.inject(self.state, await request.json())}

    async def add_fault(self, request: Request) -> Any:
        self.state.faults.add(**await request.json())
        return True

    async def clear_faults(self, _: Request) -> Any:
        self.state.faults.clear()
        return True

    async def levers(self, request: Request) -> Any:
        """Sets what is given: `duplicates` ({"most", "seed"}), `rate_limits`, `clock_offset`, `tap_lifetime`, `webhook_delay`,
        `next_update_id`.
        """
        body, state = await request.json(), self.state
        if "duplicates" in body:
            state.updates.duplicate = _duplicator(**body["duplicates"])
        state.rates.enabled = body.get("rate_limits", state.rates.enabled)
        state.clock_offset = body.get("clock_offset", state.clock_offset)
        state.tap_lifetime = body.get("tap_lifetime", state.tap_lifetime)
        state.updates.next_id = body.get("next_update_id", state.updates.next_id)
        self.webhook.first_delay = body.get("webhook_delay", self.webhook.first_delay)
        return True

    async def calls(self, _: Request) -> Any:
        return [asdict(call) for call in self.state.calls]

    async def reset(self, _: Request) -> Any:
        visitors = list(self.state.people.values())
        self.state.reset()
        for person in visitors:
            self.state.put_person(person)
        self.state.saved()
        return True


def _duplicator(most: int, seed: int | None = None) -> Callable[[int], int]:
    """Each update `most` times, or with a seed between once and `most` times."""
    if seed is None:
        return lambda _: most
    return lambda number: Random(f"{seed}/{number}").randint(1, most)  # noqa: S311 - weather, not a secret
