"""Linking a collaborator to whoever answers for him, from either side; ending a link, or moving its end. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date

from bot.access.periods import Period, check_end, check_start, earliest_start
from bot.access.requests import ChangeLink, Done, LinkResponsible
from bot.conversations.assigning import noted
from bot.conversations.days import NOW, WhenStep, end_step, start_of, start_step
from bot.conversations.flow import Accepted, Asking, Flow, Rejected, Verdict
from bot.conversations.functions import key_of, ref
from bot.conversations.hierarchy import (
    ACT,
    END_KEY,
    KEY,
    LED_BY,
    answers_for,
    can_lead,
    led_functions,
    link_line,
)
from bot.conversations.model import Answers, Json, View
from bot.conversations.named import known_person, of_person, prefill
from bot.conversations.people import PersonStep, rebased
from bot.conversations.place import entity_name, place_steps, the_only
from bot.conversations.ports import Context, LinkRef, Listing, PersonRef
from bot.conversations.receipts import on_portal, when_active
from bot.conversations.steps import GONE, PAGE_SIZE, Choice, Option
from bot.errors import Invalid
from bot.msg import Msg, m

PERSON = frozenset({"entity", "quality", "person"})


# -- who, under whom ------------------------------------------------------------------------------


@dataclass(frozen=True)
class LedStep(PersonStep):
    """A collaborator, by the function that he exercises or will exercise."""

    _: KW_ONLY
    newcomers: bool = False

    def _taken(self, asking: Asking, account: str, *, reactivate: bool = False) -> Verdict:
        verdict = super()._taken(asking, account, reactivate=reactivate)
        card = asking.ctx.directory.person(account)
        if isinstance(verdict, Accepted) and card and not led_functions(asking.ctx, card):
            return Rejected(m("lead.no_collaborator", name=card.ref.name))
        return verdict


@dataclass(frozen=True)
class LeaderStep(PersonStep):
    """A physician or a pharmacist of the quality, of the profession that the function asks for."""

    _: KW_ONLY
    newcomers: bool = False

    @staticmethod
    def _wanted(asking: Asking) -> frozenset[str]:
        """The professions in question: of the function chosen, or of any while none is."""
        chosen = key_of(asking.ctx, asking.answers["function"]) if "function" in asking.answers else ""
        functions = [chosen] if chosen else [each.key for each in asking.ctx.catalogue.functions]
        return frozenset(filter(None, (answers_for(asking.ctx, each) for each in functions)))

    def _people(self, asking: Asking, find: str, page: int) -> Listing[PersonRef]:
        return asking.ctx.directory.responsibles(
            asking.answers[self.quality], self._wanted(asking), find=find, page=page, size=PAGE_SIZE
        )

    def _taken(self, asking: Asking, account: str, *, reactivate: bool = False) -> Verdict:
        card = asking.ctx.directory.person(account)
        if card is None or card.ref.quality != asking.answers[self.quality] or card.ref.status == "deleted":
            return Rejected(GONE)
        if asking.answers.get("person", {}).get("account") == account:
            return Rejected(m("act.link.oneself"))
        if card.ref.status == "blocked":
            return Rejected(m("act.link.blocked"))
        if card.ref.profession not in self._wanted(asking):
            return Rejected(m("act.link.not_fitting"))
        return Accepted({"account": account})


def functions(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What the collaborator exercises under somebody's responsibility."""
    held = led_functions(ctx, known_person(ctx, answers))
    return [Option(ref(f.key), f.short, f.label) for f in ctx.catalogue.functions if f.key in held]


def begun(ctx: Context, answers: Answers) -> Sequence[Period]:
    """When the collaborator exercises the function chosen."""
    card, key = known_person(ctx, answers), key_of(ctx, answers["function"])
    held = card.holdings if card else ()
    return [
        Period(h.starts_on, h.ends_on)
        for h in held
        if (h.kind, h.key) == ("function", key) and h.state != "ended"
    ]


def checked_start(ctx: Context, answers: Answers, day: date) -> Msg | None:
    """A day on which the function is exercised, and on which this responsible does not answer already."""
    note = check_start(day, today=ctx.today)
    periods = begun(ctx, answers)
    if not any(period.overlaps(Period(day, day)) for period in periods):
        raise Invalid(m("act.link.outside", since=min(period.starts_on for period in periods)))
    _no_overlap(ctx, answers, Period(day, day))
    return note


def checked_end(ctx: Context, answers: Answers, day: date) -> Msg | None:
    """Not before the start, and not into a later link with the same responsible."""
    start = start_of(ctx, answers)
    check_end(day, starts_on=start, today=ctx.today)
    _no_overlap(ctx, answers, Period(start, day))
    return None


def _no_overlap(ctx: Context, answers: Answers, period: Period) -> None:
    function = key_of(ctx, answers["function"])
    for link in ctx.directory.links(answers["person"]["account"]):
        same = link.leads and (link.account, link.function) == (answers["responsible"]["account"], function)
        if same and Period(link.starts_on, link.ends_on).overlaps(period):
            raise Invalid(m("act.link.overlap", since=link.starts_on))


def first_day(ctx: Context, answers: Answers) -> date:
    """Today, or the first day of a function that has not begun."""
    return max(earliest_start(ctx.today), min(period.starts_on for period in begun(ctx, answers)))


def request(ctx: Context, answers: Answers) -> LinkResponsible:
    """The answers as one request."""
    person, end = answers["person"], answers["end"]
    return LinkResponsible(
        person["account"],
        person["version"],
        answers["responsible"]["account"],
        key_of(ctx, answers["function"]),
        start_of(ctx, answers),
        date.fromisoformat(end) if end else None,
    )


