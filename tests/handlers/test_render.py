from html.parser import HTMLParser

import pytest
from bot.conversations.model import Button, Command, CopyText, Door, Link, Press, Tap, View
from bot.handlers.callbacks import Codes
from bot.handlers.render import TEXT_LIMIT, label_faults, render, shorten, units
from bot.msg import LANGUAGES, Texts, m
from hypothesis import given
from hypothesis import strategies as st

CODES = Codes([b"k" * 32])
CHAT = 5_000_000_001


def draw(view, lang="fr", rev=3):
    return render(view, lang=lang, chat_id=CHAT, rev=rev, codes=CODES)


def press(label, mark=""):
    return Button(label, Press("pick", "1"), mark)


class Balance(HTMLParser):
    """Fails on a tag that is closed wrongly, or not at all."""

    def __init__(self, html):
        super().__init__()
        self.open = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag in {"b", "i", "code"}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_card_reads_from_title_to_last_line():
    view = View(
        title=m("command.grant"),
        subject=Texts(fr="Hôpitaux du Midi"),
        step=(2, None),
        error=m("command.back"),
        notes=(m("command.me"),),
        body=("Un.", "Deux."),
        facts=((m("command.status"), "actif"), ("Fin", "31-12-2026")),
        after=("Fini.",),
    )
    assert draw(view).text == (
        "<b>Donner un accès · Hôpitaux du Midi</b>\n<i>étape 2</i>\n\n"
        "Mes propres accès\n\n"
        "Un.\n\nDeux.\n\n"
        "État des accès\u00a0: un nom, un numéro, ou tout\u00a0: actif\nFin\u00a0: 31-12-2026\n\n"
        "Fini.\n\n"
        "⚠ Revenir à l'étape précédente"
    )


def test_lines_of_a_list_stand_close_and_groups_and_sentences_apart():
    group = m("card.fact", label="a", value="b")
    body = ("Pour quelle entité ?", "1  Midi", "2  Aube", "x" * 81, "3  Quai", group, "Une phrase.", "4  Fin")
    assert draw(View(body=body)).text == (
        "Pour quelle entité ?\n\n1  Midi\n2  Aube\n\n"
        + "x" * 81
        + "\n\n3  Quai\na\u00a0: b\n\nUne phrase.\n\n4  Fin"
    )


@pytest.mark.parametrize(
    ("lang", "step"),
    [("fr", "étape 2 sur 5"), ("nl", "stap 2 van 5"), ("de", "Schritt 2 von 5"), ("en", "step 2 of 5")],
)
def test_the_step_shows_the_total_once_it_is_certain(lang, step):
    assert draw(View(title="X", step=(2, 5)), lang).text == f"<b>X</b>\n<i>{step}</i>"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_markup_in_a_name_is_shown_literally(lang):
    name = '<a href="tg://user?id=1">x</a> & <b>'
    view = View(
        title=name,
        subject=Texts(nl=name),
        body=(name,),
        facts=((name, name),),
        after=(m("card.fact", label=name, value=name),),
    )
    drawn = draw(view, lang)
    assert "<a" not in drawn.text
    assert drawn.plain.count(name) == 7
    assert units(drawn.plain) == drawn.length
    Balance(drawn.text)


def test_lengths_are_counted_in_utf_16_units_after_parsing():
    drawn = draw(View(title="🟢", body=("a<b",)))
    assert (drawn.length, drawn.plain) == (7, "🟢\n\na<b")


def test_a_text_at_the_limit_is_left_whole():
    drawn = draw(View(body=("x" * TEXT_LIMIT,)))
    assert drawn.text == "x" * TEXT_LIMIT


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_text_over_the_limit_is_cut_at_a_whole_line_and_says_so(lang):
    lines = tuple((f"{number:03} <&🟢 ", "é" * 40) for number in range(200))
    view = View(title="T", facts=lines, rows=((press("Suite"),),))
    drawn = draw(view, lang)
    *kept, last = drawn.plain.split("\n")
    assert drawn.length <= TEXT_LIMIT
    assert last == render(View(body=(m("card.cut"),)), lang=lang, chat_id=CHAT, rev=1, codes=CODES).text
    assert kept[-1].endswith("é" * 40)
    assert len(drawn.keyboard) == 1
    assert drawn.length > TEXT_LIMIT - 120


