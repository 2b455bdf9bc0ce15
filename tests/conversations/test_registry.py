"""Flows are checked when they are put together, and speak four languages (rule 10)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bot.conversations.diagram import mermaid
from bot.conversations.flow import Flow, Page
from bot.conversations.registry import ALL, FLOWS, FlowError, checked, message_keys
from bot.i18n import catalogue
from bot.msg import LANGUAGES, m


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_key_written_in_a_dialogue_has_its_text(lang: str) -> None:
    keys = sorted(set(message_keys()))
    assert len(keys) > 100
    texts = catalogue(lang)
    assert [key for key in keys if texts.gettext(key) == key and texts.ngettext(key, key, 2) == key] == []


def test_a_flow_key_stands_for_one_flow() -> None:
    with pytest.raises(FlowError, match="used twice"):
        checked([*ALL, ALL[0]])


def test_a_flow_ends_in_a_request_or_a_page_and_not_in_both() -> None:
    grant = FLOWS["grant"]
    with pytest.raises(FlowError, match="exactly one"):
        checked([replace(grant, page=lambda _ctx, _answers: Page())])
    with pytest.raises(FlowError, match="exactly one"):
        checked([Flow("empty", title=m("grant.title"))])


def test_a_step_hangs_on_earlier_steps_only() -> None:
    grant = FLOWS["grant"]
    with pytest.raises(FlowError, match="come later"):
        checked([replace(grant, steps=tuple(reversed(grant.steps)))])


def test_a_step_with_a_condition_names_what_it_hangs_on() -> None:
    grant = FLOWS["grant"]
    broken = tuple(
        replace(step, after=frozenset()) if step.key == "profession" else step for step in grant.steps
    )
    with pytest.raises(FlowError, match="names no step"):
        checked([replace(grant, steps=broken)])


@pytest.mark.parametrize("part", ["flow", "step"])
def test_a_text_that_a_catalogue_lacks_is_found_when_the_program_starts(part: str) -> None:
    grant = FLOWS["grant"]
    lacking = m("grant.of_nothing")
    first = replace(grant.steps[0], ask=lacking)
    broken = (
        replace(grant, title=lacking) if part == "flow" else replace(grant, steps=(first, *grant.steps[1:]))
    )
    with pytest.raises(FlowError, match=r"there is no text .*fr: grant\.of_nothing"):
        checked([broken])


def test_a_step_can_be_named_on_a_button() -> None:
    grant = FLOWS["grant"]
    first = replace(grant.steps[0], key="e" * 25)
    with pytest.raises(FlowError, match="longer than 24 bytes"):
        checked([replace(grant, steps=(first,))])


def test_a_diagram_names_every_step_of_its_flow() -> None:
    for flow in FLOWS.values():
        drawn = mermaid(flow)
        assert all(f"s_{step.key}" in drawn for step in flow.steps)