def known(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The collaborator that a button names, or the responsible; else the entity worked in."""
    if args.startswith(LED_BY):
        card = ctx.directory.person(args.removeprefix(LED_BY))
        if card is None or not can_lead(ctx, card):
            return prefill(memory, "")
        responsible = {"account": card.ref.id}
        return {"entity": card.entity.id, "quality": card.ref.quality, "responsible": responsible}
    return of_person(ctx, args) or prefill(memory, "")


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """Under which number, and from when it counts."""
    return noted(ctx, answers, done, when_active(done.number, done.due, ctx.now))


LEAD = Flow(
    key=KEY,
    icon="🔗",
    title=m("lead.title"),
    steps=(
        *place_steps(ACT, none=m("lead.no_entity")),
        LedStep(
            "person",
            ask=m("lead.ask.person"),
            label=m("links.collaborator"),
            after=frozenset({"entity", "quality"}),
        ),
        Choice(
            "function",
            ask=m("lead.ask.function"),
            label=m("assign.function"),
            options=functions,
            after=PERSON,
            proposes=lambda ctx, answers: the_only(functions(ctx, answers)) if "person" in answers else None,
            stands=True,
        ),
        LeaderStep(
            "responsible",
            ask=m("lead.ask.responsible"),
            label=m("links.responsible"),
            after=PERSON | {"function"},
        ),
        start_step(PERSON | {"function", "responsible"}, earliest=first_day, check=checked_start),
        end_step(PERSON | {"function", "responsible"}, check=checked_end),
    ),
    submit=request,
    prefill=known,
    subject=entity_name,
    receipt=receipt,
    rebase=rebased,
    needs=ACT,
)


# -- another end ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class LinkedStep(PersonStep):
    """A collaborator who has a link whose end can be moved."""

    _: KW_ONLY
    newcomers: bool = False
    as_is: bool = True

    def _taken(self, asking: Asking, account: str, *, reactivate: bool = False) -> Verdict:
        verdict = super()._taken(asking, account, reactivate=reactivate)
        card = asking.ctx.directory.person(account)
        if isinstance(verdict, Accepted) and card and not links_above(asking.ctx, account):
            return Rejected(m("leadend.no_link", name=card.ref.name))
        return verdict


def links_above(ctx: Context, account: str) -> list[LinkRef]:
    """The links to responsibles that have days of their own."""
    return [each for each in ctx.directory.links(account) if each.leads and each.changeable]


def link_options(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The links of the collaborator chosen."""
    person = answers.get("person") or {}
    found = links_above(ctx, person["account"]) if person else []
    return [Option(each.id, each.name or m("links.elsewhere"), link_line(each)) for each in found]


def link_of(ctx: Context, answers: Answers) -> LinkRef | None:
    """The link chosen."""
    there = links_above(ctx, answers["person"]["account"]) if "person" in answers else []
    return next((each for each in there if each.id == answers.get("link")), None)


@dataclass(frozen=True)
class LinkStep(Choice):
    """The link; the recap shows its days as they are."""

    def reads(self, asking: Asking, value: Json) -> Msg | None:
        link = link_of(asking.ctx, {**asking.answers, self.key: value})
        return link_line(link) if link else None


def earliest(ctx: Context, answers: Answers) -> date:
    """Today, or the start of a link that has not begun."""
    link = link_of(ctx, answers)
    return max(ctx.today, link.starts_on) if link else ctx.today


def check_until(ctx: Context, answers: Answers, day: date) -> Msg | None:
    """Raises Invalid for a day before the start, in the past, too far, or that changes nothing."""
    check_end(day, starts_on=earliest(ctx, answers), today=ctx.today)
    link = link_of(ctx, answers)
    if link and link.ends_on == day:
        raise Invalid(m("change.same_day", day=day))
    return None


def change(_: Context, answers: Answers) -> ChangeLink:
    """The answers as one request."""
    person, until = answers["person"], answers["until"]
    day = date.fromisoformat(until) if until and until != NOW else None
    return ChangeLink(person["account"], person["version"], answers["link"], day, now=until == NOW)


def known_link(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The link that a button names; else the entity worked in."""
    found = ctx.directory.link(args.strip()) if args.strip() else None
    if found is None:
        return prefill(memory, "")
    account, link = found
    return {**of_person(ctx, account), "link": link.id}


def changed(ctx: Context, answers: Answers, done: Done) -> View:
    """That it is over, or until when it is."""
    until = answers["until"]
    if on_portal(ctx, answers):
        said = m("grant.noted", number=done.number)
    elif until == NOW:
        said = m("ending.recorded", number=done.number)
    elif until:
        said = m("leadend.done_until", number=done.number, day=date.fromisoformat(until))
    else:
        said = m("leadend.done_open", number=done.number)
    return noted(ctx, answers, done, said)


LEADEND = Flow(
    key=END_KEY,
    icon="🔗",
    title=m("leadend.title"),
    steps=(
        *place_steps(ACT, none=m("lead.no_entity")),
        LinkedStep(
            "person",
            ask=m("leadend.ask.person"),
            label=m("links.collaborator"),
            after=frozenset({"entity", "quality"}),
        ),
        LinkStep(
            "link",
            ask=m("leadend.ask.link"),
            label=m("leadend.link"),
            options=link_options,
            after=PERSON,
            proposes=lambda ctx, answers: the_only(link_options(ctx, answers)),
            stands=True,
        ),
        WhenStep(
            "until",
            ask=m("leadend.ask.until"),
            label=m("field.end"),
            after=PERSON | {"link"},
            optional=m("day.no_end"),
            earliest=earliest,
            check=check_until,
        ),
    ),
    submit=change,
    prefill=known_link,
    subject=entity_name,
    receipt=changed,
    rebase=rebased,
    needs=ACT,
)
