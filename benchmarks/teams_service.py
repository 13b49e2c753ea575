"""Serve Ritme as in service, with the Microsoft of `benchmarks.microsoft` in place of the real one.

Tokens are checked as always. Only the addresses differ: of the keys, of our own access token, and of the connector,
which is let through without TLS.

Usage: python -m benchmarks.teams_service IDENTITY_URL CONNECTOR_URL
"""

import sys
from functools import partial

from adapters.cli import main
from adapters.teams import platform
from adapters.teams.auth import TokenValidator
from benchmarks.microsoft import METADATA_PATH

if __name__ == "__main__":
    identity, connector = sys.argv[1:]
    sys.argv[1:] = ["serve"]
    here = partial(platform.AppRegistration, authority=identity, metadata=identity + METADATA_PATH)
    setattr(platform, "AppRegistration", here)  # noqa: B010
    setattr(TokenValidator, "_is_allowed_url", lambda _self, url: url == connector)  # noqa: B010
    main()
