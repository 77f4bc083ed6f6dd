"""The monthly run: a period is closed, netted, stated and published, stage by stage.

Each stage is committed and safe to run again; a run killed anywhere and started again ends with
the same bytes (domain.md §4).
"""
