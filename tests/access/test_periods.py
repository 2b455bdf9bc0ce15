"""Days as people write them, and what a period means at an instant."""

from datetime import UTC, date, datetime, timedelta

import pytest
from bot.access import periods
from bot.access.datespeech import _MONTHS, _OFFSETS, _UNITS, _WEEKDAYS
from bot.access.periods import Period, State, read_day
from bot.errors import Invalid
from bot.i18n import speaker
from bot.msg import LANGUAGES
from hypothesis import given
from hypothesis import strategies as st
from tests.access.saying import refused, said
from tests.strategies import TODAY, days

DELAY = timedelta(minutes=20)

MEANT = [
    ("25.2.", date(2027, 2, 25)),
    ("25/02/2027", date(2027, 2, 25)),
    ("25-2-2027", date(2027, 2, 25)),
    ("25 2 2027", date(2027, 2, 25)),
    ("25–02–2027", date(2027, 2, 25)),
    ("２５.０２.２０２７", date(2027, 2, 25)),
    ("25022027", date(2027, 2, 25)),
    ("2027-02-25", date(2027, 2, 25)),
    ("2027/2/25", date(2027, 2, 25)),
    ("20270225", date(2027, 2, 25)),
    (" 1 . 2 .", date(2027, 2, 1)),
    ("25 février 2027", date(2027, 2, 25)),
    ("25 feb", date(2027, 2, 25)),
    ("3. März 2027", date(2027, 3, 3)),
    ("3 maart", date(2027, 3, 3)),
    ("March 3, 2027", date(2027, 3, 3)),
    ("the 3rd of March", date(2027, 3, 3)),
    ("1er mars", date(2027, 3, 1)),
    ("le 1er mars 2027", date(2027, 3, 1)),
    ("à partir du 3 mars", date(2027, 3, 3)),
    ("15 AOÛT", date(2027, 8, 15)),
    ("24-11", date(2026, 11, 24)),
    ("23-11", date(2027, 11, 23)),
    ("01-11-2026", date(2026, 11, 1)),
    ("29.2.", date(2028, 2, 29)),
    ("aujourd'hui", TODAY),
    ("Aujourd’hui", TODAY),
    ("vandaag", TODAY),
    ("Heute", TODAY),
    ("today", TODAY),
    ("demain", date(2026, 11, 25)),
    ("morgen", date(2026, 11, 25)),
    ("tomorrow", date(2026, 11, 25)),
    ("après-demain", date(2026, 11, 26)),
    ("overmorgen", date(2026, 11, 26)),
    ("übermorgen", date(2026, 11, 26)),
    ("the day after tomorrow", date(2026, 11, 26)),
    ("hier", date(2026, 11, 23)),
    ("lundi", date(2026, 11, 30)),
    ("dès lundi", date(2026, 11, 30)),
    ("lundi prochain", date(2026, 11, 30)),
    ("volgende maandag", date(2026, 11, 30)),
    ("nächsten Montag", date(2026, 11, 30)),
    ("ab Montag", date(2026, 11, 30)),
    ("next Monday", date(2026, 11, 30)),
    ("mardi", date(2026, 12, 1)),  # today is a Tuesday
    ("woensdag", date(2026, 11, 25)),
    ("lundi 30 novembre", date(2026, 11, 30)),
    ("Monday, 30 Nov", date(2026, 11, 30)),
    ("+3", date(2026, 11, 27)),
    ("in 3 days", date(2026, 11, 27)),
    ("dans 3 jours", date(2026, 11, 27)),
    ("over 2 weken", date(2026, 12, 8)),
    ("in einem Monat", date(2026, 12, 24)),
    ("dans un an", date(2027, 11, 24)),
]

NOT_MEANT = [
    ("25.2.27", "date.two_digit_year"),
    ("250227", "date.two_digit_year"),
    ("25 février 27", "date.two_digit_year"),
    ("25.2.20270", "date.two_digit_year"),
    ("12/25/2026", "date.month"),
    ("1.0.2027", "date.month"),
    ("45/1", "date.day"),
    ("0.1.2027", "date.day"),
    ("31 avril", "date.not_in_month"),
    ("31-4", "date.not_in_month"),
    ("31.4.2020", "date.not_in_month"),
    ("30.2.", "date.not_in_month"),
    ("29-02-2027", "date.not_leap"),
    ("1.1.1850", "date.year"),
    ("in 9999 years", "date.year"),
    ("mardi 30 novembre", "date.weekday"),
    ("le 3", "date.not_understood"),
    ("mars", "date.not_understood"),
    ("2O-2", "date.not_understood"),
    ("12345678901", "date.not_understood"),
    ("in many days", "date.not_understood"),
    ("lundi matin", "date.not_understood"),
    ("", "date.not_understood"),
]


