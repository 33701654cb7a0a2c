"""What a run needs of machine code is compiled before, at the install."""

import importlib
import pkgutil

import transforms.text
from pipeline.warm import compile_kernels
from transforms.text.shingles import _Kernel


def test_no_kernel_is_left_for_the_run_to_compile():
    compile_kernels()
    names = (f"transforms.text.{module.name}" for module in pkgutil.iter_modules(transforms.text.__path__))
    modules = list(map(importlib.import_module, names))
    kernels = {value for module in modules for value in vars(module).values() if isinstance(value, _Kernel)}
    assert kernels
    assert {kernel.__name__ for kernel in kernels if not kernel._compiled.signatures} == set()
