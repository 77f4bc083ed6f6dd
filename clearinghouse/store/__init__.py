"""REMEMBERS: all SQL of the service, and the embedded PostgreSQL it runs on.

One module for each thing that is remembered. Nothing here decides a rule, and nothing commits: the
operation that calls owns the transaction. Postings are only ever added; the database refuses
UPDATE and DELETE on them.
"""
