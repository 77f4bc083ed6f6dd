"""Tests of clearinghouse.store."""
