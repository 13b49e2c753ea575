"""Time-outs for opening PostgreSQL connections, the same for SQLAlchemy's and procrastinate's pools."""

from sqlalchemy import URL

CONNECT_TIMEOUTS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""Connection parameters of libpq, in seconds except `tcp_user_timeout` (milliseconds): a server or network that stays
silent for some ten seconds counts as gone."""


def connection_timeouts(url: URL) -> dict[str, int]:
    """Return the `CONNECT_TIMEOUTS` for connections to this URL; parameters that the URL sets itself are left out."""
    return {name: limit for name, limit in CONNECT_TIMEOUTS.items() if name not in url.query}
