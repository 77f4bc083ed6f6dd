"""DOES: one public function is one unit of work: load, decide, write, commit.

Everything that moves value takes a sequence of transactions, whether one call or a file of a
million lines. Operations write no SQL (the store does) and are given their clock.
"""
