"""Names and addresses that people really have, and those that only pretend to be one."""

import unicodedata

import pytest
from bot.access import names
from bot.errors import Invalid
from hypothesis import given
from hypothesis import strategies as st
from tests.access.belgian_names import NAMES, ONE_NAME
from tests.access.saying import refused, said


def test_there_are_two_hundred_names_to_try():
    assert len(NAMES) >= 200
    assert all(len(pair) == 2 for pair in NAMES)


@pytest.mark.parametrize("text", [part for pair in NAMES for part in pair] + ONE_NAME)
def test_a_real_name_stays_as_it_is_written(text):
    assert names.parse_name(text) == text.replace("’", "'")


@pytest.mark.parametrize("text", [part for pair in NAMES for part in pair] + ONE_NAME)
def test_a_real_name_has_a_sort_key_in_plain_letters(text):
    key = names.fold(text)
    assert key
    assert key.isascii()
    assert names.fold(key) == key
    assert names.fold(text.upper()) == names.fold(text.lower())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Van   den\u00a0Berghe ", "Van den Berghe"),
        ("D`Hondt", "D'Hondt"),
        ("Marie‐Louise", "Marie-Louise"),
        ("Marie – Louise", "Marie - Louise"),
        (unicodedata.normalize("NFD", "Hélène"), "Hélène"),
    ],
)
def test_spaces_apostrophes_and_hyphens_become_the_plain_ones(text, name):
    assert names.parse_name(text) == name


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "name.empty"),
        ("  \n", "name.empty"),
        ("x" * 65, "name.too_long"),
        ("Peeters 2", "name.digits"),
        ("Peeters²", "name.digits"),
        ("Jan Ⅳ", "name.digits"),
        ("79.08.23-997.28", "name.digits"),
        ("Pe\u200beters", "name.invisible"),
        ("\u202eretteP", "name.invisible"),
        ("Peeters\x07", "name.invisible"),
        ("\ufeffPeeters", "name.invisible"),
        ("Pеeters", "name.lookalike"),  # a Cyrillic е
        ("Οliver", "name.lookalike"),  # a Greek Ο
        ("Ｐeeters", "name.lookalike"),
        ("Pɑul", "name.lookalike"),  # a phonetic ɑ
        ("𝐉an", "name.lookalike"),
        ("Jaȵ", "name.lookalike"),
        ("Janǃ", "name.lookalike"),  # a click, not an exclamation mark
        ("Иванов", "name.script"),
        ("李伟", "name.script"),
        ('<a href="tg://user?id=1">x</a>', "name.digits"),
        ("<b>Jan</b>", "name.signs"),
        ("Jan & Co", "name.signs"),
        ("Jan; Piet", "name.signs"),
        ("jan_p", "name.signs"),
        ("Jan 🙂", "name.signs"),
        ("=cmd", "name.signs"),
        ("-", "name.signs"),
        ("Z\u0335\u0321algo", "name.signs"),
    ],
)
def test_what_cannot_be_a_name_is_refused_with_its_reason(text, key):
    assert refused(lambda: names.parse_name(text)).key == key


def test_a_refused_sign_is_named():
    assert said(refused(lambda: names.parse_name("Jan & Co")))["fr"].startswith(
        "Le signe «\u00a0&\u00a0» ne peut pas"
    )


@pytest.mark.parametrize("title", ["Dr.", "Prof. dr.", "M.", "Mme", "Ir."])
def test_a_title_is_taken(title):
    assert names.parse_title(title) == title


@pytest.mark.parametrize(
    ("title", "key"), [("x" * 17, "title.too_long"), ("", "name.empty"), ("Dr. 2", "name.digits")]
)
def test_what_cannot_be_a_title_is_refused(title, key):
    assert refused(lambda: names.parse_title(title)).key == key


@given(st.text(max_size=80))
def test_an_accepted_name_is_stable_visible_and_latin(text):
    try:
        name = names.parse_name(text)
    except Invalid:
        return
    assert names.parse_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert not any(unicodedata.category(char)[0] in "CN" for char in name)
    assert names.fold(name).isascii()


def test_names_that_differ_only_in_accents_and_marks_are_found_alike():
    assert names.fold("D’Hœst-Straße") == names.fold("dhoest strasse") == "dhoest strasse"
    assert names.tokens("Van den Berghe-Müller") == ("van", "den", "berghe", "muller")
    assert names.fold("Łukasz Ødegård") == "lukasz odegard"


def test_a_text_without_latin_letters_still_has_a_key():
    assert names.fold("ИВАНОВ") == "иванов"


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert names.fold(names.fold(text)) == names.fold(text)


@pytest.mark.parametrize(
    ("last", "first", "shown"), [("Peeters", "Jan", "Peeters Jan"), ("Suharto", "", "Suharto")]
)
def test_a_person_is_shown_with_the_last_name_first(last, first, shown):
    assert names.display_name(last, first) == shown


# ── e-mail ──


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("jan.peeters@example.org", "jan.peeters@example.org"),
        (" Jan.Peeters@Example.ORG ", "Jan.Peeters@example.org"),
        ("o'neill+tag@sub.hospital.be", "o'neill+tag@sub.hospital.be"),
        ("info@müller.de", "info@müller.de"),
        ("info@xn--mller-kva.de", "info@xn--mller-kva.de"),
        ("jörg@example.org", "jörg@example.org"),
        ("a@пример.рф", "a@пример.рф"),
    ],
)
def test_an_address_is_taken_with_its_domain_in_lower_case(text, address):
    assert names.parse_email(text) == address


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "email.at"),
        ("jan.peeters", "email.at"),
        ("jan@peeters@example.org", "email.at"),
        ("jan peeters@example.org", "email.space"),
        ("a@example.org b@example.org", "email.space"),
        ("jan@example", "email.domain"),
        ("jan@", "email.domain"),
        ("jan@.org", "email.domain"),
        ("jan@example..org", "email.domain"),
        ("jan@-example.org", "email.domain"),
        ("jan@127.0.0.1", "email.domain"),
        ("jan@example.o", "email.domain"),
        (f"jan@{'x' * 64}.org", "email.domain"),
        ("@example.org", "email.invalid"),
        (".jan@example.org", "email.invalid"),
        ("jan..p@example.org", "email.invalid"),
        ("<jan@example.org", "email.invalid"),
        ("j\u200ban@example.org", "email.invalid"),
        (f"{'x' * 65}@example.org", "email.invalid"),
        (f"jan@{'x.' * 130}org", "email.too_long"),
        ("jan@еxample.org", "email.lookalike"),  # a Cyrillic е
    ],
)
def test_what_cannot_be_an_address_is_refused_with_its_reason(text, key):
    assert refused(lambda: names.parse_email(text)).key == key


@given(st.text(max_size=40), st.text(max_size=20))
def test_no_text_breaks_the_address_reader(local, domain):
    try:
        address = names.parse_email(f"{local}@{domain}")
    except Invalid:
        return
    assert names.parse_email(address) == address
