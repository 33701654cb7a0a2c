"""How text is changed and measured: pure functions and kernels. Nothing here imports Beam."""
