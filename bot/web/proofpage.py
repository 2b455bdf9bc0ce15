"""The page where a person proves anew that he is there: for the recap that waits in the chat, which then goes on by itself.

What is proved for is shown as the chat shows it; the proof is bound to exactly that. May import: what `site` imports.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import Any, Protocol

from bot.access.stepup import LOOK_UPS
from bot.access.visits import Visit
from bot.msg import Msg, m
from bot.turning import Asked
from bot.web.people import People


class Waiting(Protocol):
    """What of a chat waits for a proof (`site.ChatDoor`)."""

    def unproved(self, telegram_id: int) -> Asked | None: ...

    async def goes_on(self, telegram_id: int, asked: Asked | None) -> None: ...


class ProofPage:
    """Draws the page and takes the proof; both give the template and its values."""

    def __init__(self, people: People, chat: Waiting) -> None:
        self._people = people
        self._chat = chat

    async def drawn(self, visit: Visit, error: Msg | None = None) -> dict[str, Any]:
        """The recap and the form; a note where nothing waits."""
        asked = await asyncio.to_thread(self._chat.unproved, visit.telegram_id or 0)
        if asked is None and not await asyncio.to_thread(self._people.challenged, visit):
            return {"template": "note", "text": m("web.proof.nothing"), "back": True}
        standing = await asyncio.to_thread(self._people.standing, visit)
        return {
            "template": "proof",
            "standing": standing,
            "recap": asked.recap if asked else None,
            "digest": asked.digest if asked else LOOK_UPS,
            "error": error,
        }

    async def given(self, visit: Visit, form: dict[str, str]) -> dict[str, Any]:
        """Takes the proof, for what the page showed and nothing else; the chat goes on."""
        asked = await asyncio.to_thread(self._chat.unproved, visit.telegram_id or 0)
        digest = asked.digest if asked else LOOK_UPS
        if not hmac.compare_digest(form.get("digest", "").encode(), digest.encode()):
            return await self.drawn(visit, m("web.proof.changed"))
        said = await asyncio.to_thread(
            self._people.step_up,
            visit,
            digest,
            code=form.get("code", ""),
            username=form.get("username", ""),
            password=form.get("password", ""),
        )
        if not said.ok:
            return await self.drawn(visit, said.error)
        await self._chat.goes_on(visit.telegram_id or 0, asked)
        text = m("web.proof.done") if asked else m("web.proof.free")
        return {"template": "note", "text": text, "back": True, "done": True}
