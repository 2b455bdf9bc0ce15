"""The words of the demo's chat page, out of the catalogues, for `bot.demo`, which knows none.

The page fills `{name}` and chooses plural forms itself, so it gets templates: language → key → text, a plural as two
keys, `….one` and `….other`. Imports `i18n`.
"""

from __future__ import annotations

from bot.i18n import speaker
from bot.msg import LANGUAGES, m

TEXTS = frozenset(
    [
        "demo.about",
        "demo.about.anew",
        "demo.about.data",
        "demo.about.what",
        "demo.answers",
        "demo.as",
        "demo.attach",
        "demo.attach.remove",
        "demo.back",
        "demo.beside",
        "demo.block",
        "demo.blocked",
        "demo.bottom",
        "demo.buttons",
        "demo.cancel",
        "demo.chat",
        "demo.choose",
        "demo.choose.help",
        "demo.close",
        "demo.close.chat",
        "demo.commands",
        "demo.copied",
        "demo.copied.not",
        "demo.download",
        "demo.edited",
        "demo.failed",
        "demo.forwarded",
        "demo.inbox",
        "demo.invitation",
        "demo.invitation.open",
        "demo.language",
        "demo.link.ask",
        "demo.link.open",
        "demo.link.other",
        "demo.lost",
        "demo.message.delete",
        "demo.message.edit",
        "demo.message.editing",
        "demo.message.editing.stop",
        "demo.message.more",
        "demo.more",
        "demo.people",
        "demo.people.new",
        "demo.people.none",
        "demo.picture",
        "demo.picture.open",
        "demo.quote.less",
        "demo.quote.more",
        "demo.regained",
        "demo.ribbon",
        "demo.send",
        "demo.spoiler",
        "demo.start",
        "demo.tab",
        "demo.theme.auto",
        "demo.theme.dark",
        "demo.theme.light",
        "demo.title",
        "demo.typing",
        "demo.unblock",
        "demo.webpage.close",
        "demo.what",
        "demo.write",
        "demo.you",
    ]
)
PLURALS = frozenset(
    [
        "demo.commands.found",
        "demo.new",
        "demo.unread",
    ]
)


def page_texts() -> dict[str, dict[str, str]]:
    """The page's words in every language."""
    return {lang: _in_language(lang) for lang in LANGUAGES}


def _in_language(lang: str) -> dict[str, str]:
    say = speaker(lang).template
    texts = {key: say(m(key)) for key in sorted(TEXTS)}
    for key in sorted(PLURALS):
        texts |= {f"{key}.one": say(m(key, n=1)), f"{key}.other": say(m(key, n=2))}
    return texts


def identity_texts() -> dict[str, dict[str, str]]:
    """The words of the demo's identity provider in every language."""
    return {
        lang: {
            "title": speaker(lang).plain(m("demo.identity.title")),
            "warning": speaker(lang).plain(m("demo.identity.warning")),
            "choose": speaker(lang).plain(m("demo.identity.choose")),
            "nobody": speaker(lang).plain(m("demo.identity.nobody")),
        }
        for lang in LANGUAGES
    }


def inbox_texts() -> dict[str, dict[str, str]]:
    """The words of the demo's inbox in every language."""
    return {
        lang: {
            "title": speaker(lang).plain(m("demo.inbox")),
            "warning": speaker(lang).plain(m("demo.inbox.warning")),
            "empty": speaker(lang).plain(m("demo.inbox.empty")),
            "to": speaker(lang).plain(m("demo.inbox.to")),
            "again": speaker(lang).plain(m("demo.inbox.again")),
        }
        for lang in LANGUAGES
    }
