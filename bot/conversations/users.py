"""The users of an entity: who is chosen from their list, what is done to them, and what it takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from bot.access.claims import ON_USERS
from bot.access.requests import ActOnUsers, Done, ExportUsers
from bot.conversations import mandates, userexport
from bot.conversations.days import NOW, WhenStep
from bot.conversations.flow import Flow
from bot.conversations.model import Answers, Button, Door, Row, View
from bot.conversations.place import entity_name, entity_step, worked_in
from bot.conversations.ports import Context
from bot.conversations.receipts import WAY_HOME, to_status
from bot.conversations.steps import Ask, Choice, Option
from bot.conversations.userlist import LIST, UsersStep, allowed
from bot.errors import Invalid
from bot.msg import Msg, Say, m

REASON_MAX = 200
NOWHERE = "-"


def acts(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What can be done to them."""
    if (answers.get("people") or {}).get("all"):
        return [Option(userexport.ACT, m("users.export"))]
    return [Option(act, m(f"users.act.{act}")) for act in allowed(ctx, answers["entity"])]


def wards(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The subdivisions of the quality that all of them are in, and none."""
    cards = [ctx.directory.person(account) for account in answers["people"]["ids"]]
    rooms = {card.ref.quality for card in cards if card}
    open_ones = ctx.directory.subdivisions(answers["entity"], ON_USERS["move"].value)
    return [
        *(Option(ward.id, ward.path) for ward in open_ones if rooms == {ward.quality}),
        Option(NOWHERE, m("users.no_subdivision")),
    ]


def reason(_: Context, __: Answers, text: str) -> str:
    """Why they are deleted."""
    text = " ".join(text.split())
    if not text:
        raise Invalid(m("users.reason_empty"))
    if len(text) > REASON_MAX:
        raise Invalid(m("users.reason_long", max=REASON_MAX))
    return text


def last_day(answers: Answers) -> date | None:
    """The last day of their applications; None where they end at once."""
    return None if answers["when"] == NOW else date.fromisoformat(answers["when"])


def request(ctx: Context, answers: Answers) -> ActOnUsers | ExportUsers:
    """The answers as one request."""
    act = answers["act"]
    if act == userexport.ACT:
        return userexport.request(ctx, answers)
    ward = answers.get("subdivision") if act == "move" else None
    return ActOnUsers(
        act,
        tuple((account, version) for account, version in answers["people"]["ids"].items()),
        reason=answers.get("reason", "") if act == "delete" else "",
        subdivision=None if ward == NOWHERE else ward,
        ends_on=last_day(answers) if act == "end" else None,
    )


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """What was recorded, under which number; what is still to do on the portal is said to be."""
    if answers["act"] == userexport.ACT:
        return userexport.receipt(ctx, answers)
    act = answers["act"]
    numbers = (done.number, *done.more)
    waits = act != "move" and any(
        change.state == "to_do" for number in numbers if (change := ctx.directory.change(number))
    )
    said = m(f"users.{'noted' if waits else 'done'}.{act}", n=len(answers["people"]["ids"]))
    body: list[Say] = [said, numbered(numbers)]
    rows: list[Row] = [(to_status(done.number),)]
    if waits:
        rows.insert(0, (Button(m("portal.open"), Door("portal"), "☑"),))
    if act in {"block", "delete"}:
        body += mandates.kept(ctx, answers["entity"], answers["people"]["ids"])
        rows += mandates.kept_rows(ctx, answers["entity"], answers["people"]["ids"])
    rows += [
        (Button(m("users.title"), Door("users", answers["entity"])),),
        WAY_HOME,
    ]
    return View(
        mark="✔",
        title=m("users.done_title"),
        subject=entity_name(ctx, answers),
        body=tuple(body),
        rows=tuple(rows),
    )


def numbered(numbers: Sequence[str]) -> Msg:
    """All numbers of what was recorded: from the first to the last where none is missing between."""
    year = numbers[0][:5]
    row = [f"{year}{at:06d}" for at in range(int(numbers[0][5:]), int(numbers[0][5:]) + len(numbers))]
    if len(numbers) > 1 and list(numbers) == row:
        return m("users.numbers", first=numbers[0], last=numbers[-1])
    return m("users.number", number=tuple(numbers) if len(numbers) > 1 else numbers[0])


def prefill(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The entity that a button names, or that of the subdivision; else the one that the manager chose to work in."""
    card = ctx.directory.subdivision(args.strip()) if args.strip() else None
    return {"entity": card.entity} if card else worked_in(memory, args)


def suggested(ctx: Context, args: str) -> Answers:
    """The list narrowed to the subdivision that a button names."""
    card = ctx.directory.subdivision(args.strip()) if args.strip() else None
    return {"people": {"ids": {}, "f": {"subdivision": card.id}}} if card else {}


USERS = Flow(
    key="users",
    icon="👥",
    title=m("users.title"),
    steps=(
        entity_step(LIST, editable=False),
        UsersStep("people", ask=m("users.how"), label=m("users.who"), after=frozenset({"entity"})),
        Choice(
            "act",
            ask=m("users.ask.act"),
            label=m("users.what"),
            options=acts,
            after=frozenset({"entity"}),
        ),
        Choice(
            "subdivision",
            ask=m("users.ask.subdivision"),
            label=m("field.subdivision"),
            options=wards,
            after=frozenset({"people", "act"}),
            when=lambda _, answers: answers.get("act") == "move",
        ),
        WhenStep(
            "when",
            ask=m("users.ask.when"),
            label=m("users.when"),
            earliest=lambda ctx, _: ctx.today,
            after=frozenset({"act"}),
            when=lambda _, answers: answers.get("act") == "end",
        ),
        Ask(
            "reason",
            ask=m("users.ask.reason"),
            label=m("users.reason"),
            parse=reason,
            after=frozenset({"act"}),
            when=lambda _, answers: answers.get("act") == "delete",
        ),
        *userexport.STEPS,
    ),
    submit=request,
    prefill=prefill,
    suggests=suggested,
    subject=entity_name,
    receipt=receipt,
    restarts=True,
    needs=LIST,
)
