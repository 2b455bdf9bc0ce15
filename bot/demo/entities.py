"""Formatted text as Telegram takes it: HTML in, plain text and entities out, offsets in UTF-16 units.

The grammar, the error texts and the byte offsets follow TDLib's `MessageEntity.cpp`. Imports nothing of ours
but `errors` and `markdown`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from bot.demo.errors import bad_request

Entity: TypeAlias = dict[str, Any]
"""A MessageEntity: `type`, `offset`, `length`, and what the type needs (`url`, `language`, …)."""

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
MAX_ENTITIES = 100

_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#(\d{1,8})|#x([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot));?")
_END_TAG = re.compile(r"/([^\s>]*)\s*(>?)")
_PLAIN = re.compile(r"[^&<]+|&")
_TAG_NAME = re.compile(r"[^\s>]*")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>/"']*)\s*(=?)\s*""")
_NAME_TOKEN = re.compile(r"[A-Za-z0-9.\-]*")


def utf16(text: str) -> int:
    """The length in UTF-16 units, which is how Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_slice(text: str, offset: int, length: int) -> str:
    """The part of `text` that an entity covers."""
    raw = text.encode("utf-16-le", "surrogatepass")[2 * offset : 2 * (offset + length)]
    return raw.decode("utf-16-le", "replace")


def cannot_parse(reason: str) -> Exception:
    """The refusal of a text whose markup is wrong."""
    return bad_request(f"can't parse entities: {reason}")


@dataclass(slots=True)
class _Open:
    tag: str
    argument: str
    offset: int
    start: int


class _Html:
    """One parse; `done` gives the text and its entities."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.out: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def byte(self, position: int) -> int:
        return len(self.source[:position].encode())

    def put(self, text: str) -> None:
        self.out.append(text)
        self.offset += utf16(text)

    def done(self) -> tuple[str, list[Entity]]:
        source, i = self.source, 0
        while i < len(source):
            if source[i] == "&" and (match := _REFERENCE.match(source, i)) and (char := _character(match)):
                self.put(char)
                i = match.end()
            elif plain := _PLAIN.match(source, i):
                self.put(plain.group())
                i = plain.end()
            elif source.startswith("/", i + 1):
                i = self.end_tag(i)
            else:
                i = self.start_tag(i)
        if self.open:
            raise cannot_parse(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        return "".join(self.out), self.entities

    def start_tag(self, begin: int) -> int:
        name = _TAG_NAME.match(self.source, begin + 1)
        assert name is not None
        if name.end() >= len(self.source):
            raise cannot_parse(f"Unclosed start tag at byte offset {self.byte(begin)}")
        tag = name.group().lower()
        if tag not in TAGS:
            raise cannot_parse(f'Unsupported start tag "{tag}" at byte offset {self.byte(begin)}')
        argument, end = self.attributes(tag, begin, name.end())
        if tag == "span" and argument != "spoiler":
            raise cannot_parse(f'Tag "span" must have class "tg-spoiler" at byte offset {self.byte(begin)}')
        self.open.append(_Open(tag, argument, self.offset, len(self.out)))
        return end

    def attributes(self, tag: str, begin: int, i: int) -> tuple[str, int]:
        source, argument = self.source, ""
        unclosed = f'Unclosed start tag "{tag}" at byte offset {self.byte(begin)}'
        while True:
            while i < len(source) and source[i].isspace():
                i += 1
            if i >= len(source):
                raise cannot_parse(unclosed)
            if source[i] == ">":
                return argument, i + 1
            match = _ATTRIBUTE.match(source, i)
            assert match is not None
            if not match.group(1):
                raise cannot_parse(
                    f'Empty attribute name in the tag "{tag}" at byte offset {self.byte(begin)}'
                )
            i, value = match.end(), ""
            if match.group(2):
                value, i = self.attribute_value(i)
            if i >= len(source):
                raise cannot_parse(unclosed)
            argument = _argument(tag, match.group(1).lower(), value) or argument

    def attribute_value(self, i: int) -> tuple[str, int]:
        source = self.source
        if source[i : i + 1] in {'"', "'"}:
            end = source.find(source[i], i + 1)
            end = len(source) if end < 0 else end
            return _REFERENCE.sub(lambda m: _character(m) or m.group(), source[i + 1 : end]), end + 1
        match = _NAME_TOKEN.match(source, i)
        assert match is not None
        following = source[match.end() : match.end() + 1]
        if following and not following.isspace() and following != ">":
            raise cannot_parse(f"Unexpected end of name token at byte offset {self.byte(i)}")
        return match.group().lower(), match.end()

    def end_tag(self, begin: int) -> int:
        at = self.byte(begin)
        if not self.open:
            raise cannot_parse(f"Unexpected end tag at byte offset {at}")
        match = _END_TAG.match(self.source, begin + 1)
        assert match is not None
        if not match.group(2):
            raise cannot_parse(f"Unclosed end tag at byte offset {at}")
        opened, found = self.open.pop(), match.group(1).lower()
        if found and found != opened.tag:
            raise cannot_parse(
                f'Unmatched end tag at byte offset {at}, expected "</{opened.tag}>", found "</{found}>"'
            )
        if self.offset > opened.offset:
            self.close(opened)
        return match.end()

    def close(self, opened: _Open) -> None:
        place = {"offset": opened.offset, "length": self.offset - opened.offset}
        inner = self.entities[-1] if self.entities else {}
        same = (inner.get("offset"), inner.get("length")) == (place["offset"], place["length"])
        if (
            same
            and {opened.tag, inner.get("type")} == {"pre", "code"}
            and (opened.argument or inner.get("language"))
        ):
            language = opened.argument or inner["language"]
            self.entities[-1] = {"type": "pre", **place, "language": language}
        elif entity := make_entity(TAGS[opened.tag], opened.argument, "".join(self.out[opened.start :])):
            self.entities.append({"type": entity.pop("type"), **place, **entity})


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


def _argument(tag: str, name: str, value: str) -> str:
    match tag, name:
        case ("a", "href") | ("tg-emoji", "emoji-id"):
            return value
        case ("code", "class") if value.startswith("language-"):
            return value.removeprefix("language-")
        case ("span", "class") if value.startswith("tg-"):
            return value.removeprefix("tg-")
        case ("blockquote", "expandable"):
            return "expandable"
        case _:
            return ""


def make_entity(kind: str, argument: str, content: str) -> Entity | None:
    """The entity of a tag, without its place; None where Telegram drops it and keeps the plain text."""
    match kind:
        case "text_link":
            return _link(argument or content)
        case "custom_emoji":
            if not argument.isdecimal() or not 0 < int(argument) < 2**63:
                raise cannot_parse("Invalid custom emoji identifier specified")
            return {"type": kind, "custom_emoji_id": argument}
        case "blockquote" if argument:
            return {"type": "expandable_blockquote"}
        case "code" if argument:
            return {"type": "code", "language": argument}
        case "pre" if argument:
            return {"type": "pre", "language": argument}
        case _:
            return {"type": kind}


def _link(url: str) -> Entity | None:
    if url.startswith("tg://user?id="):
        number = parse_qs(urlsplit(url).query).get("id", [""])[0]
        return {"type": "text_mention", "user": {"id": int(number)}} if number.isdecimal() else None
    return {"type": "text_link", "url": fixed} if (fixed := fix_url(url)) else None


def fix_url(url: str) -> str:
    """The address as Telegram keeps it, or "" where it takes it for no address."""
    url = url.strip()
    if url.startswith(("tg://", "ton://")):
        return url
    full = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(full)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or " " in full:
        return ""
    if not ("." in host or host == "localhost"):
        return ""
    return full if parts.path else f"{full}/"


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Telegram's HTML → plain text and entities.

    Raises ApiError (400, "can't parse entities: …") with the byte offset of the fault.
    """
    return _Html(source).done()
