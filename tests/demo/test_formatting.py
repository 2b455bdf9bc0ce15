"""Markup in, plain text and entities out; offsets in UTF-16 units."""

import pytest
from bot.demo.entities import utf16, utf16_slice
from bot.demo.errors import ApiError
from bot.demo.formatting import detected, formatted
from hypothesis import given
from hypothesis import strategies as st

HTML = [
    ("<b>é😀</b> x", "é😀 x", [("bold", 0, 3)]),
    ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
    ("<u>a</u><s>b</s><ins>c</ins><del>d</del><strike>e</strike>", "abcde", [("underline", 0, 1), ("strikethrough", 1, 1), ("underline", 2, 1), ("strikethrough", 3, 1), ("strikethrough", 4, 1)]),
    ("<strong>a</strong><em>b</em>", "ab", [("bold", 0, 1), ("italic", 1, 1)]),
    ('<tg-spoiler>a</tg-spoiler><span class="tg-spoiler">b</span>', "ab", [("spoiler", 0, 1), ("spoiler", 1, 1)]),
    ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", 0, 1)]),
    ('<pre><code class="language-python">x = 1</code></pre>', "x = 1", [("pre", 0, 5)]),
    ("<code>79.08.23-997.28</code>", "79.08.23-997.28", [("code", 0, 15)]),
    ('<a href="https://example.be/a?b=1&amp;c=2">link</a>', "link", [("text_link", 0, 4)]),
    ('<a href="nothing at all">link</a>', "link", []),
    ("&lt;b&gt; &amp; &#233; &#x1F600; &euro; &", "<b> & é 😀 &euro; &", []),
    ("  <b> a </b>  ", "a", [("bold", 0, 1)]),
    ("<B>a</B>", "a", [("bold", 0, 1)]),
    ("<b></b>a", "a", []),
    ('<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>', "👍", [("custom_emoji", 0, 2)]),
]  # fmt: skip
MARKDOWN_V2 = [
    ("*b* _i_ __u__ ~s~ ||p|| `c`", "b i u s p c", [("bold", 0, 1), ("italic", 2, 1), ("underline", 4, 1), ("strikethrough", 6, 1), ("spoiler", 8, 1), ("code", 10, 1)]),
    ("*a _b_*", "a b", [("bold", 0, 3), ("italic", 2, 1)]),
    ("[x](https://example.be/a\\)b)", "x", [("text_link", 0, 1)]),
    ("```py\nx\n```", "x", [("pre", 0, 1)]),
    ("`a.b!c`", "a.b!c", [("code", 0, 5)]),
    ("1\\. \\*", "1. *", []),
    (">a\n>b\nc", "a\nb\nc", [("blockquote", 0, 3)]),
]  # fmt: skip
MARKDOWN = [
    (
        "*b* _i_ `c` [x](https://example.be)",
        "b i c x",
        [("bold", 0, 1), ("italic", 2, 1), ("code", 4, 1), ("text_link", 6, 1)],
    ),
    ("a\\_b", "a_b", []),
]


def places(entities):
    return [(entity["type"], entity["offset"], entity["length"]) for entity in entities]


@pytest.mark.parametrize(("source", "text", "entities"), HTML)
def test_html_becomes_text_and_entities(source, text, entities):
    plain, found = formatted(source, "HTML", None)

    assert (text, entities) == (plain, places(found))


@pytest.mark.parametrize(("source", "text", "entities"), MARKDOWN_V2)
def test_markdown_v2_becomes_text_and_entities(source, text, entities):
    plain, found = formatted(source, "MarkdownV2", None)

    assert (text, entities) == (plain, places(found))


@pytest.mark.parametrize(("source", "text", "entities"), MARKDOWN)
def test_the_older_markdown_becomes_text_and_entities(source, text, entities):
    plain, found = formatted(source, "Markdown", None)

    assert (text, entities) == (plain, places(found))


WRONG = [
    ("<b", "Unclosed start tag at byte offset 0"),
    ('<a href="x', 'Unclosed start tag "a" at byte offset 0'),
    ("<a =x>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
    ("<a href=x!y>y</a>", "Unexpected end of name token at byte offset 8"),
    ("<b>x</b", "Unclosed end tag at byte offset 4"),
    ('<span class="red">x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ('<tg-emoji emoji-id="9999999999999999999">x</tg-emoji>', "Invalid custom emoji identifier specified"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "why"), WRONG)
def test_wrong_html_is_refused_with_its_place(source, why):
    with pytest.raises(ApiError) as refusal:
        formatted(source, "HTML", None)

    assert refusal.value.description == f"Bad Request: can't parse entities: {why}"


FOUND = [
    ("/start abc", [("bot_command", 0, 6)]),
    ("x/start", []),
    ("é😀 see https://example.be/a.", [("url", 8, 20)]),
    ("write to a.b@example.be", [("email", 9, 14)]),
    ("@someone and #tag", [("mention", 0, 8), ("hashtag", 13, 4)]),
    ("79.08.23-997.28 and 25.2.", []),
]


@pytest.mark.parametrize(("text", "entities"), FOUND)
def test_telegram_marks_commands_and_addresses_by_itself(text, entities):
    assert entities == places(detected(text, []))


def test_nothing_is_marked_inside_code():
    assert detected("/start", [{"type": "code", "offset": 0, "length": 6}]) == []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_comes_back_as_it_was(text):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    expected = "".join(" " if ord(char) < 32 and char != "\n" else char for char in text).strip(" \n")
    if not expected or utf16(expected) > 4096:
        return

    assert expected == formatted(escaped, "HTML", None)[0]


@given(st.text("aé😀 ", min_size=1), st.text("aé😀", min_size=1), st.text("aé😀 "))
def test_an_entity_covers_what_the_tag_enclosed(before, inside, after):
    plain, found = formatted(f"{before}<code>{inside}</code>{after}", "HTML", None)

    assert inside == utf16_slice(plain, found[0]["offset"], found[0]["length"])
