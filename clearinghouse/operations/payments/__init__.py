"""Payments: what is instructed for a published period, what the bank says of it, and what is overdue (domain.md §4)."""
