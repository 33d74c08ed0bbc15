"""The append-only log on SQLite and PostgreSQL: gapless positions, stamps and hashes under the head lock."""
