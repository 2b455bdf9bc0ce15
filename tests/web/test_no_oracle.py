"""Whoever watches the line to Telegram, or the chat, learns nothing about who is known elsewhere (`security.md`, "enumeration")."""

from __future__ import annotations

import json
import re

from bot.demo.testing import Person
from bot.sample import NUMBERS
from tests.web.conftest import House

ELSEWHERE = NUMBERS["kessel"]
"""Known to an entity where Anne manages nothing."""
NOWHERE = ("01.09.22-997.08", "79.08.24-997.95")


def requests_for(house: House, anne: Person, number: str, answer: str) -> list[tuple[str, int, str]]:
    """What the bot asks of Telegram when Anne types the number: each method, with its size and its words without digits."""
    before = len(house.telegram.calls())
    anne.says(number)
    anne.waits_until(lambda seen: answer in seen.text and _answered(house, before))
    anne.settles()
    made = []
    for call in house.telegram.calls()[before:]:
        if call["method"] == "sendChatAction":  # "writes…": after a while, by the clock
            continue
        words = re.sub(r"\d", "0", str(call["params"].get("text", "")))
        keys = [[key["text"] for key in row] for row in _keyboard(call)]
        made.append((call["method"], len(words), f"{words}{keys}"))
    return made


def _answered(house: House, before: int) -> bool:
    return {"sendMessage", "deleteMessage"} <= {call["method"] for call in house.telegram.calls()[before:]}


def _keyboard(call: dict) -> list[list[dict]]:
    markup = call["params"].get("reply_markup") or {}
    return (json.loads(markup) if isinstance(markup, str) else markup).get("inline_keyboard", [])


def test_a_number_known_elsewhere_makes_the_same_requests_as_one_known_nowhere(standing_house: House):
    anne = standing_house.enters("Anne", "delcourt")
    anne.says("/status")
    anne.settles()
    said = [requests_for(standing_house, anne, each, "") for each in (NOWHERE[0], ELSEWHERE, NOWHERE[1])]
    assert said[1] == said[2]
    assert {"sendMessage", "deleteMessage"} <= {method for method, *_ in said[1]}

    anne.says("/grant")
    anne.waits_for("Pour quelle entité")
    anne.taps("Hôpitaux du Midi")
    said = []
    for number in (NOWHERE[0], ELSEWHERE, NOWHERE[1]):
        anne.waits_for("À qui")
        said.append(requests_for(standing_house, anne, number, "Son nom"))
        anne.taps("Précédent")
    assert said[1] == said[2]
    assert "Son nom" in said[1][-1][2] or any("Son nom" in words for *_, words in said[1])
