"""The dialogues that everybody meets: start, home, the stranger's page, language, help, privacy, the entity to work in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.access.offices import OFFICES
from bot.access.requests import Join
from bot.conversations.contact import help_rows
from bot.conversations.flow import HOME_ROW, Accepted, Asking, Flow, Page, Remember, Said, Verdict, press
from bot.conversations.linking import CodeStep, log_in_row
from bot.conversations.links import PORTAL
from bot.conversations.model import Answers, Button, Link, Row
from bot.conversations.place import (
    QualityChoice,
    entity_name,
    entity_option,
    qualities_title,
    quality_options,
    the_only,
)
from bot.conversations.ports import Context
from bot.conversations.searching import SearchChoice
from bot.conversations.session import RETURN, insecure, session_rows, way_back_row
from bot.conversations.spans import kept, lasting
from bot.conversations.steps import PAGE_SIZE, Choice, Option
from bot.errors import Invalid
from bot.msg import LANGUAGES, Say, m

# -- home -----------------------------------------------------------------------------------------


def home(ctx: Context, answers: Answers) -> Page:
    """Who one is, where one works, what one can do, and the dialogues put aside."""
    entities = ctx.directory.entities()
    memory: Mapping[str, str] = answers.get("memory", {})
    chosen = next((e for e in entities if e.id == memory.get("entity")), None)
    shown = (chosen,) if chosen else entities[:PAGE_SIZE]
    body: list[Say] = [m("home.hello", name=ctx.actor.name if ctx.actor else "")]
    body += [m("home.entity", name=e.name, number=e.number, role=m(f"role.short.{e.role}")) for e in shown]
    if more := len(entities) - len(shown):
        body += [] if chosen else [m("home.more", n=more)]
    body += [
        m(
            f"home.{each.mine}",
            name=(each.principal if each.mine == "deputy" else each.deputy) or m("managers.unknown"),
            until=each.until,
        )
        for each in ctx.directory.standing_in()
    ]
    if not entities:
        body.append(m("home.no_mandate"))
    resume: list[Row] = [
        (press(m("common.resume", what=m(f"{flow}.title")), "resume", flow, mark="▶"),)
        for flow in answers.get("kept", ())
    ]
    if insecure(ctx):
        body.append(m("lock.no_way_back", time=lasting(ctx.settings.idle)))
    return Page(
        tuple(body),
        after=(m("home.how"),) if entities else (),
        rows=(*way_back_row(ctx), *resume, *home_rows(ctx, several=len(entities) > 1)),
    )


def home_rows(ctx: Context, *, several: bool) -> tuple[Row, ...]:
    """What the actor may do, and the rest of the menu."""
    rows: list[Row] = []
    if ctx.directory.entities("give_access"):
        rows.append((press(m("grant.title"), "open", "grant", mark="➕"),))
    if ctx.directory.entities("end_access"):
        rows.append((press(m("end.title"), "open", "end", mark="➖"),))
    if ctx.directory.entities("give_access"):
        rows.append((press(m("change.title"), "open", "change", mark="📅"),))
    if ctx.directory.entities():
        rows.append((press(m("status.title"), "open", "status", mark="📋"),))
    if waiting := sum(visit.changes for visit in ctx.directory.visits()):
        rows.append((press(m("portal.home", count=waiting), "open", "portal", mark="☑"),))
    people: list[Button] = []
    if ctx.directory.entities("list_users"):
        people.append(press(m("users.title"), "open", "users", mark="👥"))
    acts = ("appoint_deputy", *(office.act.value for office in OFFICES.values()))
    if any(ctx.directory.entities(act) for act in acts):
        people.append(press(m("managers.title"), "open", "managers", mark="🔑"))
    if ctx.directory.entities():
        people.append(press(m("functions.title"), "open", "functions", mark="🎓"))
    if ctx.directory.entities():
        people.append(press(qualities_title(ctx), "open", "qualities", mark="🗂"))
    people.append(press(m("me.title"), "open", "me", mark="👤"))
    rows += [tuple(people[at : at + 2]) for at in range(0, len(people), 2)]
    if ctx.directory.entities("manage_subdivisions"):
        rows.append((press(m("subdivisions.title"), "open", "subdivisions", mark="🗂"),))
    if several:
        rows.append((press(m("entity.title"), "open", "entity", mark="🏥"),))
    rows.append((press(m("language.title"), "open", "language"), press(m("help.title"), "open", "help")))
    return (*rows, *session_rows(ctx))


HOME = Flow(key="home", icon="🏠", title=m("home.title"), page=home)


# -- strangers ------------------------------------------------------------------------------------


def stranger(ctx: Context, _: Answers) -> Page:
    """What this is and whom to ask, and nothing else."""
    languages = tuple(press(m(f"language.{lang}"), "open", f"language:{lang}") for lang in LANGUAGES)
    rows: tuple[Row, ...] = (
        languages[:2],
        languages[2:],
        (press(m("start.have_code"), "open", "start"),),
        *log_in_row(ctx),
        (Button(m("stranger.portal"), Link(PORTAL[ctx.lang])),),
        (press(m("privacy.title"), "open", "privacy"),),
    )
    return Page((m("stranger.what"), m("stranger.whom")), rows=rows)


STRANGER = Flow(key="stranger", title=m("stranger.title"), page=stranger, public=True)


# -- language -------------------------------------------------------------------------------------


def all_languages(_: Context, __: Answers) -> Sequence[Option]:
    """The four, each in its own name."""
    return [Option(lang, m(f"language.{lang}"), words=(lang,)) for lang in LANGUAGES]


@dataclass(frozen=True)
class LanguageStep(Choice):
    """The language to speak from now on: the chat remembers it with the answer."""

    def accept(self, asking: Asking, said: Said) -> Verdict:
        verdict = super().accept(asking, said)
        return replace(verdict, memory={"lang": verdict.value}) if isinstance(verdict, Accepted) else verdict


LANGUAGE = Flow(
    key="language",
    icon="🌐",
    title=m("language.title"),
    steps=(
        LanguageStep(
            "language", ask=m("language.ask"), label=m("field.language"), options=all_languages, half=True
        ),
    ),
    submit=lambda _, answers: Remember({"lang": answers["language"]}),
    prefill=lambda _, __, args: {"language": args.strip().lower()[:2]} if args.strip() else {},
    recap=False,
    public=True,
)


# -- start with an invitation ---------------------------------------------------------------------


def code(ctx: Context, _: Answers, text: str) -> str:
    """An invitation's code that can still be redeemed."""
    text = text.strip()
    if not text or not ctx.directory.invitation(text):
        raise Invalid(m("start.bad_code"))
    return text


