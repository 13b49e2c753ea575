"""Keep compiled templates beside the compiled modules, as Python keeps those.

Compiling one takes up to 20 ms, in which nobody is answered; of both languages together, three seconds.
"""

import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import babel
import jinja2
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

CODE = Path(__file__).resolve().parent
COMPILED = CODE / "__pycache__" / "templates"


class TemplateCache(FileSystemBytecodeCache):
    """Implements Jinja's bytecode cache. What cannot be written is not kept: templates only load slower."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template that was just compiled."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


def open_template_cache(prompts: Path, kept: Path = COMPILED) -> TemplateCache | None:
    """Return the cache of the templates in a folder, and let go what other templates and other code compiled. None
    where nothing can be written.

    Jinja puts into a compiled template what its filters make of constants, such as words from another template. So
    what was compiled holds only as long as no template and no module of the core has changed.
    """
    state = sha256(f"{jinja2.__version__} {babel.__version__}".encode())
    # Whole seconds, as Python compares them: a copy of a container's image keeps no more.
    for source in (*sorted(prompts.rglob("*.j2")), *sorted(CODE.rglob("*.py"))):
        about = source.stat()
        state.update(f"{source}{int(about.st_mtime)}{about.st_size}".encode())
    folder = kept / state.hexdigest()[:16]
    with suppress(OSError):  # a folder that may not be written
        for other in kept.iterdir() if kept.exists() and not folder.exists() else ():
            shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    return TemplateCache(str(folder), "%s.bin") if folder.is_dir() else None
