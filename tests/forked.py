"""The program as a process of its own, without its import: a nursery that has imported it forks for each command.

The import is most of what a command costs, and the tests run hundreds. What is forked has an environment, arguments,
a folder and streams of its own, and is killed like any other process; that `python -m bot` itself works is shown by
the few tests that start it so. The nursery imports with an empty `ACCESSBOT_*` environment and opens nothing.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent


class Forked:
    """A running command; the part of `subprocess.Popen` that tests use."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: IO[Any] | int,
        stderr: IO[Any] | int,
        seconds_ahead: int = 0,
    ) -> None:
        self.args = list(arguments)
        self.returncode: int | None = None
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.connect(_nursery())
        out, self.stdout = _stream(stdout)
        err, self.stderr = _stream(stderr)
        wish = {"argv": self.args, "env": dict(env), "ahead": seconds_ahead}
        self._line.sendmsg(
            [json.dumps(wish).encode() + b"\n"],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [out, err]))],
        )
        for own, given in ((out, stdout), (err, stderr)):
            if given == subprocess.PIPE:
                os.close(own)
        self._answers = self._line.makefile("r")
        self.pid = int(self._answers.readline())

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        if self.returncode is None and select.select([self._line], [], [], 0)[0]:
            self._over()
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The exit code, once it has ended. Raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout)
            self._over()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal, where it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _over(self) -> None:
        self.returncode = int(self._answers.readline())
        self._answers.close()
        self._line.close()


def runs(
    arguments: Sequence[str], env: Mapping[str, str], timeout: float = 60.0
) -> subprocess.CompletedProcess[bytes]:
    """Runs a command to its end: what it printed, and its exit code."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = Forked(arguments, env=env, stdout=out, stderr=err).wait(timeout)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(list(arguments), code, out.read(), err.read())


def _stream(wanted: IO[Any] | int) -> tuple[int, IO[bytes] | None]:
    if wanted == subprocess.PIPE:
        reading, writing = os.pipe()
        return writing, os.fdopen(reading, "rb")
    return (wanted if isinstance(wanted, int) else wanted.fileno()), None


@cache
def _nursery() -> str:
    """The address of this test process's nursery, started with the first command."""
    folder = tempfile.mkdtemp(prefix="accessbot-fork-")
    address = f"{folder}/line"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ACCESSBOT_")}
    process = subprocess.Popen([sys.executable, "-m", "tests.forked", address], cwd=ROOT, env=inherited)
    atexit.register(_ended, process, folder)
    until = time.monotonic() + 60
    while not Path(address).exists():
        assert process.poll() is None, "the nursery does not come up"
        assert time.monotonic() < until, "the nursery does not come up"
        time.sleep(0.02)
    return address


def _ended(process: subprocess.Popen[bytes], folder: str) -> None:
    process.kill()
    process.wait()
    with contextlib.suppress(OSError):
        Path(folder, "line").unlink()
        Path(folder).rmdir()


# -- inside the nursery --


def _serve(address: str) -> None:
    import bot.app
    import bot.cli
    import bot.trial  # noqa: F401 - imported for the children

    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(f"{address}.new")
    server.listen(64)
    wake, ring = socket.socketpair()
    for end in (wake, ring):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ring.fileno(), warn_on_full_buffer=False)
    Path(f"{address}.new").rename(address)
    children: dict[int, socket.socket] = {}
    parent = os.getppid()
    while os.getppid() == parent:
        ready, _, _ = select.select([server, wake], [], [], 5.0)
        if wake in ready:
            with contextlib.suppress(BlockingIOError):
                wake.recv(4096)
        if server in ready:
            line, _ = server.accept()
            pid = _born(line, [server, wake, ring, *children.values()])
            children[pid] = line
        _bury(children)


def _bury(children: dict[int, socket.socket]) -> None:
    """Tells of those who have ended."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        line = children.pop(pid)
        with contextlib.suppress(OSError):
            line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        line.close()


def _born(line: socket.socket, others: Sequence[socket.socket]) -> int:
    text, fds, _, _ = socket.recv_fds(line, 1 << 20, 2)
    while not text.endswith(b"\n"):
        text += line.recv(1 << 20)
    pid = os.fork()
    if pid:
        for fd in fds:
            os.close(fd)
        line.sendall(f"{pid}\n".encode())
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in (line, *others):
            other.close()
        wish = json.loads(text)
        os.dup2(fds[0], 1)
        os.dup2(fds[1], 2)
        for fd in fds:
            os.close(fd)
        code = _lives(wish)
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _lives(wish: Mapping[str, Any]) -> int:
    os.environ.clear()
    os.environ.update(wish["env"])
    time.tzset()
    sys.argv = ["bot", *wish["argv"]]
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    from bot.cli import main

    try:
        if wish["ahead"]:
            from datetime import UTC, datetime, timedelta

            import time_machine

            with time_machine.travel(datetime.now(UTC) + timedelta(seconds=wish["ahead"]), tick=True):
                main()
        else:
            main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    _serve(sys.argv[1])
