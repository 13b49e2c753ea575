"""List the scopes, events and Web API methods that the app needs; the manifest, the doctor, the install page and the
install guide follow them."""

SCOPES = {
    "app_mentions:read": "hear @Ritme in a channel or a thread, where slash commands do not exist",
    "channels:history": "read replies under its own messages, and follow their edits and deletions, in public channels",
    "channels:read": "know the names of the public channels it is in",
    "chat:write": "post where it was invited",
    "commands": "/stuck, /story, /ritme, and the shortcuts",
    "files:write": "give someone a file of their own (their data, a calendar, a picture), in their own chat",
    "groups:history": "the same as channels:history, in private channels it was invited to",
    "groups:read": "know the names of the private channels it is in",
    "im:history": "read what someone types to Ritme itself",
    "im:write": "open the chat between someone and Ritme",
    "mpim:history": "the same as channels:history, in group chats it was added to",
    "reactions:read": "see who is moved by a story",
    "reactions:write": "mark a reply that was kept as a story",
    "usergroups:read": "let user groups stand for the groups (teams, shifts) of a movement",
    "users:read": "know someone's name, language and time zone, and whether the account is still used",
}
"""Bot scope → its purpose, as the install guide tells it."""

BOT_EVENTS = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "app_uninstalled": None,
    "channel_archive": "channels:read",
    "channel_deleted": "channels:read",
    "channel_id_changed": "groups:read",
    "channel_left": "channels:read",
    "channel_rename": "channels:read",
    "channel_unarchive": "channels:read",
    "group_archive": "groups:read",
    "group_deleted": "groups:read",
    "group_left": "groups:read",
    "group_rename": "groups:read",
    "group_unarchive": "groups:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "team_join": "users:read",
    "tokens_revoked": None,
    "user_change": "users:read",
}
"""Bot event → the scope without which Slack does not send it."""

API_METHODS = {
    "auth.revoke": None,
    "auth.test": None,
    "chat.delete": "chat:write",
    "chat.getPermalink": None,
    "chat.postEphemeral": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.history": "channels:history",
    "conversations.info": "channels:read",
    "conversations.open": "im:write",
    "conversations.replies": "channels:history",
    "files.completeUploadExternal": "files:write",
    "files.delete": "files:write",
    "files.getUploadURLExternal": "files:write",
    "oauth.v2.access": None,
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "users.info": "users:read",
    "views.open": None,
    "views.publish": None,
}
"""Method of the Web API that we call → the scope it needs."""

STUCK_SHORTCUT, SAVE_SHORTCUT = "stuck", "save_as_story"
"""Callback ids of the two shortcuts."""
