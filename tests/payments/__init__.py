"""Payments: what is instructed, what the bank says, and that not a fen is lost or counted twice."""
