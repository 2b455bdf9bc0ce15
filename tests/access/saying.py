"""The sentence of a refusal, said in every language: a missing text or parameter fails the test that meets it."""

from collections.abc import Callable
from string import Formatter

import pytest
from bot.errors import Refusal
from bot.i18n import speaker
from bot.msg import LANGUAGES, Msg


def said(msg: Msg) -> dict[str, str]:
    texts = {lang: speaker(lang).plain(msg) for lang in LANGUAGES}
    for lang, text in texts.items():
        names = {name for _, name, _, _ in Formatter().parse(speaker(lang).template(msg)) if name}
        assert names == {name for name, _ in msg.params}, f"{lang} {msg.key}: a parameter is not used"
        assert text
    assert len(set(texts.values())) == len(LANGUAGES), f"{msg.key}: the same in two languages"
    return texts


def refused(act: Callable[[], object]) -> Msg:
    """The message with which `act` is refused."""
    with pytest.raises(Refusal) as caught:
        act()
    said(caught.value.msg)
    return caught.value.msg
