"""Each flow as a Mermaid diagram, drawn from the flow itself: `python -m bot.conversations.diagram DIR [--check]`.

The order of the steps is the table; a condition is a dashed way around; a proposal that stands is a rounded box,
because nobody is asked. CI compares the files with what is drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bot.conversations.flow import Flow, Step
from bot.conversations.registry import FLOWS


def mermaid(flow: Flow) -> str:
    """The diagram of one flow, as text."""
    return "\n".join(["flowchart TD", *(f"  {line}" for line in _lines(flow)), ""])


def _lines(flow: Flow) -> Iterator[str]:
    yield f'begin(["/{flow.key}"])'
    for step in flow.steps:
        yield _box(step)
    yield f'finish["{_end(flow)}"]'
    names = [f"s_{step.key}" for step in flow.steps]
    stops = [*names, "finish"]
    for at, name in enumerate(["begin", *names]):
        yield f"{name} --> {stops[at]}"
    for at, step in enumerate(flow.steps):
        if step.when:
            before = names[at - 1] if at else "begin"
            yield f"{before} -.->|not {_condition(step)}| {stops[at + 1]}"
        if step.key == flow.retype:
            yield f"finish -->|text| {names[at]}"
    if flow.submit:
        yield "finish -->|Done| done([receipt])" if flow.receipt else "finish -->|Done| done([back])"
        if flow.recap:
            yield "finish -->|Edit| begin"
            yield "finish -->|Refused, Conflict| finish"


def _box(step: Step) -> str:
    kind = type(step).__name__
    hangs = f"<br/>after {', '.join(sorted(step.after))}" if step.after else ""
    text = f"{step.key}<br/>{kind}{hangs}"
    return f's_{step.key}("{text}<br/>stands")' if step.stands else f's_{step.key}["{text}"]'


def _condition(step: Step) -> str:
    return getattr(step.when, "__name__", "condition").replace("_", " ")


def _end(flow: Flow) -> str:
    if flow.page:
        return "page"
    return "recap" if flow.recap else "at once"


def main(arguments: list[str]) -> int:
    """Write the diagrams, or compare them; 1 where they differ."""
    folder = Path(next((argument for argument in arguments if not argument.startswith("-")), "docs/flows"))
    wanted = {folder / f"{flow.key}.mmd": mermaid(flow) for flow in FLOWS.values()}
    present = set(folder.glob("*.mmd"))
    if "--check" in arguments:
        stale = [
            path
            for path, text in wanted.items()
            if not path.exists() or path.read_text(encoding="utf-8") != text
        ]
        stale += sorted(present - wanted.keys())
        for path in stale:
            sys.stderr.write(f"{path}: not as the flow is now; run 'make diagrams'\n")
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for path in present - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
