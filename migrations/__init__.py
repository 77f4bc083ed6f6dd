"""The schema's history: Alembic revisions, numbered without gaps.

A revision is never edited once released, and imports nothing of the service: it must still mean
the same when the code has moved on.
"""
