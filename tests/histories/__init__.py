"""Random histories of a small alliance, and the books that follow from them.

A history is made on the reference model (``tests.model``), so it comes with its expected outcomes. The same
lines are then decided by the pure rules or posted to a real database, and everything that a hotel, a
traveller or a finance team could see of the books is compared.
"""
