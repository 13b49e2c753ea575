"""Read files with everything about someone, as the person or a program would."""

import json
import re
from base64 import b64decode
from typing import Any

from adapters.database.unit_of_work import Begin
from bot.domain.person import PersonId

Tables = dict[str, list[dict[str, Any]]]


def tables_in(content: bytes) -> Tables:
    """Return the tables that the JSON in a file holds."""
    found = re.search(r'href="data:application/json;base64,([A-Za-z0-9+/=]+)"', content.decode())
    assert found is not None
    tables: Tables = json.loads(b64decode(found[1]))["tables"]
    return tables


def readable_text(content: bytes) -> str:
    """Return the text that a reader of a file sees, without its markup."""
    page = re.sub(r"<style>.*?</style>|<!--.*?-->", "", content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def everything_about(begin: Begin, person: PersonId) -> Tables:
    """Read all rows about a person, as their file has them."""
    tables: Tables = {}
    async with begin() as work:
        for table in work.files.tables():
            keys = await work.files.keys_about(person, table, 0, 1000)
            if keys:
                tables[table] = [dict(row) for row in await work.files.rows_about(person, table, keys)]
    return tables
