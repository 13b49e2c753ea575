"""Stop a command before it starts anything, when its configuration or database cannot be used."""

from typing import TYPE_CHECKING, NoReturn

from rich.markup import escape

from adapters.cli.console import FAILED, NOT_CONFIGURED, stop

if TYPE_CHECKING:
    from adapters.settings import BadSettings, Settings


def load_settings() -> "Settings":
    """Read the settings from the environment; stop with every complaint when one is invalid."""
    from adapters.settings import BadSettings, Settings

    try:
        return Settings.load()
    except BadSettings as bad:
        stop_for_settings(bad)


def load_serving_settings() -> "Settings":
    """Read the settings; stop unless they configure a platform to serve, and a proxy, if any, through which to."""
    from adapters.proxies import check_proxy
    from adapters.settings import BadSettings

    settings = load_settings()
    if problems := check_proxy():
        stop_for_settings(BadSettings(problems))
    if missing := settings.missing_for_serving():
        stop(
            NOT_CONFIGURED,
            "Nothing was started: no platform is configured. For Slack, set",
            *(f"  [bold]{variable}[/]  {escape(cure)}" for variable, cure in missing.items()),
            "To look around without any platform: [bold]ritme demo[/]",
        )
    return settings


def stop_for_settings(bad: "BadSettings") -> NoReturn:
    """Print each invalid setting with its cure, and stop."""
    stop(NOT_CONFIGURED, "Nothing was started:", *(f"  {escape(line)}" for line in str(bad).splitlines()))


async def require_database(settings: "Settings", prefix: str = "Nothing was started: the database") -> None:
    """Stop unless the database answers and has the tables of this version. `prefix` begins the sentence printed."""
    from adapters.database_check import check_database

    finding = await check_database(settings)
    if finding.cure is not None:
        stop(FAILED, f"{prefix} {escape(finding.text)}.", escape(finding.cure))
