"""The vectors of domain.md 4.5, and what must hold for every number."""

import dataclasses
from datetime import date

import pytest
from bot.access import identifiers as ids
from bot.errors import Invalid
from hypothesis import given
from hypothesis import strategies as st
from stdnum.be import ssn
from tests.access.saying import refused, said
from tests.strategies import TODAY, card, future_niss, niss_digits, typed, valid_niss

VALID = [
    "79.08.23-997.28",
    "64.11.17-998.10",
    "03.03.12-997.85",
    "04.06.19-998.42",
    "01.09.22-997.08",
    "79.28.23-998.70",
    "79.48.23-997.17",
    "04.46.19-998.31",
    "62.00.00-997.14",
    "62.07.00-998.62",
    "00.00.01-997.40",
    "00.00.01-997.69",
    "71.20.00-998.51",
    "71.40.00-997.95",
    "80013107897",
    "04061999813",  # 1904, though 2004 was likely meant
]

INVALID = [
    ("79082499728", "niss.check"),
    ("79028399728", "niss.date"),  # two digits swapped: no month has 83 days
    ("7908239972", "niss.length"),
    ("790823997280", "niss.length"),
    ("", "niss.length"),
    ("79O82399728", "niss.letters"),
    ("79.08.23-997.2?", "niss.letters"),
    ("Peeters", "niss.letters"),
    ("79132399763", "niss.month"),
    ("79332399709", "niss.month"),
    ("79532399752", "niss.month"),
    ("00000000000", "niss.counter"),
    ("11111111111", "niss.check"),
    ("80013107800", "niss.check"),
    ("79083299749", "niss.date"),
    ("79023099767", "niss.date"),
    ("79082300055", "niss.counter"),
    ("79082399926", "niss.counter"),
    ("26123199889", "niss.future"),
]


@pytest.mark.parametrize("number", VALID)
def test_a_valid_niss_is_taken_and_reads_back_as_on_the_card(number):
    niss = ids.parse_niss(number, today=TODAY)
    assert niss.digits == "".join(filter(str.isdigit, number))
    assert niss.formatted == card(niss.digits)


@pytest.mark.parametrize(("number", "key"), INVALID)
def test_each_fault_of_a_niss_has_its_own_sentence(number, key):
    assert refused(lambda: ids.parse_niss(number, today=TODAY)).key == key


def test_the_wrong_length_is_counted():
    msg = refused(lambda: ids.parse_niss("7908239972", today=TODAY))
    assert (
        said(msg)["fr"]
        == "Un NISS compte 11 chiffres\u00a0; il y en a 10. Par exemple\u00a0: 79.08.23-997.28."
    )
    assert said(msg)["nl"] == "Een INSZ telt 11 cijfers; dit zijn er 10. Bijvoorbeeld: 79.08.23-997.28."


@pytest.mark.parametrize(
    "text",
    [
        "７９.０８.２３-９９７.２８",
        "٧٩٠٨٢٣٩٩٧٢٨",
        "79/08/23 997/28",
        "79\u00a008\u00a023\u202f997\u202f28",
        "79–08–23—997−28",
        "79'08'23’997.28",
        " 790823 99728\n",
        "79\u200b0823\u200e99728",
        "NISS : 79.08.23-997.28",
        "insz 79.08.23-997.28",
        "NISS n° 79082399728",
        "79.08.23-997.28.",
    ],
)
def test_any_digits_and_any_separators_are_understood(text):
    assert ids.parse_niss(text, today=TODAY).digits == "79082399728"


@pytest.mark.parametrize("text", ["7908239972²", "79082399728x", "79①823997280"])
def test_signs_that_only_resemble_digits_are_refused(text):
    assert refused(lambda: ids.parse_niss(text, today=TODAY)).key == "niss.letters"


def test_a_birth_is_future_until_its_day_has_come():
    number = niss_digits(date(2026, 12, 31), 998)
    assert number == "26123199889"
    assert refused(lambda: ids.parse_niss(number, today=date(2026, 12, 30))).key == "niss.future"
    assert ids.parse_niss(number, today=date(2026, 12, 31)).digits == number


def test_the_same_nine_digits_may_belong_to_1926():
    nine = "261231998"
    twin = f"{nine}{97 - int(nine) % 97:02d}"
    assert ids.parse_niss(twin, today=TODAY).digits == twin


