"""The child process of `adapters.network_process`: answers the questions it reads, until there are no more.

It is a program of its own, so that it loads only what it needs: `multiprocessing` would first load again whatever the
service began with.
"""

import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from bot.networks import NetworkCache

LENGTH = 8
"""Bytes before each message, in which its length stands."""
NICENESS = 10
"""How far it stands back where processors are few: somebody asks whom to invite, many wait for an answer at once."""


def pack(message: object) -> bytes:
    """Return a message as it goes between the processes: its length, and what it is."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(LENGTH, "big") + content


def answer_questions() -> None:
    """Answer questions from standard input on standard output."""
    os.nice(NICENESS)
    with _own_output() as answers:
        questions: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=_read, args=(sys.stdin.buffer, questions), daemon=True, name="questions").start()
        from bot.networks import NetworkCache, load_numbers

        load_numbers()
        cache = NetworkCache()
        for question in iter(questions.get, None):
            answers.write(_answer(cache, question))
            answers.flush()


@contextmanager
def _own_output() -> Iterator[BinaryIO]:
    """Give what is standard output to the answers alone; what anything prints goes to standard error."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        yield answers


def _read(source: BinaryIO, questions: "SimpleQueue[bytes]") -> None:
    """Pass on each question. The end of them ends the process at once, also in the middle of a large network: whoever
    asked is gone."""
    while head := source.read(LENGTH):
        questions.put(source.read(int.from_bytes(head, "big")))
    os._exit(0)


def _answer(cache: "NetworkCache", question: bytes) -> bytes:
    """Return the packed answer, or nothing, the exception and where it was raised."""
    try:
        return pack((cache.answer(*pickle.loads(question)), None, ""))  # noqa: S301 (our own parent)
    except Exception as error:  # noqa: BLE001 (raised again where it was asked)
        return pack((None, error, traceback.format_exc()))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is told to its parent too, which ends it
    answer_questions()
