"""Keep what is made of templates and phrases beside the compiled modules, as Python keeps those.

Compiling one template takes up to 20 ms in which nobody is answered, all of them three seconds; reading the phrases
takes two. Where nothing can be written all of it is made each time.
"""

import pickle
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar, cast

import babel
import jinja2
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

CODE = Path(__file__).resolve().parent
PROMPTS = CODE.parent / "prompts"
COMPILED = CODE / "__pycache__" / "prompts"
Made = TypeVar("Made")


class TemplateCache(FileSystemBytecodeCache):
    """Implements Jinja's bytecode cache. What cannot be written is not kept."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template that was just compiled."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


def prepare_folder(prompts: Path = PROMPTS, kept: Path = COMPILED) -> Path | None:
    """Return the folder for what is made of these prompts by this code, and let go what was made of or by others. None
    where nothing can be written.

    Jinja puts into a compiled template what its filters make of constants, such as words from another template. So
    what is kept holds only as long as no prompt and no module of the core has changed.
    """
    state = sha256(f"{jinja2.__version__} {babel.__version__}".encode())
    for source in (*sorted(prompts.rglob("*.*")), *sorted(CODE.rglob("*.py"))):
        about = source.stat()
        # Whole seconds, as Python compares them: a copy of a container's image keeps no more.
        state.update(f"{source}{int(about.st_mtime)}{about.st_size}".encode())
    folder = kept / state.hexdigest()[:16]
    with suppress(OSError):  # a folder that may not be written
        for other in kept.iterdir() if kept.exists() and not folder.exists() else ():
            shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    return folder if folder.is_dir() else None


@cache
def compiled_folder() -> Path | None:
    """Return the folder of this process; see `prepare_folder`."""
    return prepare_folder()


def keep_templates(folder: Path | None) -> TemplateCache | None:
    """Return a cache of templates in a folder."""
    return TemplateCache(str(folder), "%s.bin") if folder is not None else None


def keep_value(folder: Path | None, name: str, make: Callable[[], Made]) -> Made:
    """Return what is kept under a name, or make it and keep it."""
    file = folder / f"{name}.pickle" if folder is not None else None
    if file is not None:
        with suppress(OSError), file.open("rb") as kept:
            # As safe as the modules beside it: who may write here may write those.
            return cast(Made, pickle.load(kept))  # noqa: S301 (ours)
    made = make()
    if file is not None:
        with suppress(OSError):
            _write_whole(file, pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
    return made


def _write_whole(file: Path, content: bytes) -> None:
    """Write a file so that another process reads all of it or none."""
    with NamedTemporaryFile(dir=file.parent, suffix=".tmp", delete=False) as being_written:
        being_written.write(content)
    Path(being_written.name).replace(file)
