"""Worked examples as aligned text tables, one request a row with its expected result, run against real books.

A scenario is a text file. ``#`` begins a comment, ``[words]`` a section; below it comes a table whose columns
stand at least two spaces apart, the first row naming them. ``-`` is an empty cell. Money is in fen.

    [rulebook]           member and value a row; ``stored_value_licence`` is its last good day
    [hotels]             hotel  system  from
    [tiers]              system  tier  level  rank  rate
    [cards]              card  traveller  hotel  tier  issued
    [requests]           ref  host  kind  card  date  amount  points  of  at  →  result, and what is expected of it:
                         issued (points), legs ("CLD-GZ 800 fee 16, AUR-SH 30 own"), left (points available), period
    [close 2026-11]      the period is closed and netted; ``[settle 2026-11]`` publishes it
    [positions 2026-11]  system  receivable  payable  fees  vat  net
    [obligations 2026-11]  debtor  creditor  kind  count  amount
    [points 2026-11]     hotel  and any columns of points_liability.csv
    [lots T1]            hotel  left  expires; ``[stored value T1]`` hotel  left
    [debts T1]           hotel  owed  until

Reference sections that follow one another make one alliance pack, imported when something else follows; a
second rulebook begins another pack, and so does ``[later pack]``.
"""
