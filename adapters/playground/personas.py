"""The people and channels of the playground: a home-care organisation with three groups and four channels."""

from dataclasses import dataclass

from bot.chat import Account, ChatPlace

WORKSPACE = "playground:demo"
TIMEZONE = "Europe/Amsterdam"
RITME = "ritme"
"""The author of what the bot says."""


@dataclass(frozen=True, kw_only=True)
class Persona:
    """Someone a visitor can act as. Block `role_<id>` of `playground/page.md.j2` says what they do."""

    id: str
    name: str
    group: str
    language: str

    @property
    def first_name(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def personal_chat(self) -> str:
        return personal_chat(self.id)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel everyone is in. Block `topic_<id>`, with _ for -, of `playground/page.md.j2` says what it is for."""

    id: str
    name: str


NORTH, NIGHT, OFFICE = "Wijkteam Noord", "Nachtdienst", "Kantoor en vrijwilligers"
GROUPS = (NORTH, NIGHT, OFFICE)
PERSONAS = (
    Persona(id="fatima", name="Fatima El Idrissi", group=NORTH, language="nl"),
    Persona(id="jan", name="Jan de Vries", group=NORTH, language="nl"),
    Persona(id="agnieszka", name="Agnieszka Nowak", group=NORTH, language="en"),
    Persona(id="kwame", name="Kwame Mensah", group=NIGHT, language="en"),
    Persona(id="sanne", name="Sanne Hoekstra", group=NIGHT, language="nl"),
    Persona(id="iris", name="Iris Wong", group=OFFICE, language="nl"),
    Persona(id="priya", name="Priya Raman", group=OFFICE, language="en"),
    Persona(id="wim", name="Wim Pinas", group=OFFICE, language="nl"),
)
CHANNELS = (
    Channel(id="samen-vooruit", name="samen-vooruit"),
    Channel(id="wijkteam-noord", name="wijkteam-noord"),
    Channel(id="night-shift", name="night-shift"),
    Channel(id="kantoor", name="kantoor"),
)
PERSONA_BY_ID = {persona.id: persona for persona in PERSONAS}
CHANNEL_BY_ID = {channel.id: channel for channel in CHANNELS}


def personal_chat(account: str) -> str:
    """Return the channel id of the chat between one persona and Ritme."""
    return f"dm-{account}"


def is_personal_chat(channel: str) -> bool:
    """Return whether a channel id is that of a chat between one persona and Ritme."""
    return channel.startswith("dm-")


def account_of(persona: Persona, language: str) -> Account:
    """Return a persona who reads `language`, as the platform describes them to the core."""
    return Account(workspace=WORKSPACE, id=persona.id, name=persona.first_name, language=language, timezone=TIMEZONE)


def place_of(channel: str) -> ChatPlace:
    """Return a channel or personal chat as the platform describes it to the core."""
    name = CHANNEL_BY_ID[channel].name if channel in CHANNEL_BY_ID else ""
    return ChatPlace(workspace=WORKSPACE, channel=channel, name=name, personal=is_personal_chat(channel))
