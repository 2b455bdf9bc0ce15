"""From a method's `text`, `parse_mode` and `entities` to what a message holds, with Telegram's limits.

Also finds what Telegram finds by itself in a text: commands, addresses, mentions. Imports `entities`, `markdown`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.demo.entities import MAX_ENTITIES, Entity, fix_url, parse_html, utf16
from bot.demo.errors import bad_request
from bot.demo.markdown import parse_markdown, parse_markdown_v2

MAX_TEXT = 4096
MAX_CAPTION = 1024

_PARSERS: dict[str, Callable[[str], tuple[str, list[Entity]]]] = {
    "html": parse_html,
    "markdownv2": parse_markdown_v2,
    "markdown": parse_markdown,
}
_TYPES = frozenset(
    "bold italic underline strikethrough spoiler blockquote expandable_blockquote code pre text_link text_mention custom_emoji".split()  # noqa: SIM905 - a list of words
)
_FOUND_BY_TELEGRAM = frozenset(
    ["mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"]
)
_FIND = re.compile(
    r"""(?P<email>\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b)
      | (?P<url>\bhttps?://[^\s<>"«»]+[^\s<>"«».,;:!?)\]']|\b(?:[a-z0-9-]+\.)+(?:be|com|org|net|eu|fr|nl|de)\b(?:/[^\s<>"«»]*[\w/])?)
      | (?<![\w/<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/])
      | (?<![\w@])(?P<mention>@[A-Za-z]\w{3,31})\b
      | (?<![\w\#])(?P<hashtag>\#[^\W\d]\w*)""",
    re.VERBOSE,
)


def formatted(
    text: Any, parse_mode: Any, entities: Any, *, limit: int = MAX_TEXT, caption: bool = False
) -> tuple[str, list[Entity]]:
    """The text and entities that a message will hold.

    Raises ApiError with Telegram's words where the text is empty, too long, or wrongly marked up. `limit` is in
    UTF-16 units and counts after parsing.
    """
    source = text if isinstance(text, str) else ""
    if not source:
        if caption:
            return "", []
        raise bad_request("message text is empty")
    if parse_mode:
        parser = _PARSERS.get(str(parse_mode).lower())
        if parser is None:
            raise bad_request("unsupported parse_mode")
        plain, found = parser(source)
    else:
        plain, found = source, _given(source, entities or [])
    plain, found = _trimmed(_cleaned(plain), found)
    if not plain and not caption:
        raise bad_request("text must be non-empty")
    if utf16(plain) > limit:
        raise bad_request("message caption is too long" if caption else "message is too long")
    every = [*found[:MAX_ENTITIES], *detected(plain, found)]
    return plain, sorted(every, key=lambda entity: (entity["offset"], -entity["length"]))


def detected(text: str, taken: list[Entity]) -> list[Entity]:
    """What Telegram marks by itself, outside code and links: commands, addresses, mentions, hashtags."""
    closed = [
        (e["offset"], e["offset"] + e["length"])
        for e in taken
        if e["type"] in {"code", "pre", "text_link", "text_mention"}
    ]
    result = []
    for match in _FIND.finditer(text):
        start = utf16(text[: match.start()])
        end = start + utf16(match.group())
        if not any(start < to and begin < end for begin, to in closed):
            result.append({"type": str(match.lastgroup), "offset": start, "length": end - start})
    return result


def _cleaned(text: str) -> str:
    return "".join(" " if ord(char) < 32 and char != "\n" else char for char in text)


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Without the white space at both ends; entities move and shrink with it."""
    stripped = text.strip(" \n")
    cut, end = utf16(text[: len(text) - len(text.lstrip(" \n"))]), utf16(stripped)
    result = []
    for entity in entities:
        start = max(entity["offset"] - cut, 0)
        stop = min(entity["offset"] + entity["length"] - cut, end)
        if stop > start:
            result.append({**entity, "offset": start, "length": stop - start})
    return stripped, result


def _given(text: str, entities: Any) -> list[Entity]:
    if not isinstance(entities, list):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    size = utf16(text)
    return [entity for raw in entities if (entity := _one_given(raw, size)) is not None]


def _one_given(raw: Any, size: int) -> Entity | None:
    kind, offset, length = str(raw.get("type", "")), int(raw.get("offset", -1)), int(raw.get("length", -1))
    if kind not in _TYPES | _FOUND_BY_TELEGRAM:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    needed = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id"}.get(kind)
    if needed and needed not in raw:
        raise bad_request(f"can't parse MessageEntity: Can't find field \"{needed}\"")
    if kind == "text_link" and not fix_url(raw["url"]):
        why = "Wrong HTTP URL" if raw["url"] else "URL host is empty"
        raise bad_request(f"entity URL '{raw['url']}' is invalid: {why}")
    if offset < 0:
        raise bad_request(f"receive an entity with incorrect offset {offset}")
    if length < 0:
        raise bad_request(f"receive an entity with incorrect length {length}")
    if offset > size:
        raise bad_request(f"entity begins after the end of the text at UTF-16 offset {offset}")
    if offset + length > size:
        raise bad_request(
            f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {offset + length}"
        )
    keep = {key: raw[key] for key in ("url", "user", "language", "custom_emoji_id") if key in raw}
    return (
        None
        if kind in _FOUND_BY_TELEGRAM or not length
        else {"type": kind, "offset": offset, "length": length, **keep}
    )
