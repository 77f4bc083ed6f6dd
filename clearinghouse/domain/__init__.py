"""DECIDES: the rules of the alliance as pure functions and values.

Standard library only. Nothing here reads the clock, the environment or the database; the same
arguments give the same answer, to the fen. Money is integer minor units (fen), rates are integer
ppm, a period is an integer count of months.
"""
