"""Choose whom to invite: a movement's network in arrays, and who of those who agreed would together reach furthest.

This package loads numpy and scipy, which takes a third of a second: import it where it is needed, not when a service
starts.
"""

from bot.domain.network.choice import invite
from bot.domain.network.ties import Network

__all__ = ["Network", "invite"]
