"""Ending a colleague's sessions, from his card or by his name. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bot.access.requests import Done, EndSessions
from bot.access.rights import Act
from bot.conversations.flow import Accepted, Asking, Flow, Pick, Rejected, Said, Screen, Step, Verdict, press
from bot.conversations.model import Answers, Json, Row, Text, View
from bot.conversations.people import told_apart
from bot.conversations.ports import Context, PersonCard, PersonRef
from bot.conversations.receipts import WAY_HOME
from bot.conversations.steps import GONE, PAGE_SIZE
from bot.msg import Say, m

ACT = Act.END_SESSIONS.value
KEY = "signout"


def rooms(ctx: Context) -> list[str]:
    """The qualities where the actor may end sessions."""
    return [
        quality.id
        for entity in ctx.directory.entities(ACT)
        for quality in ctx.directory.qualities(entity.id, ACT)
    ]


def card_of(ctx: Context, account: str) -> PersonCard | None:
    """The account, where the actor may end its person's sessions."""
    card = ctx.directory.person(account)
    return card if card and card.ref.quality in rooms(ctx) else None


@dataclass(frozen=True)
class WhoStep(Step):
    """A user account in scope: brought by its card's button, else found by its name."""

    def screen(self, asking: Asking) -> Screen:
        found = asking.ui.get("find", "")
        people = self._found(asking.ctx, found) if found else []
        buttons = tuple(
            (press(label, "who", person.id),)
            for person, label in zip(people, told_apart(people), strict=True)
        )
        return Screen((m("signout.how"),), buttons)

    @staticmethod
    def _found(ctx: Context, find: str) -> list[PersonRef]:
        lists = (ctx.directory.people(room, find=find, size=PAGE_SIZE) for room in rooms(ctx))
        return [person for listing in lists for person in listing.items][:PAGE_SIZE]

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Pick("who", value) if card_of(asking.ctx, value):
                return Accepted(value)
            case Pick():
                return Rejected(GONE)
            case Text(text):
                find = " ".join(text.split())[:60]
                people = self._found(asking.ctx, find)
                if len(people) == 1:
                    return Accepted(people[0].id)
                if not people:
                    return Rejected(m("signout.none", said=find), {"find": ""})
                return Rejected(m("signout.several"), {"find": find})

    def reads(self, asking: Asking, value: Json) -> Say | None:
        card = card_of(asking.ctx, value)
        return told_apart([card.ref])[0] if card else None

    def holds(self, asking: Asking, value: Json) -> bool:
        return isinstance(value, str) and card_of(asking.ctx, value) is not None


def _subject(ctx: Context, answers: Answers) -> Say | None:
    card = card_of(ctx, answers["account"]) if "account" in answers else None
    return card.entity.name if card else None


def _receipt(ctx: Context, answers: Answers, _: Done) -> View:
    card = card_of(ctx, answers["account"])
    return View(
        mark="✔",
        title=m("signout.title"),
        body=(m("signout.done", name=card.ref.name if card else ""),),
        rows=(WAY_HOME,),
    )


def signout_row(ctx: Context, card: PersonCard) -> tuple[Row, ...]:
    """On a person's card: the door here, for whoever may; where no chat locks, there is nothing to end."""
    if not ctx.settings.pages or card.ref.quality not in rooms(ctx):
        return ()
    return ((press(m("signout.button"), "open", f"{KEY}:{card.ref.id}", mark="🔒"),),)


SIGNOUT = Flow(
    key=KEY,
    icon="🔒",
    title=m("signout.title"),
    steps=(WhoStep("account", ask=m("signout.ask"), label=m("field.person")),),
    submit=lambda _, answers: EndSessions(answers["account"]),
    prefill=lambda _, __, args: {"account": args.strip()} if args.strip() else {},
    subject=_subject,
    receipt=_receipt,
    restarts=True,
    needs=ACT,
)