@pytest.mark.parametrize(("text", "day"), MEANT)
def test_a_day_is_understood_as_people_write_it(text, day):
    assert read_day(text, today=TODAY) == day


@pytest.mark.parametrize(("text", "key"), NOT_MEANT)
def test_each_day_that_cannot_be_has_its_sentence(text, key):
    assert refused(lambda: read_day(text, today=TODAY)).key == key


def test_a_day_that_its_month_does_not_have_is_said_as_each_language_says_it():
    assert said(refused(lambda: read_day("31 avril 2027", today=TODAY))) == {
        "fr": "Le 31 avril n'existe pas. Tapez une date comme 30-04-2027.",
        "nl": "31 april bestaat niet. Typ een datum zoals 30-04-2027.",
        "de": "Den 31. April gibt es nicht. Geben Sie ein Datum wie 30-04-2027 ein.",
        "en": "There is no 31 April. Type a date like 30-04-2027.",
    }


@pytest.mark.parametrize(
    ("text", "lang", "day"),
    [
        ("ma", "nl", date(2026, 11, 30)),
        ("ma", "fr", date(2026, 12, 1)),
        ("Mo., 30.11.", "de", date(2026, 11, 30)),
        ("th", "en", date(2026, 11, 26)),
    ],
)
def test_a_weekday_in_two_letters_is_read_in_the_persons_language(text, lang, day):
    assert read_day(text, today=TODAY, lang=lang) == day
    assert refused(lambda: read_day(text, today=TODAY)).key == "date.not_understood"


def test_on_new_years_eve_a_day_without_year_is_of_the_year_to_come():
    assert read_day("1.1.", today=date(2026, 12, 31)) == date(2027, 1, 1)
    assert read_day("31.12.", today=date(2026, 12, 31)) == date(2026, 12, 31)


def test_a_month_later_than_the_31st_is_the_last_day_of_the_month():
    assert read_day("in 1 month", today=date(2027, 1, 31)) == date(2027, 2, 28)


def test_no_word_means_two_things():
    months = [word for row in _MONTHS for word in row.split()]
    weekdays = [word for row in _WEEKDAYS for word in row.split()]
    relative = [word for words in _OFFSETS.values() for word in words]
    units = [word for row in _UNITS.values() for word in row.split()]
    assert [len(words) for words in (months, weekdays, relative, units)] == [
        len(set(words)) for words in (months, weekdays, relative, units)
    ]
    assert set(months) & set(weekdays) == set()
    assert set(weekdays) & set(relative) == set()


@given(days, st.sampled_from(["-", "/", ".", " ", " / "]), st.booleans())
def test_day_month_year_is_read_back_with_any_separator(day, separator, padded):
    width = 2 if padded else 1
    text = separator.join([f"{day.day:0{width}d}", f"{day.month:0{width}d}", str(day.year)])
    assert read_day(text, today=TODAY) == day


@given(days, st.sampled_from(LANGUAGES))
def test_a_month_said_by_the_catalogue_is_understood(day, lang):
    month = speaker(lang).plain(periods.m(f"month.{day.month}"))
    assert read_day(f"{day.day} {month} {day.year}", today=TODAY) == day


@given(days, days)
def test_a_day_without_year_is_never_past_and_the_nearest_there_is(day, today):
    found = read_day(f"{day.day}.{day.month}.", today=today)
    assert (found.day, found.month) == (day.day, day.month)
    assert found >= today
    assert found - today < timedelta(days=366) or (day.day, day.month) == (29, 2)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text):
    try:
        found = read_day(text, today=TODAY)
    except Invalid:
        return
    assert isinstance(found, date)


# ── periods ──


def brussels(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=periods.BRUSSELS).astimezone(UTC)


def test_a_period_begins_at_midnight_and_ends_at_24_hours_in_brussels():
    period = Period(date(2026, 12, 1), date(2026, 12, 31))
    second = timedelta(seconds=1)
    assert [
        period.state(brussels("2026-12-01 00:00") - second),
        period.state(brussels("2026-12-01 00:00")),
        period.state(brussels("2027-01-01 00:00") - second),
        period.state(brussels("2027-01-01 00:00")),
    ] == [State.PENDING, State.ACTIVE, State.ACTIVE, State.ENDED]
    assert period.is_active(brussels("2026-12-31 23:59"))


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2027, 3, 28), 23), (date(2026, 10, 25), 25), (date(2026, 11, 24), 24)],
    ids=["spring", "autumn", "usual"],
)
def test_a_day_is_as_long_as_the_clocks_make_it(day, hours):
    assert periods.end_instant(day) - periods.start_instant(day) == timedelta(hours=hours)


