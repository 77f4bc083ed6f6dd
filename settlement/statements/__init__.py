"""One frozen statement value, rendered to bytes in every format.

A renderer reads nothing but its ``Statement``: no database, no clock, no environment. So the same
statement gives the same bytes, today and in ten years.
"""
