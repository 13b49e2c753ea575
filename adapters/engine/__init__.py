"""Engines keep Ritme going: they plan once a second and drain each lane (a workspace's part of the outbox) when it has
something to send.

`embedded` does so in one process, in memory, on SQLite; `distributed` over many processes, with procrastinate's jobs in
PostgreSQL. Both call Ritme through `work`.
"""
