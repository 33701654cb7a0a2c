"""Cruft, promo and credit rules as data, one file a language."""
