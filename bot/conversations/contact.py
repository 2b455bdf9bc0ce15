"""Writing to the help desk, what became of it, and where structured messages went. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.access.identifiers import contains_niss
from bot.access.names import parse_email
from bot.access.periods import brussels_day
from bot.access.requests import MESSAGE_MAX, SUBJECTS, Done, SendMessage
from bot.conversations.flow import HOME_ROW, Asking, Flow, Page, Screen, press
from bot.conversations.frames import MASKED
from bot.conversations.links import PORTAL
from bot.conversations.model import Answers, Button, Door, Link, Row, View
from bot.conversations.place import entity_choice
from bot.conversations.ports import Context, EntityRef
from bot.conversations.receipts import WAY_HOME
from bot.conversations.steps import Ask, Choice, Option
from bot.errors import Invalid
from bot.msg import Say, m


def help_rows(ctx: Context) -> tuple[Row, ...]:
    """Under the help of somebody known: the ways on, when reading does not help."""
    if not ctx.present:
        return ()
    desk: tuple[Row, ...] = (
        ((press(m("contact.title"), "open", "contact", mark="✉"),),) if ctx.settings.desk else ()
    )
    sent: tuple[Row, ...] = (
        ((press(m("messages.title"), "open", "messages", mark="📨"),),) if ctx.directory.messages() else ()
    )
    return (*desk, *sent, (press(m("chaman.title"), "open", "chaman"),))


def subjects(_: Context, __: Answers) -> Sequence[Option]:
    """What people write about."""
    return [Option(key, m(f"contact.subject.{key}")) for key in SUBJECTS]


def places(ctx: Context) -> list[EntityRef]:
    """Where the actor manages something or is a user."""
    known = [*ctx.directory.entities(), *(card.entity for card in ctx.directory.mine())]
    return list({entity.id: entity for entity in known}.values())


def entities(ctx: Context, _: Answers) -> Sequence[Option]:
    """The same, to choose from."""
    return [Option(e.id, m("entity.label", name=e.name, number=e.number)) for e in places(ctx)]


def entity_of(ctx: Context, answers: Answers) -> Say | None:
    """The entity that the message is about."""
    return next((e.name for e in places(ctx) if e.id == answers.get("entity")), None)


def message(ctx: Context, _: Answers, text: str) -> str:
    """A text that may be mailed: not too long, and without a national number."""
    text = "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
    if MASKED in text or contains_niss(text, today=ctx.today):
        raise Invalid(m("contact.niss"))
    if not text or len(text) > MESSAGE_MAX:
        raise Invalid(m("contact.length", max=MESSAGE_MAX))
    return text


def no_address(ctx: Context, answers: Answers) -> bool:
    """Whether the entity has no address to answer to."""
    return "entity" in answers and not ctx.directory.own_address(answers["entity"])


def own_account(ctx: Context, entity: str) -> str:
    """The actor's account there, where he can enter an address for good; empty where there is none."""
    if not ctx.settings.pages:  # without the private pages he cannot
        return ""
    mine = (card for card in ctx.directory.mine() if card.entity.id == entity)
    return next((card.ref.id for card in mine if card.ref.status == "active"), "")


@dataclass(frozen=True)
class ReplyStep(Ask):
    """Where to answer, where no address is known: one for this message, or none, and how to have one known for good."""

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        account = own_account(asking.ctx, asking.answers["entity"])
        door: tuple[Row, ...] = (
            ((press(m("mydata.title"), "open", f"mydata:{account}", mark="✏"),),) if account else ()
        )
        said: tuple[Say, ...] = (m("contact.reply_mydata"),) if account else ()
        return Screen((m("contact.no_address"), *said, *screen.body), (*screen.rows, *door))


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """Laid in the outbox: sent only when the mail server has it, so that is not said yet."""
    rows: tuple[Row, ...] = ((Button(m("messages.state"), Door("messages")),), WAY_HOME)
    if not no_address(ctx, answers):
        how = m("contact.done", reference=done.number)
    elif answers.get("reply"):
        how = m("contact.done_typed", reference=done.number)
    else:
        how = m("contact.done_nowhere", reference=done.number)
    body = (how,)
    return View(mark="✉", title=m("contact.title"), subject=entity_of(ctx, answers), body=body, rows=rows)


CONTACT = Flow(
    key="contact",
    icon="✉",
    title=m("contact.title"),
    steps=(
        Choice("subject", ask=m("contact.ask.subject"), label=m("contact.subject"), options=subjects),
        entity_choice(entities, none=m("place.no_entity")),
        ReplyStep(
            "reply",
            ask=m("contact.ask.reply"),
            label=m("contact.reply"),
            after=frozenset({"entity"}),
            when=no_address,
            parse=lambda _c, _a, text: parse_email(text),
            optional=m("contact.no_reply"),
        ),
        Ask(
            "text", ask=m("contact.ask.text"), label=m("contact.text"), parse=message, help=m("contact.help")
        ),
    ),
    submit=lambda ctx, answers: SendMessage(
        answers["subject"], answers["entity"], answers["text"], ctx.lang, answers.get("reply", "")
    ),
    subject=entity_of,
    receipt=receipt,
)


def messages(ctx: Context, _: Answers) -> Page:
    """The latest messages, each with its state."""
    lines = tuple(
        m(
            f"messages.{sent.state}",
            reference=sent.reference,
            what=m(f"contact.subject.{sent.subject}"),
            day=brussels_day(sent.at),
            at=sent.at,
        )
        for sent in ctx.directory.messages()
    )
    again: tuple[Row, ...] = (
        ((press(m("contact.title"), "open", "contact", mark="✉"),),) if ctx.settings.desk else ()
    )
    return Page(lines or (m("messages.none"),), rows=(*again, HOME_ROW))


MESSAGES = Flow(key="messages", icon="📨", title=m("messages.title"), page=messages)

CHAMAN = Flow(
    key="chaman",
    title=m("chaman.title"),
    page=lambda ctx, _: Page(
        (m("chaman.where"), m("chaman.who")),
        rows=((Button(m("chaman.portal"), Link(PORTAL[ctx.lang])),), HOME_ROW),
    ),
)
