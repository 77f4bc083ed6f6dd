"""Tests of clearinghouse.operations."""
