"""All dialogues of the program, checked when they are put together. Pure.

A new dialogue is a module with a `Flow`, and its name in `ALL`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import fields
from importlib.resources import files
from itertools import product

from bot.conversations.appoint import APPOINTING
from bot.conversations.assigning import ASSIGN
from bot.conversations.basics import ENTITY, HELP, HOME, LANGUAGE, PRIVACY, START, STRANGER
from bot.conversations.certificates import CERTIFICATE, CERTIFICATES, ENDCERT
from bot.conversations.change import CHANGE
from bot.conversations.contact import CHAMAN, CONTACT, MESSAGES
from bot.conversations.deputy import DEPUTY_FLOW, UNDEPUTY_FLOW
from bot.conversations.end import END
from bot.conversations.engine import Engine
from bot.conversations.flow import Flow, Step
from bot.conversations.functions import FUNCTIONS
from bot.conversations.grant import GRANT
from bot.conversations.lead import LEAD, LEADEND
from bot.conversations.linking import LINK
from bot.conversations.managers import MANAGERS
from bot.conversations.mine import ME
from bot.conversations.mydata import MYDATA
from bot.conversations.newuser import NEWUSER
from bot.conversations.portal import PORTAL_FLOW
from bot.conversations.qualities import ACTIVATING, QUALITIES
from bot.conversations.session import LOCK, LOCKED, RETURN
from bot.conversations.signout import SIGNOUT
from bot.conversations.status import STATUS
from bot.conversations.subdivisionacts import MOVE_FLOW, NEW_FLOW, RENAME_FLOW
from bot.conversations.subdivisionclose import CLOSE_FLOW
from bot.conversations.subdivisions import SUBDIVISIONS
from bot.conversations.unseat import UNSEATING
from bot.conversations.usercard import USER
from bot.conversations.userchange import EDIT
from bot.conversations.users import USERS
from bot.conversations.verify import VERIFY
from bot.conversations.wayin import INVITE
from bot.i18n import MissingText, speaker
from bot.msg import LANGUAGES, Msg

ALL = (
    HOME,
    STRANGER,
    LOCKED,
    LOCK,
    RETURN,
    START,
    LINK,
    GRANT,
    END,
    CHANGE,
    INVITE,
    STATUS,
    USERS,
    ME,
    MYDATA,
    CERTIFICATES,
    CERTIFICATE,
    ENDCERT,
    CONTACT,
    MESSAGES,
    CHAMAN,
    ENTITY,
    PORTAL_FLOW,
    VERIFY,
    LANGUAGE,
    HELP,
    PRIVACY,
    SIGNOUT,
    USER,
    EDIT,
    NEWUSER,
    FUNCTIONS,
    ASSIGN,
    MANAGERS,
    APPOINTING,
    UNSEATING,
    LEAD,
    LEADEND,
    QUALITIES,
    ACTIVATING,
    DEPUTY_FLOW,
    UNDEPUTY_FLOW,
    SUBDIVISIONS,
    NEW_FLOW,
    RENAME_FLOW,
    MOVE_FLOW,
    CLOSE_FLOW,
)
KEY_BYTES = 12
"""A flow's key stands in button codes."""
STEP_BYTES = 24
"""A step's key is the value of the button that answers it anew (`callbacks.VALUE_LIMIT`)."""


class FlowError(Exception):
    """A dialogue is put together wrongly: a defect of the program, found at import."""


def checked(flows: Iterable[Flow]) -> dict[str, Flow]:
    """The flows by key.

    Raises FlowError for a key used twice or too long, a step that depends on a later one, a flow that ends in
    both or neither of a request and a page, one that is followed by none there is, and a text that one of the four
    catalogues does not have.
    """
    found: dict[str, Flow] = {}
    for flow in flows:
        if flow.key in found or len(flow.key.encode()) > KEY_BYTES:
            raise FlowError(f"flow '{flow.key}': its key is used twice or longer than {KEY_BYTES} bytes")
        if (flow.submit is None) == (flow.page is None):
            raise FlowError(f"flow '{flow.key}': needs exactly one of submit and page")
        _check_steps(flow)
        _check_texts(flow)
        found[flow.key] = flow
    for flow in found.values():
        if flow.then and flow.then not in found:
            raise FlowError(f"flow '{flow.key}': what follows it, '{flow.then}', is no flow")
    return found


def _check_steps(flow: Flow) -> None:
    earlier: set[str] = set()
    for step in flow.steps:
        if step.key in earlier:
            raise FlowError(f"flow '{flow.key}': step '{step.key}' stands there twice")
        if len(step.key.encode()) > STEP_BYTES:
            raise FlowError(f"flow '{flow.key}': step '{step.key}' has a key longer than {STEP_BYTES} bytes")
        if not step.after <= earlier:
            raise FlowError(
                f"flow '{flow.key}': step '{step.key}' depends on {sorted(step.after - earlier)}, which come later"
            )
        if step.when and not step.after:
            raise FlowError(
                f"flow '{flow.key}': step '{step.key}' has a condition but names no step that it hangs on"
            )
        earlier.add(step.key)
    if flow.retype and flow.retype not in earlier:
        raise FlowError(f"flow '{flow.key}': there is no step '{flow.retype}' to answer anew")


def _check_texts(flow: Flow) -> None:
    """What a flow and its steps say by themselves; what their functions say is found by the walk over every dialogue."""
    parts: tuple[Flow | Step, ...] = (flow, *flow.steps)
    for part in parts:
        said = [value for each in fields(part) if isinstance(value := getattr(part, each.name), Msg)]
        for msg, lang in product(said, LANGUAGES):
            try:
                speaker(lang).template(msg)
            except MissingText as missing:
                raise FlowError(f"flow '{flow.key}', '{part.key}': there is no text {missing}") from None


FLOWS = checked(ALL)
ENGINE = Engine(FLOWS)


def message_keys() -> Iterator[str]:
    """Every message key that the dialogues write out in full: `m("…")` in this package's sources."""
    for source in files(__package__).iterdir():
        if not source.name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="m"), args=[ast.Constant(value=str(key)), *_]):
                    yield key
