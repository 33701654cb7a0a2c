"""Benchmarks: cleancopy beside what its users could pick instead, in one run and as ratios; see README.md."""