@given(st.lists(st.text(st.sampled_from("ab<&>🟢\n é"), max_size=900), min_size=1, max_size=30))
def test_no_cut_ever_breaks_markup_or_the_limit(paragraphs):
    drawn = draw(View(title="T" * 20, body=tuple(paragraphs), facts=(("x" * 3000, "y" * 900),)))
    assert drawn.length <= TEXT_LIMIT
    Balance(drawn.text)


def test_one_endless_line_is_cut_within_and_its_tags_closed():
    drawn = draw(View(title="🟢" * 3000))
    assert drawn.text.startswith("<b>🟢")
    assert TEXT_LIMIT - 50 < drawn.length <= TEXT_LIMIT
    Balance(drawn.text)


def test_every_kind_of_button_becomes_what_telegram_takes():
    view = View(
        title="T",
        rows=(
            (press("Oui", "☑"), Button("Non", Door("grant", "x"))),
            (Button("Portail", Link("https://example.org/")), Button("N°", CopyText("2026-000123"), "📋")),
        ),
    )
    (yes, no), (link, copy) = draw(view, rev=9).keyboard
    assert (yes["text"], CODES.decode(CHAT, yes["callback_data"])) == ("☑ Oui", Tap(9, "pick", "1"))
    assert (no["text"], CODES.decode(CHAT, no["callback_data"])) == ("Non", Command("grant", "x"))
    assert link == {"text": "Portail", "url": "https://example.org/"}
    assert copy == {"text": "📋 N°", "copy_text": {"text": "2026-000123"}}


@pytest.mark.parametrize(("in_row", "limit"), [(1, 34), (2, 15), (3, 14), (7, 4)])
def test_names_are_shortened_to_their_share_of_the_row(in_row, limit):
    name = "Vandenbroucke-Vanhaverbeke Maximiliaan · Cardiologie"
    row = tuple(press(name, "☑") for _ in range(in_row))
    (texts,) = [[button["text"] for button in drawn] for drawn in draw(View(title="T", rows=(row,))).keyboard]
    for text in texts:
        assert text.startswith("☑ V")
        assert text.endswith("…")
        assert units(text.removeprefix("☑ ")) <= limit


def test_a_name_within_a_sentence_of_ours_is_shortened_too():
    view = View(title="T", rows=((press(m("card.fact", label="Reprendre", value="x" * 60)),),))
    assert units(draw(view).keyboard[0][0]["text"]) == 34


def test_an_empty_cell_still_has_a_text():
    assert draw(View(title="T", rows=((press("", "‹"), press(" ")),))).keyboard[0][0]["text"] == "‹"
    assert draw(View(title="T", rows=((press(" "),),))).keyboard[0][0]["text"] == "·"


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Peeters", 7, "Peeters"),
        ("Peeters Jan", 8, "Peeters…"),
        ("Peeters Jan", 9, "Peeters…"),
        ("🟢🟢🟢", 5, "🟢🟢…"),
        ("🟢🟢🟢", 4, "🟢…"),
        ("ae\u0301bc", 3, "a…"),
        ("👩\u200d⚕\ufe0f abc", 4, "…"),
    ],
)
def test_shortening_keeps_whole_letters(text, limit, short):
    assert shorten(text, limit) == short


def test_our_own_label_that_does_not_fit_is_a_fault_and_a_long_name_is_none():
    long = m("command.status")
    assert label_faults(View(rows=((press(long), press("x" * 80)),)), "fr") == (
        "fr: 'État des accès\\xa0: un nom, un numéro, ou tout' has 43 units, 15 fit in a row of 2",
    )
    assert label_faults(View(rows=((press(m("command.home")), press("x" * 80)),)), "fr") == ()
    assert label_faults(View(rows=((press(m("card.fact", label="x" * 40, value="y" * 40)),),)), "fr") == ()