def test_end_now_means_now():
    period = Period(date(2026, 1, 1), revoked_at=brussels("2026-11-24 14:00"))
    assert period.is_active(brussels("2026-11-24 13:59"))
    assert period.state(brussels("2026-11-24 14:00")) is State.ENDED


def test_what_is_revoked_before_it_began_never_was():
    period = Period(date(2027, 1, 1), revoked_at=brussels("2026-11-24 14:00"))
    assert period.state(brussels("2027-01-02 00:00")) is State.ENDED
    assert not period.overlaps(Period(date(2027, 1, 1)))


def test_a_start_of_today_is_active_after_the_delay():
    recorded = brussels("2026-11-24 14:12")
    due = periods.due_instant(TODAY, recorded, DELAY)
    period = Period(TODAY, due_at=due)
    assert due == brussels("2026-11-24 14:32")
    assert [period.state(due - timedelta(seconds=1)), period.state(due)] == [State.PENDING, State.ACTIVE]


@pytest.mark.parametrize(
    ("start", "recorded", "due"),
    [
        (
            date(2026, 11, 25),
            "2026-11-24 23:59",
            "2026-11-25 00:00",
        ),  # tomorrow is active at midnight, no delay
        (date(2026, 11, 1), "2026-11-24 14:12", "2026-11-24 14:32"),
        (date(2026, 11, 24), "2026-11-24 23:50", "2026-11-25 00:10"),
        (date(2027, 3, 29), "2026-11-24 14:12", "2027-03-29 00:00"),
        (date(2026, 11, 25), "2026-11-25 00:30", "2026-11-25 00:50"),  # still the 24th in UTC
    ],
)
def test_the_twenty_minutes_count_only_for_acts_of_the_same_day(start, recorded, due):
    assert periods.due_instant(start, brussels(recorded), DELAY) == brussels(due)


def test_the_delay_runs_through_the_hour_that_the_clocks_repeat():
    recorded = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    assert periods.due_instant(date(2026, 10, 25), recorded, DELAY) == recorded + DELAY


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ((date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 2, 1), None), False),
        ((date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 1, 31), None), True),
        ((date(2026, 1, 1), None), (date(2030, 1, 1), date(2030, 1, 1)), True),
    ],
)
def test_two_periods_overlap_where_they_share_a_day(one, other, meet):
    assert Period(*one).overlaps(Period(*other)) is meet
    assert Period(*other).overlaps(Period(*one)) is meet


@given(
    st.builds(Period, days, st.none() | days),
    days.map(lambda day: periods.start_instant(day) - timedelta(minutes=1)) | days.map(periods.start_instant),
)
def test_a_period_is_active_on_exactly_its_days(period, at):
    day = at.astimezone(periods.BRUSSELS).date()
    assert period.is_active(at) == (
        period.starts_on <= day and (period.ends_on is None or day <= period.ends_on)
    )


# ── rules ──


@pytest.mark.parametrize(
    ("day", "outcome"),
    [
        (date(2026, 10, 24), "start.too_early"),
        (date(2026, 10, 25), "start.past"),
        (date(2026, 11, 23), "start.past"),
        (TODAY, None),
        (date(2036, 11, 24), None),
        (date(2036, 11, 25), "start.too_late"),
    ],
)
def test_a_start_lies_between_thirty_days_ago_and_ten_years_ahead(day, outcome):
    try:
        msg = periods.check_start(day, today=TODAY)
    except Invalid as refusal:
        msg = refusal.msg
    assert (said(msg) and msg.key if msg else None) == outcome


@pytest.mark.parametrize(
    ("day", "key"),
    [(date(2026, 11, 29), "end.before_start"), (date(2036, 11, 25), "end.too_late")],
)
def test_an_end_lies_between_its_start_and_ten_years_ahead(day, key):
    assert refused(lambda: periods.check_end(day, starts_on=date(2026, 11, 30), today=TODAY)).key == key


def test_an_end_in_the_past_is_refused_and_the_day_of_the_start_is_not():
    assert (
        refused(lambda: periods.check_end(date(2026, 11, 20), starts_on=date(2026, 11, 1), today=TODAY)).key
        == "end.past"
    )
    periods.check_end(TODAY, starts_on=TODAY, today=TODAY)


def test_ten_years_after_29_february_is_the_28th():
    assert periods.latest_day(date(2028, 2, 29)) == date(2038, 2, 28)
