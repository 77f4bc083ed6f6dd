"""x"""
from pathlib import Path
from clearinghouse.operations.context import Context
from clearinghouse.operations.prove import prove
from tests.alliances import MiniAlliance, live_a_while

def test_it(context: Context, tmp_path: Path) -> None:
    a = MiniAlliance(context, tmp_path, rulebook={"points_expiry_months": 1, "restore_grace_days": 5})
    live_a_while(a)
    for p in prove(a.context): print(p)
    for t in ("lots","debts","entries"): 
        print(t)
        for r in a.rows(f"select * from {t} order by 1"): print("  ", r)
    assert 0
