"""The API: what programs outside read of a movement, over HTTP, as JSON."""

from adapters.api.web import ApiSite, api_address

__all__ = ["ApiSite", "api_address"]
