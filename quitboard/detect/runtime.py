"""The runtimes that run an exported network: the one door to OpenVINO and ONNX Runtime.

A network takes blobs one by one: every picture is its own inference of batch 1, on one thread of its own, so results
are the same bytes however many are under way at once.
"""

from __future__ import annotations

import ast
import importlib.util
import os
from collections import OrderedDict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from quitboard.errors import ModelUnusable
from quitboard.records import FloatArray

Runtime: TypeAlias = Literal["auto", "openvino", "onnx", "torch"]

MAX_COMPILED_SIZES = 6
"""OpenVINO networks kept, one for each size of picture; the one not used for longest goes first."""


class Network(Protocol):
    """Weights in a runtime."""

    canvas: tuple[int, int] | None
    """(height, width) when the input size is fixed in the weights."""
    names: list[str]
    """Class names that the file itself tells, in order; empty when it tells none."""

    def infer(self, blobs: Iterator[FloatArray]) -> Iterator[FloatArray]:
        """Yield the raw output of each blob (1, 3, height, width), without its batch axis, lazily and in order."""


def open_onnx(path: Path, runtime: Runtime, threads: int | None = None) -> tuple[str, Network]:
    """Open an exported network with the fastest runtime present; returns the runtime's name with it.

    Args:
        threads: inferences under way at once in OpenVINO; as many as there are processors when None.

    Raises:
        ModelUnusable: not a network, or the runtime is not installed.
    """
    chosen = _onnx_runtime(runtime, path)
    return chosen, _OpenVino(path, threads) if chosen == "openvino" else _OnnxRuntime(path)


def _onnx_runtime(runtime: Runtime, path: Path) -> str:
    wanted = {"auto": ("openvino", "onnx"), "torch": ()}.get(runtime, (runtime,))
    modules = {"openvino": "openvino", "onnx": "onnxruntime"}
    for name in wanted:
        if importlib.util.find_spec(modules[name]):
            return name
    raise ModelUnusable(
        f"no runtime is installed for {' or '.join(wanted)}",
        where=path.name,
        todo="Install quitboard again (it brings openvino), or quitboard[onnx] for ONNX Runtime",
    )


def not_a_model(path: Path, error: Exception) -> ModelUnusable:
    first_line = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    return ModelUnusable(
        f"the file cannot be read as a model ({first_line})", where=path.name, todo="Copy or export it again"
    )


def class_names(text: str | None) -> list[str]:
    """Read the class names that ultralytics keeps in an export: the text of a Python dict from id to name."""
    try:
        names = ast.literal_eval(text or "{}")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    if not isinstance(names, dict) or sorted(names, key=str) != sorted(range(len(names)), key=str):
        return []
    return [str(names[number]) for number in range(len(names))]


def _fixed_canvas(height: object, width: object) -> tuple[int, int] | None:
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


class _OpenVino:
    """One stream, of one thread, for each processor: the throughput layout, with sums in one order on any machine."""

    def __init__(self, path: Path, threads: int | None) -> None:
        import openvino

        self._core = openvino.Core()
        try:
            self._model = self._core.read_model(path)
            shape = self._model.input(0).partial_shape
        except RuntimeError as error:
            raise not_a_model(path, error) from None
        sides = [shape[axis].get_length() if shape[axis].is_static else None for axis in (2, 3)]
        self.canvas = _fixed_canvas(*sides)
        info = self._model.get_rt_info() if self._model.has_rt_info(["framework", "names"]) else None
        self.names = class_names(str(info["framework"]["names"].value) if info else None)
        self.threads = threads or len(os.sched_getaffinity(0))
        self._compiled: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def _network(self, shape: tuple[int, ...]) -> Any:
        if shape in self._compiled:
            self._compiled.move_to_end(shape)
            return self._compiled[shape]
        sized = self._model.clone()
        sized.reshape(list(shape))
        options = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": str(self.threads),
            "INFERENCE_NUM_THREADS": str(self.threads),
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self._compiled[shape] = compiled = self._core.compile_model(sized, "CPU", options)
        if len(self._compiled) > MAX_COMPILED_SIZES:
            self._compiled.popitem(last=False)
        return compiled

    def infer(self, blobs: Iterator[FloatArray]) -> Iterator[FloatArray]:
        under_way: deque[tuple[tuple[int, ...], Any, FloatArray]] = deque()
        idle: dict[tuple[int, ...], list[Any]] = {}

        def finish() -> FloatArray:
            shape, request, _ = under_way.popleft()
            request.wait()
            output = np.array(request.get_output_tensor(0).data[0], np.float32)
            idle.setdefault(shape, []).append(request)
            return output

        try:
            for blob in blobs:
                if len(under_way) > self.threads:
                    yield finish()
                spare = idle.get(blob.shape)
                request = spare.pop() if spare else self._network(blob.shape).create_infer_request()
                request.start_async({0: blob}, share_inputs=True)
                under_way.append((blob.shape, request, blob))  # the blob's memory is in use until it is finished
            while under_way:
                yield finish()
        finally:
            for _, request, _ in under_way:
                request.wait()


class _OnnxRuntime:
    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.use_deterministic_compute = True
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base but Exception
            raise not_a_model(path, error) from None
        self._input = self._session.get_inputs()[0]
        self.canvas = _fixed_canvas(*self._input.shape[2:4])
        self.names = class_names(self._session.get_modelmeta().custom_metadata_map.get("names"))

    def infer(self, blobs: Iterator[FloatArray]) -> Iterator[FloatArray]:
        for blob in blobs:
            yield self._session.run(None, {self._input.name: blob})[0][0]
