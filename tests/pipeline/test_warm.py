"""What a run needs of machine code is compiled before, at the install."""

import importlib
import pkgutil
import types

import numba
import numpy as np

import transforms.text
from pipeline.warm import compile_kernels
from pipeline.workers import compiling_told
from transforms.text.shingles import _Kernel


def _kernel(limit, called=None):
    names = {"LIMIT": limit, "TABLE": np.arange(limit), "called": called}
    return _Kernel(types.FunctionType(compile("lambda x: called(x) + TABLE[LIMIT]", "k", "eval").co_consts[0], names))


def test_stored_machine_code_is_told_by_the_constants_that_are_in_it():
    assert _kernel(1).digest == _kernel(1).digest != _kernel(2).digest
    assert _kernel(1, _kernel(1)).digest == _kernel(1, _kernel(1)).digest != _kernel(1, _kernel(2)).digest


def test_that_kernels_are_compiled_is_said_once():
    said = []
    with compiling_told(said.append):
        compiled = numba.njit(lambda number: number + 1)
        assert (compiled(1), compiled(1.5)) == (2, 2.5)
    numba.njit(lambda number: number + 2)(1)
    assert said == ["compiling kernels, once for this version"]
    with compiling_told(said.append):
        compiled(1)
    assert len(said) == 1


def test_no_kernel_is_left_for_the_run_to_compile():
    compile_kernels()
    names = (f"transforms.text.{module.name}" for module in pkgutil.iter_modules(transforms.text.__path__))
    modules = list(map(importlib.import_module, names))
    kernels = {value for module in modules for value in vars(module).values() if isinstance(value, _Kernel)}
    assert kernels
    assert {kernel.__name__ for kernel in kernels if not kernel._compiled.signatures} == set()
    stamps = {kernel.__name__: kernel._compiled._cache._cache_file._source_stamp for kernel in kernels}
    assert stamps == {kernel.__name__: kernel.digest for kernel in kernels}