def test_29_february_stands_only_in_the_leap_year_that_the_check_digits_tell():
    assert ids.parse_niss(niss_digits(date(2000, 2, 29)), today=TODAY)
    nine = "000229997"  # 1900 had no such day
    assert refused(lambda: ids.parse_niss(f"{nine}{97 - int(nine) % 97:02d}", today=TODAY)).key == "niss.date"


def test_a_bis_number_says_so():
    assert [
        ids.parse_niss(n, today=TODAY).is_bis
        for n in ("79.28.23-998.70", "04.46.19-998.31", "79.08.23-997.28")
    ] == [
        True,
        True,
        False,
    ]


def test_a_niss_shows_only_its_check_digits_wherever_it_lands():
    niss = ids.parse_niss("79.08.23-997.28", today=TODAY)
    shown = [repr(niss), str(niss), f"{niss}", f"{niss!r}", f"{[niss]}", niss.masked]
    assert niss.masked == "••.••.••-•••.28"
    assert not any("79" in text or "997" in text or "08" in text for text in shown)


def test_a_niss_says_nothing_of_sex_or_age():
    names = {name for name in dir(ids.Niss) if not name.startswith("_")}
    assert names == {"digits", "masked", "formatted", "is_bis"}


def test_what_is_not_eleven_digits_cannot_be_a_niss_and_the_error_does_not_tell_it():
    with pytest.raises(ValueError, match="11 digits") as caught:
        ids.Niss("7908239972")
    assert "790" not in str(caught.value)
    with pytest.raises(dataclasses.FrozenInstanceError):
        ids.parse_niss("79.08.23-997.28", today=TODAY).digits = "0"


@given(typed())
def test_every_valid_number_is_taken_however_it_is_typed(pair):
    digits, text = pair
    assert ids.parse_niss(text, today=TODAY).digits == digits


@given(valid_niss, st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(digits, place, by):
    wrong = digits[:place] + str((int(digits[place]) + by) % 10) + digits[place + 1 :]
    try:
        found = ids.parse_niss(wrong, today=TODAY)
    except Invalid:
        return
    # 97 finds each single error within a century; only a number of the other century can pass, and it must be
    # one that the check digits really make
    assert ids._century(found.digits) != ids._century(digits)


@given(future_niss)
def test_no_future_birth_passes(digits):
    with pytest.raises(Invalid) as caught:
        ids.parse_niss(digits, today=TODAY)
    assert caught.value.msg.key == "niss.future"


@given(st.from_regex(r"[0-9]{11}", fullmatch=True))
def test_whatever_we_take_the_library_takes_too(digits):
    if ids._niss_fault(digits, TODAY) is None:
        assert ssn.is_valid(digits)


@given(st.text())
def test_no_text_breaks_the_parser_and_no_sentence_repeats_it(text):
    refusals = []
    try:
        ids.parse_niss(text, today=TODAY)
    except Invalid as refusal:
        refusals.append(refusal)
    assert all({name for name, _ in refusal.msg.params} <= {"count"} for refusal in refusals)
    assert all(str(refusal) == refusal.msg.key for refusal in refusals)


# ── in free text ──


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Colindos pour 01.09.22-997.08 comme collaborateur", ["01.09.22-997.08"]),
        ("79082399728", ["79082399728"]),
        ("12 79.08.23-997.28, 64.11.17-998.10", ["79.08.23-997.28", "64.11.17-998.10"]),
        ("x79082399728y", ["79082399728"]),
        ("７９.０８.２３-９９７.２８", ["７９.０８.２３-９９７.２８"]),
        ("790823997289", ["79082399728"]),
        ("7908 2399 728", ["7908 2399 728"]),
        ("le 25-02-2027 et le 25-03-2027", []),
        ("appelez le +32 479 08 23 99", []),
        ("2026-000123", []),
        ("710999-11, 0200.000.043", []),
        ("Peeters Jan", []),
        ("", []),
    ],
)
def test_a_valid_number_is_found_in_any_text(text, found):
    assert [text[start:end] for start, end in ids.find_niss_spans(text, today=TODAY)] == found
    assert ids.contains_niss(text, today=TODAY) == bool(found)


