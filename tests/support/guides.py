"""Read the install guides by part, and type their lines in a shell."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
DOCS = CLONE / "docs"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTINGS = ("SLACK_", "TEAMS_", "RITME_", "PORT")


def split_by_heading(text: str) -> dict[str, str]:
    """Split a guide by its headings of the second level, in their order."""
    _, *found = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2], strict=True))


def code_blocks(text: str, kind: str) -> list[str]:
    """List what stands between fences of this language."""
    return [inside for found, inside in BLOCK.findall(text) if found == kind]


def find_broken_links(text: str) -> list[str]:
    """List the links and pictures of a guide that lead to no heading and no file."""
    return [
        target
        for target in re.findall(r"\]\(([^)]+)\)", text)
        for file, _, heading in [target.partition("#")]
        if not (DOCS / file).exists()
        or (heading and heading not in _anchors((DOCS / file).read_text() if file else text))
    ]


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def trouble_texts(text: str) -> list[str]:
    """List the messages that the headings of a guide's last part say people may see."""
    headings = re.findall(r"^### (.+)$", list(split_by_heading(text).values())[-1], re.MULTILINE)
    return ["".join(words) for heading in headings for words in re.findall(r"`([^`]+)`|“(.+)”", heading)]


def install_tools(folder: Path, typed: str) -> Path:
    """Write stand-ins for the programs a guide uses, where nothing may be fetched; return `folder`.

    `git clone` makes an empty folder, `make` puts the `ritme` of this clone in it, and `nano` writes `typed`.
    """
    scripts = {
        "git": '[ "$1" = clone ] && mkdir "$3"',
        "make": f"mkdir -p .venv/bin && cp {folder}/ritme .venv/bin/ritme",
        "nano": f'[ "$(stat -c %a "$1")" = 600 ] && cat > "$1" <<\'END\'\n{typed}END',
        "ritme": f"echo $$ > {folder}/pid; PYTHONPATH={CLONE} exec {sys.executable}"
        ' -c "from adapters.cli import main; main()" "$@"',
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


@asynccontextmanager
async def type_in_shell(
    lines: Iterable[str], home: Path, *, typed: str, environment: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `lines` in a shell, one after the other, with `typed` in the editor; kill what still runs at the end."""
    (home / "tools").mkdir()
    outside = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-e", "-c", "\n".join(f"{each}\necho '=== done'" for each in lines)),
        cwd=home,
        env=outside | {"PATH": f"{install_tools(home / 'tools', typed)}:{os.environ['PATH']}", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield shell
    finally:
        if shell.returncode is None:
            os.killpg(shell.pid, signal.SIGKILL)
            await shell.communicate()


async def read_until(shell: asyncio.subprocess.Process, words: str) -> str:
    """Read what a shell prints, up to a line with `words` in it; raise TimeoutError after a minute."""
    assert shell.stdout is not None
    said = ""
    async with asyncio.timeout(60):
        while words not in said:
            line = (await shell.stdout.readline()).decode()
            assert line, f"it stopped, and never said {words}:\n{said}"
            said += line
    return said
