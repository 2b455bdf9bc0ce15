"""The words of the demo's chat page: all that it asks for, in each language, and none besides."""

from __future__ import annotations

import re

import pytest
from bot.demo.server import PAGE
from bot.demo.testing import running_server
from bot.demotexts import PLURALS, TEXTS, page_texts
from bot.msg import LANGUAGES

SOURCE = "\n".join(path.read_text("utf-8") for path in sorted(PAGE.glob("*.js")))


def test_the_page_uses_every_text_that_it_is_given_and_no_other():
    assert set(re.findall(r'"(demo\.[a-z_.]+)"', SOURCE)) == TEXTS | PLURALS


def test_texts_with_a_plural_are_asked_for_with_their_count_and_others_without():
    assert set(re.findall(r't\.count\("(demo\.[a-z_.]+)"', SOURCE)) == PLURALS


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_language_has_all_of_them(lang):
    forms = {f"{key}.{form}" for key in PLURALS for form in ("one", "other")}
    texts = page_texts()[lang]
    assert set(texts) == TEXTS | forms
    assert [key for key in sorted(forms) if "{n}" not in texts[key]] == []


def test_the_server_gives_the_page_its_words():
    with running_server(texts=page_texts()) as server:
        assert server.http.get("/client/texts").json() == page_texts()


def test_no_file_of_the_page_is_too_long_to_read():
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in PAGE.iterdir()}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