@given(
    typed(),
    st.sampled_from(["", "Colindos pour ", "12 rue, ", "n° "]),
    st.sampled_from(["", " svp", ", dès lundi", "."]),
)
def test_a_typed_number_is_found_between_any_words(pair, before, after):
    assert ids.contains_niss(before + pair[1] + after, today=TODAY)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("01.09.22-997.80", True),
        ("7908239972", True),
        ("790823997280", True),
        ("79O82399728", True),
        ("NISS 79.08.23-997.2", True),
        ("Colindos pour 01.09.22-997.80", True),
        ("Delcourt Anne", False),
        ("25-02-2027", False),
        ("2026-000123", False),
        ("710999-11", False),
        ("0200.000.043", False),
        ("+32 470 12 34 56", False),
        ("1, 3", False),
        ("", False),
    ],
)
def test_a_mistyped_number_is_told_from_other_answers(text, meant):
    assert ids.looks_like_niss(text) == meant


# ── INAMI, enterprise, establishment ──


@pytest.mark.parametrize("text", ["710999-11", "71099911", "710999 11", "710999-11-000", "７１０９９９-１１"])
def test_an_institutions_number_is_kept_as_eight_digits(text):
    assert ids.parse_nihii_institution(text) == "71099911"


@pytest.mark.parametrize("number", ["710999-11", "719998-33", "720999-02", "199917-97"])
def test_an_institutions_number_reads_back_as_it_is_written(number):
    assert ids.format_nihii_institution(ids.parse_nihii_institution(number)) == number


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("710999-12", "nihii.check"),
        ("710989-11", "nihii.check"),
        ("71099911123456", "nihii.length"),
        ("7109991", "nihii.length"),
        ("710999-11-001", "nihii.length"),
        ("199998-00", "nihii.check"),
        ("199998-74", "nihii.check"),  # modulus 89 is for professionals
        ("71099X-11", "nihii.letters"),
    ],
)
def test_a_wrong_institutions_number_is_explained(text, key):
    assert refused(lambda: ids.parse_nihii_institution(text)).key == key


@pytest.mark.parametrize(
    ("number", "noted"),
    [
        ("1-99998-16-004", False),
        ("1-99998-74-004", False),
        ("1-99983-89-004", False),
        ("1-99998-32-004", True),
        ("1-99998-30-004", True),
    ],
)
def test_a_professionals_number_may_follow_any_of_four_moduli(number, noted):
    found = ids.parse_nihii_professional(number)
    assert ids.format_nihii_professional(found.digits) == number
    assert found.base == found.digits[:8]
    assert (found.note is not None) == noted
    if found.note:
        said(found.note)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1-99998-17-004", "nihii.check"),
        ("199998-16", "nihii.professional_length"),
        ("1-9999A-16-004", "nihii.letters"),
    ],
)
def test_a_wrong_professionals_number_is_explained(text, key):
    assert refused(lambda: ids.parse_nihii_professional(text)).key == key


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0000.000.097", "0000000097"),
        ("000000097", "0000000097"),
        ("0200.000.043", "0200000043"),
        ("BE 0200.000.043", "0200000043"),
        ("be0200000043", "0200000043"),
        ("TVA BE 0200.000.043", "0200000043"),
        ("1999.999.943", "1999999943"),
        ("0809.394.427", "0809394427"),
    ],
)
def test_an_enterprise_number_is_kept_as_ten_digits(text, digits):
    assert ids.parse_enterprise_number(text) == digits
    assert ids.parse_enterprise_number(ids.format_enterprise_number(digits)) == digits


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("0000.000.098", "enterprise.check"),
        ("0000000000", "enterprise.check"),
        ("2999.999.964", "enterprise.establishment"),
        ("2000000", "enterprise.length"),
        ("0200.000.04x", "enterprise.letters"),
    ],
)
def test_a_wrong_enterprise_number_is_explained(text, key):
    assert refused(lambda: ids.parse_enterprise_number(text)).key == key


@pytest.mark.parametrize("number", ["2.999.999.964", "8.999.999.993", "2.147.812.701"])
def test_an_establishment_number_reads_back_as_it_is_written(number):
    assert ids.format_establishment_number(ids.parse_establishment_number(number)) == number


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2.999.999.965", "establishment.check"),
        ("9.999.999.936", "establishment.check"),
        ("0200.000.043", "establishment.enterprise"),
        ("2.999.999", "establishment.length"),
        ("2.999.999.96l", "establishment.letters"),
    ],
)
def test_a_wrong_establishment_number_is_explained(text, key):
    assert refused(lambda: ids.parse_establishment_number(text)).key == key
