"""Which accesses stand on a function: an application that asks one of a collaborator counts only as long as he holds it.

Days, not instants: what begins or ends is looked at by the day, as the register shows it. Pure: the same rule for the
dialogues, which ask beforehand, and for the acts, which refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot.access.catalogue import Application, Catalogue, Declared

APPLICATION, FUNCTION = "application", "function"
_NEED_NONE = {Declared.SPECIALIST_PHYSICIAN, Declared.HOSPITAL_PHARMACIST}
_DAY = timedelta(days=1)
Thing = tuple[str, str]
"""`APPLICATION` or `FUNCTION`, and its key."""


@dataclass(frozen=True, slots=True)
class Span:
    """What an account holds, from day to day inclusive."""

    kind: str
    key: str
    starts_on: date
    ends_on: date | None = None

    @property
    def thing(self) -> Thing:
        """What is held, whenever."""
        return self.kind, self.key


def groundless(
    catalogue: Catalogue, declared: str | None, spans: Collection[Span], since: date
) -> dict[str, date]:
    """Each application that is held without a function that it needs, with the first such day from `since` on."""
    if declared in _NEED_NONE:
        return {}
    found: dict[str, date] = {}
    for span in spans:
        application = _needing(catalogue, span)
        if application is None:
            continue
        functions = [each for each in spans if each.kind == FUNCTION and each.key in application.functions]
        day = _first_gap(functions, max(span.starts_on, since))
        if day is not None and (span.ends_on is None or day <= span.ends_on):
            found[span.key] = min(day, found.get(span.key, day))
    return found


def losing(before: Mapping[str, date], after: Mapping[str, date]) -> tuple[str, ...]:
    """The applications that would lose their ground, or lose it sooner."""
    return tuple(key for key, day in after.items() if key not in before or day < before[key])


def unfit(
    catalogue: Catalogue, declared: str | None, new: str, spans: Collection[Span], today: date
) -> tuple[Thing, ...]:
    """What cannot stay with the profession `new`: a collaborator's functions with a physician or a pharmacist (`domain.md`,
    trap 6), and with a collaborator the applications that need a function which he does not hold.
    """
    if new in _NEED_NONE:
        led = {function.key for function in catalogue.functions if function.responsible}
        things = (span.thing for span in spans if span.kind == FUNCTION and span.key in led)
        return tuple(dict.fromkeys(things))
    was, will = (groundless(catalogue, each, spans, today) for each in (declared, new))
    return tuple((APPLICATION, key) for key in losing(was, will))


def ended(spans: Iterable[Span], things: Collection[Thing], ends_on: date | None) -> tuple[Span, ...]:
    """What is left where `things` end after that day, None for at once; nothing becomes longer by it."""
    left = []
    for span in spans:
        if span.thing not in things:
            left.append(span)
        elif ends_on is not None and span.starts_on <= ends_on:
            left.append(span if span.ends_on and span.ends_on <= ends_on else replace(span, ends_on=ends_on))
    return tuple(left)


def idle(
    catalogue: Catalogue, spans: Iterable[Span], things: Collection[Thing], ends_on: date | None
) -> tuple[str, ...]:
    """The functions that an application among `things` needs, and no other one that is held once these have ended."""
    spans = tuple(spans)
    left = ended(spans, things, ends_on)
    before = _functions_needed(catalogue, [span for span in spans if span.thing in things])
    after = _functions_needed(
        catalogue, [span for span in left if ends_on is None or _lasts(span, ends_on + _DAY)]
    )
    held = {
        span.key for span in left if span.kind == FUNCTION and (ends_on is None or _goes_on(span, ends_on))
    }
    return tuple(key for key in dict.fromkeys(before) if key in held and key not in after)


def _functions_needed(catalogue: Catalogue, spans: Iterable[Span]) -> list[str]:
    needing = (_needing(catalogue, span) for span in spans)
    return [function for application in needing if application for function in application.functions]


def _needing(catalogue: Catalogue, span: Span) -> Application | None:
    """The application of the span where it needs a function; one that has left the catalogue needs nothing."""
    if span.kind != APPLICATION:
        return None
    application = next((each for each in catalogue.applications if each.key == span.key), None)
    return application if application and application.requires_function else None


def _first_gap(functions: Iterable[Span], day: date) -> date | None:
    """The first day from `day` on that none of the functions covers; None where they never end."""
    for function in sorted(functions, key=lambda each: each.starts_on):
        if function.starts_on > day:
            return day
        if function.ends_on is None:
            return None
        day = max(day, function.ends_on + _DAY)
    return day


def _lasts(span: Span, day: date) -> bool:
    return span.ends_on is None or span.ends_on >= day


def _goes_on(span: Span, ends_on: date) -> bool:
    return span.ends_on is None or span.ends_on > ends_on
