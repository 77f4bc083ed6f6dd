"""Pages for people: the finance console, the operator's desk and the traveller's pool.

Server-rendered, Chinese first with English beside it, over the same operations as the API. No page decides a rule.
"""
