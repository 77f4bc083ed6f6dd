"""Tests of the pages: what each shows, to whom, and what nobody may."""
