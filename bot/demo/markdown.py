"""MarkdownV2 and the older Markdown as Telegram takes them: plain text and entities out.

Follows TDLib's `MessageEntity.cpp`, with its error texts and byte offsets. Imports `entities` only.
"""

from __future__ import annotations

import re

from bot.demo.entities import Entity, cannot_parse, fix_url, make_entity, utf16

RESERVED = "_*[]()~`>#+-=|{}.!"
_KINDS = {
    "*": ("bold", "Bold"),
    "_": ("italic", "Italic"),
    "__": ("underline", "Underline"),
    "~": ("strikethrough", "Strikethrough"),
    "||": ("spoiler", "Spoiler"),
    "`": ("code", "Code"),
    "```": ("pre", "Pre"),
    "[": ("text_link", "TextUrl"),
    "![": ("custom_emoji", "CustomEmoji"),
}
_LANGUAGE = re.compile(r"[A-Za-z0-9+#.\-]+(?=\n)")
_OLD_MARKS = {"*": "bold", "_": "italic", "`": "code"}


class _MarkdownV2:
    """One parse: `open` holds (mark, UTF-16 offset, byte offset of the mark, index in `out`, language)."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.out: list[str] = []
        self.offset = 0
        self.open: list[tuple[str, int, int, int, str]] = []
        self.entities: list[Entity] = []
        self.quote: tuple[int, int] | None = None

    def byte(self, position: int) -> int:
        return len(self.source[:position].encode())

    def put(self, text: str) -> None:
        self.out.append(text)
        self.offset += utf16(text)

    def done(self) -> tuple[str, list[Entity]]:
        i = 0
        while i < len(self.source):
            i = self.one(i)
        if self.open:
            mark, _, at, _, _ = self.open[-1]
            raise cannot_parse(f"Can't find end of {_KINDS[mark][1]} entity at byte offset {at}")
        self.end_quote()
        return "".join(self.out), sorted(
            self.entities, key=lambda entity: (entity["offset"], -entity["length"])
        )

    def one(self, i: int) -> int:
        """Takes what stands at `i`; gives where to go on."""
        source, char = self.source, self.source[i]
        inside = self.open[-1][0] if self.open else ""
        if char == "\\" and i + 1 < len(source) and 0 < ord(source[i + 1]) <= 126:
            self.put(source[i + 1])
            return i + 2
        if inside in {"`", "```"} and not source.startswith(inside, i):
            self.put(char)
            return i + 1
        if char == ">" and (i == 0 or source[i - 1] == "\n") and not self.open:
            self.quote = self.quote or (self.offset, len(self.out))
            return i + 1
        if char == "\n" and self.quote and not source.startswith(">", i + 1):
            self.end_quote()
        if char == "]" and inside in {"[", "!["}:
            return self.close_link(i)
        if mark := self.mark_at(i):
            return self.close(i, mark) if mark == inside else self.begin(i, mark)
        if char in RESERVED:
            raise cannot_parse(f"Character '{char}' is reserved and must be escaped with the preceding '\\'")
        self.put(char)
        return i + 1

    def end_quote(self) -> None:
        if self.quote and self.offset > self.quote[0]:
            start, _ = self.quote
            self.entities.append({"type": "blockquote", "offset": start, "length": self.offset - start})
        self.quote = None

    def mark_at(self, i: int) -> str:
        return next(
            (
                mark
                for mark in ("```", "__", "||", "![", "*", "_", "~", "`", "[")
                if self.source.startswith(mark, i)
            ),
            "",
        )

    def begin(self, i: int, mark: str) -> int:
        language, end = "", i + len(mark)
        if mark == "```":
            if match := _LANGUAGE.match(self.source, end):
                language, end = match.group(), match.end()
            if self.source.startswith("\n", end):
                end += 1
        self.open.append((mark, self.offset, self.byte(i), len(self.out), language))
        return end

    def close(self, i: int, mark: str) -> int:
        _, offset, _, index, argument = self.open.pop()
        self.add(_KINDS[mark][0], argument, offset, "".join(self.out[index:]))
        return i + len(mark)

    def close_link(self, i: int) -> int:
        mark, offset, at, index, _ = self.open.pop()
        content, target, end = "".join(self.out[index:]), "", i + 1
        if self.source.startswith("(", end):
            found = re.compile(r"\(((?:\\.|[^)\\])*)\)", re.DOTALL).match(self.source, end)
            if found is None:
                raise cannot_parse(f"Can't find end of a URL at byte offset {self.byte(end)}")
            target, end = re.sub(r"\\(.)", r"\1", found.group(1)), found.end()
        if mark == "![":
            target = target.removeprefix("tg://emoji?id=")
            if not target:
                raise cannot_parse(f"Custom emoji entity must contain a tg://emoji URL at byte offset {at}")
        self.add(_KINDS[mark][0], target, offset, content)
        return end

    def add(self, kind: str, argument: str, offset: int, content: str) -> None:
        if self.offset > offset and (entity := make_entity(kind, argument, content)):
            self.entities.append(
                {"type": entity.pop("type"), "offset": offset, "length": self.offset - offset, **entity}
            )


def parse_markdown_v2(source: str) -> tuple[str, list[Entity]]:
    """MarkdownV2 → plain text and entities. Raises ApiError (400, "can't parse entities: …")."""
    return _MarkdownV2(source).done()


def parse_markdown(source: str) -> tuple[str, list[Entity]]:
    """The older Markdown, which does not nest → plain text and entities. Raises ApiError."""
    out: list[str] = []
    entities: list[Entity] = []
    offset = i = 0
    while i < len(source):
        char = source[i]
        if char == "\\" and source[i + 1 : i + 2] in {"_", "*", "`", "["}:
            content, kind, argument, end = source[i + 1], "", "", i + 2
        elif char in _OLD_MARKS or char == "[":
            kind, content, argument, end = _old_entity(source, i)
        else:
            content, kind, argument, end = char, "", "", i + 1
        length = utf16(content)
        if kind and length and not (kind == "text_link" and not fix_url(argument)):
            entity = make_entity(kind, argument, content) or {}
            entities.append({"type": kind, "offset": offset, "length": length, **entity})
        out.append(content)
        offset, i = offset + length, end
    return "".join(out), entities


def _old_entity(source: str, i: int) -> tuple[str, str, str, int]:
    """The entity that begins at `i`: its type, content, argument, and where it ends."""
    mark = "```" if source.startswith("```", i) else source[i]
    closing = "]" if mark == "[" else mark
    end = source.find(closing, i + len(mark))
    if end < 0:
        raise cannot_parse(f"Can't find end of the entity starting at byte offset {len(source[:i].encode())}")
    content, after = source[i + len(mark) : end], end + len(closing)
    if mark == "```":
        return "pre", content.removeprefix("\n"), "", after
    if mark != "[":
        return _OLD_MARKS[mark], content, "", after
    if source.startswith("(", after) and (close := source.find(")", after)) > 0:
        return "text_link", content, source[after + 1 : close], close + 1
    return "", content, "", after
