"""Settings are validated before anything starts; each error names the variable and its cure."""

from pathlib import Path

import pytest

from adapters.settings import CURES, BadSettings, Settings

KEYS = ("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=", "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE=")


def test_nothing_set_is_a_local_sqlite_file_on_this_machine_only() -> None:
    settings = Settings.load()

    assert settings.database_url == "sqlite+aiosqlite:///var/ritme.db"
    assert settings.database_file == Path("var/ritme.db")
    assert settings.is_loopback
    assert settings.base_url == "http://127.0.0.1:8080"
    assert not settings.serves_slack


@pytest.mark.parametrize(
    "given", ["sqlite:////data/r.db", "sqlite+aiosqlite:////data/r.db", "sqlite+pysqlite:////data/r.db"]
)
def test_any_sqlite_address_is_opened_without_blocking(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("RITME_DATABASE_URL", given)

    assert Settings.load().database_url == "sqlite+aiosqlite:////data/r.db"
    assert Settings.load().database_file == Path("/data/r.db")


@pytest.mark.parametrize(("variables", "port"), [({"PORT": "9"}, 9), ({"PORT": "9", "RITME_PORT": " 10 "}, 10)])
def test_the_port_comes_from_port_unless_ritme_port_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], port: int
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)

    assert Settings.load().port == port


@pytest.mark.parametrize(
    ("variables", "port"),
    [({}, 9080), ({"RITME_PORT": "0"}, 0), ({"RITME_OPERATIONS_PORT": "7"}, 7), ({"RITME_OPERATIONS_PORT": "0"}, 0)],
)
def test_how_it_is_has_a_port_of_its_own_on_this_machine_only(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], port: int
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)

    assert (Settings.load().operations_host, Settings.load().operations_port) == ("127.0.0.1", port)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RITME_DATABASE_URL", "var/ritme.db"),
        ("RITME_DATABASE_URL", "sqlite://"),
        ("RITME_DATABASE_URL", "sqlite:///:memory:"),
        ("RITME_DATABASE_URL", "mysql://ritme:geheim@db/ritme"),
        ("RITME_DATABASE_URL", "postgresql://ritme:geheim@db:port/ritme"),
        ("RITME_HOST", "http://127.0.0.1"),
        ("RITME_PORT", "eighty"),
        ("RITME_PORT", "-1"),
        ("RITME_PORT", "65536"),
        ("RITME_PORT", "80.5"),
        ("RITME_OPERATIONS_HOST", "http://127.0.0.1"),
        ("RITME_OPERATIONS_PORT", "9080a"),
        ("RITME_MAX_CONNECTIONS", "9"),
        ("RITME_PUBLIC_URL", "ritme.example.org"),
        ("RITME_PUBLIC_URL", "ftp://ritme.example.org"),
        ("SLACK_SIGNING_SECRET", "two geheim"),
        ("SLACK_BOT_TOKEN", "xoxp-geheim"),
        ("SLACK_APP_TOKEN", "xoxb-geheim"),
        ("SLACK_CLIENT_SECRET", "two geheim"),
        ("RITME_SECRET_KEY", "geheim"),
        ("RITME_SECRET_KEY", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=,geheim"),
        ("SLACK_API_URL", "slack"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_cure_and_without_the_secret(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(BadSettings) as refused:
        Settings.load()

    assert str(refused.value).startswith(f"{variable} ")
    assert str(refused.value).endswith(CURES[variable])
    assert "geheim" not in str(refused.value)


def test_every_bad_value_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "x")

    with pytest.raises(BadSettings) as refused:
        Settings.load()

    assert [line.split()[0] for line in str(refused.value).splitlines()] == ["RITME_PORT", "SLACK_BOT_TOKEN"]


def test_an_empty_variable_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in CURES:
        monkeypatch.setenv(variable, "")

    assert Settings.load() == Settings()


def test_serving_needs_both_of_slacks_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(Settings.load().missing_for_serving()) == ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"]

    monkeypatch.setenv("SLACK_SIGNING_SECRET", "geheim")
    assert list(Settings.load().missing_for_serving()) == ["SLACK_BOT_TOKEN"]

    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-geheim")
    assert Settings.load().missing_for_serving() == {}
    assert Settings.load().serves_slack
    assert "geheim" not in repr(Settings.load())


def test_a_socket_needs_no_signing_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-geheim")
    assert list(Settings.load().missing_for_serving()) == ["SLACK_BOT_TOKEN"]

    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-geheim")
    assert Settings.load().serves_slack
    assert not Settings.load().is_multi_workspace


def test_many_workspaces_need_a_key_and_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    assert list(Settings.load().missing_for_serving()) == [
        "SLACK_SIGNING_SECRET",
        "SLACK_CLIENT_SECRET",
        "RITME_SECRET_KEY",
        "RITME_PUBLIC_URL",
    ]

    monkeypatch.setenv("SLACK_SIGNING_SECRET", "geheim")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "geheim")
    monkeypatch.setenv("RITME_PUBLIC_URL", "https://ritme.example.org/")
    monkeypatch.setenv("RITME_SECRET_KEY", f"{KEYS[0]}, {KEYS[1]}")
    settings = Settings.load()
    assert settings.serves_slack
    assert settings.is_multi_workspace
    assert settings.secret_keys == KEYS
    assert "geheim" not in repr(settings)
    assert KEYS[0] not in repr(settings)


def test_alone_no_platform_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Settings()
    for variable, value in {"SLACK_BOT_TOKEN": "xoxb-x", "SLACK_APP_TOKEN": "xapp-x", "SLACK_CLIENT_ID": "1"}.items():
        monkeypatch.setenv(variable, value)

    assert Settings.load().for_playground().model_dump() == bare.model_dump()
