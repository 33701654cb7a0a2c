"""What runs: the command line, sources, the graph, the commit."""
