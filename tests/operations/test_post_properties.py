"""Random histories, posted to PostgreSQL, leave the books that the reference model has."""

from pathlib import Path
from random import Random

import pytest

from tests.conftest import Server
from tests.histories.books import books, found_alliance, live_through, seen_of_books
from tests.histories.seen import differences, seen_of_model
from tests.histories.telling import tell
import time

def test_hunt(server: Server, tmp_path: Path) -> None:
    import os
    a,b,n=map(int,os.environ["HUNT"].split(","))
    for seed in range(a,b):
        h=tell(Random(seed),n)
        t=time.perf_counter()
        with books(server) as c:
            found_alliance(c,h.packs,tmp_path/str(seed))
            t1=time.perf_counter()
            out=live_through(c,h.events)
            t2=time.perf_counter()
            exp=[s.outcome for s in h.stated]
            bad=[(i,h.stated[i].row,x,y) for i,(x,y) in enumerate(zip(exp,out)) if x!=y]
            d=differences(seen_of_model(h.model),seen_of_books(c))
            t3=time.perf_counter()
        print(seed,round(t1-t,2),round(t2-t1,2),round(t3-t2,2),bad[:2],*d[:4],sep="\n   " if d or bad else " ")
