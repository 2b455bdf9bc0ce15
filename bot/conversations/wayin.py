"""Letting a user in: his manager invites him to log in, by mail or by a code that he hands over himself. Pure.

The same invitation gives a new password to whoever forgot his; the newest one counts, those before it end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.access.requests import Done, InviteUser
from bot.conversations.flow import Flow, press
from bot.conversations.model import Answers, Button, CopyText, Row, View
from bot.conversations.named import known_person, of_person, prefill
from bot.conversations.people import PersonStep
from bot.conversations.place import entity_name, may, place_steps, the_only
from bot.conversations.ports import Context, PersonCard
from bot.conversations.receipts import WAY_HOME
from bot.conversations.steps import Choice, Option
from bot.msg import m

ACT = "invite_user"
MAIL, HAND = "mail", "hand"


def ways(ctx: Context, answers: Answers) -> Sequence[Option]:
    """By mail where an address is known and mail can be sent; by hand always."""
    card = known_person(ctx, answers)
    by_hand = Option(HAND, m("way.hand"), m("way.hand_over"))
    if card is None or not card.email or not ctx.settings.mails:
        return [by_hand]
    return [Option(MAIL, m("way.mail"), m("way.mail_to", address=card.email)), by_hand]


def known(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The account that a button names, with its place; nothing where it is not the actor's."""
    return of_person(ctx, args) or prefill(memory, "")


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """What goes out, or the code to hand over: shown once, and gone after a while."""
    subject = entity_name(ctx, answers)
    if done.mailed:
        return View(mark="✉", title=m("way.sent"), subject=subject, body=(m("way.mailed"),), rows=(WAY_HOME,))
    return View(
        mark="✉",
        title=m("way.sent"),
        subject=subject,
        body=(m("way.code"), done.code, m("way.code_use")),
        rows=((Button(m("way.copy"), CopyText(done.code), "📋"),), WAY_HOME),
        fades=True,
    )


INVITE = Flow(
    key="invite",
    icon="✉",
    title=m("invite.title"),
    steps=(
        *place_steps(ACT),
        PersonStep(
            "person",
            ask=m("way.ask.person"),
            label=m("field.person"),
            after=frozenset({"entity", "quality"}),
            newcomers=False,
        ),
        Choice(
            "how",
            ask=m("way.ask.how"),
            label=m("way.how"),
            options=ways,
            after=frozenset({"person"}),
            proposes=lambda ctx, answers: the_only(ways(ctx, answers)) if "person" in answers else None,
            stands=True,
        ),
    ),
    submit=lambda _, answers: InviteUser(answers["person"]["account"], mail=answers["how"] == MAIL),
    prefill=known,
    subject=entity_name,
    receipt=receipt,
    needs=ACT,
)


def invite_row(ctx: Context, card: PersonCard) -> tuple[Row, ...]:
    """The way to let the person in, for whoever may."""
    if (
        not may(ctx, card, ACT)
        or card.ref.status != "active"
        or card.type == "technical"
        or not ctx.settings.pages
    ):
        return ()  # without pages there is neither a link to mail nor a proof for a code
    return ((press(m("invite.title"), "open", f"invite:{card.ref.id}", mark="✉"),),)