def understood(_: Context, __: Answers) -> Sequence[Option]:
    """The one way on from the privacy notice."""
    return [Option("yes", m("start.agree"), words=("ok",))]


def start_prefill(ctx: Context, _: Mapping[str, str], args: str) -> Answers:
    """The code of the link, and the language if it was chosen before.

    Raises Invalid for a code that cannot be redeemed.
    """
    answers = {"language": ctx.lang} if ctx.chosen_lang else {}
    return {**answers, "code": code(ctx, {}, args)} if args.strip() else answers


def invited_in(ctx: Context, answers: Answers) -> Mapping[str, str]:
    """The language that the invitation asks for: the first screens speak it, the question about it too."""
    invitation = ctx.directory.invitation(answers.get("code", ""))
    return {"lang": invitation.lang} if invitation and invitation.lang and not ctx.chosen_lang else {}


START = Flow(
    key="start",
    title=m("start.title"),
    steps=(
        LanguageStep(
            "language", ask=m("language.ask"), label=m("field.language"), options=all_languages, half=True
        ),
        CodeStep("code", ask=m("start.ask_code"), label=m("start.code"), parse=code),
        Choice(
            "notice",
            ask=m("privacy.notice"),
            label=m("privacy.title"),
            options=understood,
            after=frozenset({"code"}),
        ),
    ),
    submit=lambda _, answers: Join(answers["code"]),
    then=RETURN.key,
    prefill=start_prefill,
    remembers=invited_in,
    recap=False,
    public=True,
)


# -- help and privacy -----------------------------------------------------------------------------


def help_page(ctx: Context, answers: Answers) -> Page:
    """Help of the moment: about the dialogue below, then what can be done at any time."""
    below = answers.get("below")
    if below in {"grant", "status", "portal", "users", "subdivisions"}:
        key = f"help.{below}"
    elif ctx.actor is None:
        key = "help.stranger"
    elif ctx.directory.entities("give_access"):
        key = "help.home"
    else:  # who only reads, or manages nothing, is not told to give
        key = "help.status" if ctx.directory.entities() else "help.own"
    return Page((m(key), m("help.always")), rows=(*help_rows(ctx), HOME_ROW))


HELP = Flow(key="help", icon="❔", title=m("help.title"), page=help_page, public=True)

PRIVACY = Flow(
    key="privacy",
    icon="🔒",
    title=m("privacy.title"),
    page=lambda ctx, _: Page((m("privacy.notice"), kept(ctx.settings.keeping)), rows=(HOME_ROW,)),
    public=True,
)


# -- the entity to work in ------------------------------------------------------------------------


def every_entity(ctx: Context, _: Answers) -> Sequence[Option]:
    """The entities where the actor has a mandate, with his role."""
    return [entity_option(entity) for entity in ctx.directory.entities()]


def every_quality(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The active qualities of the entity that the actor may look into, whatever he may do there."""
    return quality_options(ctx, answers["entity"])


ENTITY = Flow(
    key="entity",
    icon="🏥",
    title=m("entity.title"),
    steps=(
        SearchChoice(
            "entity",
            ask=m("grant.ask.entity"),
            label=m("field.entity"),
            options=every_entity,
            none=m("place.no_entity"),
        ),
        QualityChoice(
            "quality",
            ask=m("grant.ask.quality"),
            label=m("field.quality"),
            options=every_quality,
            after=frozenset({"entity"}),
            proposes=lambda ctx, answers: (
                the_only(every_quality(ctx, answers)) if "entity" in answers else None
            ),
            stands=True,
            none=m("grant.no_quality"),
        ),
    ),
    submit=lambda _, answers: Remember({"entity": answers["entity"], "quality": answers["quality"]}),
    subject=entity_name,
    recap=False,
    restarts=True,
)
