"""Tell the planner of SQLite how much there is, in every database the same.

Without statistics SQLite takes all indexes for equally good, and which of two it uses is chance: the one of a story, or
that of all the movement's. Counted by ANALYZE, they tell of the day they were counted: in a young database that each
table is best read whole. So they are written (docs/adr/0126): as SQLite assumes them, but of one movement, or of one
workspace, there is much.
"""

from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection

TABLE_ROWS, OF_ONE_MOVEMENT = 1_000_000, 10_000
ASSUMED = (10, 9, 8, 7, 6, 5)
"""Rows for which the first one, two, … columns of an index have the same values, as SQLite assumes."""
_LOAD = "ANALYZE sqlite_master"
"""Makes the table of statistics where there is none, and loads them in this connection; it measures nothing."""
_INDEXES = """
    SELECT tables.name, indexes.name, indexes."unique", indexes.partial, columns.name
    FROM sqlite_master AS tables, pragma_index_list(tables.name) AS indexes, pragma_index_info(indexes.name) AS columns
    WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite!_%' ESCAPE '!'
    ORDER BY tables.name, indexes.name, columns.seqno
"""


def write_statistics(connection: Connection) -> None:
    """Write what SQLite is to expect of each index. Connections that are open elsewhere go on as they were."""
    rows = connection.exec_driver_sql(_INDEXES).all()
    connection.exec_driver_sql(_LOAD)
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    for (table, index, unique, partial), its in groupby(rows, itemgetter(0, 1, 2, 3)):
        expected = _expect([name for *_, name in its], is_unique=unique, is_partial=partial)
        connection.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, index, expected))
    connection.exec_driver_sql(_LOAD)


def _expect(columns: list[str], *, is_unique: bool, is_partial: bool) -> str:
    """Word the statistics of an index: rows of the table, and for which its first one, two, … columns are the same. One
    that is partial is there because it holds little. SQLite is not to skip a column that nothing is known of."""
    same = [*ASSUMED[: len(columns)], *ASSUMED[-1:] * (len(columns) - len(ASSUMED))]
    if columns[0] in ("movement_id", "workspace_id") and not is_partial:
        same[0] = OF_ONE_MOVEMENT
    if is_unique:
        same[-1] = 1
    return " ".join(map(str, (TABLE_ROWS, *same, "noskipscan")))
